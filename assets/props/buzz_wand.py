"""A wand with a ring at its end, for a hot-wire game. Origin: middle of the ring; the handle hangs down.

Two sites: ``<name>_ring`` in the middle of the ring, axes as the body's, and ``<name>_grip`` on top of the ring, where
nothing is in a hand's way (z down). The ring's axis is y.
"""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import CONAFFINITY, CONTYPE, drawn, touched

RING_RADIUS, TUBE_RADIUS = 0.0385, 0.0055
HANDLE_RADIUS, HANDLE_LENGTH = 0.0055, 0.219
SEGMENTS = 16
GRIP_M = RING_RADIUS + 0.003
"""Height of the grip above the middle of the ring: fingertips reach a little lower and must not meet the wire."""


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, lean: float = 0.0) -> None:
    """Fill ``body`` with the wand; ``lean`` (rad) swings the handle out to the body's -x side."""
    metal = material(spec, "buzz_wand/ring", (0.6, 0.6, 0.6), specular=0.6, shininess=0.7)
    orange = material(spec, "buzz_wand/handle", (1.0, 0.5, 0.0), specular=0.3, shininess=0.5)
    for k in range(SEGMENTS):
        ends = [
            c
            for turn in (k, k + 1)
            for c in (
                RING_RADIUS * math.sin(2 * math.pi * turn / SEGMENTS),
                0.0,
                RING_RADIUS * math.cos(2 * math.pi * turn / SEGMENTS),
            )
        ]
        _segment(body, f"{name}/ring{k}", ends, metal)
    away = (-math.sin(lean), 0.0, -math.cos(lean))
    tilt = [math.cos(lean / 2), 0.0, math.sin(lean / 2), 0.0]
    middle = RING_RADIUS + TUBE_RADIUS + HANDLE_LENGTH / 2
    at, size = [middle * c for c in away], (HANDLE_RADIUS, HANDLE_LENGTH)
    drawn(body, f"{name}/handle", "cylinder", at, size, orange).quat = tilt
    hull = touched(body, f"{name}/handle_hull", "cylinder", at, size, mass=0.02)
    hull.quat = tilt
    # It hangs by one point and leans on another: without rolling friction it would creep.
    hull.condim, hull.friction[:] = 6, (0.8, 0.02, 0.01)
    body.add_site(name=f"{name}_ring", group=4)
    body.add_site(name=f"{name}_grip", pos=[0.0, 0.0, GRIP_M], quat=[0.0, 0.0, 1.0, 0.0], group=4)


def _segment(body: mujoco.MjsBody, name: str, ends: list[float], look: str) -> None:
    """One straight piece of the ring, drawn and felt."""
    body.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_CAPSULE,
        fromto=ends,
        size=[TUBE_RADIUS, 0.0, 0.0],
        material=look,
        group=1,
        contype=CONTYPE,
        conaffinity=CONAFFINITY,
        condim=6,
        friction=[0.8, 0.02, 0.01],
        solref=[0.01, 1.0],
        mass=0.001,
    )
