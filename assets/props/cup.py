"""A plastic cup without a handle that nests in its like. Origin at its middle, mouth up."""

from __future__ import annotations

import math

import mujoco
import numpy as np

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import NESTING, touched

HALF_HEIGHT = 0.0735
RIM_RADIUS, FOOT_RADIUS = 0.0465, 0.0330
"""Outer radii, metres."""

NEST = 0.025
"""How much higher than the lower cup an upper one stands in it."""

MASS = 0.0532
WALL = 0.004
WALLS = 12
_STOP_RADIUS = 0.0285

_PROFILE = (
    (0.0, -HALF_HEIGHT + 0.002),
    (0.0290, -HALF_HEIGHT + 0.002),
    (0.0300, -HALF_HEIGHT),
    (FOOT_RADIUS, -HALF_HEIGHT),
    (0.0438, HALF_HEIGHT - 0.014),
    (0.0450, HALF_HEIGHT - 0.013),
    (0.0452, HALF_HEIGHT - 0.004),
    (RIM_RADIUS, HALF_HEIGHT - 0.003),
    (RIM_RADIUS, HALF_HEIGHT),
    (0.0440, HALF_HEIGHT),
    (0.0312, -HALF_HEIGHT + 0.005),
    (0.0, -HALF_HEIGHT + 0.005),
)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the cup; it takes its colour from the scene.

    Felt are a ring of leaning boards and a block in the foot, on which a nested cup stands. Boards of two cups do not
    touch each other: the foot of the upper one, which fits loosely into the lower one, guides it.
    """
    plastic = material(spec, "cup/plastic", (0.8, 0.8, 0.8), specular=0.4, shininess=0.5)
    add_lathe(spec, body, f"{name}/paint0", "cup/shape", _PROFILE, plastic)
    low, high = FOOT_RADIUS - WALL / 2, RIM_RADIUS - WALL / 2
    tilt = math.atan2(high - low, 2 * HALF_HEIGHT)
    length = math.hypot(high - low, 2 * HALF_HEIGHT) - 0.002
    width = 2 * RIM_RADIUS * math.tan(math.pi / WALLS)
    for k in range(WALLS):
        yaw = 2 * math.pi * k / WALLS
        middle = ((low + high) / 2 * math.cos(yaw), (low + high) / 2 * math.sin(yaw), 0.001)
        board = touched(body, f"{name}/wall{k}", "box", middle, (WALL, width, length), mass=0.7 * MASS / WALLS)
        board.quat = _turned(yaw, tilt)
        board.contype = NESTING
    stop = (_STOP_RADIUS, NEST)
    touched(body, f"{name}/stop", "cylinder", (0, 0, NEST / 2 - HALF_HEIGHT), stop, mass=0.3 * MASS)


def _turned(yaw: float, tilt: float) -> list[float]:
    """Quaternion wxyz of a turn by ``tilt`` rad about y, then by ``yaw`` rad about z."""
    out = np.zeros(4)
    first = np.array([math.cos(tilt / 2), 0.0, math.sin(tilt / 2), 0.0])
    mujoco.mju_mulQuat(out, np.array([math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)]), first)
    return [float(v) for v in out]
