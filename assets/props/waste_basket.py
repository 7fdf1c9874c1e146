"""A round waste basket of black wire, open at the top. Origin at its middle."""

from __future__ import annotations

from itertools import pairwise

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._mesh import add_mesh
from hansgym.assets.props._solids import drawn, touched, touched_ring
from hansgym.assets.props._wire import Rod, around, hoop, wire

TOP_RADIUS, FOOT_RADIUS, HEIGHT = 0.098, 0.080, 0.189
_WIRES, _LEVELS = 26, 6


def _mesh_rods() -> list[Rod]:
    """Crossing slanted wires between foot and rim, and the level hoops that hold them."""
    rods: list[Rod] = []
    steps = [(FOOT_RADIUS + (TOP_RADIUS - FOOT_RADIUS) * k / _LEVELS, HEIGHT * (k / _LEVELS - 0.5)) for k in range(7)]
    for slant in (-1, 1):
        for k in range(_WIRES):
            line = [around(r, z, (k + slant * 0.5 * level) / _WIRES) for level, (r, z) in enumerate(steps)]
            rods += pairwise(line)
    for radius, z in steps[1:-1:2]:
        rods += hoop(radius, z)
    return rods


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the basket; its wall is felt as closed and straight."""
    black = material(spec, "waste_basket/wire", (0.07, 0.07, 0.08), specular=0.4, shininess=0.5)
    half = HEIGHT / 2
    add_mesh(spec, body, f"{name}/mesh", "waste_basket/mesh", wire(_mesh_rods(), 0.0014, sides=4), black)
    edges = hoop(TOP_RADIUS, half - 0.004) + hoop(FOOT_RADIUS, 0.004 - half)
    add_mesh(spec, body, f"{name}/edges", "waste_basket/edges", wire(edges, 0.004), black)
    drawn(body, f"{name}/floor", "cylinder", (0, 0, 0.003 - half), (FOOT_RADIUS, 0.006), black)
    touched(body, f"{name}/floor_hull", "cylinder", (0, 0, 0.003 - half), (FOOT_RADIUS, 0.006), mass=0.2)
    touched_ring(body, f"{name}/wall", (0, 0, 0), (0.094, 0.008, HEIGHT), count=14, mass=0.5)
