"""What vla-eval calls an interface: the parts of an action and of an observation, as tables of plain values.

vla-eval compares two such tables by the name of their format alone and warns where they differ. Its stock names do not
say units, so ours do: a server that means LIBERO's -1 to 1 must not pass for one that means metres.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hansgym.agents.mapping import PolicyMapping
from hansgym.batch import STATE_KEYS, Batch
from hansgym.specs import ActionSpec

STATE_WIDTHS = {"joint_positions": 7, "joint_velocities": 7, "gripper_open": 1, "gripper_pose": 7}
STATE_FORMAT = "hansgym_joint_positions7_joint_velocities7_gripper_open1_gripper_pose7"
"""What ``states`` holds when it is one vector: everything, in the order of :data:`hansgym.batch.STATE_KEYS`."""

_ARM: dict[str, list[tuple[str, int, str]]] = {
    "joint_position": [("joints", 7, "joint_position_rad")],
    "joint_delta": [("joints", 7, "joint_delta_rad")],
    "ee_pose": [("position", 3, "absolute_xyz_m"), ("rotation", 4, "quaternion_xyzw")],
    "ee_delta": [("position", 3, "delta_xyz_m"), ("rotation", 3, "delta_axis_angle_rad")],
}


def action_parts(action: ActionSpec) -> dict[str, dict[str, Any]]:
    """Part -> ``name``, ``dims``, ``format``, … of an action in one of our control modes, the gripper last."""
    where = f"{action.frame} frame, {action.rate_hz} Hz"
    parts = {n: {"name": n, "dims": d, "format": f, "description": where} for n, d, f in _ARM[action.mode]}
    gripper = {"name": "gripper", "dims": 1, "format": "open_1_closed_0", "range": [0.0, 1.0]}
    return {**parts, "gripper": gripper}


def states(state: Mapping[str, np.ndarray]) -> np.ndarray:
    """(22,) float32: all of an observation's state vectors in the order of :data:`hansgym.batch.STATE_KEYS`."""
    return np.concatenate([np.asarray(state[key], np.float32).reshape(-1) for key in STATE_KEYS])


def ordered(cameras: Sequence[str]) -> tuple[str, ...]:
    """``cameras`` as servers take them by position: a base camera first, the wrist second, then the others."""
    base = [c for c in cameras if c != "wrist"]
    wrist = [c for c in cameras if c == "wrist"]
    return (*base[:1], *wrist, *base[1:])


def observations(mapping: PolicyMapping, batch: Batch) -> list[dict[str, Any]]:
    """For each row what a server that ``mapping`` describes is sent: ``images`` in the mapping's order (servers take
    them by position), ``task_description``, and ``states`` as one vector where the mapping has any.
    """
    shown, told = mapping.observe(batch), mapping.tell(batch)
    names = {view.key: view.camera for view in mapping.views}
    if len(set(names.values())) < len(names):
        names = {key: key for key in names}
    found: list[dict[str, Any]] = []
    for row in range(len(batch)):
        images = {name: shown[key][row] for key, name in names.items()}
        felt = [shown[state.key][row] for state in mapping.states]
        one = {"images": images, "task_description": told[row]}
        found.append({**one, "states": np.concatenate(felt)} if felt else one)
    return found
