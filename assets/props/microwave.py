"""A microwave oven whose door swings about a vertical hinge: 0 is shut, positive is open.

The prop's body is the frame, its origin at the middle of the frame; the front looks along -y. The child body
``microwave_door`` has its origin on the hinge, x along the shut door towards its free edge, y into the oven.
"""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched

SIZE = (0.571, 0.296, 0.322)
HINGE = (-0.273, -0.138, -0.026)
"""In the frame's body."""

OPEN_LIMIT = math.pi / 2
DOOR = "microwave_door"
DOOR_JOINT = "microwave_door_joint"

_WALL = 0.022
_HEADER = 0.056
"""Height of the frame above the cavity, which the door does not cover."""

_PANEL = 0.105
"""Width of the control panel, at the end away from the hinge."""

_DOOR_X, _DOOR_WIDTH, _DOOR_HEIGHT = -0.012, 0.466, 0.270
_SLAB = (-0.034, -0.0105)
"""Where the door's slab lies in y when shut: just in front of the frame. Its inner plate reaches into the cavity."""


def _materials(spec: mujoco.MjSpec) -> dict[str, str]:
    return {
        "body": material(spec, "microwave/body", (0.36, 0.36, 0.37), specular=0.2),
        "dark": material(spec, "microwave/dark", (0.10, 0.10, 0.11), specular=0.3, shininess=0.6),
        "inside": material(spec, "microwave/inside", (0.17, 0.17, 0.18), specular=0.1),
        "silver": material(spec, "microwave/silver", (0.66, 0.67, 0.69), specular=0.5, shininess=0.6),
        "glass": material(spec, "microwave/glass", (0.16, 0.17, 0.18, 0.45), specular=0.6, shininess=0.8),
        "plate": material(spec, "microwave/plate", (0.75, 0.80, 0.82), specular=0.5, shininess=0.7),
        "display": material(spec, "microwave/display", (0.10, 0.75, 0.45), emission=0.5),
    }


def _frame(body: mujoco.MjsBody, name: str, look: dict[str, str]) -> None:
    """Walls round a cavity, the control panel's block, a silver rim and the turntable; no two faces coincide."""
    x, y, z = (s / 2 for s in SIZE)
    inner = x - _PANEL
    middle, width, high = (inner - x) / 2, inner + x, 2 * z - _HEADER - _WALL
    level = (_WALL - _HEADER) / 2
    blocks = {
        "top": ((middle, 0, z - _HEADER / 2), (width, 2 * y, _HEADER)),
        "bottom": ((middle, 0, -z + _WALL / 2), (width, 2 * y, _WALL)),
        "back": ((middle, y - _WALL / 2, level), (width, _WALL, high)),
        "side": ((-x + _WALL / 2, -_WALL / 2, level), (_WALL, 2 * y - _WALL, high)),
        "panel": (((x + inner) / 2, 0, 0), (x - inner, 2 * y, 2 * z)),
    }
    for part, (at, size) in blocks.items():
        drawn(body, f"{name}/{part}", "box", at, size, look["body"])
        touched(body, f"{name}/{part}_hull", "box", at, size, mass=1.0)
    lip, depth = 0.014, 0.004
    rim = {
        "rim_top": ((0, -y - depth / 2, z - lip / 2), (2 * x, depth, lip)),
        "rim_bottom": ((0, -y - depth / 2, -z + lip / 2), (2 * x, depth, lip)),
        "rim_left": ((-x + lip / 2, -y - depth / 2, 0), (lip, depth, 2 * z)),
        "rim_right": ((x - lip / 2, -y - depth / 2, 0), (lip, depth, 2 * z)),
        "rim_panel": ((inner, -y - depth / 2, 0), (lip / 2, depth, 2 * z)),
    }
    for part, (at, size) in rim.items():
        drawn(body, f"{name}/{part}", "box", at, size, look["silver"])
    back = (middle, y - _WALL - 0.0015, level)
    drawn(body, f"{name}/lining", "box", back, (width - 2 * _WALL, 0.003, high), look["inside"])
    drawn(body, f"{name}/turntable", "cylinder", (middle, 0, -z + _WALL + 0.008), (0.115, 0.008), look["plate"])
    _controls(body, name, look)


