"""A ripe tomato with its green star of leaves. Origin at its middle."""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import drawn, touched

RADIUS, HALF_HEIGHT = 0.035, 0.030
_LEAVES = 5
_PROFILE = (
    (0.0, -HALF_HEIGHT),
    (0.016, -0.0275),
    (0.027, -0.019),
    (0.033, -0.008),
    (RADIUS, 0.002),
    (0.033, 0.013),
    (0.027, 0.022),
    (0.018, 0.0285),
    (0.010, HALF_HEIGHT),
    (0.0, 0.026),
)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the tomato."""
    skin = material(spec, "tomato/skin", (0.72, 0.06, 0.04), specular=0.6, shininess=0.7)
    leaf = material(spec, "tomato/leaf", (0.14, 0.42, 0.10))
    add_lathe(spec, body, f"{name}/fruit", "tomato/fruit", _PROFILE, skin)
    for k in range(_LEAVES):
        turn = 2 * math.pi * k / _LEAVES
        at = (0.009 * math.cos(turn), 0.009 * math.sin(turn), 0.030)
        drawn(body, f"{name}/leaf{k}", "box", at, (0.018, 0.005, 0.002), leaf, yaw=turn)
    drawn(body, f"{name}/stalk", "cylinder", (0, 0, 0.033), (0.002, 0.010), leaf)
    touched(body, f"{name}/hull", "cylinder", (0, 0, 0), (0.030, 2 * HALF_HEIGHT), mass=0.1)
