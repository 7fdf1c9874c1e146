"""Which values an :class:`~hansgym.agents.contract.ActionContract` takes, and what to do where two of them differ."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hansgym.errors import ConfigurationError
from hansgym.lookup import unknown

if TYPE_CHECKING:
    from hansgym.agents.contract import ActionContract

CHOICES = {
    "space": ("joint", "ee"),
    "kind": ("absolute", "step_delta", "chunk_delta", "velocity"),
    "angles": ("rad", "deg"),
}
FRAMES = ("world", "base", "tool")

ADVICE = {
    "space": "choose another control mode for the environment",
    "kind": "accumulate or difference along the chunk",
    "frame": "express poses in the other frame",
    "rotation": "rewrite the rotation in the other format and order",
    "angles": "change degrees and radians",
    "rate_hz": "resample the chunk in time",
    "scale": "multiply to metres and radians",
    "clip": "clip before scaling",
    "offset": "move the joints' zero",
    "arm": "reorder the columns",
    "gripper": "move the gripper's column",
    "dim": "drop or add columns",
    "gripper_open": "change the gripper's sign and range",
    "gripper_closed": "change the gripper's sign and range",
    "tool_rotation": "turn the tool frame",
    "tool_offset_m": "move the tool frame",
}

_LONGEST = 64  # columns of an action vector


def check_names(contract: ActionContract) -> None:
    """Raise for a word that a field does not take."""
    for name, valid in CHOICES.items():
        if getattr(contract, name) not in valid:
            raise unknown(f"action {name}", str(getattr(contract, name)), valid)
    if contract.space == "joint":
        if contract.frame != "joint" or contract.rotation != "none":
            raise ConfigurationError(
                f"joint actions have no frame or rotation, got {contract.frame!r}, {contract.rotation!r}; "
                "leave out frame and rotation"
            )
    elif contract.frame not in FRAMES:
        raise unknown("action frame", str(contract.frame), FRAMES)
    elif contract.frame == "tool" and contract.kind == "absolute":
        raise ConfigurationError(
            f"an absolute pose cannot be given in the {contract.frame!r} frame; use 'world' or 'base', or a delta"
        )
    elif contract.kind == "velocity" and contract.rotation != "rotation_vector":
        raise ConfigurationError(
            f"a velocity cannot have its rotation in {contract.rotation!r}; it must be a 'rotation_vector' a second"
        )


def check_values(contract: ActionContract, n: int) -> None:
    """Raise for numbers that cannot be meant; ``n`` is how many numbers move the arm."""
    c = contract
    for name, size in (("arm", n), ("scale", n), ("offset", n), ("tool_rotation", 4), ("tool_offset_m", 3)):
        if len(getattr(c, name)) != size:
            raise ConfigurationError(f"action {name} has {len(getattr(c, name))} entries; it needs {size}")
    numbers = (*c.scale, *c.offset, *c.tool_rotation, *c.tool_offset_m, c.rate_hz, c.gripper_open, c.gripper_closed)
    if not all(math.isfinite(v) for v in numbers) or 0.0 in c.scale:
        raise ConfigurationError(f"action scale {c.scale} and its other numbers must be finite, and no scale 0")
    if not 0.1 <= c.rate_hz <= 1000.0:
        raise ConfigurationError(f"action rate_hz is {c.rate_hz}; it must be between 0.1 and 1000")
    if c.clip is not None and not c.clip > 0:
        raise ConfigurationError(f"action clip is {c.clip}; it must be positive, or be left out")
    if c.gripper_open == c.gripper_closed:
        raise ConfigurationError(f"the gripper reads {c.gripper_open} both open and closed; give two values")
    if abs(math.hypot(*c.tool_rotation) - 1.0) > 1e-3:
        raise ConfigurationError(f"tool_rotation {c.tool_rotation} is not a unit quaternion; give x, y, z, w")
    if c.space == "ee" and c.rotation.startswith(("quaternion", "rot6d")) and set(c.scale[3:]) != {1.0}:
        raise ConfigurationError(f"a rotation in {c.rotation} cannot be scaled by {c.scale[3:]}; its scale must be 1")
    if (c.space == "ee" or c.delta) and any(c.offset):
        raise ConfigurationError(f"offset {c.offset} is for absolute joint angles only; leave out offset")
    _check_columns(c)


def _check_columns(c: ActionContract) -> None:
    assert c.gripper is not None
    used = [*c.arm, c.gripper]
    if len(set(used)) != len(used) or min(used) < 0 or max(used) >= c.dim or c.dim > _LONGEST:
        raise ConfigurationError(
            f"columns {list(c.arm)} and gripper {c.gripper} must be different ones of 0 to {c.dim - 1} "
            f"(at most {_LONGEST} columns)"
        )


def typed(key: str, value: Any, kind: str, what: str) -> Any:
    """``value`` as the field's type ``kind`` (its annotation) asks, or an error naming the setting."""
    good = {
        "str": isinstance(value, str),
        "bool": isinstance(value, bool),
        "int": isinstance(value, int) and not isinstance(value, bool),
        "float": isinstance(value, (int, float)) and not isinstance(value, bool),
        "tuple": isinstance(value, tuple)
        and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value),
    }
    name = kind.split("[")[0].split(" ")[0]
    if not good[name]:
        raise ConfigurationError(f"{what}: {key} = {value!r} cannot be read; write {key} = <{kind}>")
    return value
