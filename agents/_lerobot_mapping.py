"""What a LeRobot checkpoint is given and what its actions mean: from its features, or from a mapping file.

Features name and size a checkpoint's inputs but say nothing about its actions, so that has to come from elsewhere: from
the run that trained it with our environment, from ``control=`` (it speaks the environment's own convention in that
control mode, as the datasets of ``hansgym record --format lerobot`` do), or from ``mapping=``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hansgym.agents import contract as contracts
from hansgym.agents._lerobot_checkpoint import Checkpoint
from hansgym.agents.mapping import Instruction, PolicyMapping, load
from hansgym.agents.proprioception import StateVector
from hansgym.agents.views import View
from hansgym.errors import ConfigurationError, ContractError
from hansgym.lookup import unknown
from hansgym.specs import CAMERAS, CONTROL_MODES

STATE = "observation.state"
STATE_PARTS = ("joint_positions", "gripper_open")
"""What ``observation.state`` is in the environment's LeRobot layout and in recorded datasets: 8 numbers."""

EMPTY = "empty_camera"
"""LeRobot fills image inputs of this name by itself."""

_RUN_FILE = "train_config.json"
_MOST_BYTES = 4_000_000


def mapping_for(checkpoint: Checkpoint, mapping: str | PolicyMapping | None, control: str | None) -> PolicyMapping:
    """The mapping of ``checkpoint``; a gap in it raises what to declare."""
    if mapping is not None and control is not None:
        raise ConfigurationError(
            f"mapping={mapping!r} and control={control!r} both say what actions mean; give one of them"
        )
    images, folder = _pictures(checkpoint.features), checkpoint.folder
    action = checkpoint.width
    states = {k: int(f.shape[0]) for k, f in checkpoint.features.items() if f.type.value in ("STATE", "ENV")}
    if mapping is not None:
        found = load(mapping)
        _same_inputs(found, images, states)
    else:
        found = _own(control or _trained_with(folder) or _undeclared(folder, action), images, states)
    if found.action.dim != action:
        raise ContractError(
            f"the checkpoint gives {action} numbers a step, mapping {found.name!r} means {found.action.dim}; "
            "choose the mapping or the control mode that it was trained for"
        )
    return found


def widths(mapping: PolicyMapping, shown: Mapping[str, Any], checkpoint: Checkpoint) -> None:
    """Raise :class:`ContractError` unless the state vectors ``shown`` are as wide as the checkpoint's."""
    for state in mapping.states:
        due, got = int(checkpoint.features[state.key].shape[0]), shown[state.key].shape[1]
        if due != got:
            raise ContractError(
                f"the checkpoint takes {due} numbers as {state.key!r}, mapping {mapping.name!r} gives {got} "
                f"({', '.join(state.parts)}); write the parts that it was trained with"
            )


def _pictures(inputs: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Image input -> (height, width)."""
    pictures = {k: f for k, f in inputs.items() if f.type.value == "VISUAL" and EMPTY not in k}
    sizes = {k: tuple(int(n) for n in f.shape) for k, f in pictures.items()}
    for key, shape in sizes.items():
        if len(shape) != 3 or shape[0] != 3:
            raise ContractError(f"the checkpoint's image {key!r} has shape {shape}; it must be (3, height, width)")
    return {key: (shape[1], shape[2]) for key, shape in sizes.items()}


def _own(control: str, images: Mapping[str, tuple[int, int]], states: Mapping[str, int]) -> PolicyMapping:
    """The environment's own convention under LeRobot's names."""
    if control not in CONTROL_MODES:
        raise unknown("control mode", control, CONTROL_MODES)
    views = []
    for key, size in images.items():
        camera = key.rsplit(".", 1)[-1]
        if camera not in CAMERAS:
            raise ContractError(
                f"the checkpoint's image {key!r} is named after none of the cameras {', '.join(CAMERAS)}; say which "
                f"one it is in a mapping file: [[camera]] with key = {key!r} and camera = 'front'"
            )
        views.append(View(key, camera, size=size, resize="pad"))
    if states and states != {STATE: 8}:
        raise ContractError(
            f"the checkpoint takes the states {dict(states)}; only {STATE!r} of 8 numbers (7 joint angles in rad, "
            "gripper 1 open 0 closed) is given without a mapping file; write [[state]] with key and parts"
        )
    return PolicyMapping(
        name=f"lerobot, {control}",
        action=contracts.ours(control),
        control=control,
        views=tuple(views),
        states=tuple(StateVector(key, STATE_PARTS) for key in states),
        instruction=Instruction("task"),
    )


def _same_inputs(mapping: PolicyMapping, images: Mapping[str, Any], states: Mapping[str, int]) -> None:
    for kind, mine, theirs in (
        ("[[camera]]", {v.key for v in mapping.views}, set(images)),
        ("[[state]]", {s.key for s in mapping.states}, set(states)),
    ):
        if mine != theirs:
            raise ContractError(
                f"mapping {mapping.name!r} names the {kind} inputs {sorted(mine)}, the checkpoint's are "
                f"{sorted(theirs)}; write a mapping file with these keys (camera = 'black' for one that is not there)"
            )


def _trained_with(folder: Path) -> str | None:
    """The control mode of our environment, where ``lerobot-train`` ran with it in the loop."""
    path = folder / _RUN_FILE
    if not path.is_file() or path.stat().st_size > _MOST_BYTES:
        return None
    try:
        env = json.loads(path.read_text(encoding="utf-8"))["env"]
        ours = env["type"] == "hansgym"
        return str(env["control"]) if ours else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _undeclared(folder: Path, action: int) -> str:
    raise ContractError(
        f"nothing says what the {action} numbers of an action of {folder} mean. Declare it: control=joint_position (or "
        f"{', '.join(CONTROL_MODES[1:])}) if it learned from `hansgym record --format lerobot`, else mapping=<file>"
    )
