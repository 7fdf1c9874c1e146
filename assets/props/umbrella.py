"""A folded umbrella with a crook, lying. Origin at its middle, x to the handle, the crook hanging down."""

from __future__ import annotations

import math
from itertools import pairwise

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._bars import arc, drawn_line, touched_bar
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import drawn

HALF_LENGTH = 0.125
FELT_RADIUS = 0.0115
GRIP_X, GRIP_RADIUS = 0.065, 0.0065
_CROOK = 0.026
_TURN = math.sqrt(0.5)

_CANOPY = (
    (0.0, -0.112),
    (0.0045, -0.112),
    (0.0065, -0.100),
    (0.0080, -0.040),
    (0.0105, -0.038),
    (0.0110, -0.032),
    (0.0105, -0.026),
    (0.0120, 0.000),
    (0.0155, 0.036),
    (0.0130, 0.042),
    (0.0110, 0.037),
    (0.0, 0.034),
)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with a blue canopy round a steel rod with a wooden crook; felt are bars."""
    cloth = material(spec, "umbrella/cloth", (0.10, 0.16, 0.45), specular=0.1)
    steel = material(spec, "umbrella/steel", (0.70, 0.70, 0.72), specular=0.6, shininess=0.6)
    wood = material(spec, "umbrella/wood", (0.42, 0.24, 0.12), specular=0.3, shininess=0.4)
    along_x = [_TURN, 0.0, _TURN, 0.0]
    add_lathe(spec, body, f"{name}/canopy", "umbrella/canopy", _CANOPY, cloth).quat = along_x
    for k, (x, length, radius) in enumerate(((-0.118, 0.014, 0.003), (0.042, 0.016, 0.004))):
        drawn(body, f"{name}/rod{k}", "cylinder", (x, 0, 0), (radius, length), steel).quat = along_x
    bend = arc((0.095, -_CROOK), _CROOK, math.pi / 2, -math.pi / 2, 8)
    line = [(0.049, 0.0, 0.0), *((x, 0.0, z) for x, z in bend), (0.084, 0.0, -2 * _CROOK + 0.002)]
    drawn_line(body, f"{name}/crook", line, GRIP_RADIUS, wood)
    touched_bar(body, f"{name}/roll", (-0.1135, 0, 0), (0.028, 0, 0), FELT_RADIUS, mass=0.06, friction=0.4)
    touched_bar(body, f"{name}/grip", (0.030, 0, 0), (0.095, 0, 0), GRIP_RADIUS, mass=0.02)
    ends = (bend[0], bend[4], bend[8])
    for k, ((x0, z0), (x1, z1)) in enumerate(pairwise(ends)):
        touched_bar(body, f"{name}/crook{k}_hull", (x0, 0, z0), (x1, 0, z1), GRIP_RADIUS, mass=0.01)
