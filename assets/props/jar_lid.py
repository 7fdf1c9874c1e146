"""A screw lid lying the way it goes on: a disc with a skirt that slips over the jar's neck. Origin at its middle."""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import touched

RADIUS = 0.035
"""5 % under the measured 0.037, so that a gripper holding it is less than 0.9 open and is observed as closed."""

HALF_HEIGHT = 0.0105
SEAT = 0.0005
"""Height of the disc's underside above the origin: what rests on the rim of the neck."""

_SKIRT = 0.003
_SIDES = 12

_PROFILE = (
    (0.032, -HALF_HEIGHT),
    (RADIUS, -HALF_HEIGHT),
    (RADIUS, 0.0075),
    (0.0335, HALF_HEIGHT),
    (0.0290, HALF_HEIGHT),
    (0.0275, 0.0093),
    (0.0, 0.0093),
)
_INSIDE = ((0.0, SEAT), (0.032, SEAT), (0.032, -HALF_HEIGHT))


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the lid, grey metal."""
    metal = material(spec, "jar_lid/metal", (0.60, 0.60, 0.61), specular=0.5, shininess=0.6)
    liner = material(spec, "jar_lid/liner", (0.35, 0.35, 0.36))
    add_lathe(spec, body, f"{name}/shell", "jar_lid/shape", _PROFILE, metal)
    add_lathe(spec, body, f"{name}/liner", "jar_lid/inside", _INSIDE, liner)
    top = HALF_HEIGHT - SEAT
    touched(body, f"{name}/top", "cylinder", (0, 0, SEAT + top / 2), (RADIUS, top), mass=0.03, friction=0.8)
    middle = RADIUS - _SKIRT / 2
    width = 2 * RADIUS * math.tan(math.pi / _SIDES)
    for k in range(_SIDES):
        angle = 2 * math.pi * k / _SIDES
        touched(
            body,
            f"{name}/skirt{k}",
            "box",
            (middle * math.cos(angle), middle * math.sin(angle), (SEAT - HALF_HEIGHT) / 2),
            (_SKIRT, width, HALF_HEIGHT + SEAT),
            mass=0.02 / _SIDES,
            friction=0.8,
            yaw=angle,
        )
