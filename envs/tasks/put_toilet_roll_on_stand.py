"""Slide the toilet roll that stands on a box onto the bar of its stand."""

from __future__ import annotations

from hansgym.envs.conditions import All, Detected, NothingGrasped
from hansgym.envs.spec import Area, Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.carry import Carry
from hansgym.envs.verbs.grip import Grip
from hansgym.envs.verbs.hold_beside import HoldBeside
from hansgym.roles import Role

_ON_THE_BAR = All(Detected("toilet_roll", "success"), NothingGrasped())

# Across the upright roll, leaning by 45 degrees, so that the hand leans as much when the roll's axis is level.
_HOLD = HoldBeside(
    "toilet_roll", offset=(0.0085, 0.0, 0.0085), approach=(-1.0, 0.0, -1.0), ahead=True, clear_of="stand_base"
)
# From the bar's free end, the hand above it.
_SLIDE = Carry(
    _HOLD,
    to="bar",
    offset=(0.006, 0.0, -0.002),
    own=((0.0, 0.0, 1.0), (1.0, 0.0, 0.0)),
    onto=((1.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
    symmetry=0.0,
    heading=(-1.0, 0.0, -1.0),
    into=(-1.0, 0.0, 0.0),
    stand_off_m=0.10,
    top_m=1.07,
    when=_ON_THE_BAR,
)

TASK = TaskSpec(
    name="put_toilet_roll_on_stand",
    props=(
        Prop("toilet_roll_box", "cardboard_box", at=(0.0, 0.0, 0.0482, 0.0), placed_in="boundary_roll", free=True),
        Prop(
            "stand_base",
            "toilet_roll_stand",
            params={"holder": "holder_visual", "bar": "bar"},
            at=(0.0, 0.0, 0.1307, 0.0),
            placed_in="boundary_stand",
        ),
        Prop(
            "toilet_roll",
            "toilet_roll",
            at=(-0.025, 0.0, 0.0853, 0.0),
            rides="toilet_roll_box",
            free=True,
            graspable=True,
        ),
    ),
    # Planes of 0.4 x 0.2 m hold the whole box and the whole stand.
    areas=(
        Area("boundary_roll", centre=(0.0, 0.125), size=(0.30, 0.10)),
        Area("boundary_stand", centre=(0.0, -0.125), size=(0.30, 0.10)),
    ),
    footprint=(0.0, 0.0, 0.4, 0.45),
    variations=({},),
    instructions=(
        "put toilet roll on stand",
        "take the toilet roll from the box and slide it onto the bar of the stand",
        "the stand has no paper: hang the roll on its arm",
    ),
    roles=(
        ("toilet_roll", Role.TARGET),
        ("stand_base", Role.TARGET),
        ("holder_visual", Role.TARGET),
        ("toilet_roll_box", Role.FIXTURE),
    ),
    # Under the bar, where the paper of a hanging roll is.
    sensors=(Sensor("success", size=(0.02, 0.01, 0.02), on="stand_base", at=(0.009, 0.056, 0.067)),),
    success=_ON_THE_BAR,
    expert=(Grip(_HOLD, before=_SLIDE, top_m=1.06), _SLIDE),
    suites=("agnostos", "agnostos-level1", "insert"),
    protocols={"agnostos": Protocol(note="The published rule is the default one.")},
)
