"""Visual meshes of thin rods: baskets, nets, seams. Drawn only, never touched."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Point = tuple[float, float, float]
Rod = tuple[Point, Point]
SIDES = 5


def wire(rods: Sequence[Rod], radius: float, sides: int = SIDES) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (v, 3) in metres and faces (f, 3) int32 of straight ``rods`` (end points) of the same ``radius`` m."""
    turn = np.arange(sides) * 2 * np.pi / sides
    vertices: list[np.ndarray] = []
    faces: list[tuple[int, int, int]] = []
    for first, second in rods:
        a, b = np.asarray(first, float), np.asarray(second, float)
        along = (b - a) / np.linalg.norm(b - a)
        aside = np.cross(along, (0.0, 0.0, 1.0) if abs(along[2]) < 0.9 else (1.0, 0.0, 0.0))
        aside /= np.linalg.norm(aside)
        ring = radius * (np.outer(np.cos(turn), aside) + np.outer(np.sin(turn), np.cross(along, aside)))
        start = sum(len(v) for v in vertices)
        vertices += [a + ring, b + ring]
        for k in range(sides):
            low, low_next = start + k, start + (k + 1) % sides
            faces += [(low, low_next, low_next + sides), (low, low_next + sides, low + sides)]
        faces += [(start, start + k + 1, start + k) for k in range(1, sides - 1)]
        faces += [(start + sides, start + sides + k, start + sides + k + 1) for k in range(1, sides - 1)]
    return np.concatenate(vertices), np.asarray(faces, np.int32)


def hoop(radius: float, height: float, count: int = 24) -> list[Rod]:
    """The rods of a level ring round the z axis."""
    return [(around(radius, height, k / count), around(radius, height, (k + 1) / count)) for k in range(count)]


def around(radius: float, height: float, share: float) -> Point:
    """The point at ``share`` of a full turn on a level ring round the z axis."""
    return (radius * math.cos(2 * math.pi * share), radius * math.sin(2 * math.pi * share), height)
