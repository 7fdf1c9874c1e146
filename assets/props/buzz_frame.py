"""The frame of a hot-wire game: a straight wire between two posts on a heavy base. Origin: middle of its outline.

The wire runs along y. Its ends are sleeved: there a ring may touch it.
"""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched

SIZE = (0.10, 0.35, 0.301)
BASE_HEIGHT = 0.10
WIRE_Z, WIRE_RADIUS = 0.1455, 0.005
POST_Y = 0.145
SLEEVES = ((0.080, 0.140), (-0.140, -0.065))
"""The sleeved parts of the wire, from and to in y, m: where the game starts, and where it ends."""

SLEEVE_RADIUS = 0.008
_ALONG_Y = (math.sqrt(0.5), math.sqrt(0.5), 0.0, 0.0)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with base, posts, wire and sleeves."""
    black = material(spec, "buzz_frame/base", (0.06, 0.06, 0.07), specular=0.4, shininess=0.5)
    metal = material(spec, "buzz_frame/wire", (0.62, 0.62, 0.65), specular=0.6, shininess=0.7)
    rubber = material(spec, "buzz_frame/sleeve", (0.9, 0.25, 0.1), specular=0.1, shininess=0.2)
    foot = -SIZE[2] / 2
    base = (SIZE[0], SIZE[1], BASE_HEIGHT)
    drawn(body, f"{name}/base", "box", (0, 0, foot + BASE_HEIGHT / 2), base, black)
    touched(body, f"{name}/base_hull", "box", (0, 0, foot + BASE_HEIGHT / 2), base, mass=3.0)
    low = foot + BASE_HEIGHT
    for side in (-1, 1):
        at, size = (0, side * POST_Y, (low + WIRE_Z) / 2), (0.006, WIRE_Z - low + 0.01)
        drawn(body, f"{name}/post{side}", "cylinder", at, size, metal)
        touched(body, f"{name}/post{side}_hull", "cylinder", at, size, mass=0.02)
    rods = [("wire", (-POST_Y, POST_Y), WIRE_RADIUS, metal)]
    rods += [(f"sleeve{k}", ends, SLEEVE_RADIUS, rubber) for k, ends in enumerate(SLEEVES)]
    for rod, (start, end), radius, look in rods:
        at, size = (0, (start + end) / 2, WIRE_Z), (radius, abs(end - start))
        drawn(body, f"{name}/{rod}", "cylinder", at, size, look).quat = _ALONG_Y
        hull = touched(body, f"{name}/{rod}_hull", "cylinder", at, size, mass=0.02)
        hull.quat = _ALONG_Y
