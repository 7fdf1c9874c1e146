"""Take one of two pieces of meat off the grill and put it down beside it. Variations: which piece."""

from __future__ import annotations

import math

from hansgym.envs.conditions import All, Detected, NothingGrasped
from hansgym.envs.spec import Candidates, Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.grasp import Grasp
from hansgym.envs.verbs.place import Place
from hansgym.roles import Role

_VARIATIONS = ({"meat": "chicken", "other": "steak"}, {"meat": "steak", "other": "chicken"})
_GRATE_M = 0.200

# Laid on the table in the middle of the volume, whose own middle is where either piece's middle comes to lie.
_ON_THE_TABLE = Place("{meat}", over="success", height_m=0.012, clearance_m=0.08, within_m=0.06, tolerance_m=0.006)

TASK = TaskSpec(
    name="meat_off_grill",
    props=(
        Prop("grill", "grill", at=(0.075, 0.05, 0.0, 0.0)),
        Prop("chicken", "chicken", at=(0.045, -0.045, _GRATE_M + 0.024, 0.5), free=True, graspable=True),
        Prop("steak", "steak", at=(0.055, 0.145, _GRATE_M + 0.014, -0.3), free=True, graspable=True),
    ),
    variations=_VARIATIONS,
    instructions=(
        "take the {meat} off the grill",
        "the {meat} is done: lift it from the grill and lay it on the table",
        "pick up the {meat} from the grate and set it down next to the barbecue",
    ),
    roles=(
        ("{meat}", Role.TARGET),
        ("{other}", Role.DISTRACTOR),
        ("grill", Role.FIXTURE),
        ("grill_lid", Role.FIXTURE),
    ),
    sensors=(Sensor("success", size=(0.18, 0.18, 0.06), at=(0.045, -0.305, 0.03)),),
    success=All(Detected("{meat}", "success"), NothingGrasped()),
    expert=(Grasp("{meat}", before=_ON_THE_TABLE, symmetry=math.pi), _ON_THE_TABLE),
    # Turned farther, the lid would stand between the table and the arm.
    yaw=(-0.5 * math.pi, 0.5 * math.pi),
    # The lid may lean out of the workspace.
    footprint=(0.075, -0.06, 0.28, 0.66),
    candidates=Candidates(props=("chicken", "steak"), right="{meat}"),
    chance="an arm that flails may knock the meat off the grill to where it belongs",
    protocols={"agnostos": Protocol(variations=_VARIATIONS[:1], note="Only variation 0 is part of that benchmark.")},
    suites=("agnostos", "agnostos-seen", "peract-18", "pick-place"),
    notes=(
        "The lid stands open and does not move; upstream the grill may face any way. "
        "Sizes of grill, meat and detection volume are our estimates."
    ),
)
