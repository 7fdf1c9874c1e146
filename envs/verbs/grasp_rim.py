"""Take hold of an open round thing by its rim, from above: one finger inside, one outside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.expert import TIP_SPEED_M, Goal, down
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._motion import descent, easy_yaw, upright
from hansgym.envs.verbs.place import Place


@dataclass(frozen=True)
class GraspRim:
    """Bring the open gripper straight down over the rim of ``name`` and close it.

    ``radius_m`` is the rim's radius and ``height_m`` the grip's height above the object's origin. The grip is where the
    rim can be had with the hand turned as is easiest for the arm. ``before``: it is done, too, once that
    :class:`Place` has done its work.
    """

    name: str
    before: Place
    radius_m: float
    height_m: float
    tolerance_m: float = 0.0025
    clearance_m: float = 0.05
    slope: float = 1.0
    cap_m: float = 0.30

    def done(self, state: WorldState) -> bool:
        """Whether it is attached, or already where it belongs."""
        return fill(self.name, state.binding) in state.held or self.before.placed(state)

    def goal(self, state: WorldState) -> Goal:
        """Above the rim, then down, then closed."""
        tip, (grip, yaw) = state.tip_position, self._grip(state)
        error = float(np.hypot(*(tip - grip)[:2]))
        position = descent(tip, grip, error, self.tolerance_m, self.clearance_m, self.slope, self.cap_m)
        arrived = error < self.tolerance_m and abs(tip[2] - grip[2]) < self.tolerance_m
        return Goal(
            position,
            upright(yaw, tip),
            gripper=0.0 if arrived else 1.0,
            speed_m=float(np.clip(0.5 * abs(tip[2] - grip[2]) + 0.003, 0.003, TIP_SPEED_M)),
        )

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """The grip and the place above it."""
        grip, yaw = self._grip(state)
        above = grip + np.array([0.0, 0.0, self.clearance_m])
        return (Goal(above, down(yaw), 1.0), Goal(grip, down(yaw), 0.0))

    def _grip(self, state: WorldState) -> tuple[np.ndarray, float]:
        """Tip position (3,) in the world and the direction (rad) in which the fingers close: out from the middle."""
        middle = state.position(fill(self.name, state.binding))
        yaw = easy_yaw(middle)
        return middle + np.array([self.radius_m * np.cos(yaw), self.radius_m * np.sin(yaw), self.height_m]), yaw
