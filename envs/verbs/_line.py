"""How to come to a pose along a line from any side, and which of several equivalent poses suits the arm.

As in ``_motion``, everything follows from where things are now: beside the line the goal is its beginning, reached over
the top of what stands about; near the line it runs on to the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.expert import TIP_SPEED_M, TIP_TURN_RAD, down
from hansgym.envs.verbs._motion import GATE_M, about, azimuth, easy_yaw, leaning, ramp, wrapped

_UP = np.array([0.0, 0.0, 1.0])
ROOM_M = 0.03
"""So far beside a line, or straight above its beginning, one need not go over the top."""

_EASY_SIDE_RAD = 0.3
"""The last joint turns farther to this side of the easy roll than to the other; of two as good, that one is taken."""


FOLD_RAD, ROOM_RAD = 0.65, 0.15
"""So far out of the plane of the arm a level hand can be brought low, and the reserve of the reach test."""

LONG_WAY_RAD = 2.0
"""A longer turn of the last joint is made in parts."""


@dataclass(frozen=True)
class Line:
    """The way to a pose: ``into`` (3,) is the unit direction of its last ``stand_off_m``; ``top_m`` the height in the
    world over which everything may be crossed; ``slope`` how steeply the way rises beside the line's beginning.
    """

    into: np.ndarray
    stand_off_m: float
    top_m: float
    slope: float
    tolerance_m: float

    def beside(self, now: np.ndarray, aim: np.ndarray) -> float:
        """Distance in metres of ``now`` (3,) from the line through ``aim`` (3,)."""
        offset = now - aim
        return float(np.linalg.norm(offset - (offset @ self.into) * self.into))

    def step(self, now: np.ndarray, aim: np.ndarray, error: float) -> tuple[np.ndarray, float]:
        """Where something at ``now`` should go to arrive at ``aim``, and how free it is to turn meanwhile (0 to 1).

        ``error`` is its distance from the line plus what its turn is worth (m).
        """
        offset = now - aim
        behind = float(np.clip(-offset @ self.into, 0.0, self.stand_off_m))
        # Once on the line, it takes more to be sent back.
        slack = self.tolerance_m * (1.0 + 2.0 * ramp(1.0 - behind / self.stand_off_m, 0.1, 0.4))
        astray = ramp(error, slack, 4 * slack)
        point = aim - astray * self.stand_off_m * self.into
        # What is near the line goes back along it; all else goes over the top to its beginning.
        start = aim - self.stand_off_m * self.into
        away = min(float(np.hypot(*(now - start)[:2])), float(np.linalg.norm(offset + behind * self.into)))
        away = max(0.0, away - ROOM_M)
        height = min(point[2] + astray * self.slope * away, max(self.top_m, point[2]))
        gate = float(np.clip(1.0 - (height - now[2]) / GATE_M, 0.0, 1.0))
        return np.array([*(now[:2] + gate * (point - now)[:2]), height]), gate


def speed(distance: float) -> float:
    """Metres in a step at ``distance`` (m) from the end of a line."""
    return float(np.clip(0.5 * distance + 0.003, 0.003, TIP_SPEED_M))


def turning(gate: float) -> float:
    """Radians in a step: what must first rise is hardly turned."""
    return TIP_TURN_RAD * (0.1 + 0.9 * gate)


def angle_between(first: np.ndarray, second: np.ndarray) -> float:
    """Angle in rad between two rotations (3, 3)."""
    return float(np.arccos(np.clip((float(np.trace(first.T @ second)) - 1.0) / 2.0, -1.0, 1.0)))


def easy(position: np.ndarray, lean: float) -> np.ndarray:
    """Hand rotation (3, 3) that suits the arm at ``position`` (3,), leant outwards from straight down by ``lean``."""
    heading = azimuth(position)
    return about(np.array([np.sin(heading), -np.cos(heading), 0.0]), lean) @ down(easy_yaw(position) + _EASY_SIDE_RAD)


def best_turn(before: np.ndarray, axis: np.ndarray, after: np.ndarray, wanted: np.ndarray, period: float) -> np.ndarray:
    """The turn (3, 3) about ``axis`` that brings ``before @ turn @ after`` nearest to ``wanted`` (all (3, 3)).

    Turns are multiples of ``period`` (rad), or any with period 0.
    """
    axis = np.asarray(axis, float) / np.linalg.norm(axis)
    if not period:
        middle = after @ wanted.T @ before
        cross = np.array([[0.0, -axis[2], axis[1]], [axis[2], 0.0, -axis[0]], [-axis[1], axis[0], 0.0]])
        # The trace of turn @ middle is a sine of the angle; this is its crest.
        return about(axis, float(np.arctan2(np.trace(cross @ middle), np.trace(middle) - axis @ middle @ axis)))
    free = best_turn(before, axis, after, wanted, 0.0)
    twice = np.array([free[2, 1] - free[1, 2], free[0, 2] - free[2, 0], free[1, 0] - free[0, 1]])
    angle = float(np.arctan2(axis @ twice, np.trace(free) - 1.0))
    return about(axis, angle - wrapped(angle, period))


def turns(axis: np.ndarray | tuple[float, ...], period: float) -> list[np.ndarray]:
    """The turns (3, 3) about ``axis`` (3,) by all multiples of ``period`` (rad, not 0) within a full one."""
    unit = np.asarray(axis, float) / np.linalg.norm(axis)
    return [about(unit, k * period) for k in range(round(2 * np.pi / period))]


def last_joint(rotation: np.ndarray, position: np.ndarray) -> float:
    """About how far (rad) the last joint is turned where a hand ``rotation`` (3, 3) at ``position`` points down.

    It is turned by 45 degrees where the fingers close across the plane of the arm, and its range is 2.9 to either side.
    """
    close = float(np.arctan2(rotation[1, 1], rotation[0, 1]))
    return wrapped(np.pi / 4 - (close - easy_yaw(position)), 2 * np.pi)


def part_way(end: np.ndarray, way: float) -> np.ndarray:
    """``end`` (3, 3), or where the last joint is yet on its way of ``way`` rad there, so that it turns that way round.

    Half a turn of the hand is as short either way, but the joint has room for one of them only.
    """
    return about(_UP, way - float(np.clip(way, -LONG_WAY_RAD, LONG_WAY_RAD))) @ end


def poised(rotation: np.ndarray, tip: np.ndarray, beside: float) -> np.ndarray:
    """``rotation`` (3, 3) of a hand ``beside`` metres off its line: pointing down, it leans as it must high up."""
    share = ramp(beside, 0.03, 0.12) * ramp(-float(rotation[2, 2]), 0.8, 0.98)
    return leaning(rotation, tip, share * float(tip[2]))


def swung(rotation: np.ndarray, aim: np.ndarray, most: float, room: float = 0.0) -> np.ndarray:
    """``rotation`` (3, 3) swung about the vertical by up to ``most`` rad, out of the plane of the arm.

    Low down the arm can hardly fold for a hand that points straight away from the robot. With ``room`` (rad) it is
    swung that much less than it could be, for a test with some reserve.
    """
    if not most:
        return rotation
    beside = wrapped(float(np.arctan2(rotation[1, 2], rotation[0, 2])) - azimuth(aim), 2 * np.pi)
    missing = min(max(0.0, FOLD_RAD - abs(beside)), most)
    return about(_UP, float(np.copysign(missing - room if missing else 0.0, beside))) @ rotation
