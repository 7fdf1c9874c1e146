"""Push a block over the table to a place, with closed fingers from behind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.expert import Goal
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._motion import easy_yaw, ramp, upright


@dataclass(frozen=True)
class Push:
    """Push ``block`` towards the middle of ``onto`` (templates allowed).

    ``height_m`` is the tip's height above the block's middle while pushing, ``behind_m`` how far behind the block's
    middle the approach ends, ``touch_m`` the least such distance at which the fingers still are behind it, not over it.
    """

    block: str
    onto: str
    height_m: float = -0.010
    behind_m: float = 0.075
    touch_m: float = 0.033
    tolerance_m: float = 0.010
    slope: float = 3.0
    cap_m: float = 0.09
    lead_m: float = 0.05

    def done(self, state: WorldState) -> bool:
        """Never: the block is pushed until the episode ends."""
        return False

    def goal(self, state: WorldState) -> Goal:
        """Over the block to its far side, down behind it, then through it towards the place."""
        tip, block = state.tip_position, state.position(fill(self.block, state.binding))
        ahead = self._direction(state)
        offset = tip[:2] - block[:2]
        behind = -float(offset @ ahead)
        aside = float(offset @ np.array([-ahead[1], ahead[0]]))
        astray = max(0.0, abs(aside) - self.tolerance_m) + max(0.0, self.touch_m - behind)
        low = block[2] + self.height_m
        lift = min(self.slope * astray, self.cap_m)
        engaged = (1.0 - ramp(astray, 0.0, 0.02)) * (1.0 - ramp(tip[2] - low, 0.004, 0.02))
        back = self.behind_m - engaged * (self.behind_m - self.touch_m + self.lead_m)
        position = np.array([*(block[:2] - back * ahead), low + lift])
        return Goal(position, upright(easy_yaw(tip), tip), gripper=0.0)

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """Behind the block, and behind it at the end of the push."""
        block, place = state.position(fill(self.block, state.binding)), self._place(state)
        ahead = self._direction(state)
        goals = []
        for middle in (block, np.array([*place[:2], block[2]])):
            point = middle + np.array([*(-self.behind_m * ahead), self.height_m])
            goals.append(Goal(point, upright(easy_yaw(point), point), gripper=0.0))
        return tuple(goals)

    def _place(self, state: WorldState) -> np.ndarray:
        return state.position(fill(self.onto, state.binding))

    def _direction(self, state: WorldState) -> np.ndarray:
        """(2,) unit vector from the block to the place."""
        way = self._place(state)[:2] - state.position(fill(self.block, state.binding))[:2]
        return way / max(float(np.linalg.norm(way)), 1e-6)
