"""A flat square ring of four bars; a 25 mm peg has 5 mm to spare on each side. Origin at its middle."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched

OUTER = 0.050
HOLE = 0.035
HEIGHT = 0.010


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the ring, sky blue."""
    plastic = material(spec, "square_ring/plastic", (0.23, 0.75, 1.0), specular=0.3, shininess=0.4)
    bar, middle = (OUTER - HOLE) / 2, (OUTER + HOLE) / 4
    bars = {
        "east": ((middle, 0, 0), (bar, OUTER, HEIGHT)),
        "west": ((-middle, 0, 0), (bar, OUTER, HEIGHT)),
        "north": ((0, middle, 0), (HOLE, bar, HEIGHT)),
        "south": ((0, -middle, 0), (HOLE, bar, HEIGHT)),
    }
    for side, (at, size) in bars.items():
        drawn(body, f"{name}/{side}", "box", at, size, plastic)
        touched(body, f"{name}/{side}_hull", "box", at, size, mass=0.005, friction=0.3)
