"""Round visual meshes: a profile turned about z. Drawn only, never touched."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import mujoco
import numpy as np

from hansgym.assets.props._mesh import add_mesh

SEGMENTS = 32


def lathe(profile: Sequence[tuple[float, float]], segments: int = SEGMENTS) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (v, 3) in metres and faces (f, 3) int32 of ``profile`` turned about z.

    ``profile`` is a line of (radius, height) points whose outside lies to its right, that is from the bottom of the
    outer wall upwards; radii of 0 close it. Points are doubled at each corner, so that edges stay sharp when a renderer
    averages normals.
    """
    angle = np.arange(segments) * 2 * np.pi / segments
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    vertices: list[np.ndarray] = []
    faces: list[tuple[int, int, int]] = []
    for (r0, z0), (r1, z1) in pairwise(profile):
        base = sum(len(v) for v in vertices)
        for radius, height in ((r0, z0), (r1, z1)):
            vertices.append(np.column_stack([radius * ring, np.full(segments, height)]))
        for k in range(segments):
            low, low_next = base + k, base + (k + 1) % segments
            high, high_next = low + segments, low_next + segments
            if r0 > 0:
                faces.append((low, low_next, high_next))
            if r1 > 0:
                faces.append((low, high_next, high))
    return np.concatenate(vertices), np.asarray(faces, np.int32)


def add_lathe(
    spec: mujoco.MjSpec,
    body: mujoco.MjsBody,
    geom: str,
    mesh: str,
    profile: Sequence[tuple[float, float]],
    material: str,
) -> mujoco.MjsGeom:
    """Add the turned ``profile`` to ``body`` as the drawn, massless geom ``geom``; meshes are shared by name."""
    return add_mesh(spec, body, geom, mesh, lathe(profile), material)
