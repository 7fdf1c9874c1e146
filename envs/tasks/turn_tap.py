"""Turn one of the two handles of a tap. Variations: left, right."""

from __future__ import annotations

import math

from hansgym.envs.conditions import JointMoved
from hansgym.envs.spec import Candidates, Prop, Protocol, TaskSpec
from hansgym.envs.verbs.turn import Turn
from hansgym.roles import Role

_SIDES = ("left", "right")
_HANDLES = {side: (f"tap_{side}_visual", f"{side}_joint", f"tap_{side}_grip") for side in _SIDES}
_VARIATIONS = tuple({"side": side} for side in _SIDES)

TASK = TaskSpec(
    name="turn_tap",
    props=(Prop("tap", "tap", params={"handles": _HANDLES}, at=(0.04, 0.0, -0.002, 0.0)),),
    variations=_VARIATIONS,
    instructions=(
        "turn {side} tap",
        "give the {side} handle of the tap a quarter turn",
        "take hold of the {side} cross handle and twist it",
    ),
    roles=(("tap_{side}_visual", Role.TARGET), ("tap", Role.FIXTURE), ("*", Role.DISTRACTOR)),
    success=JointMoved("{side}_joint", by=1.57),
    # The fingers close between the arms of the cross, which hold them 33 mm apart.
    expert=(Turn("tap_{side}_grip", "{side}_joint", by_rad=1.60, grip_m=0.033, symmetry=math.pi / 2, depth_m=0.004),),
    yaw=(-math.pi, math.pi),
    footprint=(-0.005, 0.0, 0.180, 0.250),
    candidates=Candidates(
        props=tuple(f"tap_{side}_visual" for side in _SIDES), right="tap_{side}_visual", ordered="index"
    ),
    suites=("agnostos", "agnostos-seen", "peract-18", "rotate"),
    chance="a finger that flails may turn the handle",
    protocols={
        "agnostos": Protocol(variations=_VARIATIONS[:1], note="variation 0 only; the published rule is the default one")
    },
    notes="Left and right are those of somebody whom the spout points at. Either way of turning counts, as upstream.",
)
