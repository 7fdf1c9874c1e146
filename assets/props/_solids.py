"""Boxes and cylinders, drawn or touched, so that a prop's file says only where they are."""

from __future__ import annotations

import math
from collections.abc import Sequence

import mujoco

CONTYPE, CONAFFINITY = 2, 3
"""Contact bits of props; the table of all bits heads ``assets/panda.py``."""

NESTING = 4
"""Contype of walls that go into each other, as those of stacked cups: they do not touch each other, only all else."""

_KINDS = {"box": mujoco.mjtGeom.mjGEOM_BOX, "cylinder": mujoco.mjtGeom.mjGEOM_CYLINDER}


def drawn(
    body: mujoco.MjsBody,
    name: str,
    kind: str,
    at: Sequence[float],
    size: Sequence[float],
    material: str,
    yaw: float = 0.0,
) -> mujoco.MjsGeom:
    """A massless geom that is only seen.

    ``size``: full edge lengths of a box, or (radius, full height) of a cylinder, in metres; ``yaw`` in rad.
    """
    half = [s / 2 for s in size] if kind == "box" else [size[0], size[1] / 2]
    return body.add_geom(
        name=name,
        type=_KINDS[kind],
        pos=list(at),
        size=half + [0.0] * (3 - len(half)),
        quat=[math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)],
        material=material,
        group=1,
        contype=0,
        conaffinity=0,
        mass=0.0,
    )


def touched(
    body: mujoco.MjsBody,
    name: str,
    kind: str,
    at: Sequence[float],
    size: Sequence[float],
    mass: float = 0.0,
    friction: float = 0.6,
    yaw: float = 0.0,
) -> mujoco.MjsGeom:
    """A geom that is only felt, stiff to fractions of a millimetre; ``size`` as in :func:`drawn`, ``mass`` in kg."""
    half = [s / 2 for s in size] if kind == "box" else [size[0], size[1] / 2]
    return body.add_geom(
        name=name,
        type=_KINDS[kind],
        pos=list(at),
        size=half + [0.0] * (3 - len(half)),
        quat=[math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)],
        group=3,
        contype=CONTYPE,
        conaffinity=CONAFFINITY,
        condim=4,
        friction=[friction, 0.005, 0.0001],
        solref=[0.01, 1.0],
        mass=mass,
    )
