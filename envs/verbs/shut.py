"""Push a lid shut with closed fingers from behind, over its hinge and down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.expert import Goal
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._motion import about, descent, easy_yaw, ramp, upright


@dataclass(frozen=True)
class Shut:
    """Swing the lid ``name`` on ``joint`` to the joint position ``shut`` by pushing its outer face.

    The lid's frame has its origin on the hinge, x towards the free edge, y along the hinge, and z out of the face that
    looks up when it is shut; shutting is a positive turn about y. The fingers point down and push ``radius_m`` from the
    hinge and ``side_m`` along it; ``face_m``: distance of the fingers' middle from the lid's x axis when they touch.
    ``stand_off_m``: how far behind the face they come down; ``press_m``: how far ahead of the lid the goal runs;
    ``over_m``: the least height above the pushing point at which the lid's edge can be crossed.
    """

    name: str
    joint: str
    radius_m: float
    face_m: float
    over_m: float
    shut: float = 0.0
    side_m: float = 0.0
    stand_off_m: float = 0.03
    press_m: float = 0.03
    tolerance_m: float = 0.010
    slope: float = 1.0
    cap_m: float = 0.30

    def done(self, state: WorldState) -> bool:
        """Never: the lid is pressed until the episode ends."""
        return False

    def goal(self, state: WorldState) -> Goal:
        """Over the lid, down behind it, then against it along the arc."""
        tip, (_, lid) = state.tip_position, self._frame(state)
        behind = self._point(state, 0.0, self.stand_off_m)
        away = lid.T @ (tip - self._point(state, 0.0, 0.0))
        # Behind the face at about the right height, however near to it, the fingers may push.
        beside = float(np.hypot(away[0], away[1]))
        engaged = 1.0 - ramp(beside, self.tolerance_m, 3 * self.tolerance_m)
        engaged *= 1.0 - ramp(-float(away[2]), 0.006, 0.018)
        engaged *= 1.0 - ramp(float(away[2]), 1.5 * self.stand_off_m, 2.5 * self.stand_off_m)
        error = float(np.hypot(*(tip - behind)[:2]))
        waiting = descent(tip, behind, error, self.tolerance_m, self.over_m, self.slope, self.cap_m)
        left = abs(state.joint(fill(self.joint, state.binding)) - self.shut)
        pushing = self._point(state, min(self.press_m / self.radius_m, left + 0.1), 0.0)
        return Goal(waiting + engaged * (pushing - waiting), upright(easy_yaw(tip), tip), gripper=0.0)

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """Over the place behind the lid, at it, and against the lid half-way and all the way down."""
        left = abs(state.joint(fill(self.joint, state.binding)) - self.shut)
        behind = self._point(state, 0.0, self.stand_off_m)
        points = [behind + np.array([0.0, 0.0, self.over_m]), behind]
        points += [self._point(state, share * left, 0.0) for share in (0.5, 1.0)]
        return tuple(Goal(p, upright(easy_yaw(p), p), gripper=0.0) for p in points)

    def _frame(self, state: WorldState) -> tuple[np.ndarray, np.ndarray]:
        name = fill(self.name, state.binding)
        return state.position(name), state.rotation(name)

    def _point(self, state: WorldState, ahead: float, off: float) -> np.ndarray:
        """(3,) the fingers' place ``off`` metres outside the face of the lid turned shut by ``ahead`` rad."""
        hinge, lid = self._frame(state)
        local = np.array([self.radius_m, self.side_m, self.face_m + off])
        return hinge + about(lid[:, 1], ahead) @ lid @ local
