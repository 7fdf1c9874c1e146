"""Push a door on an upright hinge shut from outside, with slanting fingers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.expert import Goal, facing
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._motion import BASE_XY, about, azimuth, ramp

_UP = np.array([0.0, 0.0, 1.0])
NEAR_LEAN_RAD, FAR_LEAN_RAD = 0.8, 1.3
"""How far from straight down the fingers look, near the robot and far from it."""


@dataclass(frozen=True)
class PushDoor:
    """Swing the door ``name`` on ``joint`` to the joint position ``shut`` by pushing its outer face.

    The door's frame has its origin on the hinge, x towards the free edge, y along the hinge and z out of the outer
    face; shutting is a positive turn about y. The tip of the closed fingers pushes ``radius_m`` from the hinge
    and ``side_m`` along it, and is ``face_m`` from the door's x axis when it touches. ``stand_off_m``: where the
    approach ends; ``press_m``: how far ahead of the door the goal runs; ``square``: how much the fingers look at the
    door (1) rather than away from the robot (0); ``reach_rad``: how far from shut the door must at least be pushed.
    ``round_m``: how far from the hinge a hand that is not in front of the door yet stays while it goes there, for a
    door that stands open between them; without it, it goes straight.
    """

    name: str
    joint: str
    radius_m: float
    face_m: float
    side_m: float = 0.0
    shut: float = 0.0
    stand_off_m: float = 0.07
    press_m: float = 0.04
    square: float = 0.5
    reach_rad: float = 0.0
    round_m: float | None = None

    def done(self, state: WorldState) -> bool:
        """Never: the door is pressed until the episode ends."""
        return False

    def goal(self, state: WorldState) -> Goal:
        """In front of the door, then against it along the arc."""
        tip, (_, door) = state.tip_position, self._frame(state)
        away = door.T @ (tip - self._point(state, 0.0, 0.0))
        beside = float(np.hypot(away[0], away[1]))
        engaged = 1.0 - ramp(beside, 0.02, 0.06)
        before = self._point(state, 0.0, self.stand_off_m) + self._round(float(away[2])) * door[:, 0]
        left = abs(state.joint(fill(self.joint, state.binding)) - self.shut)
        pushing = self._point(state, min(self.press_m / self.radius_m, left + 0.05), 0.0)
        return Goal(before + engaged * (pushing - before), self._rotation(state, tip, 0.0), gripper=0.0)

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """In front of the door as it stands, against it, and where it is (nearly) shut."""
        left = abs(state.joint(fill(self.joint, state.binding)) - self.shut)
        goals = []
        for ahead, off in ((0.0, self.stand_off_m), (0.5 * left, 0.0), (max(left - self.reach_rad, 0.0), 0.0)):
            point = self._point(state, ahead, off)
            goals.append(Goal(point, self._rotation(state, point, ahead), gripper=0.0))
        return tuple(goals)

    def _round(self, outside: float) -> float:
        """How far (m) beyond its place a hand ``outside`` metres before the door's face stays on its way there."""
        if self.round_m is None:
            return 0.0
        return (self.round_m - self.radius_m) * (1.0 - ramp(outside, 0.0, self.stand_off_m / 2))

    def _frame(self, state: WorldState) -> tuple[np.ndarray, np.ndarray]:
        name = fill(self.name, state.binding)
        return state.position(name), state.rotation(name)

    def _point(self, state: WorldState, ahead: float, off: float) -> np.ndarray:
        """(3,) the tip's place ``off`` metres outside the face of the door turned shut by ``ahead`` rad."""
        hinge, door = self._frame(state)
        local = np.array([self.radius_m, self.side_m, self.face_m + off])
        return hinge + about(door[:, 1], ahead) @ door @ local

    def _rotation(self, state: WorldState, at: np.ndarray, ahead: float) -> np.ndarray:
        """Fingers between facing the door, turned shut by ``ahead`` rad, and pointing away from the robot.

        Far out they are nearly level, as they must be; nearer they hang, or the wrist would come to its end.
        """
        _, door = self._frame(state)
        heading = azimuth(at)
        into = (1.0 - self.square) * np.array([np.cos(heading), np.sin(heading), 0.0])
        into -= self.square * (about(door[:, 1], ahead) @ door[:, 2])
        close = np.cross(_UP, into / np.linalg.norm(into))
        lean = NEAR_LEAN_RAD + (FAR_LEAN_RAD - NEAR_LEAN_RAD) * ramp(float(np.hypot(*(at[:2] - BASE_XY))), 0.60, 0.85)
        return facing(np.sin(lean) * np.cross(close, _UP) - np.cos(lean) * _UP, close)
