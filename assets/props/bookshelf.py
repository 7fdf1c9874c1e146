"""A low bookcase whose top shelf is open above. Origin: middle of its underside; its front looks to -x."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched

Point = tuple[float, float, float]
DEPTH, WIDTH = 0.20, 0.42
SIDE, RAIL = 0.345, 0.045
"""Heights of the side panels and of the rail behind the top shelf, m; the rest of the back is open."""

BOARD = 0.014
TOPS = (0.03, 0.15, 0.28)
"""Heights of the shelves' upper faces, m; books stand on the highest."""

PLACES = (-0.095, 0.0, 0.095)
"""y of the places for books on the top shelf, m."""

_OLD = (
    (-0.16, 0.024, 0.080, (0.45, 0.30, 0.20)),
    (-0.132, 0.028, 0.088, (0.25, 0.32, 0.42)),
    (-0.10, 0.030, 0.076, (0.60, 0.52, 0.36)),
    (-0.072, 0.022, 0.090, (0.35, 0.38, 0.30)),
)
"""Books that stay on the lower shelves: y, thickness, height, colour."""


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, place: str) -> None:
    """Fill ``body``; ``place`` followed by 0, 1, 2 names a site on the top shelf, from -y to +y, z up."""
    wood = material(spec, "bookshelf/wood", (0.78, 0.56, 0.34), "wood", specular=0.1, shininess=0.2)
    dark = material(spec, "bookshelf/back", (0.58, 0.40, 0.24), "wood", specular=0.05)
    y = (WIDTH - BOARD) / 2
    panels = [((0.0, side * y, SIDE / 2), (DEPTH, BOARD, SIDE), wood) for side in (1, -1)]
    inner = WIDTH - 2 * BOARD
    panels.append((((DEPTH - BOARD) / 2, 0.0, TOPS[2] + RAIL / 2), (BOARD, inner, RAIL), dark))
    for top in TOPS:
        panels.append(((0.0, 0.0, top - BOARD / 2), (DEPTH, inner, BOARD), wood))
    for k, (at, size, look) in enumerate(panels):
        drawn(body, f"{name}/panel{k}", "box", at, size, look)
        touched(body, f"{name}/panel{k}_hull", "box", at, size, mass=0.8, friction=0.8)
    for k, side in enumerate((1, -1)):
        foot: Point = (side * (DEPTH / 2 - 0.015), 0.0, TOPS[0] / 2 - BOARD / 2)
        drawn(body, f"{name}/plinth{k}", "box", foot, (0.010, inner, TOPS[0] - BOARD), dark)
    for level, top in enumerate(TOPS[:2]):
        for k, (at_y, thick, height, rgb) in enumerate(_OLD):
            look = material(spec, f"bookshelf/old{k}", rgb, specular=0.05)
            side = 1 if level else -1
            at = (0.0, -side * at_y, top + height / 2)
            drawn(body, f"{name}/old{level}{k}", "box", at, (0.12, thick, height), look)
    for k, at_y in enumerate(PLACES):
        body.add_site(name=f"{place}{k}", pos=[0.0, at_y, TOPS[2]], size=[0.004] * 3, group=4)
