"""The wooden plate that carries the three pegs. Origin at its middle."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched

SIZE = (0.40, 0.10, 0.02)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the plate, dark wood."""
    wood = material(spec, "peg_base/wood", (0.49, 0.38, 0.29), texture_name="wood", specular=0.05, repeat=(1.0, 0.25))
    drawn(body, f"{name}/plate", "box", (0, 0, 0), SIZE, wood)
    touched(body, f"{name}/hull", "box", (0, 0, 0), SIZE, mass=0.8)
