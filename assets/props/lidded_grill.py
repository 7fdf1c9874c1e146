"""A barrel grill on a cart with a side table; its lid swings about a level hinge at the back: 0 is shut.

The prop's body is barrel and cart, its origin on the floor under the middle; the handle looks along -x. The lid's frame
has its origin on the hinge, x towards the handle, z up. The site on the handle's bar has its x along the bar.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import mujoco
import numpy as np

from hansgym.assets.materials import material
from hansgym.assets.props._loft import block, loft, merged, tube
from hansgym.assets.props._mesh import add_mesh
from hansgym.assets.props._solids import drawn, touched

AXIS = (-0.115, 0.295)
"""y of the barrel's middle and height of its axis, m."""

RADIUS, LENGTH = 0.097, 0.290
GRATE_Z = 0.273
"""Height of the grate, inside the barrel's lower half, m."""

HINGE_X, OPEN_RAD = 0.100, 1.047
BAR = (0.247, 0.026, 0.100)
"""The handle's bar in the lid's frame: distance from the hinge, height, length, m."""

BAR_RADIUS = 0.006
_TABLE = ((0.0, 0.155, 0.272), (0.190, 0.235))
_ALONG_Y = [math.sqrt(0.5), math.sqrt(0.5), 0.0, 0.0]


def _half_barrel(side: int, radius: float, length: float = LENGTH) -> tuple[np.ndarray, np.ndarray]:
    """Half a barrel about the y axis, above (1) or below (-1) the origin, with both ends."""
    angles = np.linspace(0.0, math.pi, 17)
    arc = np.column_stack([radius * np.cos(angles), np.zeros(17), side * radius * np.sin(angles)])
    ends = [arc + np.array([0.0, y, 0.0]) for y in (length / 2, -length / 2)]
    return loft([e[::side] for e in ends])


def _cart(body: mujoco.MjsBody, name: str, look: Mapping[str, str]) -> None:
    """Legs, wheels, a shelf, and the slatted side table."""
    y0, y1 = AXIS[0] - LENGTH / 2 + 0.01, 0.262
    for k, (x, y) in enumerate(((-0.08, y0), (0.08, y0), (-0.08, y1), (0.08, y1))):
        drawn(body, f"{name}/leg{k}", "box", (x, y, 0.135), (0.016, 0.016, 0.27), look["dark"])
        wheel = drawn(body, f"{name}/wheel{k}", "cylinder", (x, y, 0.024), (0.024, 0.020), look["black"])
        wheel.quat = _ALONG_Y
    middle = (y0 + y1) / 2
    drawn(body, f"{name}/shelf", "box", (0, middle, 0.07), (0.18, y1 - y0, 0.008), look["dark"])
    (x, y, z), (deep, wide) = _TABLE
    for k in range(6):
        slat = (x - deep / 2 + (k + 0.5) * deep / 6, y, z)
        drawn(body, f"{name}/slat{k}", "box", slat, (deep / 6 - 0.006, wide, 0.010), look["wood"])
    touched(body, f"{name}/table_hull", "box", (x, y, z), (deep, wide, 0.010), mass=1.0)
    touched(body, f"{name}/cart_hull", "box", (0, middle, 0.10), (0.18, y1 - y0, 0.20), mass=5.0)


