"""What the numbers of a policy's action mean: frame, rotation format, gripper sign, delta or absolute, rate, units.

An :class:`ActionContract` is declared by the agent, or by the user's mapping file where the wire carries none. Our own
control modes are contracts too (:func:`ours`), so converting is going from one contract to another
(:func:`hansgym.agents.convert.convert`), and what differs can be listed field by field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from hansgym.agents import _contract_fields as allowed
from hansgym.agents import rotations
from hansgym.errors import ConfigurationError, ContractError
from hansgym.lookup import unknown
from hansgym.specs import CONTROL_HZ, CONTROL_MODES, ActionSpec

BASE_POSITION_M = (-0.2681, -0.0063, 0.7495)
"""Where the robot's base stands in the world; its axes are the world's."""

FRANKA_JOINT4_RAD = 0.0692
"""To be added to Franka's own joint-4 angle to get the environment's, which is RLBench's."""


@dataclass(frozen=True)
class ActionContract:
    """The meaning of one action vector.

    ``space``: ``joint`` or ``ee`` (tip pose). ``kind``: ``absolute``; ``step_delta``, from one step of the chunk to the
    next, the first from the measured state; ``chunk_delta``, every step from the measured state; ``velocity``, per
    second. ``frame`` (ee only): ``world``, ``base`` (the robot's, same axes) or ``tool``. ``rotation`` (ee only): a
    format of :mod:`hansgym.agents.rotations`. ``angles``: ``rad`` or ``deg``. ``rate_hz``: steps of the chunk a second.

    A number of theirs, clipped to ``clip`` either side if given, times ``scale`` is metres or ``angles`` (a second);
    ``offset`` is then added to absolute joint angles (rad). ``arm`` and ``gripper`` are columns of the vector's ``dim``
    numbers. The gripper reads ``gripper_open`` when open and ``gripper_closed`` when closed; ``gripper_binary``
    rounds to either. Their tip frame is ours moved by ``tool_offset_m`` and turned by ``tool_rotation`` (x, y, z, w).
    """

    space: str
    kind: str = "absolute"
    frame: str = "joint"
    rotation: str = "none"
    angles: str = "rad"
    rate_hz: float = float(CONTROL_HZ)
    scale: tuple[float, ...] = (1.0,)
    clip: float | None = None
    offset: tuple[float, ...] = (0.0,)
    arm: tuple[int, ...] = ()
    gripper: int | None = None
    dim: int = 0
    gripper_open: float = 1.0
    gripper_closed: float = 0.0
    gripper_binary: bool = False
    tool_rotation: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0)
    tool_offset_m: tuple[float, ...] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        allowed.check_names(self)
        n = 7 if self.space == "joint" else 3 + rotations.width(self.rotation)
        arm = tuple(int(k) for k in self.arm) or tuple(range(n))
        gripper = max(arm) + 1 if self.gripper is None else int(self.gripper)
        object.__setattr__(self, "arm", arm)
        object.__setattr__(self, "gripper", gripper)
        object.__setattr__(self, "dim", int(self.dim) or max(*arm, gripper) + 1)
        for name in ("scale", "offset"):
            values = tuple(float(v) for v in getattr(self, name))
            object.__setattr__(self, name, values * n if len(values) == 1 else values)
        object.__setattr__(self, "tool_rotation", tuple(float(v) for v in self.tool_rotation))
        object.__setattr__(self, "tool_offset_m", tuple(float(v) for v in self.tool_offset_m))
        allowed.check_values(self, n)

    @property
    def delta(self) -> bool:
        """Whether numbers are changes rather than places."""
        return self.kind != "absolute"

    @property
    def units(self) -> np.ndarray:
        """(n,) what one of theirs is in metres or radians (a second)."""
        units = np.array(self.scale)
        if self.angles == "deg":
            units[0 if self.space == "joint" else 3 :] *= np.pi / 180
        return units

    def describe(self) -> dict[str, Any]:
        """Plain values, for a record or a file."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    def differences(self, other: ActionContract) -> list[str]:
        """What must be converted to turn this contract's actions into ``other``'s, one clause per field."""
        found = []
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            same = mine == theirs or (field.name == "frame" and self.delta and {mine, theirs} == {"world", "base"})
            if not same and field.name in allowed.ADVICE:
                found.append(f"{field.name} {_brief(mine)} -> {_brief(theirs)}: {allowed.ADVICE[field.name]}")
        return found


def ours(control: str) -> ActionContract:
    """The contract of our control mode ``control`` (one of :data:`hansgym.specs.CONTROL_MODES`)."""
    spec = ActionSpec.of(control)
    if control.startswith("joint"):
        return ActionContract("joint", "step_delta" if spec.delta else "absolute")
    return ActionContract("ee", "step_delta" if spec.delta else "absolute", spec.frame, spec.rotation)


def from_settings(settings: Mapping[str, Any], what: str = "[action]") -> ActionContract:
    """A contract from plain values, as a mapping file has them; an unknown or unreadable one raises, naming it."""
    known = {f.name: str(f.type) for f in fields(ActionContract)}
    values: dict[str, Any] = {}
    for key, value in settings.items():
        if key not in known:
            raise unknown(f"setting of {what}", key, known)
        if isinstance(value, (list, int, float)) and known[key].startswith("tuple") and not isinstance(value, bool):
            value = tuple(value) if isinstance(value, list) else (value,)
        values[key] = allowed.typed(key, value, known[key], what)
    if "space" not in values:
        raise ConfigurationError(f"{what} {sorted(settings)} names no space; write space = 'joint' or space = 'ee'")
    if values["space"] == "ee":
        values = {"frame": "base", "rotation": "rotation_vector", **values}
    return ActionContract(**values)


def require_same(contract: ActionContract, environment: ActionSpec) -> None:
    """Raise :class:`ContractError` that says what to convert, unless ``contract`` is the environment's own."""
    found = contract.differences(ours(environment.mode))
    if found:
        raise ContractError(
            f"the policy's actions are not the environment's ({environment.mode!r}). Convert: {'; '.join(found)}. "
            "Use a mapping file: see hansgym.agents.mapping"
        )


def require_reachable(contract: ActionContract, control: str) -> None:
    """Raise :class:`ContractError` unless actions of ``contract`` can be turned into ``control`` without kinematics."""
    if control not in CONTROL_MODES:
        raise unknown("control mode", control, CONTROL_MODES)
    if contract.space != ours(control).space:
        fit = [m for m in CONTROL_MODES if ours(m).space == contract.space]
        raise ContractError(
            f"the policy gives {contract.space!r} actions and the environment takes {control!r}: that needs "
            f"kinematics, which an agent has not. Make the environment with control={' or '.join(map(repr, fit))}"
        )


def _brief(value: Any) -> str:
    return str(list(value)) if isinstance(value, tuple) else repr(value)
