"""A red rope of eighteen links that lies on the table in a curve. Origin: the middle of its first link, ``head``.

The prop's own name is that of the first link; ``links`` and ``tail`` name the others. Every link's x leads on along the
rope. A simple model: stiff links on damped ball joints.
"""

from __future__ import annotations

import math
from itertools import pairwise

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import CONAFFINITY, CONTYPE, drawn

RADIUS = 0.005
SEEN = 0.020
"""Length of a link as it is drawn, m; as it is felt it reaches from joint to joint."""

LINK_KG = 0.02
DAMPING = 0.004
"""N m s/rad in each joint."""

ARMATURE = 5e-4
"""kg m^2 in each joint, far above a link's own inertia: a link pinched by the fingers would spin up without bound."""

# Where the joints lie at rest (task frame, m), the two free ends included.
_JOINTS = (
    *((-0.158, -0.161), (-0.136, -0.171), (-0.113, -0.173), (-0.091, -0.165), (-0.075, -0.149), (-0.066, -0.128)),
    *((-0.064, -0.105), (-0.070, -0.083), (-0.083, -0.065), (-0.100, -0.049), (-0.116, -0.034), (-0.128, -0.014)),
    *((-0.132, 0.009), (-0.128, 0.031), (-0.117, 0.051), (-0.101, 0.067), (-0.081, 0.078), (-0.059, 0.083)),
    (-0.035, 0.083),
)


def _lines() -> list[tuple[float, float, float, float]]:
    """Start (x, y), length and heading of each link at rest."""
    return [(*p, math.dist(p, q), math.atan2(q[1] - p[1], q[0] - p[0])) for p, q in pairwise(_JOINTS)]


def head_at(z: float) -> tuple[float, float, float, float]:
    """Pose (x, y, z, yaw) of the first link in the task frame."""
    x, y, length, heading = _lines()[0]
    return (x + length / 2 * math.cos(heading), y + length / 2 * math.sin(heading), z, heading)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, links: str, tail: str) -> None:
    """Fill ``body`` with the rope; ``links`` is the prefix of the sixteen inner links, counted from 1."""
    red = material(spec, "rope/red", (1.0, 0.25, 0.25), specular=0.05, shininess=0.1)
    dark = material(spec, "rope/end", (0.75, 0.1, 0.1), specular=0.05, shininess=0.1)
    lines = _lines()
    last = len(lines) - 1
    for joint in body.joints:
        joint.armature = ARMATURE
    for k, (_, _, length, heading) in enumerate(lines):
        if k:
            turn = heading - lines[k - 1][3]
            along = lines[k - 1][2] * (0.5 if k == 1 else 1.0)
            link = tail if k == last else f"{links}{k}"
            half = turn / 2
            body = body.add_body(name=link, pos=[along, 0, 0], quat=[math.cos(half), 0, 0, math.sin(half)])
            body.add_joint(
                name=f"_{link}_joint",
                type=mujoco.mjtJoint.mjJNT_BALL,
                damping=[DAMPING] * 3,
                armature=ARMATURE,
            )
        start, look = -length / 2 if k == 0 else 0.0, dark if k in (0, last) else red
        seen = drawn(body, f"{body.name}/link", "cylinder", (start + length / 2, 0, 0), (RADIUS, SEEN), look)
        seen.quat = [math.sqrt(0.5), 0.0, math.sqrt(0.5), 0.0]
        body.add_geom(
            name=f"{body.name}/hull",
            type=mujoco.mjtGeom.mjGEOM_CAPSULE,
            fromto=[start, 0, 0, start + length, 0, 0],
            size=[RADIUS, 0.0, 0.0],
            group=3,
            contype=CONTYPE,
            conaffinity=CONAFFINITY,
            condim=4,
            friction=[0.8, 0.005, 0.0001],
            solref=[0.01, 1.0],
            mass=LINK_KG,
        )
        body.add_site(name=f"{body.name}_grip", pos=[start + length / 2, 0, 0], quat=[0, 1, 0, 0], group=4)