def _lid(spec: mujoco.MjSpec, body: mujoco.MjsBody, names: Mapping[str, str], look: Mapping[str, str]) -> None:
    """The upper half of the barrel with its hinge, a thermometer and the handle."""
    name, handle = names["lid"], names["handle"]
    lid = body.add_body(name=name, pos=[HINGE_X, AXIS[0], AXIS[1]], quat=[0.0, 0.0, 0.0, 1.0])
    lid.add_joint(
        name=names["joint"],
        type=mujoco.mjtJoint.mjJNT_HINGE,
        axis=[0.0, -1.0, 0.0],
        range=[0.0, OPEN_RAD],
        limited=mujoco.mjtLimited.mjLIMITED_TRUE,
        damping=0.15,
        frictionloss=0.05,
        armature=0.005,
        solref_limit=[0.01, 1.0],
    )
    dome = add_mesh(spec, lid, f"{name}/dome", "lidded_grill/dome", _half_barrel(1, RADIUS), look["lid"])
    dome.pos = [HINGE_X, 0.0, 0.002]
    for k, side in enumerate((1, -1)):
        hoop = _half_barrel(1, RADIUS + 0.002, 0.012)
        band = add_mesh(spec, lid, f"{name}/band{k}", f"lidded_grill/hoop{k}", hoop, look["dark"])
        band.pos = [HINGE_X, side * 0.085, 0.002]
    hull = touched(lid, f"{name}/hull", "cylinder", (HINGE_X, 0, 0), (RADIUS, LENGTH), mass=0.30)
    hull.quat = _ALONG_Y
    drawn(lid, f"{name}/gauge", "cylinder", (HINGE_X, 0, RADIUS + 0.003), (0.020, 0.008), look["steel"])
    grip = lid.add_body(name=handle)
    x, z, long = BAR
    half, start = long / 2 - 0.004, 2 * HINGE_X - 0.012
    bow = [(start, -half, z), (x - 0.012, -half, z), (x, -half + 0.012, z), (x, half - 0.012, z), (x - 0.012, half, z)]
    add_mesh(
        spec, grip, f"{handle}/bow", "lidded_grill/bow", tube([*bow, (start, half, z)], BAR_RADIUS * 0.8), look["steel"]
    )
    bar = drawn(grip, f"{handle}/bar", "cylinder", (x, 0, z), (BAR_RADIUS, long - 0.03), look["wood"])
    felt = touched(grip, f"{handle}/hull", "cylinder", (x, 0, z), (BAR_RADIUS, long), mass=0.02, friction=1.0)
    bar.quat = felt.quat = _ALONG_Y
    grip.add_site(
        name=names["grip"], pos=[x, 0.0, z], quat=[math.sqrt(0.5), 0, 0, math.sqrt(0.5)], size=[0.004] * 3, group=4
    )


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, names: Mapping[str, str]) -> None:
    """Fill ``body``; ``names``: "lid", "handle", "grate" (objects), "joint" and "grip" (the site) -> their names."""
    look = {
        "dark": material(spec, "lidded_grill/dark", (0.25, 0.25, 0.25), specular=0.3),
        "black": material(spec, "lidded_grill/black", (0.07, 0.07, 0.07), specular=0.2),
        "lid": material(spec, "lidded_grill/lid", (0.36, 0.37, 0.39), specular=0.5, shininess=0.6),
        "steel": material(spec, "lidded_grill/steel", (0.66, 0.66, 0.68), specular=0.6, shininess=0.7),
        "wood": material(spec, "lidded_grill/wood", (0.52, 0.32, 0.18), "wood", specular=0.1),
        "coal": material(spec, "lidded_grill/coal", (0.75, 0.16, 0.03), emission=0.4),
    }
    tub = add_mesh(spec, body, f"{name}/tub", "lidded_grill/tub", _half_barrel(-1, RADIUS - 0.001), look["dark"])
    tub.pos = [0.0, *AXIS]
    hull = touched(body, f"{name}/tub_hull", "cylinder", (0.0, *AXIS), (RADIUS - 0.002, LENGTH), mass=5.0)
    hull.quat = _ALONG_Y
    _cart(body, name, look)
    grate = body.add_body(name=names["grate"], pos=[0.0, AXIS[0], GRATE_Z])
    drawn(grate, f"{names['grate']}/coal", "box", (0, 0, -0.0015), (0.176, LENGTH - 0.012, 0.002), look["coal"])
    rods = [block((-0.09 + 0.018 * k, 0, 0.0), (0.005, LENGTH - 0.004, 0.005)) for k in range(11)]
    add_mesh(spec, grate, f"{names['grate']}/rods", "lidded_grill/rods", merged(rods), look["steel"])
    _lid(spec, body, names, look)
