"""A flat coloured rectangle lying on the table, without contact. Origin at its middle."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material, safe_rgba
from hansgym.assets.props._solids import drawn
from hansgym.assets.props.coloured_square import THICKNESS


def build(
    spec: mujoco.MjSpec,
    body: mujoco.MjsBody,
    name: str,
    size: tuple[float, float],
    rgb: tuple[float, float, float],
) -> None:
    """Fill ``body`` with a rectangle of edges ``size`` (x, y, m), painted ``rgb``."""
    paper = material(spec, "coloured_square/paper", (1.0, 1.0, 1.0), specular=0.0, shininess=0.0)
    drawn(body, f"{name}/paint0", "box", (0, 0, 0), (*size, THICKNESS), paper).rgba = safe_rgba(rgb)
