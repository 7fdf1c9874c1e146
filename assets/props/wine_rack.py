"""The lower and the upper half of a wooden wine rack with three places. Origin: middle of the half.

Bottles lie along y in the scallops of the upper half; the two halves stand on one another.
"""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched

WIDTH, DEPTH, HEIGHT = 0.340, 0.254, 0.071
PITCH = 0.118
"""Distance between two places in x, m."""

CRADLE = -0.022
"""Height of the underside of a bottle above the origin of its half, m."""

_BAR, _POST = 0.014, 0.020
_ENDS = (-0.115, 0.115)
_SLATS = (-0.075, 0.0)
"""y of the scalloped ends and of the slats between, on which the bottles' bodies lie, m."""


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, place: str | None = None) -> None:
    """Fill ``body``; ``place`` followed by 0, 1, 2 names a site in the middle of each scallop, from -x to +x, z up."""
    pine = material(spec, "wine_rack/pine", (0.93, 0.80, 0.56), "wood", specular=0.1, shininess=0.2)
    low = -HEIGHT / 2
    slat = CRADLE - _BAR / 2
    boxes = []
    for y in _ENDS:  # a board with its scallops' bottoms below the bottles, and bumps between them
        boxes.append(((0.0, y, (low + CRADLE - 0.002) / 2), (WIDTH, _BAR, CRADLE - 0.002 - low)))
        top = HEIGHT / 2 - 0.002
        for x in (-1.5 * PITCH + 0.008, -0.5 * PITCH, 0.5 * PITCH, 1.5 * PITCH - 0.008):
            for width, height in ((0.044, 0.3), (0.034, 0.65), (_POST, 1.0)):
                rise = height * (top - CRADLE)
                ends = [min(max(x + side * width / 2, -WIDTH / 2), WIDTH / 2) for side in (-1, 1)]
                at = (sum(ends) / 2, y, CRADLE + rise / 2 - 0.002)
                boxes.append((at, (ends[1] - ends[0], _BAR - 0.001 * height, rise)))
    boxes += [((0.0, y, slat), (WIDTH, _BAR, _BAR)) for y in _SLATS]
    side = (DEPTH - _BAR, (HEIGHT - 0.024) / 2)
    for x in (-(WIDTH - _BAR) / 2, (WIDTH - _BAR) / 2):
        boxes.append(((x, 0.0, low + side[1] / 2), (_BAR, side[0], side[1])))
    for k, (at, size) in enumerate(boxes):
        drawn(body, f"{name}/board{k}", "box", at, size, pine)
        touched(body, f"{name}/board{k}_hull", "box", at, size, mass=0.03, friction=0.8)
    for k in range(3) if place else ():
        body.add_site(name=f"{place}{k}", pos=[(k - 1) * PITCH, 0.0, CRADLE], size=[0.004] * 3, group=4)
