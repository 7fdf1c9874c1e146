"""A telephone handset lying on its ear and mouth pieces, arched between them. Its length is along y.

Origin at the middle of the grip; x is across it, so that fingers close along x.
"""

from __future__ import annotations

import math

import mujoco
import numpy as np

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._mesh import add_mesh
from hansgym.assets.props._solids import touched

LENGTH, WIDTH = 0.266, 0.060
UNDERSIDE_Z = -0.036
"""Height of the ear and mouth pieces' faces over the origin, m."""

GRIP_WIDTH = 0.042
_CUP_Y, _CUP_RADIUS = 0.102, 0.029
_CUP = ((0.0, 0.0), (0.024, 0.0), (_CUP_RADIUS, 0.004), (_CUP_RADIUS, 0.012), (0.022, 0.022), (0.0, 0.024))


def _arch(rings: int = 24, sides: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and faces of a bowed, rounded bar from end to end, thicker at its ends."""
    turn = np.arange(sides) * 2 * np.pi / sides
    vertices: list[np.ndarray] = []
    faces: list[tuple[int, int, int]] = []
    for k in range(rings + 1):
        y = (k / rings - 0.5) * LENGTH
        share = abs(2 * y / LENGTH)
        round_off = math.sqrt(max(1.0 - max(0.0, (share - 0.86) / 0.14) ** 2, 0.02))
        half_x = (GRIP_WIDTH / 2 + 0.009 * max(0.0, share - 0.35) / 0.65) * round_off
        half_z = 0.0125 * round_off
        middle = 0.003 - 0.019 * share**2
        ring = np.column_stack([half_x * np.cos(turn), np.full(sides, y), middle + half_z * np.sin(turn)])
        vertices.append(ring)
    for k in range(rings):
        for j in range(sides):
            a, b = k * sides + j, k * sides + (j + 1) % sides
            faces += [(a, a + sides, b + sides), (a, b + sides, b)]
    for j in range(1, sides - 1):
        last = rings * sides
        faces += [(0, j, j + 1), (last, last + j + 1, last + j)]
    return np.concatenate(vertices), np.asarray(faces, np.int32)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the handset. It is felt as a grip and two blocks."""
    grey = material(spec, "handset/shell", (0.62, 0.63, 0.65), specular=0.5, shininess=0.6)
    dark = material(spec, "handset/cup", (0.30, 0.31, 0.33), specular=0.3)
    add_mesh(spec, body, f"{name}/arch", "handset/arch", _arch(), grey)
    for sign in (-1, 1):
        cup = add_lathe(spec, body, f"{name}/cup{sign}", "handset/cup", _CUP, dark)
        cup.pos = [0.0, sign * _CUP_Y, UNDERSIDE_Z]
        high = 0.034
        at = (0, sign * _CUP_Y, UNDERSIDE_Z + high / 2)
        touched(body, f"{name}/cup_hull{sign}", "box", at, (0.054, 0.054, high), mass=0.06, friction=0.6)
    touched(body, f"{name}/grip_hull", "box", (0, 0, -0.001), (GRIP_WIDTH, 0.16, 0.022), mass=0.08, friction=0.8)
