"""A broom that leans backwards. Origin: middle of its length; the brush runs along x, the top leans towards +y.

Two sites: ``<name>_grip`` on the handle (x up along it, z into it from the broom's front, -y) and ``<name>_brush``
under the middle of the bristles (x across the brush, z up along the handle).
"""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import NESTING, drawn, touched

LENGTH, RADIUS = 0.653, 0.0115
BRUSH = (0.263, 0.050, 0.050)
"""Width, thickness and height of the bristles, m; above them sits a wooden head of 22 mm."""

HEAD = (0.263, 0.036, 0.022)
GRIP_M = -0.03
"""Where the hand takes the handle, along it from its middle."""


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, lean: float = 0.0) -> None:
    """Fill ``body`` with the broom, leaning by ``lean`` rad."""
    wood = material(spec, "broom/wood", (0.46, 0.31, 0.20), texture_name="wood", specular=0.1, shininess=0.2)
    straw = material(spec, "broom/bristles", (0.55, 0.40, 0.22), texture_name="brushed", specular=0.0, shininess=0.0)
    tilt = [math.cos(lean / 2), -math.sin(lean / 2), 0.0, 0.0]
    up = (0.0, math.sin(lean), math.cos(lean))
    foot = -LENGTH / 2
    parts = (
        ("bristles", "box", foot + BRUSH[2] / 2, BRUSH, straw, 0.10),
        ("head", "box", foot + BRUSH[2] + HEAD[2] / 2, HEAD, wood, 0.15),
        ("handle", "cylinder", (foot + BRUSH[2] + LENGTH / 2) / 2, (RADIUS, LENGTH - BRUSH[2]), wood, 0.15),
    )
    for part, kind, along, size, look, mass in parts:
        at = [along * c for c in up]
        drawn(body, f"{name}/{part}", kind, at, size, look).quat = tilt
        hull = touched(body, f"{name}/{part}_hull", kind, at, size, mass=mass)
        hull.quat = tilt
        # It leans on a line and a point: without rolling friction it would rock and creep.
        hull.condim, hull.friction[:] = 6, (0.8, 0.02, 0.01)
        if part == "bristles":
            hull.contype = NESTING  # they bend where a dustpan's walls are in the way
    h = math.sqrt(0.5)
    turns = {
        f"{name}_grip": (GRIP_M, _product(tilt, [0.5, -0.5, -0.5, -0.5])),
        f"{name}_brush": (foot, _product(tilt, [h, 0.0, 0.0, h])),
    }
    for site, (along, quaternion) in turns.items():
        body.add_site(name=site, pos=[along * c for c in up], quat=quaternion, group=4)


def _product(first: list[float], second: list[float]) -> list[float]:
    """Quaternion wxyz of ``second`` in the frame ``first``."""
    a, b, c, d = first
    e, f, g, h = second
    return [
        a * e - b * f - c * g - d * h,
        a * f + b * e + c * h - d * g,
        a * g - b * h + c * e + d * f,
        a * h + b * g - c * f + d * e,
    ]
