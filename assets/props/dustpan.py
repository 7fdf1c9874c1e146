"""A dustpan on a long upright handle, open in front. Origin: on the table under its middle; x leads into it.

Its site ``<name>_mouth`` lies on the table in the middle of the front edge, x leading in. The floor rises to
:data:`FLOOR` in a short wedge. Bristles pass through floor and sides, as if they bent, but not through the back.
"""

from __future__ import annotations

import math

import mujoco
import numpy as np

from hansgym.assets.materials import material
from hansgym.assets.props._mesh import add_mesh
from hansgym.assets.props._solids import NESTING, drawn, touched

FLOOR, WEDGE = 0.002, 0.014
WALL, HULL_WALL = 0.004, 0.008

_CORNERS = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (0, 1)], float)
_FACES = (
    *((0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1)),
    *((2, 3, 7), (2, 7, 6), (1, 5, 7), (1, 7, 3), (0, 2, 6), (0, 6, 4)),
)


def build(
    spec: mujoco.MjSpec,
    body: mujoco.MjsBody,
    name: str,
    size: tuple[float, float, float] = (0.218, 0.274, 0.083),
    pole: tuple[float, float] = (0.0105, 0.595),
) -> None:
    """Fill ``body`` with a pan of ``size`` (depth, width, height, m) and its handle ``pole`` (radius, length, m)."""
    depth, width, height = size
    black = material(spec, "dustpan/plastic", (0.1, 0.1, 0.1), specular=0.4, shininess=0.5)
    grey = material(spec, "dustpan/pole", (0.588, 0.588, 0.588), specular=0.4, shininess=0.5)
    inside, low = width - 2 * WALL, 0.012
    drawn(body, f"{name}/floor", "box", (0, 0, FLOOR / 2), (depth, inside, FLOOR), black)
    drawn(body, f"{name}/back", "box", ((depth - WALL) / 2, 0, height / 2), (WALL, inside, height), black)
    hood = depth * 0.5
    drawn(body, f"{name}/hood", "box", ((depth - hood) / 2, 0, height - WALL / 2), (hood, inside, WALL), black)
    brim = f"{name}/brim"
    _slanted(spec, body, brim, (-0.28 * depth, 0.0), inside, (0.62 * height, height), WALL, black)
    for side in (-1, 1):
        at = side * (width - WALL) / 2
        _wall(spec, body, f"{name}/side{side}", (depth, at, low, height), black)
        for part, share, tall in (("front", -0.25, 0.4), ("rear", 0.25, 0.9)):
            hull = (depth / 2, HULL_WALL, tall * height)
            where = (share * depth, at, hull[2] / 2)
            touched(body, f"{name}/side{side}_{part}_hull", "box", where, hull, mass=0.03).contype = NESTING
    _hulls(body, name, size)
    foot = 0.13 * depth
    drawn(body, f"{name}/socket", "cylinder", (foot, 0, height + 0.012), (1.7 * pole[0], 0.024), black)
    drawn(body, f"{name}/pole", "cylinder", (foot, 0, height + pole[1] / 2), pole, grey)
    touched(body, f"{name}/pole_hull", "cylinder", (foot, 0, height + pole[1] / 2), pole, mass=0.05)
    body.add_site(name=f"{name}_mouth", pos=[-depth / 2, 0.0, 0.0], group=4)


def _hulls(body: mujoco.MjsBody, name: str, size: tuple[float, float, float]) -> None:
    """What is felt of floor, wedge, back and hood; the floor reaches deep into the table, on which it lies."""
    depth, width, height = size
    thick = 0.02
    floor = (depth - WEDGE, width, thick)
    plate = touched(body, f"{name}/floor_hull", "box", (WEDGE / 2, 0, FLOOR - thick / 2), floor, mass=0.1)
    slope = math.atan2(FLOOR, WEDGE)
    length = math.hypot(FLOOR, WEDGE)
    middle = (-(depth - WEDGE) / 2 + thick / 2 * math.sin(slope), 0, FLOOR / 2 - thick / 2 * math.cos(slope))
    wedge = touched(body, f"{name}/wedge_hull", "box", middle, (length, width, thick), mass=0.01)
    plate.contype = wedge.contype = NESTING
    wedge.quat = [math.cos(slope / 2), 0.0, -math.sin(slope / 2), 0.0]
    back = ((depth - HULL_WALL) / 2, 0, height / 2)
    touched(body, f"{name}/back_hull", "box", back, (HULL_WALL, width, height), mass=0.05)
    hood = 0.5 * depth
    roof = ((depth - hood) / 2, 0, height - HULL_WALL / 2)
    touched(body, f"{name}/hood_hull", "box", roof, (hood, width, HULL_WALL), mass=0.05)


def _wall(
    spec: mujoco.MjSpec, body: mujoco.MjsBody, geom: str, shape: tuple[float, float, float, float], look: str
) -> None:
    """A side wall (depth, y of its middle, heights in front and behind), drawn only."""
    depth, y, front, behind = shape
    points = _CORNERS * (depth / 2, WALL / 2, 1.0) + (0.0, y, 0.0)
    middle = 0.0
    points[:, 2] *= np.where(points[:, 0] < middle, front, behind)
    _mesh(spec, body, geom, points, look)


def _slanted(
    spec: mujoco.MjSpec,
    body: mujoco.MjsBody,
    geom: str,
    x: tuple[float, float],
    width: float,
    z: tuple[float, float],
    thick: float,
    look: str,
) -> None:
    """A plate of ``thick`` metres that rises from (x[0], z[0]) to (x[1], z[1]), drawn only."""
    points = _CORNERS * (0.5, width / 2, 1.0) + (0.5, 0.0, 0.0)
    top = z[0] + points[:, 0] * (z[1] - z[0])
    points[:, 2] = top - thick * (1.0 - points[:, 2])
    points[:, 0] = x[0] + points[:, 0] * (x[1] - x[0])
    _mesh(spec, body, geom, points, look)


def _mesh(spec: mujoco.MjSpec, body: mujoco.MjsBody, geom: str, points: np.ndarray, look: str) -> None:
    # Every face gets corners of its own: a renderer that averages normals would round the edges.
    corners = points[np.array(_FACES).ravel()]
    faces = np.arange(len(corners)).reshape(-1, 3)
    add_mesh(spec, body, geom, geom, (corners, faces), look)
