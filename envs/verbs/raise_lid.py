"""Grip the bar handle of a lid from above and swing the lid open along its arc."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.expert import TIP_SPEED_M, Goal, facing
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._motion import about, easy_yaw, ramp, wrapped

_UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class RaiseLid:
    """Hold the bar at the site ``handle`` by friction and turn the lid ``name`` about its y until ``joint`` has gone.

    The lid's frame has its origin on the hinge, x towards the handle, y along the hinge and z up; opening is a negative
    turn about y by ``open_rad``. The site's x runs along the bar. The hand comes at the bar from above and in front,
    ``lean_rad`` from straight down, its fingers closing across the bar, and keeps that direction while the bar turns
    between them. ``stand_off_m``: where the approach begins; ``lead_rad``: how far ahead of the lid the hand goes.
    ``chained``: the reach test goes from one goal to the next as the arm does.
    """

    name: str
    handle: str
    joint: str
    open_rad: float
    lean_rad: float = 0.7
    stand_off_m: float = 0.10
    tolerance_m: float = 0.008
    lead_rad: float = 0.15
    chained: bool = True

    def done(self, state: WorldState) -> bool:
        """Never: the lid is held until the episode ends."""
        return False

    def goal(self, state: WorldState) -> Goal:
        """Over the handle, onto it, close, lift along the arc."""
        bar, rotation = self._grip(state)
        into, tip = rotation[:, 2], state.tip_position
        offset = tip - bar
        beside = float(np.linalg.norm(offset - (offset @ into) * into))
        cosine = (float(np.trace(state.tip_rotation.T @ rotation)) - 1.0) / 2.0
        astray = beside + 0.06 * float(np.arccos(np.clip(cosine, -1.0, 1.0)))
        back = self.stand_off_m * ramp(astray, self.tolerance_m, 4 * self.tolerance_m)
        closing = float(np.linalg.norm(offset) < self.tolerance_m * (2.0 - state.opening))
        held = closing * (1.0 - ramp(state.opening, 0.25, 0.4))
        position = bar - back * into + min(max(0.0, beside - 0.06), 0.15) * _UP
        position = position + held * (self._swung(state, self.lead_rad) - bar)
        return Goal(position, rotation, gripper=1.0 - closing, speed_m=TIP_SPEED_M * (1.0 - 0.35 * held))

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """In front of the handle, on it, and along the arc."""
        bar, rotation = self._grip(state)
        goals = [Goal(bar - self.stand_off_m * rotation[:, 2], rotation, gripper=1.0)]
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            goals.append(Goal(self._swung(state, share * (self.open_rad + 0.05)), rotation, gripper=0.0))
        return tuple(goals)

    def _swung(self, state: WorldState, angle: float) -> np.ndarray:
        """(3,) where the bar is when the lid has been opened by ``angle`` rad more."""
        name = fill(self.name, state.binding)
        hinge = state.position(name)
        away = state.position(fill(self.handle, state.binding)) - hinge
        return hinge + about(state.rotation(name)[:, 1], -angle) @ away

    def _grip(self, state: WorldState) -> tuple[np.ndarray, np.ndarray]:
        """The bar's middle (3,) and the hand's rotation (3, 3), of the two that fit the easier one."""
        name = fill(self.handle, state.binding)
        bar, along = state.position(name), state.rotation(name)[:, 0]
        inward = state.position(fill(self.name, state.binding)) - bar
        inward = np.cross(np.cross(along, inward), along)
        inward = np.array([*inward[:2], 0.0]) / np.linalg.norm(inward[:2])
        into = np.sin(self.lean_rad) * inward - np.cos(self.lean_rad) * _UP
        yaw, easy = float(np.arctan2(inward[1], inward[0])), easy_yaw(bar)
        sign = 1.0 if abs(wrapped(yaw - easy, 2 * np.pi)) < np.pi / 2 else -1.0
        return bar, facing(into, sign * inward)
