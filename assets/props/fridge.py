"""A fridge with two doors on upright hinges: 0 is shut, positive is open.

The prop's body is the cabinet, its origin at its middle; the front looks along -x. A door's frame has its origin on the
hinge, x along the shut door towards its free edge, y down and z out of its outer face.
"""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched

SIZE = (0.246, 0.346, 0.956)
HINGE = (-0.124, -0.171)
"""x and y of both hinges in the cabinet's frame, m."""

DOOR_WIDTH, DOOR_DEPTH = 0.344, 0.052
DOORS = {"bottom": (-0.263, 0.360), "top": (0.199, 0.545)}
"""Middle above the cabinet's and height of each door, m."""

OPEN_LIMIT = math.pi / 2
_WALL = 0.022
_SHELVES = (-0.23, -0.101, 0.06, 0.201, 0.34)


def _cabinet(body: mujoco.MjsBody, name: str, look: dict[str, str]) -> None:
    """Walls and a floor between the two compartments, shelves, some food, and the cooling coil on the back."""
    x, y, z = (s / 2 for s in SIZE)
    inner = 2 * y - 2 * _WALL
    boards = {
        "left": ((0, y - _WALL / 2, 0), (2 * x, _WALL, 2 * z)),
        "right": ((0, -y + _WALL / 2, 0), (2 * x, _WALL, 2 * z)),
        "top": ((0, 0, z - _WALL / 2), (2 * x, inner, _WALL)),
        "bottom": ((0, 0, -z + 0.03), (2 * x, inner, 0.06)),
        "middle": ((0, 0, -0.078), (2 * x, inner, _WALL)),
        "back": ((x - _WALL / 2, 0, 0), (_WALL, inner, 2 * z - 0.06)),
    }
    for part, (at, size) in boards.items():
        drawn(body, f"{name}/{part}", "box", at, size, look["shell"])
        touched(body, f"{name}/{part}_hull", "box", at, size, mass=1.0)
    drawn(body, f"{name}/lining", "box", (x - _WALL - 0.002, 0, 0.02), (0.004, inner, 2 * z - 0.10), look["inside"])
    for k, height in enumerate(_SHELVES):
        drawn(body, f"{name}/shelf{k}", "box", (0.01, 0, height), (2 * x - 0.06, inner, 0.008), look["inside"])
    food = (
        ("carton", "box", (-0.02, 0.06, 0.269), (0.05, 0.05, 0.13), "white"),
        ("bottle", "cylinder", (0.0, -0.05, 0.260), (0.024, 0.11), "green"),
        ("jar", "cylinder", (-0.03, 0.09, 0.095), (0.03, 0.06), "red"),
    )
    for part, kind, where, extent, paint in food:
        drawn(body, f"{name}/{part}", kind, where, extent, look[paint])
    for k in range(9):
        at = (x + 0.006, 0, -0.30 + 0.075 * k)
        drawn(body, f"{name}/coil{k}", "box", at, (0.010, inner - 0.02, 0.012), look["dark"])
    for k, side in enumerate((1, -1)):
        drawn(body, f"{name}/rail{k}", "box", (x + 0.003, side * 0.12, 0), (0.006, 0.012, 0.70), look["dark"])
    drawn(body, f"{name}/compressor", "box", (x + 0.004, 0, -z + 0.075), (0.02, inner - 0.04, 0.11), look["dark"])


def _door(body: mujoco.MjsBody, name: str, joint: str, level: str, look: dict[str, str]) -> None:
    """A slab with a lining and a flat handle near its free edge."""
    middle, height = DOORS[level]
    door = body.add_body(name=name, pos=[*HINGE, middle], quat=[0.5, -0.5, -0.5, 0.5])
    door.add_joint(
        name=joint,
        type=mujoco.mjtJoint.mjJNT_HINGE,
        axis=[0.0, -1.0, 0.0],
        range=[0.0, OPEN_LIMIT],
        limited=mujoco.mjtLimited.mjLIMITED_TRUE,
        damping=0.4,
        frictionloss=0.2,
        armature=0.01,
        solref_limit=[0.01, 1.0],
    )
    at, size = (DOOR_WIDTH / 2, 0, DOOR_DEPTH / 2 + 0.001), (DOOR_WIDTH, height, DOOR_DEPTH - 0.002)
    drawn(door, f"{name}/slab", "box", at, size, look["shell"])
    touched(door, f"{name}/hull", "box", at, size, mass=1.0, friction=0.3)
    lining = (DOOR_WIDTH / 2, 0, 0.004)
    drawn(door, f"{name}/lining", "box", lining, (DOOR_WIDTH - 0.08, height - 0.08, 0.012), look["inside"])
    length, end = 0.16, height / 2 - 0.11
    grip = (DOOR_WIDTH - 0.03, end if level == "top" else -end, DOOR_DEPTH + 0.003)
    drawn(door, f"{name}/handle", "box", grip, (0.014, length, 0.006), look["steel"])


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, doors: dict[str, tuple[str, str]]) -> None:
    """Fill ``body`` with the cabinet; ``doors``: "bottom" and "top" -> the door's name and its joint's."""
    look = {
        "shell": material(spec, "fridge/shell", (0.60, 0.61, 0.63), "brushed", specular=0.4, shininess=0.5),
        "inside": material(spec, "fridge/inside", (0.90, 0.92, 0.94), specular=0.2, emission=0.15),
        "dark": material(spec, "fridge/dark", (0.08, 0.08, 0.09), specular=0.2),
        "steel": material(spec, "fridge/steel", (0.75, 0.75, 0.77), specular=0.6, shininess=0.7),
        "white": material(spec, "fridge/carton", (0.85, 0.90, 1.00), specular=0.2),
        "green": material(spec, "fridge/bottle", (0.10, 0.42, 0.18), specular=0.5, shininess=0.6),
        "red": material(spec, "fridge/jar", (0.70, 0.12, 0.10), specular=0.4),
    }
    _cabinet(body, name, look)
    for level, (door, joint) in doors.items():
        _door(body, door, joint, level, look)
