"""Take hold of an object from above."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hansgym.envs.expert import TIP_SPEED_M, Goal, down
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._motion import descent, easy_yaw, tipped_back, upright, wrapped, yaw_of


class Purpose(Protocol):
    """What an object is grasped for: the verb after it, such as :class:`hansgym.envs.verbs.place.Place`."""

    def placed(self, state: WorldState) -> bool:
        """Whether the object is where it belongs, so that nobody need grasp it."""
        ...

    def wanted(self, state: WorldState) -> bool:
        """Whether this variation asks for it at all."""
        ...


@dataclass(frozen=True)
class Grasp:
    """Bring the open gripper straight down round ``name`` and close it.

    ``offset`` is the grip's place in the object's frame (m). ``symmetry`` (rad) is the turn after which the object
    grips the same; 0 means any direction will do. ``along`` names a body near whose x axis the fingers close
    (otherwise the direction that is easiest for the arm). ``before``: it is done, too, once that verb has done its
    work. ``back_rad``: so far the hand is tipped back where the object lies near the robot's base.
    """

    name: str
    before: Purpose
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    symmetry: float = 0.0
    along: str | None = None
    tolerance_m: float = 0.0025
    clearance_m: float = 0.05
    slope: float = 1.0
    cap_m: float = 0.30
    back_rad: float = 0.0

    def done(self, state: WorldState) -> bool:
        """Whether it is attached, or already where it belongs."""
        return fill(self.name, state.binding) in state.held or self.before.placed(state)

    def goal(self, state: WorldState) -> Goal:
        """Above it, then down, then closed."""
        tip, grip = state.tip_position, self._grip(state)
        error = float(np.hypot(*(tip - grip)[:2]))
        position = descent(tip, grip, error, self.tolerance_m, self.clearance_m, self.slope, self.cap_m)
        arrived = error < self.tolerance_m and abs(tip[2] - grip[2]) < self.tolerance_m
        return Goal(
            position,
            upright(self._yaw(state), tip, self.back_rad),
            gripper=0.0 if arrived else 1.0,
            speed_m=float(np.clip(0.5 * abs(tip[2] - grip[2]) + 0.003, 0.003, TIP_SPEED_M)),
        )

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """The grip and the place above it."""
        if not self.before.wanted(state):
            return ()
        grip = self._grip(state)
        rotation = tipped_back(down(self._yaw(state)), grip, self.back_rad)
        above = grip + np.array([0.0, 0.0, self.clearance_m])
        return (Goal(above, rotation, 1.0), Goal(grip, rotation, 0.0))

    def _grip(self, state: WorldState) -> np.ndarray:
        name = fill(self.name, state.binding)
        return state.position(name) + state.rotation(name) @ np.asarray(self.offset)

    def _yaw(self, state: WorldState) -> float:
        easy = easy_yaw(self._grip(state))
        if not self.symmetry:
            return easy
        wanted = easy
        if self.along is not None:
            wanted = easy + wrapped(yaw_of(state.rotation(fill(self.along, state.binding))) - easy, np.pi)
        own = yaw_of(state.rotation(fill(self.name, state.binding)))
        return wanted + wrapped(own - wanted, self.symmetry)
