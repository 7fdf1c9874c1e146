"""Press a button from above with closed fingers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.expert import Goal
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._motion import easy_yaw, upright

TOLERANCE_M = 0.016
SLOPE = 1.6
CAP_M = 0.14
BELOW_TIP_M = 0.002
"""Closed fingers reach this much farther than the tip frame."""


@dataclass(frozen=True)
class Press:
    """Push ``button`` down by ``depth_m``: the ``index``-th part of an ordered success condition.

    ``top_m`` is the height of its untouched cap above the button's origin. Beside the button the tip stays ``slope``
    times its distance above it, at most ``cap_m``: more of both where something tall stands near.
    """

    index: int
    button: str
    top_m: float = 0.018
    depth_m: float = 0.012
    slope: float = SLOPE
    cap_m: float = CAP_M

    def done(self, state: WorldState) -> bool:
        """Whether this part of the success condition has been latched."""
        return state.progress > self.index

    def goal(self, state: WorldState) -> Goal:
        """Above the button as long as the tip is beside it, and lower the nearer it is."""
        tip, aim = state.tip_position, self._aim(state)
        beside = float(np.hypot(*(tip[:2] - aim[:2])))
        aim[2] += min(self.slope * max(0.0, beside - TOLERANCE_M), self.cap_m)
        return Goal(aim, upright(easy_yaw(tip), tip), gripper=0.0)

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """The pressed cap, fingers down."""
        aim = self._aim(state)
        return (Goal(aim, upright(easy_yaw(aim), aim), gripper=0.0),)

    def _aim(self, state: WorldState) -> np.ndarray:
        """(3,) tip position with the cap pressed."""
        return state.position(self.button) + np.array([0.0, 0.0, self.top_m - self.depth_m + BELOW_TIP_M])
