"""The five small solids of a shape sorter, lying flat: cube, cylinder, triangular prism, star and moon.

Origin at the middle. Felt are the convex hulls, which fill the star's and the moon's hollows.
"""

from __future__ import annotations

import math
from itertools import pairwise

import mujoco

from hansgym.assets.materials import material, safe_rgba
from hansgym.assets.props._extruded import Point, extruded
from hansgym.assets.props._mesh import add_mesh
from hansgym.assets.props._solids import CONAFFINITY, CONTYPE

Outline = tuple[Point, ...]


def _circle(radius: float, count: int, first: float = 0.0) -> Outline:
    angles = (first + 2 * math.pi * k / count for k in range(count))
    return tuple((radius * math.cos(a), radius * math.sin(a)) for a in angles)


def _star(outer: float, inner: float) -> Outline:
    radii = (outer, inner) * 5
    angles = (math.pi / 2 + math.pi * k / 5 for k in range(10))
    return tuple((r * math.cos(a), r * math.sin(a)) for r, a in zip(radii, angles, strict=True))


def _moon(half_length: float, thick: float, steps: int = 8) -> tuple[Outline, ...]:
    """Slices of a crescent along x, its horns pointing to -y."""
    points = []
    for k in range(steps + 1):
        x = -half_length + 2 * half_length * k / steps
        bow = math.sqrt(max(0.0, 1.0 - (x / half_length) ** 2))
        points.append((x, -0.0085 + 0.017 * bow, -0.0085 + (0.017 - thick) * bow))
    return tuple(
        ((x0, low0), (x1, low1), (x1, high1 + 1e-4), (x0, high0 + 1e-4))
        for (x0, high0, low0), (x1, high1, low1) in pairwise(points)
    )


OUTLINES: dict[str, tuple[Outline, ...]] = {
    "cube": (_circle(0.0105 * math.sqrt(2), 4, math.pi / 4),),
    "cylinder": (_circle(0.0115, 24),),
    "triangular_prism": (_circle(0.0133, 3, math.pi / 2),),
    "star": (_star(0.0142, 0.0068),),
    "moon": _moon(0.015, 0.0095),
}
"""Each shape as starlike pieces, counter-clockwise, in metres."""

HEIGHTS = {"cube": 0.021, "cylinder": 0.021, "triangular_prism": 0.020, "star": 0.017, "moon": 0.019}
COLOURS = {
    "cube": (0.0, 0.85, 1.0),
    "cylinder": (1.0, 0.41, 1.0),
    "triangular_prism": (1.0, 0.62, 0.62),
    "star": (1.0, 0.988, 0.0),
    "moon": (0.45, 0.9, 0.42),
}


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, kind: str) -> None:
    """Fill ``body`` with the shape ``kind``, one of :data:`OUTLINES`, in its own colour."""
    plastic = material(spec, "sorter_shape/plastic", (1.0, 1.0, 1.0), specular=0.2, shininess=0.3)
    half = HEIGHTS[kind] / 2
    layers = ((-half, 1.0), (half, 1.0))
    for k, outline in enumerate(OUTLINES[kind]):
        drawn = add_mesh(spec, body, f"{name}/paint{k}", f"sorter_shape/{kind}{k}", extruded(outline, layers), plastic)
        drawn.rgba = safe_rgba(COLOURS[kind])
    hull = f"sorter_shape/{kind}_hull"
    points = tuple(dict.fromkeys(point for outline in OUTLINES[kind] for point in outline))
    felt = add_mesh(spec, body, f"{name}/hull", hull, extruded(points, layers), plastic)
    felt.group, felt.contype, felt.conaffinity, felt.condim, felt.mass = 3, CONTYPE, CONAFFINITY, 4, 0.02
    felt.friction, felt.solref = [0.6, 0.005, 0.0001], [0.01, 1.0]
