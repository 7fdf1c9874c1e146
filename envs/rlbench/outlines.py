"""Where RLBench's shapes end, through PyRep: corners of their convex hulls, part by part as upstream draws them."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from scipy.spatial import ConvexHull, QhullError

_VISIBILITY_LAYER, _SEEN_LAYERS = 10, 0xFF
"""CoppeliaSim's number of the parameter, and the layers that are switched on in its scenes."""

_MOST_PARTS = 500
_SAME_M = 1e-4


class Outlines:
    """Outlines of shapes; those in a shape's own frame are kept, since reading vertices is slow."""

    def __init__(self) -> None:
        self._hulls: dict[int, np.ndarray] = {}

    def of(self, shape: Any) -> np.ndarray:
        """(N, 3) m, world: corners of the convex hull of all parts of the PyRep ``shape``."""
        handle = int(shape.get_handle())
        if handle not in self._hulls:
            self._hulls[handle] = hull(_vertices(shape))
        matrix = np.asarray(shape.get_matrix(), float)
        return self._hulls[handle] @ matrix[:3, :3].T + matrix[:3, 3]


def drawn(shape: Any) -> bool:
    """Whether the PyRep ``shape`` is renderable and on one of the layers that cameras see."""
    sim = importlib.import_module("pyrep.backend.sim")
    layer = sim.simGetObjectInt32Parameter(shape.get_handle(), _VISIBILITY_LAYER)
    return bool(shape.is_renderable()) and bool(layer & _SEEN_LAYERS)


def _vertices(shape: Any) -> np.ndarray:
    """(N, 3) m, in the shape's frame, of all its parts; corners of its own box where PyRep cannot read them all."""
    x0, x1, y0, y1, z0, z1 = shape.get_bounding_box()
    low, high = np.array([x0, y0, z0]), np.array([x1, y1, z1])
    parts: list[np.ndarray] = []
    while len(parts) < _MOST_PARTS:
        try:
            vertices = np.asarray(shape.get_shape_viz(len(parts)).vertices, float).reshape(-1, 3)
        except Exception:  # PyRep knows no number of parts: it raises whatever it ran into behind the last one
            break
        if not len(vertices):
            break
        parts.append(vertices)
    found = np.vstack([np.zeros((0, 3)), *parts])
    if len(found) and max(np.abs(found.min(0) - low).max(), np.abs(found.max(0) - high).max()) < _SAME_M:
        return found
    return np.array([[x, y, z] for x in (x0, x1) for y in (y0, y1) for z in (z0, z1)], float)


def hull(points: np.ndarray) -> np.ndarray:
    """Corners of the convex hull of ``points`` (N, 3); all of them where they lie in a plane."""
    try:
        return points[ConvexHull(points).vertices]
    except QhullError:
        return points
