"""A plain cube to push about. Origin at its middle."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material, safe_rgba
from hansgym.assets.props._solids import drawn, touched

FRICTION = 0.5


def build(
    spec: mujoco.MjSpec,
    body: mujoco.MjsBody,
    name: str,
    size: float = 0.056,
    mass: float = 0.356,
    rgb: tuple[float, float, float] = (1.0, 0.0, 0.0),
    friction: float = FRICTION,
) -> None:
    """Fill ``body`` with a cube of edge ``size`` (m) and ``mass`` (kg), painted ``rgb``."""
    plastic = material(spec, "block/plastic", (1.0, 1.0, 1.0), specular=0.2, shininess=0.3)
    cube = drawn(body, f"{name}/paint0", "box", (0, 0, 0), (size,) * 3, plastic)
    cube.rgba = safe_rgba(rgb)
    hull = touched(body, f"{name}/hull", "box", (0, 0, 0), (size,) * 3, mass=mass, friction=friction)
    hull.priority = 1  # its own friction counts: rubber finger pads would drag it down and jam it against the table
