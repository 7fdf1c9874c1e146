"""Round bars between two points, drawn or touched, and rows of them along a line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import mujoco

from hansgym.assets.props._solids import CONAFFINITY, CONTYPE

Point = tuple[float, float, float]


def drawn_bar(
    body: mujoco.MjsBody, name: str, start: Point, end: Point, radius: float, material: str
) -> mujoco.MjsGeom:
    """A massless bar with round ends from ``start`` to ``end`` (m) that is only seen."""
    return body.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_CAPSULE,
        fromto=[*start, *end],
        size=[radius, 0.0, 0.0],
        material=material,
        group=1,
        contype=0,
        conaffinity=0,
        mass=0.0,
    )


def touched_bar(
    body: mujoco.MjsBody,
    name: str,
    start: Point,
    end: Point,
    radius: float,
    mass: float = 0.0,
    friction: float = 0.6,
) -> mujoco.MjsGeom:
    """A bar from ``start`` to ``end`` (m) that is only felt; ``mass`` in kg.

    A cylinder: MuJoCo 3 and 4 find half a millimetre between a box and a capsule whose axis runs through it.
    """
    return body.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        fromto=[*start, *end],
        size=[radius, 0.0, 0.0],
        group=3,
        contype=CONTYPE,
        conaffinity=CONAFFINITY,
        condim=4,
        friction=[friction, 0.005, 0.0001],
        solref=[0.01, 1.0],
        mass=mass,
    )


def drawn_line(
    body: mujoco.MjsBody, name: str, points: Sequence[Point], radius: float, material: str
) -> list[mujoco.MjsGeom]:
    """Bars through ``points``, one after the other, that are only seen."""
    return [drawn_bar(body, f"{name}{k}", a, b, radius, material) for k, (a, b) in enumerate(pairwise(points))]


def arc(middle: tuple[float, float], radius: float, first: float, last: float, steps: int) -> list[tuple[float, float]]:
    """Points of an arc round ``middle`` in a plane, from angle ``first`` to ``last`` (rad), ends included."""
    angles = [first + (last - first) * k / steps for k in range(steps + 1)]
    return [(middle[0] + radius * math.cos(a), middle[1] + radius * math.sin(a)) for a in angles]
