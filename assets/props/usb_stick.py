"""A USB stick. Origin: middle of the face from which its plug stands out, along -z."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched

BODY = (0.018, 0.009, 0.040)
PLUG = (0.0120, 0.0048, 0.013)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with a red housing with a cap's ring and a lamp, and the metal plug below it."""
    red = material(spec, "usb_stick/red", (0.85, 0.10, 0.10), specular=0.4, shininess=0.6)
    white = material(spec, "usb_stick/white", (0.93, 0.93, 0.93), specular=0.3)
    metal = material(spec, "usb_stick/metal", (0.80, 0.80, 0.82), specular=0.7, shininess=0.8)
    width, thick, height = BODY
    drawn(body, f"{name}/housing", "box", (0, 0, height / 2), BODY, red)
    drawn(body, f"{name}/label", "box", (0, 0, 0.022), (0.012, thick + 0.001, 0.016), white)
    drawn(body, f"{name}/ring", "box", (0, 0, height - 0.004), (width + 0.001, thick + 0.001, 0.003), metal)
    touched(body, f"{name}/hull", "box", (0, 0, height / 2), BODY, mass=0.015, friction=0.9)
    drawn(body, f"{name}/plug", "box", (0, 0, -PLUG[2] / 2), PLUG, metal)
    touched(body, f"{name}/plug_hull", "box", (0, 0, -PLUG[2] / 2), PLUG, mass=0.005, friction=0.9)
