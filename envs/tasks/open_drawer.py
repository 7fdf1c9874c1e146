"""Pull the named drawer of a cabinet open. Variations: bottom, middle, top.

The cabinet turns its back on the front camera: the drawers open towards the robot. Upstream's open to the robot's left
(+y); the reference policies were trained with it this way.
"""

from __future__ import annotations

from hansgym.envs.conditions import JointMoved
from hansgym.envs.spec import Candidates, Prop, Protocol, TaskSpec
from hansgym.envs.verbs.pull import Pull
from hansgym.roles import Role

_OPTIONS = ("bottom", "middle", "top")

TASK = TaskSpec(
    name="open_drawer",
    props=(
        Prop(
            "drawer_frame",
            "drawer_cabinet",
            params={
                "legs": "drawer_legs",
                "drawer": "drawer_",
                "joint": "drawer_joint_",
                "handle": "waypoint_anchor_",
            },
            at=(0.0, 0.0, 0.277, 0.0),
        ),
    ),
    # The handles stick out 44 mm; 80 mm more keep an open drawer off the robot's base.
    footprint=(-0.062, 0.0, 0.503, 0.383),
    yaw=(-0.3927, 0.3927),
    variations=tuple({"option": option} for option in _OPTIONS),
    instructions=(
        "open the {option} drawer",
        "pull the {option} drawer of the cabinet open",
        "grip the handle of the {option} drawer and slide it out",
    ),
    roles=(
        ("drawer_{option}", Role.TARGET),
        ("drawer_frame", Role.FIXTURE),
        ("drawer_legs", Role.FIXTURE),
        ("*", Role.DISTRACTOR),
    ),
    success=JointMoved("drawer_joint_{option}", by=0.15),
    expert=(Pull(handle="waypoint_anchor_{option}", joint="drawer_joint_{option}"),),
    candidates=Candidates(
        props=tuple(f"drawer_{option}" for option in _OPTIONS), right="drawer_{option}", ordered="index"
    ),
    suites=("quickstart", "agnostos", "agnostos-seen", "peract-18", "articulated"),
    protocols={
        "agnostos": Protocol(
            variations=({"option": "bottom"},), note="variation 0 only; the published rule is the default one"
        )
    },
)
