"""A bridge tap: two columns with cross handles and a curved spout between them. Origin in the middle of its floor.

The spout looks along -x; seen from there, the left handle (at +y) has a red cap and the right one a blue one. Handles
turn about their upright columns. On each there is a site between two arms of the cross: z up, x half-way between arms.
"""

from __future__ import annotations

import math

import mujoco
import numpy as np

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._loft import merged, tube
from hansgym.assets.props._mesh import add_mesh
from hansgym.assets.props._solids import drawn, touched

SPREAD, TOP = 0.090, 0.188
"""Distance of a column from the middle and height of the handles' middle, m."""

ARM, ARM_WIDTH, ARM_HEIGHT = 0.035, 0.010, 0.012
RANGE_RAD = 2.1

_COLUMN = ((0.0, 0.0), (0.026, 0.0), (0.026, 0.006), (0.016, 0.014), (0.014, 0.05), (0.019, 0.056), (0.019, 0.070))
_NECK = ((0.014, 0.076), (0.012, 0.15), (0.017, 0.160), (0.017, 0.170), (0.010, 0.176), (0.0, 0.176))


def _handle(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, joint: str, grip: str, side: int, look: str) -> None:
    """A cross of four arms with knobs at their ends and a coloured cap, turning about its middle."""
    cross = body.add_body(name=name, pos=[0.0, side * SPREAD, TOP])
    cross.add_joint(
        name=joint,
        type=mujoco.mjtJoint.mjJNT_HINGE,
        axis=[0.0, 0.0, 1.0],
        range=[-RANGE_RAD, RANGE_RAD],
        limited=mujoco.mjtLimited.mjLIMITED_TRUE,
        damping=0.03,
        frictionloss=0.03,
        armature=0.002,
    )
    for k, size in enumerate(((2 * ARM, ARM_WIDTH, ARM_HEIGHT), (ARM_WIDTH, 2 * ARM, ARM_HEIGHT))):
        drawn(cross, f"{name}/arm{k}", "box", (0, 0, 0), size, look)
        touched(cross, f"{name}/arm{k}_hull", "box", (0, 0, 0), size, mass=0.04, friction=0.8)
    for k in range(4):
        at = (ARM * math.cos(k * math.pi / 2), ARM * math.sin(k * math.pi / 2), 0.0)
        drawn(cross, f"{name}/knob{k}", "cylinder", at, (0.0072, 0.013), look)
    drawn(cross, f"{name}/hub", "cylinder", (0, 0, -0.001), (0.012, 0.016), look)
    hue = (0.85, 0.08, 0.06) if side > 0 else (0.05, 0.20, 0.85)
    cap = material(spec, f"tap/{'hot' if side > 0 else 'cold'}", hue, specular=0.4, shininess=0.6)
    drawn(cross, f"{name}/cap", "cylinder", (0, 0, 0.007), (0.0095, 0.004), cap)
    half = math.pi / 8
    cross.add_site(
        name=grip, pos=[0.0, 0.0, 0.0], quat=[math.cos(half), 0, 0, math.sin(half)], size=[0.004] * 3, group=4
    )


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, handles: dict[str, tuple[str, str, str]]) -> None:
    """Fill ``body`` with columns and spout; ``handles``: "left", "right" -> names of handle, joint and site."""
    chrome = material(spec, "tap/chrome", (0.72, 0.73, 0.76), specular=0.9, shininess=0.8)
    for side in (1, -1):
        foot = add_lathe(spec, body, f"{name}/column{side}", "tap/column", (*_COLUMN, *_NECK), chrome)
        foot.pos = [0.0, side * SPREAD, 0.0]
        touched(body, f"{name}/column{side}_hull", "cylinder", (0, side * SPREAD, 0.088), (0.015, 0.176), mass=0.5)
    bend = [(-0.055 + 0.055 * math.cos(a), 0.0, 0.105 + 0.055 * math.sin(a)) for a in np.linspace(0.0, math.pi, 13)]
    spout = [(0.0, 0.0, 0.03), (0.0, 0.0, 0.07), *bend, (-0.11, 0.0, 0.085)]
    bridge = [(0.0, -SPREAD, 0.063), (0.0, 0.0, 0.063), (0.0, SPREAD, 0.063)]
    add_mesh(
        spec, body, f"{name}/pipes", "tap/pipes", merged([tube(spout, 0.012, 14), tube(bridge, 0.011, 14)]), chrome
    )
    drawn(body, f"{name}/collar", "cylinder", (0, 0, 0.063), (0.018, 0.034), chrome)
    drawn(body, f"{name}/nozzle", "cylinder", (-0.11, 0, 0.083), (0.0145, 0.014), chrome)
    touched(body, f"{name}/bridge_hull", "box", (0, 0, 0.063), (0.022, 2 * SPREAD, 0.022), mass=0.3)
    touched(body, f"{name}/spout_hull", "box", (-0.055, 0, 0.12), (0.134, 0.024, 0.095), mass=0.3)
    for which, (handle, joint, grip) in handles.items():
        _handle(spec, body, handle, joint, grip, 1 if which == "left" else -1, chrome)
