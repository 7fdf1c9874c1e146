"""A cooker: an oven with a glass door under four gas burners, and a row of knobs on its front, which looks along -x.

The prop's body is the frame, its origin at its middle. The first knob turns about the front's normal, positive
anticlockwise as seen from in front, and carries a site on its bar: z out of the front, x across the bar.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched

SIZE = (0.440, 0.578, 0.676)
KNOB_Z = 0.156
"""Height of the knobs above the frame's middle, m."""

FRONT = -0.216
"""x of the panel's face, m; a knob stands out by :data:`KNOB_OUT`."""

KNOB_OUT, KNOB_RADIUS = 0.0255, 0.0215
BAR = (0.018, 0.0125, 0.041)
"""The knob's bar: how far it stands out of the disc, its width and its length, m."""

TURN_RAD = 1.571
_TOP, _PLATE = 0.260, 0.026
_GAS, _GRATE = 0.207, (0.366, 0.508)
"""Height of the hollow's floor, on which the burners stand, above the frame's middle; the grate over it, m."""

_DOOR = ((-0.206, 0.001, -0.074), (0.052, 0.572, 0.349))


def _looks(spec: mujoco.MjSpec) -> dict[str, str]:
    return {
        "body": material(spec, "oven/body", (0.93, 0.93, 0.92), specular=0.3, shininess=0.4),
        "steel": material(spec, "oven/steel", (0.70, 0.71, 0.73), "brushed", specular=0.5, shininess=0.6),
        "black": material(spec, "oven/black", (0.07, 0.07, 0.075), specular=0.4, shininess=0.6),
        "glass": material(spec, "oven/glass", (0.12, 0.13, 0.15), specular=0.8, shininess=0.9),
        "knob": material(spec, "oven/knob", (0.667, 0.667, 0.667), specular=0.5, shininess=0.6),
        "mark": material(spec, "oven/mark", (0.85, 0.10, 0.06), specular=0.2),
    }


def _frame(body: mujoco.MjsBody, name: str, look: dict[str, str]) -> None:
    """The white box with a steel panel in front, a drawer at the bottom, a raised back with vents."""
    x, y, z = (s / 2 for s in SIZE)
    low, high, floor = -z, _TOP - 0.008, _GAS - 0.001
    ahead, aside = 2 * x - 0.020 - _GRATE[0], (2 * y - _GRATE[1]) / 2
    blocks = {
        "body": ((0.010, 0, (low + floor) / 2), (2 * x - 0.020, 2 * y, floor - low), "body"),
        "front": ((0.020 - x + ahead / 4, 0, (floor + high) / 2), (ahead / 2, 2 * y, high - floor), "body"),
        "rear_rim": ((x - ahead / 4, 0, (floor + high) / 2), (ahead / 2, 2 * y, high - floor), "body"),
        "left": ((0.010, y - aside / 2, (floor + high) / 2), (_GRATE[0], aside, high - floor), "body"),
        "right": ((0.010, aside / 2 - y, (floor + high) / 2), (_GRATE[0], aside, high - floor), "body"),
        "panel": ((FRONT + 0.010, 0, KNOB_Z + 0.012), (0.020, 2 * y - 0.004, 0.150), "steel"),
        "drawer": ((-0.213, 0, -0.290), (0.040, 2 * y - 0.006, 0.076), "body"),
        "back": ((x - 0.014, 0, (high + z) / 2), (0.028, 2 * y, z - high), "body"),
    }
    for part, (at, size, paint) in blocks.items():
        drawn(body, f"{name}/{part}", "box", at, size, look[paint])
        touched(body, f"{name}/{part}_hull", "box", at, size, mass=2.0)
    drawn(body, f"{name}/groove", "box", (-0.2335, 0, -0.268), (0.002, 0.30, 0.012), look["black"])
    drawn(body, f"{name}/rear", "box", (x + 0.002, 0, -0.06), (0.004, 2 * y - 0.06, 0.44), look["steel"])
    for k in range(7):
        drawn(body, f"{name}/vent{k}", "box", (x + 0.003, 0, 0.10 - 0.035 * k), (0.006, 0.30, 0.012), look["black"])
    drawn(body, f"{name}/pipe", "box", (x + 0.008, 0.18, -0.25), (0.016, 0.03, 0.17), look["mark"])


