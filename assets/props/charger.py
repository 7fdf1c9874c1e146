"""A wall charger with two flat pins along +x. Origin: middle of its body's face, from which the pins stand out."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched
from hansgym.assets.props.wall_socket import SLOT_APART

BODY = (0.071, 0.050, 0.025)
PIN = (0.017, 0.006, 0.004)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with a dark housing, a lighter rim, a lamp and the pins."""
    black = material(spec, "charger/black", (0.09, 0.09, 0.10), specular=0.3, shininess=0.5)
    grey = material(spec, "charger/grey", (0.55, 0.55, 0.57), specular=0.3, shininess=0.5)
    brass = material(spec, "charger/brass", (0.85, 0.72, 0.40), specular=0.7, shininess=0.8)
    lamp = material(spec, "charger/lamp", (0.2, 0.95, 0.3), emission=0.6)
    length, width, height = BODY
    middle = (-length / 2, 0.0, 0.0)
    drawn(body, f"{name}/housing", "box", middle, BODY, black)
    touched(body, f"{name}/hull", "box", middle, BODY, mass=0.05, friction=0.9)
    drawn(body, f"{name}/rim", "box", (-0.010, 0, 0), (0.004, width + 0.002, height + 0.002), grey)
    drawn(body, f"{name}/label", "box", (-0.045, 0, height / 2), (0.030, 0.032, 0.001), grey)
    drawn(body, f"{name}/lamp", "box", (-0.022, 0.014, height / 2), (0.006, 0.006, 0.002), lamp)
    for k, side in enumerate((1, -1)):
        at = (PIN[0] / 2, side * SLOT_APART / 2, 0.0)
        drawn(body, f"{name}/pin{k}", "box", at, PIN, brass)
        touched(body, f"{name}/pin{k}_hull", "box", at, PIN, mass=0.002, friction=0.9)
