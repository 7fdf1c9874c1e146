"""Push the open door of a microwave oven shut."""

from __future__ import annotations

import math

from hansgym.envs.conditions import JointMoved, JointNear
from hansgym.envs.spec import Prop, Protocol, TaskSpec
from hansgym.envs.verbs.sweep import Sweep
from hansgym.roles import Role

_JOINT = "microwave_door_joint"
_OPEN_RAD = 0.6981
_SHUT_WITHIN_RAD = math.radians(5.0)
_PUBLISHED_CHANGE_RAD = math.radians(40.0)

TASK = TaskSpec(
    name="close_microwave",
    props=(Prop("microwave_frame_vis", "microwave", at=(0.008, 0.320, 0.164, 0.0)),),
    variations=({},),
    instructions=(
        "close microwave",
        "swing the door of the microwave until it is shut",
        "somebody left the microwave open, push its door to",
        "the microwave oven should not stand open: close it",
    ),
    roles=(("microwave_door", Role.TARGET), ("microwave_frame_vis", Role.FIXTURE)),
    success=JointNear(_JOINT, value=0.0, within=_SHUT_WITHIN_RAD),
    expert=(Sweep("microwave_door", _JOINT, radius_m=0.32, height_m=0.06, face_m=0.034),),
    yaw=(-math.pi / 8, math.pi / 8),
    # Of the whole oven upstream keeps only this plane in front of it inside the workspace.
    footprint=(-0.025, 0.0, 0.480, 0.225),
    joints_at_reset={_JOINT: _OPEN_RAD},
    suites=("quickstart", "agnostos", "agnostos-level1", "articulated"),
    protocols={
        "agnostos": Protocol(
            success=JointMoved(_JOINT, by=_PUBLISHED_CHANGE_RAD),
            note=(
                "The published rule wants the joint to move by more than 40 degrees, and the door starts at 40 degrees "
                "of a range that ends at 0: shutting it meets the rule only by what the stop yields, and opening it "
                "beyond 80 degrees meets it as well."
            ),
        )
    },
    notes="By default the door must be within 5 degrees of shut, which is what the instruction asks for.",
)
