"""Shut the open lid of a laptop that lies on a stand."""

from __future__ import annotations

import math

from hansgym.assets.props.laptop import TRAVEL
from hansgym.envs.conditions import JointMoved
from hansgym.envs.spec import Prop, Protocol, TaskSpec
from hansgym.envs.verbs.shut import Shut
from hansgym.roles import Role

TASK = TaskSpec(
    name="close_laptop_lid",
    props=(
        Prop(
            "laptop_holder",
            "laptop",
            params={"base": "base_visual", "lid": "lid_visual", "joint": "joint"},
            at=(-0.014, -0.074, 0.048, 0.0),
        ),
    ),
    variations=({},),
    instructions=(
        "close laptop lid",
        "fold the screen of the laptop down onto its keys",
        "the laptop is open, tip its lid over until it is shut",
    ),
    roles=(("lid_visual", Role.TARGET), ("base_visual", Role.FIXTURE), ("laptop_holder", Role.FIXTURE)),
    success=JointMoved("joint", by=1.79),
    expert=(Shut("lid_visual", "joint", radius_m=0.225, face_m=0.017, over_m=0.08, shut=TRAVEL),),
    yaw=(-math.pi, math.pi),
    # The stand, and behind it the lid, which leans back over its edge.
    footprint=(-0.014, -0.062, 0.400, 0.324),
    suites=("agnostos", "agnostos-level1", "articulated"),
    chance="an arm that flails may knock the lid down, which gravity then shuts",
    protocols={"agnostos": Protocol(variations=({},), note="the published rule is the default one")},
    notes="The joint counts from 0, open, to 1.833 rad, shut. Past the upright the lid falls by its own weight.",
)
