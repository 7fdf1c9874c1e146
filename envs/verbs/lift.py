"""Hold an object up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.expert import Goal, down
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._motion import GATE_M, easy_yaw, upright


@dataclass(frozen=True)
class Lift:
    """Carry ``name`` straight up until its origin is at that of ``to``, a body or detection volume, and keep it there.

    ``grip_m``: height of the tip above the object, for the check that the place can be reached.
    """

    name: str
    to: str
    grip_m: float = 0.0

    def wanted(self, state: WorldState) -> bool:
        """Always."""
        return True

    def placed(self, state: WorldState) -> bool:
        """Never: it must be held."""
        return False

    def done(self, state: WorldState) -> bool:
        """Never: it is held up until the episode ends."""
        return False

    def goal(self, state: WorldState) -> Goal:
        """Up; sideways only near the top."""
        tip, now = state.tip_position, state.position(fill(self.name, state.binding))
        aim = self._aim(state)
        gate = float(np.clip(1.0 - (aim[2] - now[2]) / GATE_M, 0.0, 1.0))
        where = np.array([*(now[:2] + gate * (aim - now)[:2]), aim[2]])
        return Goal(where + tip - now, upright(easy_yaw(tip), tip), gripper=0.0)

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """The place to hold it."""
        high = self._aim(state) + np.array([0.0, 0.0, self.grip_m])
        return (Goal(high, down(easy_yaw(high)), 0.0),)

    def _aim(self, state: WorldState) -> np.ndarray:
        return state.position(fill(self.to, state.binding))
