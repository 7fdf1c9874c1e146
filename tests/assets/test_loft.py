"""Meshes of outlines and lines: closed, and inside out never."""

from __future__ import annotations

import numpy as np
import pytest

from hansgym.assets.props._loft import block, ellipse, loft, merged, tube

Shape = tuple[np.ndarray, np.ndarray]


def volume(shape: Shape) -> float:
    """Signed volume in cubic metres: negative when the faces look inwards."""
    vertices, faces = shape
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def ring() -> Shape:
    """A flat ring, 0.1 m high, between half axes of 0.2 and 0.3 m."""
    sizes = ((0.0, 0.2), (0.0, 0.3), (0.1, 0.3), (0.1, 0.2))
    return loft([ellipse((0, 0, z), (r, r), 64) for z, r in sizes], around=True)


SHAPES: dict[str, tuple[Shape, float]] = {
    "block": (block((1.0, 2.0, 3.0), (0.1, 0.2, 0.3)), 0.006),
    "barrel": (loft([ellipse((0, 0, z), (0.1, 0.2), 64) for z in (0.0, 0.5)]), np.pi * 0.01),
    "smooth barrel": (loft([ellipse((0, 0, z), (0.1, 0.2), 64) for z in (0.0, 0.5)], smooth=True), np.pi * 0.01),
    "ring": (ring(), np.pi * 0.05 * 0.1),
    "tube": (tube([(0, 0, 0), (0, 0.5, 0), (0, 1.0, 0)], 0.1, 64), np.pi * 0.01),
    "two blocks": (merged([block((0, 0, 0), (1, 1, 1)), block((3, 0, 0), (1, 1, 2))]), 3.0),
}


@pytest.mark.parametrize("name", SHAPES)
def test_faces_look_outwards_and_enclose_the_right_volume(name: str) -> None:
    shape, wanted = SHAPES[name]
    assert volume(shape) == pytest.approx(wanted, rel=0.01)


def test_outlines_the_wrong_way_round_would_be_noticed() -> None:
    rows = [ellipse((0, 0, z), (0.1, 0.2))[::-1] for z in (0.0, 0.5)]
    assert volume(loft(rows)) < 0
