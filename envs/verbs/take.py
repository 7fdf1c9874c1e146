"""Take hold of a tool by its handle, from whatever side the handle allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.expert import TIP_SPEED_M, Goal
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._motion import about, azimuth, ramp
from hansgym.envs.verbs._tool import turned


@dataclass(frozen=True)
class Take:
    """Bring the open gripper to the site ``site`` of ``name`` and close it.

    The site's z is the way into the handle, its y the closing axis, its x the handle. ``swing_rad``: how far the hand
    may come from beside that, turned about the handle, to approach as straight away from the robot as it can.
    ``dip_rad``: it comes from so much above that (x being the way up), where level hands have no room. ``flips``: the
    hand may be turned by half a turn about the approach, whichever is easier. ``stand_off_m``: where the approach
    begins.
    """

    name: str
    site: str
    swing_rad: float = 0.0
    dip_rad: float = 0.0
    flips: bool = True
    stand_off_m: float = 0.08
    tolerance_m: float = 0.003
    speed_m: float = TIP_SPEED_M

    def done(self, state: WorldState) -> bool:
        """Whether it is held."""
        return fill(self.name, state.binding) in state.held

    def goal(self, state: WorldState) -> Goal:
        """In front of the handle, then onto it, then closed."""
        grip, rotation = self.grip(state)
        into, tip = rotation[:, 2], state.tip_position
        offset = tip - grip
        beside = float(np.linalg.norm(offset - (offset @ into) * into))
        missing = turned(state.tip_rotation, rotation)
        astray = beside + 0.05 * missing
        # A hand that has gone too far in is astray as well.
        back = self.stand_off_m * ramp(max(astray, float(offset @ into)), self.tolerance_m, 4 * self.tolerance_m)
        arrived = float(np.linalg.norm(offset)) < self.tolerance_m and missing < 0.05
        speed = float(np.clip(0.5 * np.linalg.norm(offset) + 0.003, 0.003, self.speed_m))
        return Goal(grip - back * into, rotation, gripper=0.0 if arrived else 1.0, speed_m=speed)

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """In front of the handle and on it."""
        grip, rotation = self.grip(state)
        return (Goal(grip - self.stand_off_m * rotation[:, 2], rotation, 1.0), Goal(grip, rotation, 0.0))

    def grip(self, state: WorldState) -> tuple[np.ndarray, np.ndarray]:
        """Tip position (3,) and rotation (3, 3) that hold the handle."""
        name = fill(self.site, state.binding)
        position, rotation = state.position(name), state.rotation(name)
        if self.swing_rad:
            away = azimuth(position)
            local = rotation.T @ np.array([np.cos(away), np.sin(away), 0.0])
            swing = float(np.clip(np.arctan2(-local[1], local[2]), -self.swing_rad, self.swing_rad))
            rotation = rotation @ about(np.array([1.0, 0.0, 0.0]), swing)
        rotation = rotation @ about(np.array([0.0, 1.0, 0.0]), -self.dip_rad)
        if self.flips and _half_turn_nearer(rotation, position):
            rotation = rotation @ np.diag([-1.0, -1.0, 1.0])
        return position, rotation


def _half_turn_nearer(rotation: np.ndarray, position: np.ndarray) -> bool:
    """Whether the hand is easier to hold the other way round at ``position``: the last joint nearer to home.

    The x axis of an easy hand points back to the robot, or down where the hand lies level.
    """
    away = azimuth(position)
    outwards = np.array([np.cos(away), np.sin(away), 1.0])
    return float(rotation[:, 0] @ outwards) > 0.0
