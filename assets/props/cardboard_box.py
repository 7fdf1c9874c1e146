"""A closed cardboard box, a cube. Origin at its middle."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, size: float = 0.1, mass: float = 1.0) -> None:
    """Fill ``body`` with a box of edge ``size`` (m) and ``mass`` (kg), pale grey with a strip of tape."""
    card = material(spec, "cardboard_box/card", (0.80, 0.80, 0.80), specular=0.0)
    tape = material(spec, "cardboard_box/tape", (0.62, 0.56, 0.46), specular=0.3)
    drawn(body, f"{name}/card", "box", (0, 0, 0), (size, size, size), card)
    out = size + 0.0008
    drawn(body, f"{name}/tape_top", "box", (0, 0, 0.2 * size), (0.18 * size, out, 0.6 * size + 0.0008), tape)
    touched(body, f"{name}/hull", "box", (0, 0, 0), (size, size, size), mass=mass)
