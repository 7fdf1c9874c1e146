"""A dinner plate standing on its edge: its axis is along x, its hollow side towards +x. Origin at its middle."""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import touched

RADIUS, DEPTH = 0.100, 0.024
_HALF = DEPTH / 2
_SHAPE = (
    (0.0, -_HALF),
    (0.056, -_HALF),
    (0.066, -0.009),
    (0.096, 0.006),
    (RADIUS, 0.009),
    (RADIUS, _HALF),
    (0.097, _HALF),
    (0.066, -0.003),
    (0.058, -0.006),
    (0.0, -0.006),
)
_BAND = ((0.090, 0.0095), (0.090, 0.0104), (0.086, 0.0085), (0.086, 0.0076))


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the plate. It is felt as a flat cylinder."""
    china = material(spec, "plate/china", (0.97, 0.97, 0.96), specular=0.5, shininess=0.7)
    blue = material(spec, "plate/band", (0.25, 0.40, 0.70), specular=0.5, shininess=0.7)
    turned = [math.sqrt(0.5), 0.0, math.sqrt(0.5), 0.0]
    for part, profile, look in (("china", _SHAPE, china), ("band", _BAND, blue)):
        add_lathe(spec, body, f"{name}/{part}", f"plate/{part}", profile, look).quat = turned
    hull = touched(body, f"{name}/hull", "cylinder", (0, 0, 0), (RADIUS, DEPTH), mass=0.25, friction=0.7)
    hull.quat = turned
