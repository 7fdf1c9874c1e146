"""What the waypoint verbs share: how to come down on something, and how the hand is turned on the way.

Everything here is a smooth function of where things are now. Heights follow from lateral errors and lateral motion from
heights, so that there are no phases to remember: from wherever the hand is, it rises where it would bump, travels, and
comes down where it may.
"""

from __future__ import annotations

import numpy as np

from hansgym.envs.expert import down

BASE_XY = (-0.2681, -0.0063)
"""The robot's shoulder axis in the world."""

HOME_TILT_RAD = 0.2424
"""The hand leans this much outwards at home, where straight down cannot be reached."""

UPRIGHT_BELOW_M, TILTED_ABOVE_M = 0.95, 1.45
NEAR_BASE_M, LOW_M = (0.34, 0.44), (0.85, 1.05)
"""Distances from the shoulder axis, and heights, over which a hand that may be tipped back is less and less."""

GATE_M = 0.05
"""How far under its path the hand stops moving sideways altogether."""


def ramp(value: float, low: float, high: float) -> float:
    """0 up to ``low``, 1 from ``high`` on, smooth between."""
    t = float(np.clip((value - low) / (high - low), 0.0, 1.0))
    return t * t * (3.0 - 2.0 * t)


def about(axis: np.ndarray, angle: float) -> np.ndarray:
    """Rotation (3, 3) by ``angle`` rad about the unit vector ``axis`` (3,)."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross


def yaw_of(rotation: np.ndarray) -> float:
    """Heading in rad of the x axis of ``rotation`` (3, 3), seen from above."""
    return float(np.arctan2(rotation[1, 0], rotation[0, 0]))


def wrapped(angle: float, period: float) -> float:
    """``angle`` brought to [-period / 2, period / 2)."""
    return float((angle + period / 2) % period - period / 2)


def azimuth(position: np.ndarray) -> float:
    """Direction in rad from the robot's base to ``position``."""
    return float(np.arctan2(position[1] - BASE_XY[1], position[0] - BASE_XY[0]))


def easy_yaw(position: np.ndarray) -> float:
    """The closing direction at ``position`` that leaves the last joint where it is at home."""
    return azimuth(position) + np.pi / 2


def leaning(rotation: np.ndarray, position: np.ndarray, height: float) -> np.ndarray:
    """``rotation`` (3, 3) leant outwards as far as the hand must at ``height`` (m): not at all near the table."""
    return outwards(rotation, position, HOME_TILT_RAD * ramp(height, UPRIGHT_BELOW_M, TILTED_ABOVE_M))


def outwards(rotation: np.ndarray, position: np.ndarray, angle: float) -> np.ndarray:
    """``rotation`` (3, 3) tipped by ``angle`` rad so that a hand at ``position`` points farther away from the robot."""
    heading = azimuth(position)
    return about(np.array([np.sin(heading), -np.cos(heading), 0.0]), angle) @ rotation


def upright(yaw: float, tip: np.ndarray, back_rad: float = 0.0) -> np.ndarray:
    """Hand straight down, closing along ``yaw``, leaning as it must where ``tip`` is; ``back_rad`` as below."""
    return tipped_back(leaning(down(yaw), tip, float(tip[2])), tip, back_rad)


def tipped_back(rotation: np.ndarray, tip: np.ndarray, back_rad: float) -> np.ndarray:
    """``rotation`` (3, 3) tipped towards the robot, low down and near its base by ``back_rad``.

    The elbow has no room there for a hand that points straight down: the arm would swing it out to the side.
    """
    if not back_rad:
        return rotation
    near = 1.0 - ramp(float(np.hypot(*(tip[:2] - BASE_XY))), *NEAR_BASE_M)
    return outwards(rotation, tip, -back_rad * near * (1.0 - ramp(float(tip[2]), *LOW_M)))


def descent(
    now: np.ndarray, aim: np.ndarray, error: float, tolerance: float, clearance: float, slope: float, cap: float
) -> np.ndarray:
    """Where something at ``now`` (3,) should go to arrive at ``aim`` (3,) from above.

    Within ``tolerance`` (m) of lateral ``error`` the height is the aim's; within twice that, it rises to ``clearance``
    above it; farther out, by ``slope`` for each metre, at most ``cap`` in all. Under that path it goes up before
    it goes sideways.
    """
    rise = clearance * ramp(error, tolerance, 2 * tolerance) + slope * max(0.0, error - 2 * tolerance)
    height = aim[2] + min(rise, max(cap, clearance))
    gate = float(np.clip(1.0 - (height - now[2]) / GATE_M, 0.0, 1.0))
    return np.array([*(now[:2] + gate * (aim[:2] - now[:2])), height])
