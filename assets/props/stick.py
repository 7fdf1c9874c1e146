"""A long square stick that leans on something. Origin at its middle; x points to its far end, seen from above.

Two sites: ``<name>_grip`` near the low end (z goes into the stick, y across it) and ``<name>_push`` near the far end (x
across the stick, z up from it).
"""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched

EDGE, LENGTH = 0.013, 0.36
GRIP_M, PUSH_M = -0.12, 0.12
"""Where the two sites lie along the stick, from its middle."""


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, pitch: float = 0.0, mass: float = 0.059) -> None:
    """Fill ``body`` with the stick, its far end raised by ``pitch`` rad; ``mass`` in kg."""
    pale = material(spec, "stick/pale", (0.85, 0.85, 1.0), specular=0.2, shininess=0.3)
    tilt = [math.cos(pitch / 2), 0.0, -math.sin(pitch / 2), 0.0]
    size = (LENGTH, EDGE, EDGE)
    drawn(body, f"{name}/stick", "box", (0, 0, 0), size, pale).quat = tilt
    hull = touched(body, f"{name}/hull", "box", (0, 0, 0), size, mass=mass)
    hull.quat = tilt
    # It leans on one point at each end: without rolling friction it would rock and creep. Its own numbers count.
    hull.priority = 2
    hull.condim, hull.friction[:] = 6, (0.8, 0.02, 0.01)
    hull.solimp[:3] = (0.995, 0.999, 0.001)
    along = (math.cos(pitch), 0.0, math.sin(pitch))
    body.add_site(name=f"{name}_grip", pos=[GRIP_M * c for c in along], quat=_turned(math.pi, pitch), group=4)
    body.add_site(name=f"{name}_push", pos=[PUSH_M * c for c in along], quat=_across(pitch), group=4)


def _turned(angle: float, pitch: float) -> list[float]:
    """Quaternion wxyz: ``angle`` about the stick, which is pitched by ``pitch``; pi turns z into it from above."""
    c, s = math.cos(angle / 2), math.sin(angle / 2)
    p, q = math.cos(pitch / 2), -math.sin(pitch / 2)
    return [p * c, p * s, q * c, -q * s]


def _across(pitch: float) -> list[float]:
    """Quaternion wxyz: the stick's own frame turned by a right angle about its z, so that x runs across it."""
    h = math.sqrt(0.5)
    p, q = math.cos(pitch / 2), -math.sin(pitch / 2)
    return [p * h, q * h, q * h, p * h]
