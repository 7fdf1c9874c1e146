"""What conditions and experts may know of the simulated world: a read-only view, the same for every backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np


class WorldState(Protocol):
    """A view of the present physical state. Positions in metres, world frame; rotations 3x3 (columns are axes)."""

    @property
    def binding(self) -> Mapping[str, str]:
        """What the names in the task's templates stand for in this episode."""
        ...

    @property
    def progress(self) -> int:
        """How many parts of an ordered success condition have been met so far in this episode."""
        ...

    def position(self, name: str) -> np.ndarray:
        """(3,) origin of the body or the named frame ``name``."""
        ...

    def rotation(self, name: str) -> np.ndarray:
        """(3, 3) orientation of ``name``."""
        ...

    def joint(self, name: str) -> float:
        """Position of the scene joint ``name`` (rad or m)."""
        ...

    def joint_at_reset(self, name: str) -> float:
        """Position that joint ``name`` had when the episode began."""
        ...

    def distance(self, prop: str, sensor: str) -> float:
        """Signed distance in metres between any part of ``prop`` and the volume ``sensor``; negative when they meet."""
        ...

    @property
    def held(self) -> tuple[str, ...]:
        """Names of the props attached to the gripper."""
        ...

    @property
    def tip_position(self) -> np.ndarray:
        """(3,) tip of the gripper, between the finger pads."""
        ...

    @property
    def tip_rotation(self) -> np.ndarray:
        """(3, 3) tip frame: z is the approach direction, y the closing axis."""
        ...

    @property
    def arm_joints(self) -> np.ndarray:
        """(7,) measured joint positions in rad, RLBench's zero for joint 4."""
        ...

    @property
    def opening(self) -> float:
        """Finger opening, 0 closed to 1 open (0.08 m)."""
        ...
