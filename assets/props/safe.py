"""An open steel safe with two shelves inside. Origin: middle of the body; it opens towards its -x.

The body is the safe; the door, an object of its own, stands wide open in line with the front, hinged on the +y side.
"""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched

DEPTH, WIDTH, HEIGHT = 0.236, 0.31, 0.495
WALL, BOARD = 0.012, 0.008
SHELF_TOPS = (WALL, 0.160, 0.315)
"""Heights of the three shelves' upper faces above the safe's underside, m: the bottom and two boards."""

DOOR = (0.012, 0.29, 0.451)
"""As it is felt, m; drawn, the panel is as thin as :data:`SHEET`."""

SHEET = 0.0095
_LOCK = (0.030, 0.001)
"""Radius of the dial, and how far it stands out, m."""


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, door: str, joint: str, shelf: str) -> None:
    """Fill ``body``; ``door`` names the door's object and ``joint`` its hinge.

    ``shelf`` followed by 0, 1, 2 (from below) names a site in the middle of each shelf's upper face.
    """
    grey = material(spec, "safe/steel", (0.62, 0.63, 0.65), "brushed", specular=0.4, shininess=0.5)
    dark = material(spec, "safe/lining", (0.20, 0.21, 0.23), specular=0.1)
    metal = material(spec, "safe/metal", (0.85, 0.85, 0.86), specular=0.6, shininess=0.7)
    for k, (at, size) in enumerate(_walls()):
        drawn(body, f"{name}/wall{k}", "box", at, size, grey)
        touched(body, f"{name}/wall{k}_hull", "box", at, size, mass=1.4)
    inner = (DEPTH - WALL, WIDTH - 2 * WALL)
    for k, top in enumerate(SHELF_TOPS):
        z = top - HEIGHT / 2
        if k:
            at, size = (-WALL / 2 + 0.003, 0.0, z - BOARD / 2), (inner[0] - 0.006, inner[1], BOARD)
            drawn(body, f"{name}/shelf{k}", "box", at, size, metal)
            touched(body, f"{name}/shelf{k}_hull", "box", at, size, mass=0.3)
        body.add_site(name=f"{shelf}{k}", pos=[0.0, 0.0, z], size=[0.004] * 3, group=4)
    back = (DEPTH / 2 - WALL - 0.001, 0.0, 0.0)
    drawn(body, f"{name}/lining", "box", back, (0.002, inner[1], HEIGHT - 2 * WALL), dark)
    _add_door(body, door, joint, (grey, dark, metal))


def _walls() -> list[tuple[tuple[float, float, float], tuple[float, float, float]]]:
    """Centres and sizes: two sides, top, bottom, back."""
    y, z, inner = (WIDTH - WALL) / 2, (HEIGHT - WALL) / 2, WIDTH - 2 * WALL
    return [
        ((0, y, 0), (DEPTH, WALL, HEIGHT)),
        ((0, -y, 0), (DEPTH, WALL, HEIGHT)),
        ((0, 0, z), (DEPTH, inner, WALL)),
        ((0, 0, -z), (DEPTH, inner, WALL)),
        (((DEPTH - WALL) / 2, 0, 0), (WALL, inner, HEIGHT - 2 * WALL)),
    ]


def _add_door(body: mujoco.MjsBody, name: str, joint: str, looks: tuple[str, str, str]) -> None:
    """The door with its dial and turning handle on the outer face, which looks to +x while it stands open."""
    grey, dark, metal = looks
    thick, width, height = DOOR
    door = body.add_body(name=name, pos=[-DEPTH / 2, WIDTH / 2 - 0.011, 0.0])
    door.add_joint(
        name=joint,
        type=mujoco.mjtJoint.mjJNT_HINGE,
        axis=[0.0, 0.0, 1.0],
        range=[0.0, math.pi],
        limited=mujoco.mjtLimited.mjLIMITED_TRUE,
        damping=0.5,
        frictionloss=1.5,
        armature=0.02,
    )
    middle = (-thick / 2 - 0.002, width / 2, 0.0)
    drawn(door, f"{name}/panel", "box", middle, (SHEET, width, height), grey)
    touched(door, f"{name}/panel_hull", "box", middle, DOOR, mass=1.0)
    inside = (middle[0] - SHEET / 2, middle[1], 0.0)
    drawn(door, f"{name}/lining", "box", inside, (0.001, width - 0.05, height - 0.05), dark)
    for k, z in enumerate((0.12, -0.12)):
        drawn(door, f"{name}/bolt{k}", "box", (middle[0], width + 0.006, z), (0.008, 0.012, 0.03), metal)
    face = middle[0] + SHEET / 2
    turn = [math.sqrt(0.5), 0.0, math.sqrt(0.5), 0.0]
    dial = drawn(door, f"{name}/dial", "cylinder", (face + _LOCK[1] / 2, width * 0.62, 0.07), _LOCK, dark)
    dial.quat = turn
    knob = drawn(door, f"{name}/knob", "cylinder", (face + 0.001, width * 0.62, 0.07), (0.014, 0.002), metal)
    knob.quat = turn
    drawn(door, f"{name}/handle", "box", (face + 0.001, width * 0.62, -0.03), (0.002, 0.10, 0.016), metal)
