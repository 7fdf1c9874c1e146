"""A wooden chopping board with a handle that has a hole. Origin at the middle of the whole; the handle is at +x."""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._extruded import extruded
from hansgym.assets.props._mesh import add_mesh
from hansgym.assets.props._solids import drawn, touched

LENGTH, WIDTH, THICKNESS = 0.408, 0.204, 0.015
HANDLE_LENGTH, HANDLE_WIDTH, _ROUND = 0.110, 0.048, 0.030


def _corner(x: float, y: float, radius: float, start: float) -> list[tuple[float, float]]:
    turns = [start + math.pi / 2 * k / 5 for k in range(6)]
    return [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in turns]


def _plate() -> list[tuple[float, float]]:
    """The board without its handle, with round corners, counter-clockwise."""
    left, right, y = -LENGTH / 2 + _ROUND, LENGTH / 2 - HANDLE_LENGTH - _ROUND, WIDTH / 2 - _ROUND
    places = ((right, y, 0.0), (left, y, math.pi / 2), (left, -y, math.pi), (right, -y, 1.5 * math.pi))
    return [point for x, at, start in places for point in _corner(x, at, _ROUND, start)]


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the board."""
    wood = material(spec, "chopping_board/wood", (0.40, 0.22, 0.09), "wood", specular=0.2)
    hole = material(spec, "chopping_board/hole", (0.62, 0.45, 0.25))
    half = THICKNESS / 2
    add_mesh(spec, body, f"{name}/plate", "chopping_board/plate", extruded(_plate(), ((-half, 1), (half, 1))), wood)
    long = HANDLE_LENGTH - HANDLE_WIDTH / 2 + 0.01
    grip, end = LENGTH / 2 - HANDLE_LENGTH - 0.01 + long / 2, LENGTH / 2 - HANDLE_WIDTH / 2
    drawn(body, f"{name}/handle", "box", (grip, 0, 0), (long, HANDLE_WIDTH, THICKNESS - 0.001), wood)
    drawn(body, f"{name}/end", "cylinder", (end, 0, 0), (HANDLE_WIDTH / 2, THICKNESS - 0.001), wood)
    drawn(body, f"{name}/hole", "cylinder", (end, 0, 0), (0.009, THICKNESS), hole)
    plate = ((-HANDLE_LENGTH / 2, 0, 0), (LENGTH - HANDLE_LENGTH, WIDTH, THICKNESS))
    handle = ((LENGTH / 2 - HANDLE_LENGTH / 2, 0, 0), (HANDLE_LENGTH, HANDLE_WIDTH, THICKNESS))
    touched(body, f"{name}/plate_hull", "box", *plate, mass=0.7, friction=0.7)
    touched(body, f"{name}/handle_hull", "box", *handle, mass=0.1, friction=0.7)
