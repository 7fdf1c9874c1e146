"""A flat coloured square lying on the table, without contact. Origin at its middle."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material, safe_rgba
from hansgym.assets.props._solids import drawn

THICKNESS = 0.001


def build(
    spec: mujoco.MjSpec,
    body: mujoco.MjsBody,
    name: str,
    size: float = 0.10,
    rgb: tuple[float, float, float] = (0.7, 0.7, 0.7),
) -> None:
    """Fill ``body`` with a square of edge ``size`` (m), painted ``rgb``."""
    paper = material(spec, "coloured_square/paper", (1.0, 1.0, 1.0), specular=0.0, shininess=0.0)
    square = drawn(body, f"{name}/paint0", "box", (0, 0, 0), (size, size, THICKNESS), paper)
    square.rgba = safe_rgba(rgb)
