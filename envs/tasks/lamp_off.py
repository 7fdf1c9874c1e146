"""Switch a table lamp off by pressing the button on its cable."""

from __future__ import annotations

import math

from hansgym.envs.conditions import JointMoved
from hansgym.envs.spec import Prop, Protocol, TaskSpec
from hansgym.envs.verbs.press import Press
from hansgym.roles import Role

_BUTTON = {"joint": "target_button_joint", "wrap": "target_button_wrap", "plate": "target_button_topPlate"}
_LAMP = {"screw": "lamp_screw", "shade": "lampshade", "cable": "cable", "bulb": "bulb"}
_GREEN = {"base": (0.03, 0.03, 0.03), "wrap": (0.0, 0.72, 0.0), "cap": (0.0, 1.0, 0.0)}

TASK = TaskSpec(
    name="lamp_off",
    props=(
        Prop(
            "push_button_target",
            "button",
            params={**_BUTTON, "edge_m": 0.040, "cap_radius_m": 0.0185, "looks": _GREEN},
            at=(0.054, 0.156, 0.008, 0.0),
        ),
        Prop(
            "lamp_base",
            "table_lamp",
            params={"parts": _LAMP, "lit": True, "cable_to": (-0.004, 0.229)},
            at=(0.058, -0.073, -0.002, 0.0),
        ),
    ),
    variations=({},),
    instructions=(
        "turn off the light",
        "switch the lamp off",
        "press the switch so that the lamp goes dark",
        "the lamp is lit: push the button on its cable",
        "put the bulb out by pressing the button",
    ),
    roles=(
        ("push_button_target", Role.TARGET),
        ("target_button_wrap", Role.TARGET),
        ("target_button_topPlate", Role.TARGET),
        ("*", Role.FIXTURE),
    ),
    success=JointMoved("target_button_joint", by=0.003),
    expert=(Press(index=0, button="push_button_target", slope=2.0, cap_m=0.30),),
    yaw=(-math.pi, math.pi),
    footprint=(0.01, 0.037, 0.310, 0.440),
    suites=("agnostos", "agnostos-level1", "press"),
    chance="a finger that flails over the table may hit the button",
    protocols={"agnostos": Protocol(variations=({},), note="the published rule is the default one")},
    notes="The bulb glows; the episode ends with the press, so it never changes. Of the lamp only the foot is felt.",
)
