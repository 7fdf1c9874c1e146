"""Flat visual meshes: an outline in the x-y plane given a thickness. Drawn only, never touched."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

Point = tuple[float, float]


def extruded(outline: Sequence[Point], layers: Sequence[Point]) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (v, 3) in metres and faces (f, 3) int32 of ``outline``, counter-clockwise and starlike round its mean.

    ``layers`` are (height, scale) from below upwards: the outline shrunk towards its mean at each height. Points are
    doubled at each layer, so that edges stay sharp when a renderer averages normals.
    """
    points = np.asarray(outline, float)
    middle, count = points.mean(axis=0), len(points)
    rings = [np.column_stack([middle + s * (points - middle), np.full(count, z)]) for z, s in layers]
    vertices: list[np.ndarray] = []
    faces: list[tuple[int, int, int]] = []
    size = 0
    for low, high in pairwise(rings):
        for k in range(count):
            j = (k + 1) % count
            vertices.append(np.stack([low[k], low[j], high[j], high[k]]))
            faces += [(size, size + 1, size + 2), (size, size + 2, size + 3)]
            size += 4
    for ring, order in ((rings[0], (0, 2, 1)), (rings[-1], (0, 1, 2))):
        vertices.append(np.vstack([ring.mean(axis=0), ring]))
        for k in range(count):
            corner = (size, size + 1 + k, size + 1 + (k + 1) % count)
            faces.append((corner[order[0]], corner[order[1]], corner[order[2]]))
        size += count + 1
    return np.concatenate(vertices), np.asarray(faces, np.int32)
