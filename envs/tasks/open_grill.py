"""Open the lid of a barrel grill by its handle."""

from __future__ import annotations

import math

from hansgym.envs.conditions import JointMoved
from hansgym.envs.spec import Prop, Protocol, TaskSpec
from hansgym.envs.verbs.raise_lid import RaiseLid
from hansgym.roles import Role

_JOINT = "lid_joint"
_OPEN_RAD = math.radians(50.0)
_NAMES = {"lid": "lid_visual", "handle": "handle_visual", "grate": "Shape1", "joint": _JOINT, "grip": "handle_grip"}

TASK = TaskSpec(
    name="open_grill",
    props=(Prop("grill_visual", "lidded_grill", params={"names": _NAMES}, at=(0.219, 0.0, -0.002, 0.0)),),
    variations=({},),
    instructions=(
        "open the grill",
        "lift the lid of the grill by its handle",
        "the barbecue is shut: swing its lid up",
        "take the handle of the grill and raise the cover",
    ),
    roles=(
        ("lid_visual", Role.TARGET),
        ("handle_visual", Role.TARGET),
        ("*", Role.FIXTURE),
    ),
    success=JointMoved(_JOINT, by=_OPEN_RAD),
    expert=(RaiseLid("lid_visual", "handle_grip", _JOINT, open_rad=_OPEN_RAD),),
    yaw=(-math.pi / 2, math.pi / 2),
    footprint=(0.125, 0.0, 0.325, 0.455),
    suites=("agnostos", "agnostos-level1", "articulated"),
    protocols={"agnostos": Protocol(variations=({},), note="the published rule is the default one")},
    chance="an arm that flails in front of the grill may catch the lid or its handle from below and throw it open",
    notes="The handle is held by friction alone, and the bar turns between the fingers.",
)
