"""The Franka Panda as RLBench has it, built from its published kinematics.

The numbers are fitted to six recorded (joint angles, tip pose) pairs of RLBench: rotations agree within 0.2 mrad with
Franka's published Denavit-Hartenberg parameters, zero base yaw and joint 4 counted from 0.0692 rad below Franka's zero;
positions agree within 0.3 mm. ``qpos`` *is* the RLBench number: the joint-4 offset lies in the link's frame.

Contact bits, for everything in the scene (two geoms touch when ``contype`` of one meets ``conaffinity`` of the other):

=====================  =======  ===========  ======================================
what                   contype  conaffinity  touches
=====================  =======  ===========  ======================================
robot                  1        2            props and table, never itself
props, table           2        3            robot, props and table
walls that nest        4        3            robot, props and table, not each other
room, poster, visuals  0        0            nothing
=====================  =======  ===========  ======================================

Groups: 0 to 2 are drawn (robot visuals are 2); 3 (collision shapes) and 4 (sensors) never are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco
import numpy as np

from hansgym.assets.materials import material
from hansgym.assets.meshes import robot_mesh

BASE_POSITION = (-0.2681, -0.0063, 0.7495)
JOINT4_ZERO = 0.0692
"""Franka's joint-4 angle where RLBench says 0, rad."""

HOME = (0.0, 0.1752, 0.0, -0.8732, 0.0, 1.2216, 0.7854)
JOINT_LOWER = (-2.8973, -1.7628, -2.8973, -3.002, -2.8973, -0.0175, -2.8973)
JOINT_UPPER = (2.8973, 1.7628, 2.8973, 0.0, 2.8973, 3.7525, 2.8973)
JOINT_VELOCITY = (2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61)
FINGER_TRAVEL = 0.04
JOINTS = tuple(f"Panda_joint{k}" for k in range(1, 8))
FINGER_JOINTS = ("Panda_gripper_joint1", "Panda_gripper_joint2")
HAND_BODY = "Panda_gripper"
TIP_SITE = "Panda_tip"
TIP_IN_HAND = (-0.0001, 0.0019, 0.1105)
FINGERS_IN_HAND = (0.0, 0.0019, 0.0569)
"""RLBench's tip lies 1.9 mm beside the hand's axis, and so do its fingers: they close around it. Height after the wrist
camera's silhouettes (1.5 mm less than Franka's)."""


ROBOT_CONTYPE, ROBOT_CONAFFINITY = 1, 2
PROP_CONTYPE, PROP_CONAFFINITY = 2, 3
VISUAL_GROUP, COLLISION_GROUP, SENSOR_GROUP = 2, 3, 4

_TURN = math.sqrt(0.5)
_UP, _DOWN = (_TURN, _TURN, 0.0, 0.0), (_TURN, -_TURN, 0.0, 0.0)


@dataclass(frozen=True)
class _Link:
    """One moving link: its frame in the parent's (m, quaternion wxyz), mass in kg, armature in kg m^2."""

    position: tuple[float, float, float]
    quaternion: tuple[float, float, float, float]
    mass: float
    armature: float


def _turned(quaternion: tuple[float, ...], angle: float) -> tuple[float, float, float, float]:
    """``quaternion`` followed by a rotation of ``angle`` about its own z."""
    out = np.zeros(4)
    mujoco.mju_mulQuat(out, np.array(quaternion, float), np.array([math.cos(angle / 2), 0, 0, math.sin(angle / 2)]))
    return (float(out[0]), float(out[1]), float(out[2]), float(out[3]))


_LINKS = (
    _Link((0.0, 0.0, 0.333), (1.0, 0.0, 0.0, 0.0), 2.7, 0.1),
    _Link((0.0, 0.0, 0.0), _DOWN, 2.7, 0.1),
    _Link((0.0, -0.316, 0.0), _UP, 2.0, 0.1),
    _Link((0.0825, 0.0, 0.0), _turned(_UP, JOINT4_ZERO), 2.1, 0.1),
    _Link((-0.0825, 0.384, 0.0), _DOWN, 3.0, 0.1),
    _Link((0.0, 0.0, 0.0), _UP, 1.3, 0.1),
    _Link((0.088, 0.0, 0.0), _UP, 0.5, 0.1),
)


TRIANGLES: dict[str, tuple[int, int]] = {
    "link0": (400, 0),
    "link1": (180, 0),
    "link2": (180, 0),
    "link3": (180, 90),
    "link4": (180, 90),
    "link5": (260, 140),
    "link6": (260, 140),
    "link7": (180, 0),
    "hand": (300, 60),
    "finger": (70, 50),
}
"""About how many triangles the white and the dark half of each link keep: fewer and the silhouettes suffer."""

_LOOKS = {
    "white": (0.93, 0.94, 0.95),
    "dark": (0.30, 0.30, 0.31),
    "finger": (0.34, 0.34, 0.35),
    "tip": (0.05, 0.05, 0.05),
}


