"""An open screw jar: a cylinder with a rounded shoulder and a neck that the lid slips over. Origin at its middle."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import touched

RADIUS = 0.0462
HALF_HEIGHT = 0.055
NECK_RADIUS = 0.029
SHOULDER = 0.030
"""Height of the neck's foot above the origin, metres."""

SEAT = 0.047
"""Height on which a lid comes to rest: the neck is felt that high, so that its drawn end reaches into the lid."""

_PROFILE = (
    (0.0, -HALF_HEIGHT),
    (0.0425, -HALF_HEIGHT),
    (0.0455, -0.0515),
    (RADIUS, -0.046),
    (RADIUS, 0.012),
    (0.0445, 0.019),
    (0.0400, 0.025),
    (0.0330, 0.029),
    (0.0280, SHOULDER),
    (0.0280, 0.036),
    (0.0300, 0.038),
    (0.0300, 0.041),
    (0.0280, 0.043),
    (0.0280, HALF_HEIGHT),
    (0.0245, HALF_HEIGHT),
    (0.0245, 0.028),
    (0.0410, 0.016),
    (0.0410, -0.045),
    (0.0, -0.045),
)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the jar; it takes its colour from the scene."""
    glass = material(spec, "jar/glass", (0.8, 0.8, 0.8), specular=0.6, shininess=0.7)
    add_lathe(spec, body, f"{name}/paint0", "jar/shape", _PROFILE, glass)
    wall = SHOULDER - 0.004 + HALF_HEIGHT
    touched(body, f"{name}/wall", "cylinder", (0, 0, wall / 2 - HALF_HEIGHT), (RADIUS, wall), mass=0.08)
    neck = SEAT - SHOULDER + 0.004
    touched(body, f"{name}/neck", "cylinder", (0, 0, SEAT - neck / 2), (NECK_RADIUS, neck), mass=0.01)
