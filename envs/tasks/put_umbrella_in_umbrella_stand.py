"""Put the umbrella that lies across its stand into it."""

from __future__ import annotations

from hansgym.envs.conditions import All, Detected, NothingGrasped
from hansgym.envs.spec import Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.carry import Carry
from hansgym.envs.verbs.grip import Grip, Hold
from hansgym.roles import Role

_IN_THE_STAND = All(Detected("umbrella", "success"), NothingGrasped())

# By the handle, leaning by 35 degrees from above while it lies, so that the hand leans by 55 when it is upright.
_HOLD = Hold("umbrella", offset=(0.068, 0.0, 0.0), approach=(-0.574, 0.0, -0.819), close=(0.0, 1.0, 0.0))
# Handle up; the hand stays clear of the stand's rim, and the umbrella drops the last centimetres.
_LOWER = Carry(
    _HOLD,
    to="stand_visual",
    offset=(0.0, 0.0, 0.055),
    own=((1.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
    onto=((0.0, 0.0, 1.0), (1.0, 0.0, 0.0)),
    symmetry=0.0,
    swing_rad=0.65,
    stand_off_m=0.185,
    top_m=1.12,
    tolerance_m=0.006,
    when=_IN_THE_STAND,
)

TASK = TaskSpec(
    name="put_umbrella_in_umbrella_stand",
    props=(
        Prop("stand_visual", "umbrella_stand", at=(0.051, -0.098, 0.0985, 0.0)),
        Prop("umbrella", "umbrella", at=(0.051, -0.074, 0.2102, 1.5708), free=True, graspable=True),
    ),
    variations=({},),
    instructions=(
        "put umbrella in umbrella standpick up the umbrella and drop it in its stand",
        "take the umbrella by its handle and put it into the stand, tip first",
    ),
    roles=(("umbrella", Role.TARGET), ("stand_visual", Role.TARGET)),
    # Low inside the stand.
    sensors=(Sensor("success", size=(0.08, 0.08, 0.03), on="stand_visual", at=(0.0, 0.0, -0.075)),),
    success=_IN_THE_STAND,
    expert=(Grip(_HOLD, before=_LOWER, top_m=1.10), _LOWER),
    footprint=(0.051, -0.075, 0.105, 0.255),
    suites=("agnostos", "agnostos-level1", "insert"),
    protocols={"agnostos": Protocol(note="The published rule is the default one.")},
    notes="The canonical instruction is spelt as published, where two sentences run into each other.",
)
