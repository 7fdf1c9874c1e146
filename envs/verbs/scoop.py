"""Slide the blade of a held tool under something and lift it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.expert import Goal
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._motion import about, ramp, yaw_of
from hansgym.envs.verbs._tool import hand_for
from hansgym.envs.verbs.take import Take

_UP, _ACROSS = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class Scoop:
    """Slide ``blade`` (a site of the tool that ``take`` holds: x to its edge, z up) under ``what``; lift it to ``to``.

    ``half_m``: half the blade's length and half its width; ``half_thing_m`` half the thing's height. It is lifted once
    it lies less than ``under_m`` in front of the blade's middle; ``tilt_rad``: how far the edge is raised then, so that
    the thing slides back on the blade. ``low_m``: height over the table at which the blade slides; ``behind_m``: how
    far behind the thing it begins.
    """

    take: Take
    blade: str
    what: str
    to: str
    half_m: tuple[float, float] = (0.055, 0.060)
    half_thing_m: float = 0.010
    under_m: float = 0.050
    tilt_rad: float = 0.3
    low_m: float = 0.0008
    behind_m: float = 0.085
    speed_m: float = 0.006

    def done(self, state: WorldState) -> bool:
        """Never: it is held up until the episode ends."""
        return False

    def goal(self, state: WorldState) -> Goal:
        """Low behind it, under it, up with the edge raised; where it lies beside or behind, up and round first."""
        blade, thing = fill(self.blade, state.binding), state.position(fill(self.what, state.binding))
        now, own = state.position(blade), state.rotation(blade)
        yaw = yaw_of(own)
        ahead, flat = np.array([np.cos(yaw), np.sin(yaw), 0.0]), about(_UP, yaw)
        x, y, z = own.T @ (thing - now)
        within = abs(y) < self.half_m[1] and 0.0 < z < 3 * self.half_thing_m
        raised = own[2, 0] > 0.25 * np.sin(self.tilt_rad)  # on its way up it may slide a little
        if within and -self.half_m[0] < x < (self.half_m[0] if raised else self.under_m):
            # It goes on a little while it rises: on a blade that stops at once the thing would slide off in front.
            left = float(state.position(fill(self.to, state.binding))[2] - now[2])
            onwards = 0.03 * (1.0 - ramp(own[2, 0], 0.0, 0.7 * np.sin(self.tilt_rad)))
            aim = now + onwards * ahead + float(np.clip(left, -0.02, 0.02)) * _UP
            return self._held(state, aim, flat @ about(_ACROSS, -self.tilt_rad))
        astray = max(0.0, abs(y) - 0.5 * self.half_m[1]) + max(0.0, self.under_m - x)
        back = self.under_m - 0.01 if astray < 0.005 else self.behind_m
        aim = thing - back * ahead
        aim[2] = thing[2] - self.half_thing_m + self.low_m + min(2.0 * astray, 0.08)
        if abs(now[2] - aim[2]) > 0.004:
            aim[:2] = now[:2]  # down, or up, before it moves on
        return self._held(state, aim, flat)

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """Under the thing, and lifted."""
        blade, thing = fill(self.blade, state.binding), state.position(fill(self.what, state.binding))
        flat = about(_UP, yaw_of(state.rotation(blade)))
        low = thing - np.array([0.0, 0.0, self.half_thing_m])
        high = np.array([*thing[:2], state.position(fill(self.to, state.binding))[2]])
        return (self._held(state, low, flat), self._held(state, high, flat))

    def _held(self, state: WorldState, aim: np.ndarray, rotation: np.ndarray) -> Goal:
        position, hand = hand_for(state, self.take, fill(self.blade, state.binding), aim, rotation)
        return Goal(position, hand, gripper=0.0, speed_m=self.speed_m, turn_rad=0.02)
