"""Let go of a bar handle and draw the hand back out of its reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.expert import Goal
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState

STEP_M = 0.05
LEVEL = 0.5
"""A hand whose approach sinks by less than this (sine) still is level, as it was when it gripped the handle."""


@dataclass(frozen=True)
class Withdraw:
    """Back the level hand away from the site ``handle`` along its own approach until they are ``clear_m`` apart."""

    handle: str
    clear_m: float = 0.11

    def done(self, state: WorldState) -> bool:
        """Whether the hand is away from the handle, points down, or already holds something."""
        apart = float(np.linalg.norm(state.tip_position - state.position(fill(self.handle, state.binding))))
        return apart > self.clear_m or -float(state.tip_rotation[2, 2]) > LEVEL or bool(state.held)

    def goal(self, state: WorldState) -> Goal:
        """Straight back with open fingers; on the spot as long as they still are closed."""
        back = STEP_M * float(state.opening > 0.4) * state.tip_rotation[:, 2]
        return Goal(state.tip_position - back, state.tip_rotation, gripper=1.0)

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """Nothing that the verb before does not ask for."""
        return ()
