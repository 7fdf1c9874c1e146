"""A small round stand in which a light bulb is kept, screw end down. Origin in its axis, 0.030 above its underside."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import touched, touched_ring

RADIUS = 0.0495
BOTTOM, TOP = -0.030, 0.036
FLOOR = -0.012
"""Height on which the bulb stands."""

_PROFILE = (
    (0.0, BOTTOM),
    (RADIUS, BOTTOM),
    (RADIUS, BOTTOM + 0.006),
    (0.0470, BOTTOM + 0.009),
    (0.0330, -0.012),
    (0.0260, 0.000),
    (0.0260, 0.015),
    (0.0310, TOP - 0.004),
    (0.0310, TOP),
    (0.0270, TOP),
    (0.0210, 0.015),
    (0.0180, FLOOR),
    (0.0, FLOOR),
)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the stand; it takes its colour from the scene."""
    plastic = material(spec, "bulb_holder/plastic", (0.8, 0.8, 0.8), specular=0.3, shininess=0.4)
    add_lathe(spec, body, f"{name}/paint0", "bulb_holder/shape", _PROFILE, plastic)
    foot = FLOOR - BOTTOM
    touched(body, f"{name}/foot", "cylinder", (0, 0, BOTTOM + foot / 2), (RADIUS, foot), mass=0.2)
    touched_ring(body, f"{name}/collar", (0, 0, 0.009), (0.0222, 0.0095, 0.042), count=8, mass=0.05, friction=0.3)
