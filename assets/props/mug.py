"""A mug with a handle on its +x side, mouth up. Origin at its middle."""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._bars import drawn_line, touched_bar
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import touched, touched_ring

RADIUS, HALF_HEIGHT = 0.033, 0.042
WALL = 0.004
HANDLE_OUT, HANDLE_HIGH = 0.0645, 0.024
"""The handle's outer bar: distance from the mug's axis, and half its height."""

HANDLE_RADIUS = 0.005
LOOP_X = 0.0463
"""Distance of the middle of the handle's opening from the mug's axis."""

_CUP = (
    (0.0, -HALF_HEIGHT),
    (0.0300, -HALF_HEIGHT),
    (0.0325, -HALF_HEIGHT + 0.003),
    (RADIUS, -HALF_HEIGHT + 0.008),
    (RADIUS, HALF_HEIGHT - 0.001),
    (RADIUS - 0.0015, HALF_HEIGHT),
    (RADIUS - 0.0030, HALF_HEIGHT - 0.001),
    (RADIUS - 0.0035, -HALF_HEIGHT + 0.008),
    (0.0250, -HALF_HEIGHT + 0.005),
    (0.0, -HALF_HEIGHT + 0.005),
)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with white china; felt are a ring of boards, a floor and three bars."""
    china = material(spec, "mug/china", (0.94, 0.94, 0.95), specular=0.6, shininess=0.7)
    add_lathe(spec, body, f"{name}/cup", "mug/cup", _CUP, china)
    line = []
    for k in range(9):
        angle = math.pi / 2 - math.pi * k / 8
        x = RADIUS - 0.003 + (HANDLE_OUT - RADIUS + 0.003) * math.cos(angle) ** 0.7 if 0 < k < 8 else RADIUS - 0.002
        line.append((x, 0.0, HANDLE_HIGH * math.copysign(abs(math.sin(angle)) ** 0.7, math.sin(angle))))
    drawn_line(body, f"{name}/handle", line, HANDLE_RADIUS, china)
    ring = (RADIUS - WALL / 2, WALL, 2 * HALF_HEIGHT - 0.001)
    touched_ring(body, f"{name}/wall", (0, 0, 0.0005), ring, count=10, mass=0.10, friction=0.4)
    touched(body, f"{name}/floor", "cylinder", (0, 0, 0.004 - HALF_HEIGHT), (RADIUS - 0.002, 0.008), mass=0.04)
    corners = [(RADIUS, HANDLE_HIGH), (HANDLE_OUT, HANDLE_HIGH), (HANDLE_OUT, -HANDLE_HIGH), (RADIUS, -HANDLE_HIGH)]
    for k in range(3):
        (x0, z0), (x1, z1) = corners[k : k + 2]
        touched_bar(body, f"{name}/bar{k}", (x0, 0, z0), (x1, 0, z1), HANDLE_RADIUS, mass=0.01, friction=0.3)
