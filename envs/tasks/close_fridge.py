"""Push the open upper door of a fridge shut."""

from __future__ import annotations

import math

from hansgym.envs.conditions import JointMoved
from hansgym.envs.spec import Prop, Protocol, TaskSpec
from hansgym.envs.verbs.push_door import PushDoor
from hansgym.roles import Role

_JOINT = "top_joint"
_OPEN_RAD = 0.6981
_DOORS = {"bottom": ("door_bottom_visual", "bottom_joint"), "top": ("door_top_visual", _JOINT)}

TASK = TaskSpec(
    name="close_fridge",
    props=(Prop("fridge_base_visual", "fridge", params={"doors": _DOORS}, at=(0.427, 0.0, 0.476, 0.0)),),
    variations=({},),
    instructions=(
        "close fridge",
        "shut the door of the fridge",
        "the upper fridge door stands open, push it to",
        "swing the open door back against the refrigerator",
        "keep the cold in: close the fridge door",
    ),
    roles=(
        ("door_top_visual", Role.TARGET),
        ("fridge_base_visual", Role.FIXTURE),
        ("door_bottom_visual", Role.DISTRACTOR),
    ),
    success=JointMoved(_JOINT, by=math.radians(30.0)),
    expert=(
        PushDoor("door_top_visual", _JOINT, radius_m=0.24, face_m=0.057, side_m=0.20, reach_rad=0.12, round_m=0.48),
    ),
    yaw=(-math.pi / 4, math.pi / 4),
    # Of the whole fridge upstream keeps only this plane in front of it inside the workspace.
    footprint=(0.05, 0.0, 0.450, 0.225),
    joints_at_reset={_JOINT: _OPEN_RAD},
    suites=("agnostos", "agnostos-level1", "articulated"),
    protocols={"agnostos": Protocol(variations=({},), note="the published rule is the default one")},
    chance="the door stands beside the arm: one that flails may swing it by 30 degrees, to or fro",
    notes="The rule asks for 30 of the 40 degrees, so the door need not click shut; opening it so far meets it too.",
)
