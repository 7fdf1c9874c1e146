"""The scripted expert's language: waypoint verbs that are pure functions of the state.

An expert is an ordered tuple of verbs. At each control step the first verb that is not done names a goal for the tip;
the backend moves the tip towards it within the speed limits and solves the inverse kinematics. Verbs keep no memory, so
the expert works from any state: after a disturbance, in the middle of an episode, behind another policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from hansgym.envs.state import WorldState

TIP_SPEED_M = 0.018
"""Default tip motion per 50 ms step; upstream's demonstrations, which stop at every waypoint, average half of it."""

TIP_TURN_RAD = 0.12
"""Default tip rotation per 50 ms step."""


@dataclass(frozen=True)
class Goal:
    """Where the tip should go: position (3,) m and rotation (3, 3) in the world, gripper 1 open / 0 closed.

    ``speed_m`` and ``turn_rad`` bound one 50 ms step. The rotation is the tip frame: z approaches, y closes the
    fingers.
    """

    position: np.ndarray
    rotation: np.ndarray
    gripper: float
    speed_m: float = TIP_SPEED_M
    turn_rad: float = TIP_TURN_RAD


class Verb(Protocol):
    """One waypoint verb."""

    def done(self, state: WorldState) -> bool:
        """Whether its purpose is fulfilled in ``state``."""
        ...

    def goal(self, state: WorldState) -> Goal:
        """Where the tip should go now."""
        ...

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """Goals that must be kinematically reachable for the episode to be fair; checked when a scene is arranged."""
        ...


def current(verbs: tuple[Verb, ...], state: WorldState) -> Verb:
    """The first verb that is not done, or the last one."""
    for verb in verbs:
        if not verb.done(state):
            return verb
    return verbs[-1]


def down(yaw: float) -> np.ndarray:
    """Tip rotation (3, 3) that approaches straight down with the fingers closing along ``yaw`` (rad, about world z)."""
    close = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    approach = np.array([0.0, 0.0, -1.0])
    return np.stack([np.cross(close, approach), close, approach], axis=1)


def facing(approach: np.ndarray, close: np.ndarray) -> np.ndarray:
    """Tip rotation (3, 3) with the given approach (z) and closing (y) directions, made orthonormal."""
    z = np.asarray(approach, float) / np.linalg.norm(approach)
    y = np.asarray(close, float) - np.dot(close, z) * z
    y /= np.linalg.norm(y)
    return np.stack([np.cross(y, z), y, z], axis=1)


def nearest_yaw(yaw: float, symmetry: float, state: WorldState) -> float:
    """Of the yaws equivalent under ``symmetry`` (rad), the one nearest to the tip's present closing direction."""
    close = state.tip_rotation[:, 1]
    present = float(np.arctan2(close[1], close[0]))
    return present + (yaw - present + symmetry / 2) % symmetry - symmetry / 2
