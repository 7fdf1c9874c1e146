"""A plain box that stands where it is. Origin at its middle."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material, safe_rgba
from hansgym.assets.props._solids import drawn, touched


def build(
    spec: mujoco.MjSpec,
    body: mujoco.MjsBody,
    name: str,
    size: tuple[float, float, float] = (0.1, 0.1, 0.1),
    rgb: tuple[float, float, float] = (0.8, 0.8, 0.8),
) -> None:
    """Fill ``body`` with a box of full edge lengths ``size`` (m), painted ``rgb``."""
    plastic = material(spec, "box/plastic", (1.0, 1.0, 1.0), specular=0.2, shininess=0.3)
    drawn(body, f"{name}/paint0", "box", (0, 0, 0), size, plastic).rgba = safe_rgba(rgb)
    touched(body, f"{name}/hull", "box", (0, 0, 0), size, mass=1.0, friction=0.8)
