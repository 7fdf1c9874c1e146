"""A small toilet whose seat swings about a level hinge: 0 is down, positive is up.

The prop's body is the bowl on its foot, its origin in the middle of the floor under it; it looks along -x. The cistern
is an object of its own, and so is the seat: its frame has its origin on the hinge, x towards the free edge and z up
when it is down.
"""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._loft import ellipse, loft
from hansgym.assets.props._mesh import add_mesh
from hansgym.assets.props._solids import drawn, touched

HINGE = (0.079, 0.0, 0.237)
"""In the prop's body, m."""

OPEN_RAD = 1.7453
SEAT = (0.250, 0.225, 0.011)
"""Length from the hinge, width, thickness, m."""

_RIM_Z = 0.229
_BOWL = (-0.034, 0.127, 0.098)
"""Middle (x) and half axes (x, y) of the bowl's rim, m."""

_CISTERN = (0.175, 0.090, 0.200, 0.250, 0.448)
"""Middle (x), depth, width, and the heights between which it stands, m."""

_BAND = 0.036
"""Width of the seat's ring, m."""


def _bowl(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, china: str) -> None:
    """Foot, bowl and its hollow as one skin; felt as a box and a block under the cistern."""
    x, long, wide = _BOWL
    rings = [(0.02, 0.135, 0.072, 0.0), (0.02, 0.132, 0.070, 0.012), (0.03, 0.095, 0.052, 0.03)]
    rings += [(0.03, 0.090, 0.050, 0.09), (0.0, 0.112, 0.075, 0.15), (x, long, wide, 0.205), (x, long, wide, _RIM_Z)]
    rings += [(x, long - 0.03, wide - 0.03, _RIM_Z), (x, long - 0.04, wide - 0.036, 0.19), (0.0, 0.05, 0.035, 0.14)]
    add_mesh(
        spec, body, f"{name}/bowl", "toilet/bowl", loft([ellipse((c, 0, z), (a, b)) for c, a, b, z in rings]), china
    )
    water = material(spec, "toilet/water", (0.45, 0.68, 0.82), specular=0.6, shininess=0.8)
    drawn(body, f"{name}/water", "cylinder", (0.0, 0.0, 0.142), (0.036, 0.004), water)
    drawn(body, f"{name}/shelf", "box", (0.135, 0, 0.2), (0.15, 0.13, 0.1), china)
    touched(
        body, f"{name}/bowl_hull", "box", (x, 0, (0.12 + _RIM_Z) / 2), (2 * long, 2 * wide, _RIM_Z - 0.12), mass=4.0
    )
    touched(body, f"{name}/foot_hull", "box", (0.03, 0, 0.06), (0.2, 0.11, 0.12), mass=4.0)
    touched(body, f"{name}/shelf_hull", "box", (0.135, 0, 0.2), (0.15, 0.13, 0.1), mass=1.0)


def _cistern(body: mujoco.MjsBody, name: str, china: str, metal: str) -> None:
    """A tank with an overhanging cover and a flush button."""
    x, depth, wide, low, high = _CISTERN
    tank = body.add_body(name=name)
    middle, tall = (low + high) / 2, high - low
    drawn(tank, f"{name}/tank", "box", (x, 0, middle - 0.01), (depth - 0.008, wide - 0.012, tall - 0.02), china)
    drawn(tank, f"{name}/cover", "box", (x, 0, high - 0.010), (depth, wide, 0.020), china)
    drawn(tank, f"{name}/button", "cylinder", (x, 0, high), (0.016, 0.006), metal)
    touched(tank, f"{name}/hull", "box", (x, 0, middle), (depth, wide, tall), mass=1.5)


def _seat(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, joint: str, plastic: str) -> None:
    """A ring that hangs on the hinge; felt as four bars."""
    seat = body.add_body(name=name, pos=list(HINGE), quat=[0.0, 0.0, 0.0, 1.0])
    seat.add_joint(
        name=joint,
        type=mujoco.mjtJoint.mjJNT_HINGE,
        axis=[0.0, -1.0, 0.0],
        range=[0.0, OPEN_RAD],
        limited=mujoco.mjtLimited.mjLIMITED_TRUE,
        damping=0.02,
        frictionloss=0.005,
        armature=0.001,
        solref_limit=[0.01, 1.0],
    )
    length, width, thick = SEAT
    centre, half = length / 2 + 0.004, (length / 2 - 0.004, width / 2)
    inner = (half[0] - _BAND, half[1] - _BAND)
    z = thick / 2
    rings = [ellipse((centre, 0, h), s, 40) for h, s in ((-z, inner), (-z, half), (z, half), (z, inner))]
    add_mesh(spec, seat, f"{name}/ring", "toilet/seat", loft(rings, around=True), plastic)
    for k, side in enumerate((1, -1)):
        at = (0.012, side * 0.045, 0.0)
        drawn(seat, f"{name}/hinge{k}", "box", at, (0.04, 0.026, thick), plastic)
        at = (centre, side * (width - _BAND) / 2, 0.0)
        touched(seat, f"{name}/side{k}_hull", "box", at, (length * 0.7, _BAND, thick), mass=0.05)
    for k, x in enumerate((_BAND / 2 + 0.008, length - _BAND / 2)):
        touched(seat, f"{name}/end{k}_hull", "box", (x, 0, 0), (_BAND, width * 0.75, thick), mass=0.039, friction=0.3)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, cistern: str, seat: str, joint: str) -> None:
    """Fill ``body`` with the bowl, set the object ``cistern`` behind it and hang ``seat`` on the hinge ``joint``."""
    china = material(spec, "toilet/china", (0.95, 0.95, 0.94), specular=0.5, shininess=0.7)
    metal = material(spec, "toilet/metal", (0.65, 0.66, 0.68), specular=0.6, shininess=0.7)
    plastic = material(spec, "toilet/plastic", (0.574, 0.574, 0.574), specular=0.3, shininess=0.5)
    _bowl(spec, body, name, china)
    _cistern(body, cistern, china, metal)
    _seat(spec, body, seat, joint, plastic)
