"""Put the cube from the top of a cabinet into the named drawer, which is shut. Variations: bottom, middle, top."""

from __future__ import annotations

import math

from hansgym.envs.conditions import Detected
from hansgym.envs.spec import Candidates, Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.grasp import Grasp
from hansgym.envs.verbs.pull import Pull
from hansgym.envs.verbs.stow import Stow
from hansgym.envs.verbs.withdraw import Withdraw
from hansgym.roles import Role

_OPTIONS = ("bottom", "middle", "top")
_HANDLE, _JOINT = "waypoint_anchor_{option}", "drawer_joint_{option}"
_EDGE_M = 0.040
_INTO_IT = Stow(
    "item",
    over="inside_{option}",
    height_m=_EDGE_M / 2 + 0.20,
    clearance_m=0.05,
    handle=_HANDLE,
    joint=_JOINT,
    out_m=0.21,
)

TASK = TaskSpec(
    name="put_item_in_drawer",
    props=(
        Prop(
            "drawer_frame",
            "drawer_cabinet",
            params={
                "legs": "drawer_legs",
                "drawer": "drawer_",
                "joint": "drawer_joint_",
                "handle": "waypoint_anchor_",
                "inside": "inside_",
            },
            at=(0.025, -0.175, 0.277, -math.pi / 2),
        ),
        Prop(
            "item",
            "block",
            params={"size": _EDGE_M, "mass": 0.064, "rgb": (0.85, 0.85, 1.0)},
            at=(0.050, -0.150, 0.486, -math.pi / 2),
            free=True,
            graspable=True,
        ),
    ),
    # The handles stick out 44 mm; 290 mm more are for a drawer that is drawn out, and the hand at it.
    footprint=(0.025, -0.008, 0.383, 0.717),
    yaw=(-math.pi / 8, math.pi / 8),
    variations=tuple({"option": option} for option in _OPTIONS),
    instructions=(
        "put the item in the {option} drawer",
        "open the {option} drawer and lay the cube from the top of the cabinet into it",
        "the cube belongs in the {option} drawer: pull it open and put the cube there",
        "stow the block that lies on the cabinet in its {option} drawer",
    ),
    roles=(
        ("item", Role.TARGET),
        ("drawer_{option}", Role.TARGET),
        ("drawer_frame", Role.FIXTURE),
        ("drawer_legs", Role.FIXTURE),
        ("*", Role.DISTRACTOR),
    ),
    # The published volumes are unknown: here the lower part of each drawer's hollow (est), which it takes along.
    sensors=tuple(
        Sensor(f"success_{o}", size=(0.30, 0.31, 0.05), on=f"drawer_{o}", at=(0.0, 0.0, -0.020)) for o in _OPTIONS
    ),
    success=Detected("item", "success_{option}"),
    expert=(
        Pull(handle=_HANDLE, joint=_JOINT, distance_m=0.21, enough_m=0.15, skew_rad=0.0, turned=True),
        Withdraw(_HANDLE),
        Grasp("item", before=_INTO_IT, symmetry=math.pi, slope=3.0, cap_m=0.08),
        _INTO_IT,
    ),
    candidates=Candidates(
        props=tuple(f"drawer_{option}" for option in _OPTIONS), right="drawer_{option}", ordered="index"
    ),
    suites=("agnostos", "agnostos-seen", "peract-18", "articulated"),
    protocols={
        "agnostos": Protocol(
            variations=({"option": "bottom"},), note="variation 0 only; the published rule is the default one"
        )
    },
    notes="Letting go and shutting the drawer are not asked for, as upstream.",
)
