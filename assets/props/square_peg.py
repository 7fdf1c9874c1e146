"""A square peg standing on its base plate. Origin at its middle."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched

WIDTH = 0.025
HEIGHT = 0.120


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the peg; it takes its colour from the scene."""
    paint = material(spec, "square_peg/paint", (0.8, 0.8, 0.8), specular=0.2, shininess=0.3)
    drawn(body, f"{name}/paint0", "box", (0, 0, 0), (WIDTH, WIDTH, HEIGHT), paint)
    touched(body, f"{name}/hull", "box", (0, 0, 0), (WIDTH, WIDTH, HEIGHT), mass=0.075, friction=0.3)
