"""Push a door shut from outside, along its arc."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.expert import Goal, facing
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._motion import GATE_M, about, easy_yaw, leaning, ramp, wrapped

_UP = np.array([0.0, 0.0, 1.0])
_EASY_SIDE_RAD = 0.9
"""From the easy yaw, the last joint turns this much farther one way than the other: the middle of its range."""


@dataclass(frozen=True)
class Sweep:
    """Swing the door ``name`` on ``joint`` to the angle ``shut`` by pushing its outer face with closed fingers.

    The door's frame has its origin on the hinge, x along the door, y to the inside, z up; opening is a negative turn
    about z. ``radius_m`` and ``height_m`` say where the fingertips push, in that frame; ``face_m`` is the outer face's
    distance from the x axis. ``stand_off_m``: where the approach ends in front of it; ``press_m``: how far ahead of the
    door the goal runs; ``lean_rad``: how far the hand tips away from the door, so that only fingertips touch it;
    ``over_m``: the least height above the pushing point at which the door can be crossed.
    """

    name: str
    joint: str
    radius_m: float
    height_m: float
    face_m: float
    shut: float = 0.0
    stand_off_m: float = 0.07
    press_m: float = 0.04
    lean_rad: float = 0.6
    over_m: float = 0.14
    slope: float = 1.0
    cap_m: float = 0.35

    def done(self, state: WorldState) -> bool:
        """Never: the door is pressed until the episode ends."""
        return False

    def goal(self, state: WorldState) -> Goal:
        """Down in front of the door, then against it along the arc."""
        hinge, door = self._frame(state)
        tip = state.tip_position
        along, inward, up = door.T @ (tip - hinge)
        outside, above = -inward - self.face_m, up - self.height_m
        # On the outside, low down, only what lies beside the path is astray; higher up, the stand-off must be kept.
        least = 0.7 * self.stand_off_m * ramp(above, 0.02, 0.05)
        astray = float(np.hypot(along - self.radius_m, min(0.0, outside - least)))
        rise = self.over_m * ramp(astray, 0.03, 0.08) + self.slope * max(0.0, astray - 0.08)
        height = hinge[2] + self.height_m + min(rise, self.cap_m)
        engaged = (1.0 - ramp(astray, 0.02, 0.04)) * (1.0 - ramp(abs(above), 0.015, 0.04))
        angle = state.joint(self.joint)
        ahead = engaged * min(self.press_m / self.radius_m, max(angle - self.shut, 0.0))
        aim = self._point(hinge, door, ahead, (1.0 - engaged) * self.stand_off_m)
        gate = float(np.clip(1.0 - (height - tip[2]) / GATE_M, 0.0, 1.0))
        position = np.array([*(tip[:2] + gate * (aim - tip)[:2]), height])
        return Goal(position, self._rotation(state, door, tip), gripper=0.0)

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """Before the door as it stands, against it half-way, and where it is shut."""
        hinge, door = self._frame(state)
        turn = max(state.joint(self.joint) - self.shut, 0.0)
        goals = []
        for ahead, off in ((0.0, self.stand_off_m), (0.5 * turn, 0.0), (turn, 0.0)):
            point = self._point(hinge, door, ahead, off)
            goals.append(Goal(point, self._rotation(state, door @ about(_UP, ahead), point), 0.0))
        return tuple(goals)

    def _frame(self, state: WorldState) -> tuple[np.ndarray, np.ndarray]:
        name = fill(self.name, state.binding)
        return state.position(name), state.rotation(name)

    def _point(self, hinge: np.ndarray, door: np.ndarray, ahead: float, off: float) -> np.ndarray:
        """The pushing point in the world, ``off`` metres outside the face of the door turned shut by ``ahead`` rad."""
        local = np.array([self.radius_m, -self.face_m - off, self.height_m])
        return hinge + door @ about(_UP, ahead) @ local

    def _rotation(self, state: WorldState, door: np.ndarray, tip: np.ndarray) -> np.ndarray:
        """Fingers closing along the door, approach tipped towards it; the home tilt alone high up."""
        lean = self.lean_rad * (1.0 - ramp(float(tip[2]), 1.15, 1.40))
        approach = np.sin(lean) * door[:, 1] - np.cos(lean) * _UP
        wanted = easy_yaw(tip) + _EASY_SIDE_RAD
        close, hand = door[:, 0], state.tip_rotation[:, 1]
        wanted += 0.3 * wrapped(float(np.arctan2(hand[1], hand[0])) - wanted, 2 * np.pi)
        yaw = wanted + wrapped(float(np.arctan2(close[1], close[0])) - wanted, np.pi)
        return leaning(facing(approach, np.array([np.cos(yaw), np.sin(yaw), 0.0])), tip, float(tip[2]))
