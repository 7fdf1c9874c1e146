"""A watering can that stands on the table. Origin: under its middle; the spout points along x, the handle is on top.

``head`` names the body of the spout's rose. Two sites: ``<name>_grip`` on the handle (z down, y across it) and
``<name>_pour`` in the middle of the rose, axes as the body's.
"""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import drawn, touched

RADIUS, HEIGHT = 0.045, 0.105
POUR = (0.145, 0.0, 0.130)
"""Middle of the rose."""

_SPOUT_FROM = (0.035, 0.0, 0.030)
_ROSE_RADIUS, _ROSE_LENGTH = 0.019, 0.016
_HANDLE_Z, _HANDLE_HALF = 0.160, 0.040
_PROFILE = (
    *((0.0, 0.0), (RADIUS - 0.003, 0.0), (RADIUS, 0.004), (RADIUS, 0.080), (RADIUS - 0.006, 0.098)),
    *((RADIUS - 0.006, HEIGHT), (RADIUS - 0.010, HEIGHT), (RADIUS - 0.010, 0.060), (0.0, 0.060)),
)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, head: str) -> None:
    """Fill ``body`` with the can and its rose ``head``, glazed green with a brass rose."""
    glaze = material(spec, "watering_can/glaze", (0.10, 0.42, 0.38), specular=0.5, shininess=0.6)
    brass = material(spec, "watering_can/brass", (0.78, 0.60, 0.25), specular=0.6, shininess=0.6)
    add_lathe(spec, body, f"{name}/can", "watering_can/shape", _PROFILE, glaze)
    touched(body, f"{name}/can_hull", "cylinder", (0, 0, HEIGHT / 2), (RADIUS, HEIGHT), mass=0.25)
    way = [b - a for a, b in zip(_SPOUT_FROM, POUR, strict=True)]
    pitch = math.atan2(way[0], way[2])
    quaternion = [math.cos(pitch / 2), 0.0, math.sin(pitch / 2), 0.0]
    middle = [(a + b) / 2 for a, b in zip(_SPOUT_FROM, POUR, strict=True)]
    spout = (0.008, math.hypot(*way))
    drawn(body, f"{name}/spout", "cylinder", middle, spout, glaze).quat = quaternion
    touched(body, f"{name}/spout_hull", "cylinder", middle, spout, mass=0.02).quat = quaternion
    rose = body.add_body(name=head, pos=list(POUR), quat=quaternion)
    size = (_ROSE_RADIUS, _ROSE_LENGTH)
    drawn(rose, f"{head}/rose", "cylinder", (0, 0, 0), size, brass)
    touched(rose, f"{head}/rose_hull", "cylinder", (0, 0, 0), size, mass=0.01)
    _add_handle(body, name, glaze)
    body.add_site(name=f"{name}_grip", pos=[0.0, 0.0, _HANDLE_Z], quat=[0.0, 1.0, 0.0, 0.0], group=4)
    body.add_site(name=f"{name}_pour", pos=list(POUR), group=4)


def _add_handle(body: mujoco.MjsBody, name: str, look: str) -> None:
    """A bar along x over the opening, on two posts."""
    h = math.sqrt(0.5)
    bar = (0.007, 2 * _HANDLE_HALF)
    drawn(body, f"{name}/bar", "cylinder", (0, 0, _HANDLE_Z), bar, look).quat = [h, 0.0, h, 0.0]
    touched(body, f"{name}/bar_hull", "cylinder", (0, 0, _HANDLE_Z), bar, mass=0.02).quat = [h, 0.0, h, 0.0]
    low = 0.090
    for side in (-1, 1):
        at, post = (side * 0.038, 0, (low + _HANDLE_Z) / 2), (0.006, _HANDLE_Z - low)
        drawn(body, f"{name}/post{side}", "cylinder", at, post, look)
