"""A stand for a roll of toilet paper: a post on a round foot, and from its top an arm with a bar along x.

Origin at the middle of the post's height; the bar's free end points along x and carries the site ``bar`` at its middle.
"""

from __future__ import annotations

import math
from itertools import pairwise

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._bars import arc, drawn_line, touched_bar
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import touched

HALF_HEIGHT = 0.1325
FOOT_RADIUS = 0.040
POST_RADIUS = 0.007
BAR_RADIUS = 0.006
BAR_Y, BAR_Z = 0.056, 0.085
BAR = (-0.038, 0.044)
"""From the bend to the free end, along x."""

_TOP, _NECK = 0.130, (-0.024, 0.029)
"""Height of the arm over the origin, and where (x, y) it goes on from the stand's neck, m."""

_STAND = (
    (0.0, -HALF_HEIGHT),
    (FOOT_RADIUS, -HALF_HEIGHT),
    (FOOT_RADIUS, -0.1265),
    (0.0370, -0.1230),
    (0.0200, -0.1200),
    (0.0110, -0.1130),
    (POST_RADIUS, -0.1000),
    (POST_RADIUS, 0.1150),
    (0.0115, 0.1180),
    (0.0125, 0.1240),
    (0.0100, 0.1300),
    (0.0, HALF_HEIGHT),
)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, holder: str, bar: str) -> None:
    """Fill ``body`` with foot, post and a short neck, chrome; body ``holder`` is arm and bar, with the site ``bar``."""
    chrome = material(spec, "toilet_roll_stand/chrome", (0.80, 0.81, 0.83), specular=0.8, shininess=0.8)
    add_lathe(spec, body, f"{name}/shape", "toilet_roll_stand/shape", _STAND, chrome)
    touched(body, f"{name}/foot", "cylinder", (0, 0, 0.005 - HALF_HEIGHT), (FOOT_RADIUS, 0.010), mass=0.3)
    touched(body, f"{name}/post", "cylinder", (0, 0, 0), (POST_RADIUS, 2 * HALF_HEIGHT), mass=0.1)
    neck = ((0.0, 0.0, _TOP - 0.002), (*_NECK, _TOP))
    drawn_line(body, f"{name}/neck", list(neck), BAR_RADIUS * 0.8, chrome)
    touched_bar(body, f"{name}/neck_hull", *neck, BAR_RADIUS, mass=0.02, friction=0.4)
    arm = body.add_body(name=holder)
    bend = [(x, BAR_Y, z) for x, z in arc((BAR[0] + 0.008, BAR_Z + 0.008), 0.008, math.pi, 1.5 * math.pi, 4)]
    line = [(*_NECK, _TOP), (BAR[0], BAR_Y, _TOP), *bend, (BAR[1], BAR_Y, BAR_Z)]
    drawn_line(arm, f"{holder}/bar", line, BAR_RADIUS, chrome)
    drawn_line(arm, f"{holder}/knob", [(BAR[1], BAR_Y, BAR_Z), (BAR[1] + 0.001, BAR_Y, BAR_Z)], 0.0070, chrome)
    parts = tuple(pairwise((*line[:2], bend[-1], line[-1])))
    for k, (start, end) in enumerate(parts):
        touched_bar(arm, f"{holder}/bar{k}_hull", start, end, BAR_RADIUS, mass=0.02, friction=0.4)
    arm.add_site(name=bar, pos=[sum(BAR) / 2, BAR_Y, BAR_Z], size=[0.003] * 3, group=4)
