"""A roll of toilet paper. Origin at its middle, its axis along z."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import drawn, touched_ring

RADIUS, LENGTH = 0.030, 0.070
HOLE_RADIUS = 0.016

_PAPER = (
    (0.0175, -LENGTH / 2),
    (0.0285, -LENGTH / 2),
    (RADIUS, -LENGTH / 2 + 0.0015),
    (RADIUS, LENGTH / 2 - 0.0015),
    (0.0285, LENGTH / 2),
    (0.0175, LENGTH / 2),
)
_TUBE = (
    (0.0160, LENGTH / 2),
    (0.0160, -LENGTH / 2),
    (0.0177, -LENGTH / 2),
    (0.0177, LENGTH / 2 + 0.0003),
    (0.0160, LENGTH / 2 + 0.0003),
)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with white paper round a brown tube, a loose end, and a felt ring of boards."""
    paper = material(spec, "toilet_roll/paper", (0.97, 0.97, 0.96), specular=0.0)
    card = material(spec, "toilet_roll/tube", (0.55, 0.42, 0.30), specular=0.0)
    add_lathe(spec, body, f"{name}/paper", "toilet_roll/paper", _PAPER, paper)
    add_lathe(spec, body, f"{name}/tube", "toilet_roll/tube", _TUBE, card)
    drawn(body, f"{name}/sheet", "box", (0.0, 0.0295, 0.0), (0.020, 0.002, LENGTH - 0.003), paper)
    middle, thickness = (RADIUS + HOLE_RADIUS) / 2, RADIUS - HOLE_RADIUS
    touched_ring(body, f"{name}/board", (0, 0, 0), (middle, thickness, LENGTH), count=10, mass=0.1, friction=0.6)
