"""A barrel barbecue on four short legs with a grate, and the half-barrel lid that goes on it.

The prop's body is the grill: origin on the table under its middle, the barrel along y, the lid's hinge at +x. ``build``
leaves the lid open; :func:`frame` and :func:`lid` are there for a grill whose lid moves.
"""

from __future__ import annotations

import math

import mujoco
import numpy as np

from hansgym.assets.materials import material
from hansgym.assets.props._mesh import add_mesh
from hansgym.assets.props._solids import drawn, touched

LENGTH, WIDTH, DEPTH = 0.44, 0.28, 0.13
"""Of the barrel's lower half: along y, along x, and down from its rim."""

GRATE_Z = 0.200
"""Height on which meat lies."""

RIM_Z = GRATE_Z + 0.004
LID_HEIGHT = 0.10
HINGE = (WIDTH / 2 + 0.004, 0.0, RIM_Z + 0.004)
OPEN_RAD = math.radians(135.0)
_WALL = 0.006
_BARS = 14


def shell(height: float, segments: int = 14) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and faces of a half barrel over [-WIDTH / 2, WIDTH / 2] x LENGTH, ``height`` high, with both ends."""
    angle = np.linspace(0.0, np.pi, segments + 1)
    vertices: list[np.ndarray] = []
    faces: list[tuple[int, ...]] = []
    for inset, turn in ((0.0, 1), (_WALL, -1)):
        a, b, y = WIDTH / 2 - inset, height - inset, LENGTH / 2 - inset
        arc = np.stack([a * np.cos(angle), b * np.sin(angle)], axis=1)
        near, far = (np.column_stack([arc[:, 0], np.full(segments + 1, s * y), arc[:, 1]]) for s in (-1, 1))
        start = sum(len(v) for v in vertices)
        vertices += [near, far]
        for k in range(segments):
            low, high = start + k, start + segments + 1 + k
            quad = [(low, high + 1, high), (low, low + 1, high + 1)]
            faces += [q[::-turn] for q in quad]
        for side, sign in ((near, 1), (far, -1)):
            start = sum(len(v) for v in vertices)
            vertices.append(side)
            faces += [(start, start + k, start + k + 1)[:: -sign * turn] for k in range(1, segments)]
    return np.concatenate(vertices), np.asarray(faces, np.int32)


def _materials(spec: mujoco.MjSpec) -> dict[str, str]:
    return {
        "body": material(spec, "grill/body", (0.16, 0.16, 0.17), specular=0.4, shininess=0.5),
        "lid": material(spec, "grill/lid", (0.30, 0.30, 0.31), specular=0.4, shininess=0.5),
        "grate": material(spec, "grill/grate", (0.62, 0.62, 0.63), specular=0.5, shininess=0.5),
        "coal": material(spec, "grill/coal", (0.42, 0.13, 0.05), emission=0.4),
        "wood": material(spec, "grill/wood", (0.50, 0.30, 0.14), "wood"),
    }


def frame(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the lower half of the barrel, its coals, its grate and its legs."""
    look = _materials(spec)
    trough = add_mesh(spec, body, f"{name}/trough", "grill/trough", shell(DEPTH), look["body"])
    trough.pos, trough.quat = [0.0, 0.0, RIM_Z], [0.0, 0.0, 1.0, 0.0]  # upside down
    drawn(body, f"{name}/coals", "box", (0, 0, GRATE_Z - 0.035), (WIDTH - 0.03, LENGTH - 0.03, 0.01), look["coal"])
    x, y = WIDTH / 2, LENGTH / 2
    for sx in (-1, 1):
        rim = (sx * (x - 0.004), 0.0, RIM_Z - 0.006)
        drawn(body, f"{name}/rim{sx}", "box", rim, (0.012, LENGTH, 0.012), look["body"])
        for sy in (-1, 1):
            leg = (sx * (x - 0.045), sy * (y - 0.05), RIM_Z / 2 - 0.03)
            drawn(body, f"{name}/leg{sx}{sy}", "cylinder", leg, (0.010, RIM_Z - 0.06), look["body"])
    for k in range(_BARS):
        at = (0.0, (k - (_BARS - 1) / 2) * (LENGTH - 0.03) / (_BARS - 1), GRATE_Z - 0.003)
        drawn(body, f"{name}/bar{k}", "box", at, (WIDTH - 0.012, 0.006, 0.006), look["grate"])
    for sx in (-1, 0, 1):
        at = (sx * 0.085, 0.0, GRATE_Z - 0.006)
        drawn(body, f"{name}/cross{sx}", "box", at, (0.006, LENGTH - 0.014, 0.006), look["grate"])
    touched(body, f"{name}/hull", "box", (0, 0, GRATE_Z / 2 + 0.01), (WIDTH, LENGTH, GRATE_Z - 0.02), mass=10.0)


def lid(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body``, whose origin is on the hinge and whose x points away from the shut grill, with the shut lid."""
    look = _materials(spec)
    cover = add_mesh(spec, body, f"{name}/cover", "grill/cover", shell(LID_HEIGHT), look["lid"])
    cover.pos = [-HINGE[0], 0.0, 0.0]
    grip = -HINGE[0] - WIDTH / 2 - 0.014
    drawn(body, f"{name}/handle", "box", (grip, 0, 0.035), (0.014, 0.16, 0.014), look["wood"])
    for sy in (-1, 1):
        drawn(body, f"{name}/post{sy}", "box", (grip + 0.012, sy * 0.07, 0.035), (0.034, 0.010, 0.008), look["grate"])
    middle, half = -HINGE[0], WIDTH / 2
    for sy in (-1, 1):
        end = (middle, sy * (LENGTH / 2 - _WALL / 2), 0.4 * LID_HEIGHT)
        touched(body, f"{name}/end{sy}", "box", end, (1.7 * half, _WALL, 0.8 * LID_HEIGHT), mass=0.1)
    top = (middle, 0, LID_HEIGHT - 0.006)
    touched(body, f"{name}/top", "box", top, (1.2 * half, LENGTH, 0.012), mass=0.2)
    for sx in (-1, 1):
        side = (middle + sx * (half - 0.010), 0, 0.35 * LID_HEIGHT)
        touched(body, f"{name}/side{sx}", "box", side, (0.012, LENGTH, 0.6 * LID_HEIGHT), mass=0.1)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, lid_name: str = "grill_lid") -> None:
    """Fill ``body`` with the grill and its open lid, body ``lid_name``, which does not move."""
    frame(spec, body, name)
    half = OPEN_RAD / 2
    lid(spec, body.add_body(name=lid_name, pos=list(HINGE), quat=[math.cos(half), 0.0, math.sin(half), 0.0]), lid_name)
