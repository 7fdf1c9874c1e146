"""Turn the leftmost knob of a cooker, which is the oven's."""

from __future__ import annotations

import math

from hansgym.envs.conditions import JointMoved
from hansgym.envs.spec import Prop, Protocol, TaskSpec
from hansgym.envs.verbs.turn import Turn
from hansgym.roles import Role

_JOINT = "oven_knob_joint"
# y and z in the cooker's frame (m), from left to right as seen from in front; the oven's own knob comes first.
_KNOBS = {
    "oven_knob_9": (0.225, 0.156),
    "oven_knob_12": (0.135, 0.156),
    "oven_knob_8": (0.052, 0.156),
    "oven_knob_11": (-0.027, 0.156),
    "oven_knob_10": (-0.098, 0.135),
    "oven_knob_14": (-0.161, 0.156),
    "oven_knob_13": (-0.232, 0.156),
}
_PARTS = {"top": "oven_stove_top0", "gas": "oven_gas_source0", "door": "oven_door"}

TASK = TaskSpec(
    name="turn_oven_on",
    props=(
        Prop(
            "oven_frame",
            "oven",
            params={"parts": _PARTS, "knobs": _KNOBS, "joint": _JOINT, "grip": "oven_knob_grip"},
            at=(0.250, -0.025, 0.336, 0.0),
        ),
    ),
    variations=({},),
    instructions=(
        "turn on the oven",
        "switch the oven on with its knob",
        "the oven is cold, turn its knob to heat it",
        "twist the leftmost knob of the cooker a quarter turn",
        "grip the knob at the left end of the row and turn it anti-clockwise",
        "of all knobs on the cooker's front, turn the first one from the left",
        "make the oven start by turning its knob",
    ),
    roles=(
        ("oven_knob_9", Role.TARGET),
        ("oven_frame", Role.FIXTURE),
        ("oven_stove_top0", Role.FIXTURE),
        ("oven_gas_source0", Role.FIXTURE),
        ("*", Role.DISTRACTOR),
    ),
    success=JointMoved(_JOINT, by=1.5),
    expert=(Turn("oven_knob_grip", _JOINT, by_rad=1.53, grip_m=0.012, tilt_rad=0.5),),
    yaw=(-math.pi / 4, math.pi / 4),
    # Of the whole cooker upstream keeps only this strip in front of it inside the workspace.
    footprint=(0.0, -0.025, 0.100, 0.550),
    suites=("agnostos", "agnostos-level2", "rotate"),
    chance="a finger that flails in front of the oven may turn the knob",
    protocols={"agnostos": Protocol(variations=({},), note="the published rule is the default one")},
    notes="Left is that of somebody in front of the cooker. The knob has a stop a quarter turn from where it starts.",
)
