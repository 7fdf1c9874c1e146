"""Boxes and cylinders, drawn or touched, so that a prop's file says only where they are."""

from __future__ import annotations

import math
from collections.abc import Sequence

import mujoco

CONTYPE, CONAFFINITY = 2, 3
"""Contact bits of props; the table of all bits heads ``assets/panda.py``."""

NESTING = 4
"""Contype of walls that go into each other, as those of stacked cups: they do not touch each other, only all else."""

_KINDS = {
    "box": mujoco.mjtGeom.mjGEOM_BOX,
    "cylinder": mujoco.mjtGeom.mjGEOM_CYLINDER,
    "sphere": mujoco.mjtGeom.mjGEOM_SPHERE,
}


def _half(kind: str, size: Sequence[float]) -> list[float]:
    """MuJoCo's three half sizes."""
    half = {"box": [s / 2 for s in size], "cylinder": [size[0], size[-1] / 2], "sphere": [size[0]]}[kind]
    return half + [0.0] * (3 - len(half))


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

    ``size``: full edge lengths of a box, (radius, full height) of a cylinder or (radius,) of a sphere, in metres;
    ``yaw`` in rad.
    """
    return body.add_geom(
        name=name,
        type=_KINDS[kind],
        pos=list(at),
        size=_half(kind, size),
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
    return body.add_geom(
        name=name,
        type=_KINDS[kind],
        pos=list(at),
        size=_half(kind, size),
        quat=[math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)],
        group=3,
        contype=CONTYPE,
        conaffinity=CONAFFINITY,
        condim=4,
        friction=[friction, 0.005, 0.0001],
        solref=[0.01, 1.0],
        mass=mass,
    )


def touched_ring(
    body: mujoco.MjsBody,
    name: str,
    at: Sequence[float],
    size: Sequence[float],
    count: int = 12,
    mass: float = 0.0,
    friction: float = 0.6,
) -> list[mujoco.MjsGeom]:
    """A round wall that is only felt: ``count`` boxes round ``at``; ``size``: mean radius, thickness, height in m."""
    radius, thickness, height = size
    width = 2 * (radius + thickness / 2) * math.tan(math.pi / count)
    found = []
    for k in range(count):
        turn = 2 * math.pi * k / count
        middle = (at[0] + radius * math.cos(turn), at[1] + radius * math.sin(turn), at[2])
        box = (thickness, width, height)
        found.append(touched(body, f"{name}{k}", "box", middle, box, mass / count, friction, turn))
    return found