def _top(body: mujoco.MjsBody, top: str, gas: str, look: dict[str, str]) -> None:
    """A black grate, and in the hollow under it four burners."""
    grate = body.add_body(name=top, pos=[0.010, 0.0, _TOP - _PLATE / 2])
    deep, wide = _GRATE
    for k in range(5):
        at = ((k - 2) * (deep - 0.012) / 4, 0.0, 0.0)
        drawn(grate, f"{top}/across{k}", "box", at, (0.012, wide, _PLATE), look["black"])
    for k in range(7):
        at = (0.0, (k - 3) * (wide - 0.012) / 6, 0.0)
        drawn(grate, f"{top}/along{k}", "box", at, (deep, 0.012, _PLATE), look["black"])
    touched(grate, f"{top}/hull", "box", (0.0, 0, 0), (deep, wide, _PLATE), mass=1.0)
    burners = body.add_body(name=gas, pos=[0.010, 0.0, _GAS])
    for k, (x, y) in enumerate(((-0.0865, 0.164), (-0.0865, -0.164), (0.0865, 0.164), (0.0865, -0.164))):
        drawn(burners, f"{gas}/ring{k}", "cylinder", (x, y, 0.007), (0.052, 0.014), look["steel"])
        drawn(burners, f"{gas}/cap{k}", "cylinder", (x, y, 0.017), (0.030, 0.010), look["black"])


def _door(body: mujoco.MjsBody, name: str, look: dict[str, str]) -> None:
    """The shut door with its window and a flat handle."""
    at, (depth, width, height) = _DOOR
    door = body.add_body(name=name, pos=list(at))
    drawn(door, f"{name}/slab", "box", (0, 0, 0), (depth, width, height), look["body"])
    touched(door, f"{name}/hull", "box", (0, 0, 0), (depth, width, height), mass=2.0)
    face = -depth / 2
    drawn(door, f"{name}/window", "box", (face, 0, -0.03), (0.006, width - 0.12, height - 0.14), look["glass"])
    grip, bar = (face - 0.005, 0, height / 2 - 0.045), (0.010, width - 0.10, 0.016)
    drawn(door, f"{name}/handle", "box", grip, bar, look["steel"])
    touched(door, f"{name}/handle_hull", "box", grip, bar, mass=0.1)


def _knob(body: mujoco.MjsBody, name: str, at: tuple[float, float], look: dict[str, str]) -> mujoco.MjsBody:
    """A disc with a bar across it, upright, and a red mark at the bar's upper end; z points out of the front."""
    half = math.sqrt(0.5)
    # The knob's x points up, along the bar, and its z out of the front.
    knob = body.add_body(name=name, pos=[FRONT, *at], quat=[half, 0.0, -half, 0.0])
    disc, (out, wide, long) = KNOB_OUT - BAR[0], BAR
    drawn(knob, f"{name}/disc", "cylinder", (0, 0, disc / 2), (KNOB_RADIUS, disc), look["knob"])
    touched(knob, f"{name}/disc_hull", "cylinder", (0, 0, disc / 2), (KNOB_RADIUS, disc), mass=0.05)
    middle = (0, 0, disc + out / 2)
    drawn(knob, f"{name}/bar", "box", middle, (long, wide, out), look["knob"])
    touched(knob, f"{name}/bar_hull", "box", middle, (long, wide, out), mass=0.05, friction=0.8)
    drawn(knob, f"{name}/mark", "box", (long / 2 - 0.005, 0, KNOB_OUT), (0.010, 0.004, 0.002), look["mark"])
    return knob


def build(
    spec: mujoco.MjSpec,
    body: mujoco.MjsBody,
    name: str,
    parts: Mapping[str, str],
    knobs: Mapping[str, tuple[float, float]],
    joint: str,
    grip: str,
) -> None:
    """Fill ``body`` with the cooker.

    ``parts``: "top", "gas" and "door" -> the name of that object; ``knobs``: name -> y and z in the frame (m).
    The first of them turns on ``joint`` and carries the site ``grip``.
    """
    look = _looks(spec)
    _frame(body, name, look)
    _top(body, parts["top"], parts["gas"], look)
    _door(body, parts["door"], look)
    first, *_ = [_knob(body, knob, at, look) for knob, at in knobs.items()]
    first.add_joint(
        name=joint,
        type=mujoco.mjtJoint.mjJNT_HINGE,
        axis=[0.0, 0.0, 1.0],
        range=[0.0, TURN_RAD],
        limited=mujoco.mjtLimited.mjLIMITED_TRUE,
        damping=0.01,
        frictionloss=0.02,
        armature=0.001,
    )
    half = math.sqrt(0.5)
    height = KNOB_OUT - BAR[0] / 2
    first.add_site(name=grip, pos=[0.0, 0.0, height], quat=[half, 0.0, 0.0, half], size=[0.004] * 3, group=4)
