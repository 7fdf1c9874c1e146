"""A small basketball. Origin at its middle."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._mesh import add_mesh
from hansgym.assets.props._solids import drawn, touched
from hansgym.assets.props._wire import Rod, hoop, wire

RADIUS = 0.030
ROLLING_FRICTION = 0.001
"""Metres: a ball that is let fall lies still after a hand's breadth or two."""


def _seams() -> list[Rod]:
    """The equator, a great circle across it, and two small circles beside that one."""
    seams = hoop(RADIUS, 0.0)
    for radius, side in ((RADIUS, 0.0), (0.0225, 0.0198), (0.0225, -0.0198)):
        seams += [((side, a[0], a[1]), (side, b[0], b[1])) for a, b in hoop(radius, 0.0)]
    return seams


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the ball."""
    leather = material(spec, "basketball/leather", (0.86, 0.36, 0.10), specular=0.2)
    seam = material(spec, "basketball/seam", (0.08, 0.06, 0.05))
    drawn(body, f"{name}/ball", "sphere", (0, 0, 0), (RADIUS,), leather)
    add_mesh(spec, body, f"{name}/seams", "basketball/seams", wire(_seams(), 0.0012, 4), seam)
    hull = touched(body, f"{name}/hull", "sphere", (0, 0, 0), (RADIUS,), mass=0.1, friction=0.7)
    hull.condim, hull.friction = 6, [0.7, 0.005, ROLLING_FRICTION]
