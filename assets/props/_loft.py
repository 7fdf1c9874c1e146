"""Visual meshes that are not round: a skin over a row of outlines, a tube along a line. Drawn only, never touched."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np


def ellipse(centre: Sequence[float], semi: Sequence[float], segments: int = 32) -> np.ndarray:
    """(segments, 3) level outline about ``centre`` (x, y, z) with half axes ``semi`` (x, y), in metres."""
    angle = np.arange(segments) * 2 * np.pi / segments
    x, y, z = centre
    return np.column_stack([x + semi[0] * np.cos(angle), y + semi[1] * np.sin(angle), np.full(segments, z)])


def loft(
    outlines: Sequence[np.ndarray], caps: bool = True, smooth: bool = False, around: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (v, 3) in metres and faces (f, 3) int32 of the skin over ``outlines``, each (n, 3) with equal n.

    Outlines run anticlockwise seen from where the skin leads to. ``caps`` closes the first and the last one, ``around``
    joins the last to the first instead. Unless ``smooth``, points are doubled at each outline: edges stay sharp.
    """
    rows = [np.asarray(o, float) for o in outlines]
    count = len(rows[0])
    pairs = [*pairwise(rows), *([(rows[-1], rows[0])] if around else [])]
    vertices: list[np.ndarray] = list(rows) if smooth else [row for pair in pairs for row in pair]
    faces: list[tuple[int, int, int]] = []
    for k in range(len(pairs)):
        low = count * (k if smooth else 2 * k)
        high = count * ((k + 1) % len(rows)) if smooth else low + count
        for i in range(count):
            j = (i + 1) % count
            faces += [(low + i, low + j, high + j), (low + i, high + j, high + i)]
    if caps and not around:
        for row, turn in ((rows[0], -1), (rows[-1], 1)):
            base = sum(len(v) for v in vertices)
            vertices += [row, row.mean(axis=0, keepdims=True)]
            for i in range(count):
                one, other = (base + i, base + (i + 1) % count)[::turn]
                faces.append((base + count, one, other))
    return np.concatenate(vertices), np.asarray(faces, np.int32)


def tube(path: Sequence[Sequence[float]], radius: float, segments: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and faces of a round tube of ``radius`` (m) along ``path`` (n, 3); the line must not fold back."""
    line = np.asarray(path, float)
    heading = np.gradient(line, axis=0)
    heading /= np.linalg.norm(heading, axis=1, keepdims=True)
    side = np.cross(heading[0], np.eye(3)[int(np.argmin(np.abs(heading[0])))])
    rings = []
    for point, ahead in zip(line, heading, strict=True):
        # The side is carried along without twist.
        side = side - (side @ ahead) * ahead
        side /= np.linalg.norm(side)
        up = np.cross(ahead, side)
        angle = np.arange(segments)[:, None] * 2 * np.pi / segments
        rings.append(point + radius * (np.cos(angle) * side + np.sin(angle) * up))
    return loft(rings, smooth=True)


def block(at: Sequence[float], size: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and faces of a box: its middle and full edge lengths in metres."""
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) / 2
    level = np.column_stack([corners * np.asarray(size[:2]), np.zeros(4)]) + np.asarray(at)
    return loft([level + np.array([0.0, 0.0, sign * size[2] / 2]) for sign in (-1, 1)])


def merged(shapes: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Several shapes as one: many small parts of one colour are one geom."""
    starts = np.cumsum([0, *(len(v) for v, _ in shapes)])
    faces = [f + start for (_, f), start in zip(shapes, starts[:-1], strict=True)]
    return np.concatenate([v for v, _ in shapes]), np.concatenate(faces).astype(np.int32)
