"""Put the raised seat of a toilet down."""

from __future__ import annotations

import math

from hansgym.assets.props.toilet import OPEN_RAD
from hansgym.envs.conditions import JointMoved
from hansgym.envs.spec import Prop, Protocol, TaskSpec
from hansgym.envs.verbs.shut import Shut
from hansgym.roles import Role

_JOINT = "toilet_seat_up_revolute_joint"
_SEAT = "toilet_seat_up_seat"

TASK = TaskSpec(
    name="toilet_seat_down",
    props=(
        Prop(
            "toilet_seat_up_toilet",
            "toilet",
            params={"cistern": "toilet", "seat": _SEAT, "joint": _JOINT},
            at=(-0.045, -0.005, 0.0, 0.0),
        ),
    ),
    variations=({},),
    instructions=(
        "toilet seat down",
        "lower the seat of the toilet",
        "the toilet's seat is up: bring it down",
        "tip the raised seat forwards until it lies on the bowl",
        "push the toilet seat over from behind so that it comes down",
        "lay the seat back onto the toilet bowl",
        "shut the toilet seat",
        "fold down the seat that leans against the cistern",
        "nobody left the seat down, so do it now",
    ),
    roles=((_SEAT, Role.TARGET), ("toilet_seat_up_toilet", Role.FIXTURE), ("toilet", Role.FIXTURE)),
    success=JointMoved(_JOINT, by=1.7),
    expert=(Shut(_SEAT, _JOINT, radius_m=0.236, face_m=0.014, over_m=0.06),),
    yaw=(-math.pi / 4, math.pi / 4),
    footprint=(-0.018, -0.005, 0.390, 0.230),
    joints_at_reset={_JOINT: OPEN_RAD},
    suites=("agnostos", "agnostos-level1", "articulated"),
    protocols={"agnostos": Protocol(variations=({},), note="the published rule is the default one")},
    chance="an arm that flails may knock the seat from behind, and past the upright it falls",
    notes="Past the upright the seat falls by its own weight, gently braked.",
)
