"""The base of a desk telephone: a wedge with a dial pad and a cradle for the handset. Origin on the table.

The cradle runs along x over the origin: a handset rests on two saddles, between low cheeks. The keys are at -y.
"""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched

SIZE = (0.283, 0.205, 0.071)
CRADLE_Y = 0.066
"""The cradle's middle line, from the middle of the body."""

SADDLE_X, SADDLE_Z = 0.085, 0.052
"""Where the two saddles are and how high the handset's ends rest on them, m."""

_BODY_Z, _CHEEK = 0.036, 0.012


def _keys(body: mujoco.MjsBody, name: str, white: str, dark: str) -> None:
    """Twelve keys, a display and a label in front of the cradle."""
    for row in range(4):
        for column in range(3):
            at = (0.030 * (column - 1) + 0.055, -0.075 + 0.024 * row, _BODY_Z + 0.003)
            drawn(body, f"{name}/key{row}{column}", "box", at, (0.022, 0.016, 0.008), white)
    drawn(body, f"{name}/display", "box", (-0.065, -0.020, _BODY_Z + 0.001), (0.090, 0.040, 0.004), dark)
    drawn(body, f"{name}/label", "box", (-0.065, -0.068, _BODY_Z + 0.001), (0.090, 0.030, 0.004), white)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, cradle: str = "phone_cradle") -> None:
    """Fill ``body`` with the base; the site ``cradle`` lies where the saddles carry a handset, its y along it."""
    shell = material(spec, "phone_base/shell", (0.95, 0.27, 0.03), specular=0.4, shininess=0.5)
    shade = material(spec, "phone_base/shade", (0.72, 0.18, 0.02), specular=0.3)
    white = material(spec, "phone_base/key", (0.92, 0.91, 0.88), specular=0.3)
    dark = material(spec, "phone_base/display", (0.14, 0.20, 0.16), specular=0.6, shininess=0.8)
    wide, deep, high = SIZE
    drawn(body, f"{name}/body", "box", (0, 0, _BODY_Z / 2), (wide, deep, _BODY_Z), shell)
    drawn(body, f"{name}/foot", "box", (0, 0, 0.004), (wide - 0.004, deep + 0.006, 0.008), shade)
    touched(body, f"{name}/body_hull", "box", (0, 0, _BODY_Z / 2), (wide, deep, _BODY_Z), mass=0.8)
    _keys(body, name, white, dark)
    for sx in (-1, 1):
        rise = SADDLE_Z - _BODY_Z
        saddle = (sx * SADDLE_X, CRADLE_Y, _BODY_Z + rise / 2)
        drawn(body, f"{name}/saddle{sx}", "box", saddle, (0.060, 0.066, rise), shade)
        touched(body, f"{name}/saddle_hull{sx}", "box", saddle, (0.060, 0.066, rise), mass=0.05)
        for sy in (-1, 1):
            cheek = (sx * SADDLE_X, CRADLE_Y + sy * (0.038 + _CHEEK / 2), (_BODY_Z + high) / 2)
            size = (0.050, _CHEEK, high - _BODY_Z)
            drawn(body, f"{name}/cheek{sx}{sy}", "box", cheek, size, shell)
            touched(body, f"{name}/cheek_hull{sx}{sy}", "box", cheek, size, mass=0.02, friction=0.2)
    half = math.sqrt(0.5)
    body.add_site(name=cradle, pos=[0.0, CRADLE_Y, SADDLE_Z], quat=[half, 0.0, 0.0, half], group=4)
