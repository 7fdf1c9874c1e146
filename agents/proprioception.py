"""How a policy wants to feel: state vectors put together from named parts, in its frame, format and units."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from hansgym.agents import rotations
from hansgym.agents.contract import BASE_POSITION_M, FRANKA_JOINT4_RAD
from hansgym.errors import ConfigurationError
from hansgym.lookup import unknown

FINGER_M = 0.04
"""Opening of one finger of the open gripper."""

_FRANKA = np.array([0.0, 0.0, 0.0, FRANKA_JOINT4_RAD, 0.0, 0.0, 0.0])
State = Mapping[str, np.ndarray]
Part = Callable[["StateVector", State], np.ndarray]

PARTS: dict[str, Part] = {
    "joint_positions": lambda v, s: v.angle(s["joint_positions"]),
    "franka_joint_positions": lambda v, s: v.angle(s["joint_positions"] - _FRANKA),
    "joint_velocities": lambda v, s: v.angle(s["joint_velocities"]),
    "gripper_open": lambda v, s: s["gripper_open"],
    "gripper_closed": lambda v, s: 1.0 - s["gripper_open"],
    "gripper_width_m": lambda v, s: 2 * FINGER_M * s["gripper_open"],
    "fingers_m": lambda v, s: FINGER_M * s["gripper_open"] * np.array([1.0, -1.0]),
    "ee_position": lambda v, s: v.tip(s)[0],
    "ee_rotation": lambda v, s: v.turned(s),
    "zero": lambda v, s: np.zeros((len(s["gripper_open"]), 1)),
}
"""What a state vector can be made of. The gripper's opening is known as open or closed only."""


@dataclass(frozen=True)
class StateVector:
    """One state vector called ``key``: ``parts`` of :data:`PARTS`, one after the other, float32.

    Tip positions are in ``frame`` (``world`` or ``base``; m), attitudes in ``rotation``, angles in ``angles`` (rad or
    deg). The tip is ours moved by ``tool_offset_m`` and turned by ``tool_rotation`` (x, y, z, w), as in the action.
    """

    key: str
    parts: tuple[str, ...]
    frame: str = "world"
    rotation: str = "quaternion_xyzw"
    angles: str = "rad"
    tool_rotation: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0)
    tool_offset_m: tuple[float, ...] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        for part in self.parts:
            if part not in PARTS:
                raise unknown(f"part of state {self.key!r}", part, PARTS)
        for name, valid in (("frame", ("world", "base")), ("angles", ("rad", "deg"))):
            if getattr(self, name) not in valid:
                raise unknown(f"{name} of state {self.key!r}", getattr(self, name), valid)
        rotations.width(self.rotation)
        if not self.parts or len(self.tool_rotation) != 4 or len(self.tool_offset_m) != 3:
            raise ConfigurationError(
                f"state {self.key!r} has parts {self.parts}; it needs at least one, a tool_rotation of 4 numbers "
                "and a tool_offset_m of 3"
            )

    def feel(self, state: State) -> np.ndarray:
        """(B, n) float32 of a batch's ``state``."""
        return np.concatenate([PARTS[p](self, state) for p in self.parts], axis=1).astype(np.float32)

    def angle(self, radians: np.ndarray) -> np.ndarray:
        """Angles in the vector's unit."""
        return np.degrees(radians) if self.angles == "deg" else radians

    def tip(self, state: State) -> tuple[np.ndarray, np.ndarray]:
        """(B, 3) m and (B, 3, 3): their tip in their frame."""
        pose = np.asarray(state["gripper_pose"], np.float64)
        attitude = rotations.to_matrix(pose[:, 3:], "quaternion_xyzw")
        position = pose[:, :3] + attitude @ np.array(self.tool_offset_m)
        if self.frame == "base":
            position = position - np.array(BASE_POSITION_M)
        return position, attitude @ rotations.to_matrix(np.array(self.tool_rotation), "quaternion_xyzw")

    def turned(self, state: State) -> np.ndarray:
        """(B, n): the tip's attitude in the vector's format."""
        numbers = rotations.from_matrix(self.tip(state)[1], self.rotation)
        return self.angle(numbers) if self.rotation in rotations.ANGULAR else numbers
