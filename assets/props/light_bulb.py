"""A light bulb, screw end down: glass and metal are bodies of their own. Origin at its middle."""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import touched

HALF_HEIGHT = 0.053
GLASS_RADIUS, SCREW_RADIUS = 0.034, 0.0125
BELLY = HALF_HEIGHT - GLASS_RADIUS
"""Height of the widest place above the origin, metres."""

_FOOT = -0.0275
_ROUND = tuple(
    (GLASS_RADIUS * math.cos(a), BELLY + GLASS_RADIUS * math.sin(a)) for a in (k * math.pi / 18 for k in range(-3, 9))
)
_GLASS = (
    (0.0, _FOOT),
    (0.0135, _FOOT),
    (0.0150, -0.0200),
    (0.0190, -0.0100),
    (0.0260, 0.0020),
    (0.0315, 0.0100),
    *_ROUND,
    (0.0, HALF_HEIGHT),
)
_METAL = (
    (0.0, -HALF_HEIGHT),
    (0.0050, -HALF_HEIGHT),
    (0.0060, -0.0500),
    (0.0100, -0.0480),
    (0.0125, -0.0455),
    (0.0110, -0.0430),
    (0.0125, -0.0405),
    (0.0110, -0.0380),
    (0.0125, -0.0355),
    (0.0110, -0.0330),
    (0.0138, -0.0305),
    (0.0138, _FOOT + 0.001),
    (0.0, _FOOT + 0.001),
)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, glass: str, metal: str) -> None:
    """Fill ``body`` with what is felt of the bulb; bodies ``glass`` and ``metal`` are what is seen of it."""
    white = material(spec, "light_bulb/glass", (1.0, 1.0, 0.97), specular=0.7, shininess=0.9, emission=0.15)
    grey = material(spec, "light_bulb/metal", (0.55, 0.55, 0.56), specular=0.6, shininess=0.6)
    add_lathe(spec, body.add_body(name=glass), f"{glass}/paint0", "light_bulb/glass", _GLASS, white)
    add_lathe(spec, body.add_body(name=metal), f"{metal}/screw", "light_bulb/metal", _METAL, grey)
    touched(body, f"{name}/screw", "cylinder", (0, 0, -0.038), (SCREW_RADIUS, 0.030), mass=0.05, friction=0.3)
    touched(body, f"{name}/neck", "cylinder", (0, 0, -0.0135), (0.0155, 0.023), mass=0.02, friction=0.3)
    touched(body, f"{name}/belly", "sphere", (0, 0, BELLY), (GLASS_RADIUS,), mass=0.03)
