"""Lift the lid off a saucepan by its knob and hold it up."""

from __future__ import annotations

import math

from hansgym.envs.conditions import All, Detected, Held
from hansgym.envs.spec import Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.grasp import Grasp
from hansgym.envs.verbs.lift import Lift
from hansgym.roles import Role

_LID = "saucepan_lid_grasp_point"
_UP = Lift(_LID, to="success", grip_m=0.004)

TASK = TaskSpec(
    name="take_lid_off_saucepan",
    props=(
        Prop("saucepan_visual", "saucepan", at=(-0.026, 0.030, 0.0, math.radians(-113.0))),
        Prop(_LID, "saucepan_lid", at=(-0.026, 0.030, 0.101, 0.0), free=True, graspable=True),
    ),
    variations=({},),
    instructions=(
        "take lid off the saucepan",
        "lift the lid of the pan by its knob",
        "uncover the saucepan and hold its lid up",
        "the pan is covered: raise the cover off it",
        "grip the knob on the lid and pull the lid up from the pan",
        "let us see what is cooking: remove the saucepan's lid",
    ),
    roles=((_LID, Role.TARGET), ("saucepan_lid_visual", Role.TARGET), ("saucepan_visual", Role.FIXTURE)),
    sensors=(Sensor("success", size=(0.06, 0.06, 0.04), at=(-0.026, 0.030, 0.216)),),
    success=All(Held(_LID), Detected(_LID, "success")),
    expert=(Grasp(_LID, before=_UP, offset=(0.0, 0.0, 0.004)), _UP),
    footprint=(-0.040, -0.067, 0.260, 0.425),
    protocols={"agnostos": Protocol(variations=({},), note="The only variation; the published rule is the default.")},
    suites=("agnostos", "agnostos-level2", "pick-place"),
    notes="The knob must be in a volume 0.1 m over where it was, and held.",
)
