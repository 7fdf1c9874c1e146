"""A mug tree: a post on a round foot with four spokes that rise outwards, a mug hanging on the last one.

Origin in the post's axis, 0.159 above the foot's underside. Spokes and mug are bodies of their own; a spoke's frame has
its origin at the spoke's middle and z outwards along it. Sites ``<hook><k>`` lie on the spokes: x outwards, z up.
"""

from __future__ import annotations

import math

import mujoco
import numpy as np

from hansgym.assets.materials import material
from hansgym.assets.props import mug
from hansgym.assets.props._bars import drawn_bar, touched_bar
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import touched

BOTTOM, TOP = -0.159, 0.159
FOOT_RADIUS, POST_RADIUS = 0.0765, 0.012
SPOKE_RADIUS, SPOKE_LENGTH = 0.006, 0.095
RISE_RAD = math.radians(20.0)
HUNG = 1.15
"""Where the mug hangs that is there already, as a share of the hook's distance."""

SPOKES = ((190.0, 0.037, 0.052), (100.0, -0.024, 0.066), (10.0, 0.037, 0.052), (280.0, -0.024, 0.052))
"""Direction in degrees, height at the post's axis, and distance of the hook from that axis (m)."""

_TREE = (
    (0.0, BOTTOM),
    (FOOT_RADIUS, BOTTOM),
    (FOOT_RADIUS, BOTTOM + 0.008),
    (0.0720, BOTTOM + 0.013),
    (0.0250, BOTTOM + 0.018),
    (POST_RADIUS, BOTTOM + 0.028),
    (POST_RADIUS, TOP - 0.010),
    (0.0090, TOP - 0.002),
    (0.0, TOP),
)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, spoke: str, hook: str, hung: str) -> None:
    """Fill ``body`` with the tree; ``spoke`` and ``hook`` are what names begin with, ``hung`` is the mug's body."""
    paint = material(spec, "mug_tree/paint", (0.16, 0.42, 0.40), specular=0.3, shininess=0.4)
    add_lathe(spec, body, f"{name}/tree", "mug_tree/shape", _TREE, paint)
    touched(body, f"{name}/foot", "cylinder", (0, 0, BOTTOM + 0.007), (FOOT_RADIUS, 0.014), mass=0.5)
    touched(body, f"{name}/post", "cylinder", (0, 0, 0), (POST_RADIUS, TOP - BOTTOM), mass=0.2)
    half = SPOKE_LENGTH / 2
    for k, (degrees, height, out) in enumerate(SPOKES):
        yaw = math.radians(degrees)
        across, rise = math.cos(RISE_RAD), math.sin(RISE_RAD)
        middle = (half * across * math.cos(yaw), half * across * math.sin(yaw), height + half * rise)
        rod = body.add_body(name=f"{spoke}{k}", pos=list(middle), quat=_turned(yaw, math.pi / 2 - RISE_RAD))
        drawn_bar(rod, f"{spoke}{k}/rod", (0, 0, -half), (0, 0, half), SPOKE_RADIUS, paint)
        touched_bar(rod, f"{spoke}{k}/rod_hull", (0, 0, -half), (0, 0, half), SPOKE_RADIUS, mass=0.013, friction=0.3)
        spot = [out * math.cos(yaw), out * math.sin(yaw), height + out * math.tan(RISE_RAD)]
        body.add_site(name=f"{hook}{k}", pos=spot, quat=_turned(yaw, 0.0), size=[0.002] * 3, group=4)
    degrees, height, out = SPOKES[-1]
    yaw, drop = math.radians(degrees), 0.046
    at = [HUNG * out * math.cos(yaw), HUNG * out * math.sin(yaw), height + HUNG * out * math.tan(RISE_RAD) - drop]
    # Handle up over the spoke, mouth sideways and a little up.
    mug.build(spec, body.add_body(name=hung, pos=at, quat=_hanging(yaw)), hung)


def _turned(yaw: float, tilt: float) -> list[float]:
    """Quaternion wxyz of a turn by ``tilt`` rad about y, then by ``yaw`` rad about z."""
    out = np.zeros(4)
    first = np.array([math.cos(tilt / 2), 0.0, math.sin(tilt / 2), 0.0])
    mujoco.mju_mulQuat(out, np.array([math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)]), first)
    return [float(v) for v in out]


def _hanging(yaw: float) -> list[float]:
    """Quaternion wxyz of a mug whose handle points up, its axis level across the direction ``yaw``."""
    out = np.zeros(4)
    mujoco.mju_mulQuat(out, np.array(_turned(yaw + math.pi / 2, 0.0)), np.array(_turned(0.0, -1.35)))
    return [float(v) for v in out]
