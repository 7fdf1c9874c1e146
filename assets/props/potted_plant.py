"""A leafy plant in a clay pot. Origin: on the table under the pot's middle. The plant is seen, not felt.

The pot is felt as a ring of flat walls round the soil, open on top.
"""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import drawn, touched

RADIUS, HEIGHT, SOIL_Z = 0.072, 0.105, 0.080
_WALLS, _WALL = 12, 0.006
_PROFILE = (
    *((0.0, 0.0), (0.050, 0.0), (0.062, 0.080), (RADIUS, 0.080), (RADIUS, HEIGHT), (0.064, HEIGHT), (0.062, SOIL_Z)),
    (0.0, SOIL_Z),
)
_LEAVES = tuple((turn * 2.4, 0.10 + 0.012 * turn, 0.85 - 0.05 * turn) for turn in range(11))
"""Turn about the stem (rad), height of the leaf's foot above the soil's (m), and how far it leans out (rad)."""


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, plant: str, stem_x: float = 0.02) -> None:
    """Fill ``body`` with the pot and the object ``plant``, whose stem stands ``stem_x`` (m) beside the middle."""
    clay = material(spec, "potted_plant/clay", (0.72, 0.36, 0.22), specular=0.1, shininess=0.2)
    earth = material(spec, "potted_plant/soil", (0.20, 0.13, 0.09), specular=0.0, shininess=0.0)
    add_lathe(spec, body, f"{name}/pot", "potted_plant/pot", _PROFILE, clay)
    drawn(body, f"{name}/soil", "cylinder", (0, 0, SOIL_Z + 0.001), (0.062, 0.002), earth)
    touched(body, f"{name}/soil_hull", "cylinder", (0, 0, SOIL_Z / 2), (0.062, SOIL_Z), mass=0.6, friction=1.0)
    wide = 2 * RADIUS * math.tan(math.pi / _WALLS)
    for k in range(_WALLS):
        yaw = 2 * math.pi * k / _WALLS
        out = RADIUS - _WALL / 2
        at = (out * math.cos(yaw), out * math.sin(yaw), HEIGHT / 2 + 0.02)
        touched(body, f"{name}/wall{k}_hull", "box", at, (_WALL, wide, HEIGHT - 0.04), mass=0.02, yaw=yaw)
    _add_plant(spec, body.add_body(name=plant, pos=[stem_x, 0.0, SOIL_Z]), plant)


def _add_plant(spec: mujoco.MjSpec, plant: mujoco.MjsBody, name: str) -> None:
    """A stem with leaves round it."""
    green = material(spec, "potted_plant/leaf", (0.16, 0.50, 0.14), specular=0.2, shininess=0.3)
    dark = material(spec, "potted_plant/stem", (0.20, 0.35, 0.10), specular=0.1, shininess=0.1)
    drawn(plant, f"{name}/stem", "cylinder", (0, 0, 0.11), (0.004, 0.22), dark)
    for k, (turn, foot, lean) in enumerate(_LEAVES):
        out = (math.cos(turn) * math.sin(lean), math.sin(turn) * math.sin(lean), math.cos(lean))
        length = 0.038
        cy, sy, cl, sl = math.cos(turn / 2), math.sin(turn / 2), math.cos(lean / 2), math.sin(lean / 2)
        plant.add_geom(
            name=f"{name}/leaf{k}",
            type=mujoco.mjtGeom.mjGEOM_ELLIPSOID,
            pos=[length * out[0], length * out[1], foot + length * out[2]],
            quat=[cy * cl, -sy * sl, cy * sl, sy * cl],
            size=[0.004, 0.017, length],
            material=green,
            group=1,
            contype=0,
            conaffinity=0,
            mass=0.0,
        )
