"""A roast drumstick lying on its side, its bone along y. Origin at its middle."""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import touched

LENGTH, RADIUS = 0.120, 0.024
_HALF = math.sqrt(0.5)
_FLESH = (
    (0.0, -0.060),
    (0.010, -0.058),
    (0.018, -0.052),
    (0.0235, -0.040),
    (RADIUS, -0.026),
    (0.022, -0.010),
    (0.0165, 0.006),
    (0.0115, 0.020),
    (0.0090, 0.030),
    (0.0, 0.031),
)
_BONE = (
    (0.0, 0.025),
    (0.0055, 0.026),
    (0.0050, 0.046),
    (0.0085, 0.050),
    (0.0090, 0.055),
    (0.0060, 0.060),
    (0.0, 0.060),
)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the drumstick. It is felt as a slab, so that it lies still."""
    skin = material(spec, "chicken/skin", (0.78, 0.44, 0.14), specular=0.4, shininess=0.4)
    bone = material(spec, "chicken/bone", (0.95, 0.91, 0.82), specular=0.2)
    for part, profile, look in (("flesh", _FLESH, skin), ("bone", _BONE, bone)):
        geom = add_lathe(spec, body, f"{name}/{part}", f"chicken/{part}", profile, look)
        geom.quat = [_HALF, -_HALF, 0.0, 0.0]  # z to y
    slab = (2 * RADIUS - 0.006, 0.082, 2 * RADIUS)
    touched(body, f"{name}/hull", "box", (0, -0.018, 0), slab, mass=0.08, friction=0.8)
    touched(body, f"{name}/bone_hull", "box", (0, 0.040, 0), (0.014, 0.040, 0.014), mass=0.01, friction=0.8)
