"""A grilled steak lying flat, with a rim of fat and the marks of a grate. Its length is along y, its origin midway."""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._extruded import extruded
from hansgym.assets.props._mesh import add_mesh
from hansgym.assets.props._solids import drawn, touched

THICKNESS = 0.028
_POINTS = 36


def _outline(scale: float) -> list[tuple[float, float]]:
    """A rounded, slightly kidney-shaped loop, 0.066 x 0.118 m at scale 1."""
    loop = []
    for k in range(_POINTS):
        a = 2 * math.pi * k / _POINTS
        dent = 1.0 - 0.16 * math.exp(-((math.remainder(a - 0.5, 2 * math.pi) / 0.5) ** 2))
        taper = 1.0 - 0.14 * math.sin(a)
        loop.append((scale * 0.036 * dent * taper * math.cos(a), scale * 0.059 * math.sin(a)))
    return loop


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the steak. It is felt as a slab narrow enough for a gripper."""
    meat = material(spec, "steak/meat", (0.46, 0.15, 0.10), specular=0.3, shininess=0.3)
    fat = material(spec, "steak/fat", (0.93, 0.80, 0.66), specular=0.3, shininess=0.3)
    mark = material(spec, "steak/mark", (0.17, 0.07, 0.05))
    z = THICKNESS / 2
    rim = extruded(_outline(1.0), ((-z, 0.92), (-0.5 * z, 1.0), (0.5 * z, 1.0), (z - 0.001, 0.93)))
    core = extruded(_outline(0.84), ((0.0, 1.0), (z, 1.0)))
    add_mesh(spec, body, f"{name}/fat", "steak/fat", rim, fat)
    add_mesh(spec, body, f"{name}/meat", "steak/meat", core, meat)
    for k in range(3):
        at = (0, 0.026 * (k - 1), z)
        drawn(body, f"{name}/mark{k}", "box", at, (0.046, 0.006, 0.0016), mark, yaw=0.35)
    touched(body, f"{name}/hull", "box", (0, 0, 0), (0.062, 0.104, THICKNESS), mass=0.12, friction=0.8)
