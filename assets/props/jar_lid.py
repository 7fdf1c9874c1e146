"""A screw lid lying the way it goes on: a disc with a skirt that is drawn over the jar's neck. Origin at its middle."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import touched

RADIUS = 0.035
"""5 % under the measured 0.037, so that a gripper holding it is less than 0.9 open and is observed as closed."""

HALF_HEIGHT = 0.0105

_SHELL = (
    (0.032, -HALF_HEIGHT),
    (RADIUS, -HALF_HEIGHT),
    (RADIUS, 0.0075),
    (0.0335, HALF_HEIGHT),
    (0.0290, HALF_HEIGHT),
    (0.0275, 0.0093),
    (0.0, 0.0093),
)
_INSIDE = ((0.0, 0.001), (0.032, 0.001), (0.032, -HALF_HEIGHT))


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the lid, grey metal. What is felt of it is a full cylinder, which rests on the jar's neck."""
    metal = material(spec, "jar_lid/metal", (0.60, 0.60, 0.61), specular=0.5, shininess=0.6)
    liner = material(spec, "jar_lid/liner", (0.35, 0.35, 0.36))
    add_lathe(spec, body, f"{name}/shell", "jar_lid/shape", _SHELL, metal)
    add_lathe(spec, body, f"{name}/liner", "jar_lid/inside", _INSIDE, liner)
    touched(body, f"{name}/hull", "cylinder", (0, 0, 0), (RADIUS, 2 * HALF_HEIGHT), mass=0.05, friction=0.8)
