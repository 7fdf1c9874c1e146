"""How close a policy's chunks are to the expert's, in numbers that mean the same in every control mode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hansgym.agents import rotations
from hansgym.agents.contract import ours
from hansgym.agents.convert import convert
from hansgym.specs import ActionSpec

STEPS = 8
"""Steps of each chunk that are compared: those that a run executes by default."""

_LEAST = (1e-3, 1e-3)  # rad or m: a task in which the expert hardly moves does not divide by zero


@dataclass(frozen=True)
class Closeness:
    """``names``, ``units`` and root mean squares per dimension: ``error`` to the expert, ``still`` for standing still.

    ``arm_rows`` (N,): distance of each decision as a share of what standing still has on average; ``gripper_rows``
    (N,): share of steps in which the gripper is on the wrong side.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    error: np.ndarray
    still: np.ndarray
    arm_rows: np.ndarray
    gripper_rows: np.ndarray

    @property
    def arm(self) -> float:
        """Mean distance of the arm; 0 is the expert, 1 is an arm that stands still."""
        return float(self.arm_rows.mean())

    @property
    def gripper(self) -> float:
        """Share of steps with the gripper on the wrong side."""
        return float(self.gripper_rows.mean())

    @property
    def total(self) -> float:
        """Both, for ranking."""
        return self.arm + self.gripper

    @classmethod
    def nonsense(cls, action: ActionSpec, rows: int) -> Closeness:
        """Answers that mean no motion at all."""
        names, units = _dimensions(action)
        nothing = np.full(len(names), np.inf)
        return cls(names, units, nothing, nothing, np.full(rows, np.inf), np.ones(rows))


def closeness(chunk: np.ndarray, expert: np.ndarray, action: ActionSpec, state: Mapping[str, np.ndarray]) -> Closeness:
    """Compare chunks (N, T, dim) in the mode of ``action`` over the first steps; deltas are added up first."""
    steps = min(STEPS, chunk.shape[1], expert.shape[1])
    if not np.isfinite(chunk).all():
        return Closeness.nonsense(action, len(chunk))
    absolute = ours("joint_position" if action.mode.startswith("joint") else "ee_pose")
    mine, theirs = (convert(c[:, :steps], ours(action.mode), absolute, state) for c in (chunk, expert))
    if absolute.space == "joint":
        groups = [slice(0, 7)]
        off = mine[..., :7] - theirs[..., :7]
        still = np.asarray(state["joint_positions"], float)[:, None] - theirs[..., :7]
    else:
        groups = [slice(0, 3), slice(3, 6)]
        start = np.asarray(state["gripper_pose"], float)[:, None]
        off, still = _apart(mine, theirs), _apart(np.broadcast_to(start, theirs[..., :7].shape), theirs)
    rows = np.zeros(len(chunk))
    for group, least in zip(groups, _LEAST, strict=False):
        scale = max(float(np.sqrt((still[..., group] ** 2).mean())), least)
        rows += np.sqrt((off[..., group] ** 2).mean((1, 2))) / scale / len(groups)
    wrong = ((mine[..., -1] > 0.5) != (theirs[..., -1] > 0.5)).mean(1)
    names, units = _dimensions(action)
    return Closeness(names, units, _rms(off), _rms(still), rows, wrong)


def _dimensions(action: ActionSpec) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if action.mode.startswith("joint"):
        return action.names[:7], ("rad",) * 7
    return ("x", "y", "z", "rx", "ry", "rz"), ("m",) * 3 + ("rad",) * 3


def _apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(…, 6): difference of positions (m) and the rotation vector (rad) between poses (…, 7 or more)."""
    p, q = (rotations.to_matrix(x[..., 3:7], "quaternion_xyzw") for x in (a, b))
    turn = rotations.from_matrix(p @ np.swapaxes(q, -1, -2), "rotation_vector")
    return np.concatenate([a[..., :3] - b[..., :3], turn], axis=-1)


def _rms(values: np.ndarray) -> np.ndarray:
    return np.sqrt((values**2).mean((0, 1)))