def _controls(body: mujoco.MjsBody, name: str, look: dict[str, str]) -> None:
    """A display over four rows of keys, on the panel's front."""
    x, y, z = (s / 2 for s in SIZE)
    middle, front = x - _PANEL / 2, -y - 0.002
    drawn(body, f"{name}/controls", "box", (middle, front, 0), (_PANEL - 0.03, 0.004, 2 * z - 0.05), look["dark"])
    drawn(body, f"{name}/display", "box", (middle, front - 0.001, 0.105), (0.060, 0.004, 0.026), look["display"])
    for row in range(4):
        for column in range(3):
            at = (middle + 0.021 * (column - 1), front - 0.0015, 0.055 - 0.030 * row)
            drawn(body, f"{name}/key{row}{column}", "box", at, (0.014, 0.004, 0.018), look["silver"])
    at = (middle, front - 0.0015, -0.095)
    drawn(body, f"{name}/button", "box", at, (0.056, 0.004, 0.028), look["silver"])


def _door(door: mujoco.MjsBody, look: dict[str, str]) -> None:
    """A silver frame round a dark one round a window, an inner plate that enters the cavity, and a handle."""
    thick, middle = _SLAB[1] - _SLAB[0], (_SLAB[0] + _SLAB[1]) / 2
    x = _DOOR_X + _DOOR_WIDTH / 2
    for part, bar, look_of, width, height, at, depth in (
        ("rim", 0.018, "silver", _DOOR_WIDTH, _DOOR_HEIGHT, middle, thick),
        ("border", 0.038, "dark", _DOOR_WIDTH - 0.036, _DOOR_HEIGHT - 0.036, middle, thick - 0.004),
        ("seal", 0.016, "silver", _DOOR_WIDTH - 0.086, _DOOR_HEIGHT - 0.056, -0.0015, 0.022),
    ):
        for sign, end in ((-1, "low"), (1, "high")):
            side = (x + sign * (width - bar) / 2, at, 0)
            drawn(door, f"{DOOR}/{part}_{end}_x", "box", side, (bar, depth, height), look[look_of])
            level = (x, at, sign * (height - bar) / 2)
            drawn(door, f"{DOOR}/{part}_{end}_z", "box", level, (width - 2 * bar, depth, bar), look[look_of])
    drawn(
        door,
        f"{DOOR}/window",
        "box",
        (x, middle, 0),
        (_DOOR_WIDTH - 0.11, 0.006, _DOOR_HEIGHT - 0.11),
        look["glass"],
    )
    edge = _DOOR_X + _DOOR_WIDTH - 0.022
    drawn(door, f"{DOOR}/handle", "box", (edge, -0.0362, 0), (0.016, 0.0044, 0.19), look["silver"])
    touched(
        door,
        f"{DOOR}/hull",
        "box",
        (x, middle, 0),
        (_DOOR_WIDTH, thick, _DOOR_HEIGHT),
        mass=0.9,
        friction=0.3,
    )


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the frame and hang the door, body ``microwave_door`` on joint ``microwave_door_joint``."""
    look = _materials(spec)
    _frame(body, name, look)
    door = body.add_body(name=DOOR, pos=list(HINGE))
    door.add_joint(
        name=DOOR_JOINT,
        type=mujoco.mjtJoint.mjJNT_HINGE,
        axis=[0.0, 0.0, -1.0],
        range=[0.0, OPEN_LIMIT],
        limited=mujoco.mjtLimited.mjLIMITED_TRUE,
        damping=0.3,
        frictionloss=0.15,
        armature=0.01,
        solref_limit=[0.01, 1.0],
    )
    _door(door, look)
