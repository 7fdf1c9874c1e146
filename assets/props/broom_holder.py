"""The blue post against which the broom leans. Origin at its middle."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched

SIZE = (0.10, 0.10, 0.50)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the post."""
    paint = material(spec, "broom_holder/paint", (0.35, 0.48, 0.54), specular=0.2, shininess=0.3)
    drawn(body, f"{name}/post", "box", (0, 0, 0), SIZE, paint)
    touched(body, f"{name}/hull", "box", (0, 0, 0), SIZE, mass=5.0)
