"""An open laptop on a wooden stand; its lid swings about a level hinge: 0 is open as built, :data:`TRAVEL` is shut.

The prop's body is the stand, its origin at its middle; the keyboard's front looks along -y. The objects ``base`` and
``lid`` lie on it; the lid's frame has its origin on the hinge, x towards the free edge and, when shut, z up.
"""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._loft import block, merged
from hansgym.assets.props._mesh import add_mesh
from hansgym.assets.props._solids import drawn, touched

STAND = (0.40, 0.30, 0.10)
BASE = (0.347, 0.253, 0.018)
LID = (0.245, 0.340, 0.006)
"""Length from the hinge, width, and thickness as it is felt, m."""

SHEET = 0.0015
"""Thickness of the lid as it is drawn, m."""

HINGE = (-0.016, 0.107, 0.069)
"""In the stand's frame, m."""

TRAVEL = 1.833

_TOP = STAND[2] / 2 + BASE[2]
"""Height of the keyboard's deck above the stand's middle, m."""


def _base(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, look: dict[str, str]) -> None:
    """A flat grey body with a sunk keyboard and a touchpad."""
    x, y = HINGE[0], HINGE[1] - BASE[1] / 2 + 0.004
    base = body.add_body(name=name, pos=[x, y, _TOP])
    deck = (0, 0, -BASE[2] / 2)
    drawn(base, f"{name}/body", "box", deck, BASE, look["shell"])
    touched(base, f"{name}/hull", "box", deck, BASE, mass=1.35)
    width, depth, middle = 0.290, 0.108, 0.038
    drawn(base, f"{name}/well", "box", (0, middle, 0), (width, depth, 0.001), look["dark"])
    rows, columns = 5, 13
    step = (width / columns, depth / rows)
    keys = [
        block(
            ((c + 0.5) * step[0] - width / 2, middle + (r + 0.5) * step[1] - depth / 2, 0.001),
            (step[0] * 0.78, step[1] * 0.78, 0.002),
        )
        for r in range(rows)
        for c in range(columns)
        if not (r == 0 and 3 <= c <= 8)
    ]
    keys.append(block((-0.011, middle + 0.5 * step[1] - depth / 2, 0.001), (5.8 * step[0], step[1] * 0.78, 0.002)))
    add_mesh(spec, base, f"{name}/keys", "laptop/keys", merged(keys), look["key"])
    drawn(base, f"{name}/pad", "box", (0, -0.072, 0), (0.100, 0.062, 0.001), look["pad"])


def _lid(body: mujoco.MjsBody, name: str, joint: str, look: dict[str, str]) -> None:
    """A grey shell with a black rim round a lit screen on its inside and a badge on its outside."""
    half, turn = math.sqrt(0.5), TRAVEL / 2
    c, s = math.cos(turn), math.sin(turn)
    # Shut, the frame is turned by -90 degrees about z; opened, by -TRAVEL about its own y after that.
    lid = body.add_body(name=name, pos=list(HINGE), quat=[half * c, -half * s, -half * s, -half * c])
    lid.add_joint(
        name=joint,
        type=mujoco.mjtJoint.mjJNT_HINGE,
        axis=[0.0, 1.0, 0.0],
        range=[0.0, TRAVEL],
        limited=mujoco.mjtLimited.mjLIMITED_TRUE,
        damping=0.02,
        frictionloss=0.01,
        armature=0.001,
        solref_limit=[0.01, 1.0],
    )
    length, width, thick = LID
    x = length / 2 + 0.002
    drawn(lid, f"{name}/shell", "box", (x, 0, SHEET / 2), (length - 0.004, width, SHEET), look["shell"])
    drawn(lid, f"{name}/rim", "box", (x, 0, 0), (length - 0.010, width - 0.006, 0.001), look["dark"])
    drawn(lid, f"{name}/screen", "box", (x + 0.004, 0, -0.0004), (length - 0.045, width - 0.034, 0.001), look["screen"])
    drawn(lid, f"{name}/window", "box", (x + 0.02, 0.05, -0.0007), (0.11, 0.13, 0.001), look["window"])
    drawn(lid, f"{name}/bar", "box", (0.034, 0, -0.0007), (0.012, width - 0.034, 0.001), look["pad"])
    drawn(lid, f"{name}/badge", "cylinder", (x, 0, SHEET), (0.018, 0.0006), look["pad"])
    touched(lid, f"{name}/hull", "box", (x, 0, thick / 2), (length - 0.004, width, thick), mass=0.083, friction=0.3)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, base: str, lid: str, joint: str) -> None:
    """Fill ``body`` with the stand and lay the objects ``base`` and ``lid`` on it, the lid on ``joint``."""
    wood = material(spec, "laptop/wood", (0.31, 0.19, 0.15), texture_name="wood", specular=0.1, repeat=(1.0, 0.5))
    look = {
        "shell": material(spec, "laptop/shell", (0.60, 0.60, 0.62), specular=0.4, shininess=0.5),
        "dark": material(spec, "laptop/dark", (0.05, 0.05, 0.055), specular=0.3, shininess=0.6),
        "key": material(spec, "laptop/key", (0.20, 0.20, 0.21), specular=0.2),
        "pad": material(spec, "laptop/pad", (0.46, 0.46, 0.48), specular=0.3),
        "screen": material(spec, "laptop/screen", (0.10, 0.22, 0.42), emission=0.4),
        "window": material(spec, "laptop/window", (0.80, 0.84, 0.90), emission=0.4),
    }
    drawn(body, f"{name}/stand", "box", (0, 0, 0), STAND, wood)
    touched(body, f"{name}/hull", "box", (0, 0, 0), STAND, mass=12.0)
    _base(spec, body, base, look)
    _lid(body, lid, joint, look)
