"""A crumpled piece of paper. Its length is along y, its narrow side along x. Origin at its middle."""

from __future__ import annotations

import math

import mujoco
import numpy as np

from hansgym.assets.materials import material
from hansgym.assets.props._mesh import add_mesh
from hansgym.assets.props._solids import touched
from hansgym.seeds import stream

SIZE = (0.050, 0.087, 0.036)
_ROWS, _COLUMNS = 7, 11


def _crumpled() -> tuple[np.ndarray, np.ndarray]:
    """Vertices and faces of an ellipsoid with creases; each face has corners of its own, so that it looks folded."""
    dents = stream(0, "rubbish").uniform(0.74, 1.0, size=(_ROWS + 1, _COLUMNS))
    dents[0], dents[-1] = dents[0, 0], dents[-1, 0]
    points = np.empty((_ROWS + 1, _COLUMNS, 3))
    for row in range(_ROWS + 1):
        for column in range(_COLUMNS):
            tilt, turn = math.pi * row / _ROWS, 2 * math.pi * (column + 0.5 * (row % 2)) / _COLUMNS
            way = (math.sin(tilt) * math.cos(turn), -math.cos(tilt), math.sin(tilt) * math.sin(turn))
            points[row, column] = dents[row, column] * np.array(way) * np.array(SIZE) / 2
    points *= np.array(SIZE) / np.ptp(points, axis=(0, 1))
    corners: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for row in range(_ROWS):
        for column in range(_COLUMNS):
            right = (column + 1) % _COLUMNS
            a, b = points[row, column], points[row, right]
            c, d = points[row + 1, right], points[row + 1, column]
            corners += [(a, c, b), (a, d, c)]
    soup = np.array([t for t in corners if np.linalg.norm(np.cross(t[1] - t[0], t[2] - t[0])) > 1e-9])
    return soup.reshape(-1, 3), np.arange(3 * len(soup), dtype=np.int32).reshape(-1, 3)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the paper. It is felt as a slab, so that it lies still."""
    paper = material(spec, "rubbish/paper", (0.95, 0.95, 0.93))
    add_mesh(spec, body, f"{name}/paper", "rubbish/paper", _crumpled(), paper)
    slab = (SIZE[0] - 0.006, SIZE[1] - 0.012, SIZE[2] - 0.002)
    touched(body, f"{name}/hull", "box", (0, 0, 0), slab, mass=0.03, friction=0.7)
