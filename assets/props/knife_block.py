"""A wooden block with a slot in which a knife stands upright. Origin on the table, under the slot.

The slot is narrow along x and wide along y; drawn beside it are the mouths of empty ones.
"""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched

SIZE = (0.081, 0.088, 0.158)
MIDDLE = (-0.026, -0.010)
"""The block's middle, seen from the slot."""

SLOT = (0.0070, 0.0275)
FLOOR_Z = 0.016


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the block: four walls round the slot and a floor."""
    wood = material(spec, "knife_block/wood", (0.52, 0.24, 0.10), "wood", specular=0.2)
    dark = material(spec, "knife_block/slot", (0.08, 0.04, 0.02))
    (wide, deep, high), (mx, my), (sx, sy) = SIZE, MIDDLE, SLOT
    left, right, front, back = mx - wide / 2, mx + wide / 2, my - deep / 2, my + deep / 2
    walls = {
        "left": ((left - sx / 2) / 2, my, -sx / 2 - left, deep),
        "right": ((right + sx / 2) / 2, my, right - sx / 2, deep),
        "front": (0.0, (front - sy / 2) / 2, sx, -sy / 2 - front),
        "back": (0.0, (back + sy / 2) / 2, sx, back - sy / 2),
    }
    for part, (x, y, size_x, size_y) in walls.items():
        drawn(body, f"{name}/{part}", "box", (x, y, high / 2), (size_x, size_y, high), wood)
        touched(body, f"{name}/{part}_hull", "box", (x, y, high / 2), (size_x, size_y, high), 0.4, friction=0.2)
    floor = (0, 0, FLOOR_Z / 2)
    drawn(body, f"{name}/floor", "box", floor, (sx, sy, FLOOR_Z), dark)
    touched(body, f"{name}/floor_hull", "box", floor, (sx, sy, FLOOR_Z), mass=0.01)
    for k, x in enumerate((-0.020, -0.038, -0.056)):
        drawn(body, f"{name}/mouth{k}", "box", (x, 0, high), (0.004, 0.030 - 0.004 * k, 0.001), dark)
