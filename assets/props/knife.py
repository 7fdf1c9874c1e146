"""A kitchen knife, point down: its length is along z, the blade's width along y, its thickness along x."""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._extruded import extruded
from hansgym.assets.props._mesh import add_mesh
from hansgym.assets.props._solids import drawn, touched

LENGTH, HANDLE_LENGTH = 0.216, 0.100
BLADE = (0.0045, 0.024, LENGTH - HANDLE_LENGTH)
"""As it is felt; it is drawn thinner."""

HANDLE = (0.018, 0.024, HANDLE_LENGTH)
_HALF = LENGTH / 2
_EDGE = (
    (-0.0115, 0.0),
    (-0.0115, 0.070),
    (-0.007, 0.096),
    (0.004, 0.111),
    (0.0115, 0.116),
    (0.0115, 0.0),
)
"""Outline of the blade: across it, and from the handle to the point."""


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the knife."""
    steel = material(spec, "knife/steel", (0.75, 0.76, 0.78), specular=0.8, shininess=0.8)
    black = material(spec, "knife/handle", (0.12, 0.10, 0.10), specular=0.4, shininess=0.5)
    outline = [(y, z) for y, z in reversed(_EDGE)]
    blade = add_mesh(
        spec, body, f"{name}/blade", "knife/blade", extruded(outline, ((-0.001, 1.0), (0.001, 1.0))), steel
    )
    # The outline's plane (x, y) becomes (y, -z), and its thickness points along x.
    blade.pos, blade.quat = [0.0, 0.0, _HALF - HANDLE_LENGTH], [0.5, -0.5, -0.5, 0.5]
    top = _HALF - HANDLE_LENGTH / 2
    drawn(body, f"{name}/handle", "box", (0, 0, top - 0.004), (HANDLE[0], HANDLE[1], HANDLE_LENGTH - 0.008), black)
    end = drawn(body, f"{name}/end", "cylinder", (0, 0, _HALF - 0.012), (0.012, HANDLE[0]), black)
    end.quat = [math.sqrt(0.5), 0.0, math.sqrt(0.5), 0.0]
    for k in range(3):
        rivet = drawn(body, f"{name}/rivet{k}", "cylinder", (0, 0, top + 0.026 * (k - 1)), (0.0025, 0.0184), steel)
        rivet.quat = [math.sqrt(0.5), 0.0, math.sqrt(0.5), 0.0]
    touched(body, f"{name}/handle_hull", "box", (0, 0, top), HANDLE, mass=0.06, friction=0.7)
    touched(body, f"{name}/blade_hull", "box", (0, 0, -_HALF + BLADE[2] / 2), BLADE, mass=0.04, friction=0.3)
