"""A low ring on which a small ball lies without rolling away. Origin at its middle."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import touched_ring

INNER, OUTER, HEIGHT = 0.0235, 0.0325, 0.010
_HALF = HEIGHT / 2
_PROFILE = ((OUTER, -_HALF), (OUTER, 0.003), (0.0305, _HALF), (0.0255, _HALF), (INNER, 0.003), (INNER, -_HALF))


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the ring."""
    wood = material(spec, "ball_stop/grey", (0.45, 0.45, 0.48), specular=0.2)
    add_lathe(spec, body, f"{name}/ring", "ball_stop/shape", _PROFILE, wood)
    touched_ring(body, f"{name}/hull", (0, 0, 0), ((INNER + OUTER) / 2, OUTER - INNER, HEIGHT), mass=0.02)