def _visual(spec: mujoco.MjSpec, body: mujoco.MjsBody, mesh: str, turned: bool = False) -> None:
    """The white and the dark half of a link, as two geoms without contact; ``turned`` by half a turn about z."""
    for half, triangles in zip(("white", "dark"), TRIANGLES[mesh], strict=True):
        if not triangles:
            continue
        name = f"panda/{mesh}_{half}"
        if spec.mesh(name) is None:
            vertices, faces = robot_mesh(mesh, "visual", half, triangles)
            spec.add_mesh(name=name, uservert=vertices.ravel().tolist(), userface=faces.ravel().tolist())
        look = {"white": "finger", "dark": "tip"}[half] if mesh == "finger" else half
        body.add_geom(
            name=f"{body.name}/{half}",
            type=mujoco.mjtGeom.mjGEOM_MESH,
            meshname=name,
            material=material(spec, f"panda/{look}", _LOOKS[look], specular=0.25, shininess=0.4),
            group=VISUAL_GROUP,
            contype=0,
            conaffinity=0,
            mass=0.0,
            quat=[0.0, 0.0, 0.0, 1.0] if turned else [1.0, 0.0, 0.0, 0.0],
        )


def _hull(spec: mujoco.MjSpec, body: mujoco.MjsBody, mesh: str, mass: float) -> None:
    """The convex hull of the coarse collision mesh; it carries the link's mass."""
    name = f"panda/{mesh}_hull"
    vertices, faces = robot_mesh(mesh, "collision", triangles=300)
    spec.add_mesh(
        name=name,
        uservert=vertices.ravel().tolist(),
        userface=faces.ravel().tolist(),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_CONVEX,
        maxhullvert=48,
    )
    body.add_geom(
        name=f"{body.name}/hull",
        type=mujoco.mjtGeom.mjGEOM_MESH,
        meshname=name,
        group=COLLISION_GROUP,
        contype=ROBOT_CONTYPE,
        conaffinity=ROBOT_CONAFFINITY,
        mass=mass,
    )


def _add_hand(spec: mujoco.MjSpec, flange: mujoco.MjsBody) -> None:
    turn = -math.pi / 8
    hand = flange.add_body(
        name=HAND_BODY, pos=[0.0, 0.0, 0.107], quat=[math.cos(turn), 0.0, 0.0, math.sin(turn)], gravcomp=1.0
    )
    _visual(spec, hand, "hand")
    _hull(spec, hand, "hand", 0.73)
    hand.add_site(name=TIP_SITE, pos=list(TIP_IN_HAND), quat=[0.0, 0.0, 0.0, 1.0], size=[0.004] * 3, group=4)
    for joint, side, sign in zip(FINGER_JOINTS, ("left", "right"), (1.0, -1.0), strict=True):
        _add_finger(spec, hand, joint, f"Panda_{side}finger", sign)


def _add_finger(spec: mujoco.MjSpec, hand: mujoco.MjsBody, joint: str, name: str, sign: float) -> None:
    finger = hand.add_body(name=name, pos=list(FINGERS_IN_HAND), gravcomp=1.0)
    finger.add_joint(
        name=joint,
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=[0.0, sign, 0.0],
        range=[0.0, FINGER_TRAVEL],
        limited=mujoco.mjtLimited.mjLIMITED_TRUE,
        armature=0.1,
        damping=10.0,
    )
    _visual(spec, finger, "finger", turned=sign < 0)
    # The pad reaches 2 mm beyond the mesh, so that what lies at the tip lies between the pads.
    boxes = {
        "pad": ((0.0, sign * 0.004, 0.0445), (0.0095, 0.004, 0.0115), 2.0),
        "upper": ((0.0, sign * 0.015, 0.017), (0.0095, 0.009, 0.016), 0.5),
    }
    for part, (position, half, friction) in boxes.items():
        finger.add_geom(
            name=f"{name}/{part}",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=list(position),
            size=list(half),
            group=COLLISION_GROUP,
            contype=ROBOT_CONTYPE,
            conaffinity=ROBOT_CONAFFINITY,
            condim=4,
            friction=[friction, 0.05, 0.001],
            mass=0.02,
        )


def add_panda(spec: mujoco.MjSpec) -> None:
    """Put the robot into ``spec``: bodies, joints, hulls, visuals and the site :data:`TIP_SITE`; no actuators.

    Joints are :data:`JOINTS` and :data:`FINGER_JOINTS` (each finger 0 to 0.04 m). All its bodies are
    gravity-compensated and one object, ``Panda``. The camera ``wrist`` is the room's.
    """
    spec.compiler.degree = False  # joint ranges are in radians
    body = spec.worldbody.add_body(name="Panda", pos=list(BASE_POSITION), gravcomp=1.0)
    _visual(spec, body, "link0")
    _hull(spec, body, "link0", 2.9)
    for k, (link, joint) in enumerate(zip(_LINKS, JOINTS, strict=True), start=1):
        body = body.add_body(name=f"Panda_link{k}", pos=list(link.position), quat=list(link.quaternion), gravcomp=1.0)
        body.add_joint(
            name=joint,
            type=mujoco.mjtJoint.mjJNT_HINGE,
            axis=[0.0, 0.0, 1.0],
            range=[JOINT_LOWER[k - 1], JOINT_UPPER[k - 1]],
            limited=mujoco.mjtLimited.mjLIMITED_TRUE,
            armature=link.armature,
        )
        _visual(spec, body, f"link{k}")
        _hull(spec, body, f"link{k}", link.mass)
    _add_hand(spec, body)
