"""An open saucepan with one long handle. Origin on the table under the pan's middle; the handle points along +x."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import drawn, touched, touched_ring

RADIUS, HEIGHT = 0.1145, 0.086
HANDLE_LENGTH, HANDLE_Z = 0.200, 0.066
_WALL, _FLOOR = 0.005, 0.006
_PROFILE = (
    (0.0, 0.0),
    (0.094, 0.0),
    (0.103, 0.004),
    (0.108, 0.014),
    (0.110, 0.030),
    (0.111, HEIGHT - 0.004),
    (RADIUS, HEIGHT - 0.003),
    (RADIUS, HEIGHT),
    (0.106, HEIGHT),
    (0.105, 0.030),
    (0.100, 0.010),
    (0.092, _FLOOR),
    (0.0, _FLOOR),
)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the pan. Its wall is felt as a ring of boxes, its floor as a disc."""
    steel = material(spec, "saucepan/steel", (0.30, 0.30, 0.32), specular=0.5, shininess=0.6)
    grip = material(spec, "saucepan/grip", (0.06, 0.06, 0.06), specular=0.3, shininess=0.4)
    bright = material(spec, "saucepan/bright", (0.62, 0.62, 0.64), specular=0.6, shininess=0.7)
    add_lathe(spec, body, f"{name}/pan", "saucepan/pan", _PROFILE, steel)
    neck, start = 0.05, 0.108
    drawn(body, f"{name}/neck", "box", (start + neck / 2, 0, HANDLE_Z), (neck, 0.022, 0.010), bright)
    long = HANDLE_LENGTH - neck
    middle = start + neck + long / 2
    drawn(body, f"{name}/handle", "box", (middle, 0, HANDLE_Z), (long, 0.030, 0.018), grip)
    end = start + neck + long
    drawn(body, f"{name}/end", "cylinder", (end, 0, HANDLE_Z), (0.015, 0.018), grip)
    whole = (start + HANDLE_LENGTH / 2, 0, HANDLE_Z)
    touched(body, f"{name}/handle_hull", "box", whole, (HANDLE_LENGTH, 0.03, 0.018), mass=0.1)
    touched(body, f"{name}/floor", "cylinder", (0, 0, _FLOOR / 2), (0.100, _FLOOR), mass=0.2)
    touched_ring(body, f"{name}/wall", (0, 0, HEIGHT / 2), (RADIUS - 0.004, 0.008, HEIGHT), count=16, mass=0.3)
