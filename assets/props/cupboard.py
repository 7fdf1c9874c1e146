"""A kitchen cupboard: two doors below, two open shelves above. Origin: middle of its foot; it opens towards -x."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched

DEPTH, WIDTH, HEIGHT = 0.25, 0.38, 0.74
SHELVES = (0.30, 0.59)
"""Heights of the open shelves' upper faces, m; things go on the lower one."""

BOARD = 0.014


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, shelf: str) -> None:
    """Fill ``body``; ``shelf`` names a site in the middle of the lower open shelf's upper face, z up."""
    white = material(spec, "cupboard/white", (0.90, 0.89, 0.86), specular=0.2, shininess=0.3)
    wood = material(spec, "cupboard/wood", (0.72, 0.52, 0.33), "wood", specular=0.1)
    inside = material(spec, "cupboard/inside", (0.80, 0.70, 0.56), "wood", specular=0.05)
    metal = material(spec, "cupboard/metal", (0.60, 0.60, 0.62), specular=0.6, shininess=0.7)
    low, inner = SHELVES[0], WIDTH - 2 * BOARD
    y = (WIDTH - BOARD) / 2
    panels: list[tuple[tuple[float, float, float], tuple[float, float, float], str]] = [
        ((0, 0, (low - BOARD) / 2), (DEPTH - 0.004, WIDTH - 0.004, low - BOARD), white),
        ((0, 0, low - BOARD / 2), (DEPTH, WIDTH, BOARD), wood),
        ((0, 0, HEIGHT - BOARD / 2), (DEPTH + 0.01, WIDTH + 0.01, BOARD), wood),
        (((DEPTH - BOARD) / 2, 0, (low + HEIGHT - BOARD) / 2), (BOARD, inner, HEIGHT - BOARD - low), inside),
        ((-BOARD / 2, 0, SHELVES[1] - BOARD / 2), (DEPTH - BOARD, inner, BOARD), wood),
    ]
    panels += [((0, s * y, (low + HEIGHT - BOARD) / 2), (DEPTH, BOARD, HEIGHT - BOARD - low), white) for s in (1, -1)]
    for k, (at, size, look) in enumerate(panels):
        drawn(body, f"{name}/panel{k}", "box", at, size, look)
        touched(body, f"{name}/panel{k}_hull", "box", at, size, mass=1.5, friction=0.8)
    for k, side in enumerate((1, -1)):
        door = (-DEPTH / 2, side * WIDTH / 4, (low - BOARD) / 2 + 0.012)
        drawn(body, f"{name}/door{k}", "box", door, (0.006, WIDTH / 2 - 0.010, low - BOARD - 0.036), wood)
        knob = (-DEPTH / 2 - 0.008, side * 0.022, 0.20)
        drawn(body, f"{name}/knob{k}", "box", knob, (0.012, 0.010, 0.045), metal)
    body.add_site(name=shelf, pos=[0.0, 0.0, low], size=[0.004] * 3, group=4)
