"""Shapes of their own, drawn."""

from __future__ import annotations

import mujoco
import numpy as np


def add_mesh(
    spec: mujoco.MjSpec,
    body: mujoco.MjsBody,
    geom: str,
    mesh: str,
    shape: tuple[np.ndarray, np.ndarray],
    material: str,
) -> mujoco.MjsGeom:
    """Add ``shape`` (vertices, faces) to ``body`` as the drawn, massless geom ``geom``; meshes are shared by name."""
    if spec.mesh(mesh) is None:
        vertices, faces = shape
        spec.add_mesh(
            name=mesh,
            uservert=vertices.ravel().tolist(),
            userface=faces.ravel().tolist(),
            inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
        )
    return body.add_geom(
        name=geom,
        type=mujoco.mjtGeom.mjGEOM_MESH,
        meshname=mesh,
        material=material,
        group=1,
        contype=0,
        conaffinity=0,
        mass=0.0,
    )
