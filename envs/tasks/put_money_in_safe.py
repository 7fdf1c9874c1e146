"""Put the stack of bank notes on a shelf of the open safe. Variations: bottom, middle, top shelf.

The task frame looks along the safe, which opens towards -x.
"""

from __future__ import annotations

import math

from hansgym.assets.props.safe import HEIGHT
from hansgym.envs.conditions import All, Detected, NothingGrasped
from hansgym.envs.spec import Area, Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.carry import Carry
from hansgym.envs.verbs.grip import Grip, Hold
from hansgym.roles import Role

_VARIATIONS = tuple({"shelf": shelf, "k": str(k)} for k, shelf in enumerate(("bottom", "middle", "top")))
_SAFE_YAW = -1.22
"""Heading of the safe's back when upstream's task frame is not turned, rad."""

_LEAN, _TIP_UP = 0.65, 0.25
"""The hand grips the stack leant so far back from straight down, and carries it in with its far end so far up, rad."""

_IN_DETECTOR = All(Detected("dollar_stack", "success_detector{k}"), NothingGrasped())
_HOLD = Hold(
    "dollar_stack",
    offset=(-0.025, 0.0, 0.004),
    approach=(math.sin(_LEAN), 0.0, -math.cos(_LEAN)),
    symmetry=math.pi,
)
_ON_THE_SHELF = Carry(
    _HOLD,
    to="safe_shelf{k}",
    offset=(-0.030, 0.0, 0.038),
    # The stack lies across the hand's heading whichever of its ends is held.
    own=((0.0, 0.0, 1.0), (1.0, 0.0, 0.0)),
    onto=((-math.sin(_TIP_UP), 0.0, math.cos(_TIP_UP)), (1.0, 0.0, 0.0)),
    symmetry=math.pi,
    heading=(1.0, 0.0, 0.0),
    swing_rad=0.35,
    into=(1.0, 0.0, 0.0),
    stand_off_m=0.19,
    top_m=1.34,
    slope=15.0,
    chained=True,
    tolerance_m=0.005,
    when=_IN_DETECTOR,
)

TASK = TaskSpec(
    name="put_money_in_safe",
    props=(
        Prop(
            "safe_body",
            "safe",
            params={"door": "safe_door", "joint": "safe_joint", "shelf": "safe_shelf"},
            at=(0.0, 0.0, HEIGHT / 2 - 0.002, 0.0),
        ),
        Prop(
            "dollar_stack",
            "bank_notes",
            at=(
                0.0,
                0.0,
                HEIGHT - 0.002 + 0.0165,
                0.0,
            ),
            placed_in="dollar_stack_boundary",
            yaw=(0.0, math.pi / 2),
            free=True,
            graspable=True,
        ),
    ),
    # The published plane is 0.223 x 0.283 m and holds the whole stack.
    areas=(Area("dollar_stack_boundary", centre=(0.0, 0.0), size=(0.09, 0.15), on="safe_body"),),
    # What upstream keeps inside the workspace: safe, door and the way to it, which leaves hardly room to turn.
    footprint=(-0.026, 0.080, 0.373, 0.433),
    yaw=(_SAFE_YAW, _SAFE_YAW + 0.15),
    variations=_VARIATIONS,
    instructions=(
        "put the money away in the safe on the {shelf} shelf",
        "take the stack of bank notes and leave it on the safe's {shelf} shelf",
        "the bank notes belong in the safe, on its {shelf} shelf",
    ),
    roles=(
        ("dollar_stack", Role.TARGET),
        ("safe_body", Role.TARGET),
        ("safe_door", Role.FIXTURE),
    ),
    sensors=tuple(
        Sensor(f"success_detector{k}", size=(0.16, 0.24, 0.05), on="safe_body", at=(0.0, 0.0, z))
        for k, z in enumerate((-0.205, -0.057, 0.098))
    ),
    success=_IN_DETECTOR,
    expert=(Grip(_HOLD, before=_ON_THE_SHELF, top_m=1.34, chained=True), _ON_THE_SHELF),
    protocols={"agnostos": Protocol(variations=_VARIATIONS[:1], note="Only variation 0 is part of that benchmark.")},
    suites=("agnostos", "agnostos-seen", "peract-18", "pick-place"),
    notes="The detection volumes fill the middle of each shelf; the door may be moved, as upstream's.",
)
