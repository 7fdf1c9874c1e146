"""Pull the end of something soft over the table to a place, held by friction between the fingers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.expert import TIP_SPEED_M, Goal, down
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._motion import descent, easy_yaw, upright, wrapped, yaw_of

GRIPPED = 0.35
"""Below this opening the fingers have closed on an end."""


@dataclass(frozen=True)
class Lay:
    """Grip the site ``end`` (its x runs along the rope), drag it to ``onto`` and let go there.

    ``name`` and ``sensor``: it is laid when that object is as deep in that volume as ``depth_m``. ``lift_m``: how
    high over the table the end is dragged; ``tip_m``: how far above the end's middle the tip grips it.
    """

    end: str
    onto: str
    name: str
    sensor: str
    lift_m: float = 0.006
    tip_m: float = 0.003
    depth_m: float = 0.012
    clear_m: float = 0.05
    tolerance_m: float = 0.004
    speed_m: float = 0.6 * TIP_SPEED_M

    def done(self, state: WorldState) -> bool:
        """Whether it is laid and the hand is away from it."""
        return self._laid(state, 0.0) and float(np.linalg.norm(state.tip_position - self._grip(state))) > self.clear_m

    def goal(self, state: WorldState) -> Goal:
        """Down on the end, close, drag, open, up."""
        tip, grip = state.tip_position, self._grip(state)
        offset = float(np.linalg.norm(tip - grip))
        near = offset < 3 * self.tolerance_m
        shut = state.opening < GRIPPED
        if self._laid(state, self.depth_m if shut else 0.0):
            free = not shut or not near
            return Goal(tip + np.array([0.0, 0.0, 0.03 if free else 0.0]), state.tip_rotation, gripper=1.0)
        if shut and near:
            aim = state.position(fill(self.onto, state.binding))
            where = np.array([*aim[:2], self._low(state) + self.lift_m])
            return Goal(where, state.tip_rotation, gripper=0.0, speed_m=self.speed_m)
        error = float(np.hypot(*(tip - grip)[:2]))
        position = descent(tip, grip, error, self.tolerance_m, self.clear_m, 1.0, 0.12)
        speed = float(np.clip(0.5 * abs(tip[2] - grip[2]) + 0.003, 0.003, TIP_SPEED_M))
        close = offset < self.tolerance_m or (offset < 2 * self.tolerance_m and state.opening < 0.95)
        return Goal(position, upright(self._yaw(state), tip), gripper=0.0 if close else 1.0, speed_m=speed)

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """The end and the place, and above both."""
        grip, aim = self._grip(state), state.position(fill(self.onto, state.binding))
        rotation = down(self._yaw(state))
        place = np.array([*aim[:2], grip[2] + self.lift_m])
        up = np.array([0.0, 0.0, self.clear_m])
        return tuple(Goal(p, rotation, 0.0) for p in (grip + up, grip, place, place + up))

    def _grip(self, state: WorldState) -> np.ndarray:
        return state.position(fill(self.end, state.binding)) + np.array([0.0, 0.0, self.tip_m])

    def _low(self, state: WorldState) -> float:
        """Height of the tip in the world that grips an end lying at the place."""
        return float(state.position(fill(self.onto, state.binding))[2]) + 0.004 + self.tip_m

    def _yaw(self, state: WorldState) -> float:
        """Closing direction across the rope, the easier way round."""
        across = yaw_of(state.rotation(fill(self.end, state.binding))) + np.pi / 2
        easy = easy_yaw(self._grip(state))
        return easy + wrapped(across - easy, np.pi)

    def _laid(self, state: WorldState, depth_m: float) -> bool:
        return state.distance(fill(self.name, state.binding), fill(self.sensor, state.binding)) <= -depth_m
