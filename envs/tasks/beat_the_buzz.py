"""Lead the ring of a wand along a wire without touching it, and let go at the other end."""

from __future__ import annotations

from hansgym.assets.props.buzz_frame import SLEEVES, WIRE_Z
from hansgym.envs.conditions import All, Detected, NothingGrasped
from hansgym.envs.spec import Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.take import Take
from hansgym.envs.verbs.trace import Trace
from hansgym.roles import Role

_START_Y, _GOAL_Y = 0.110, -0.105
_TAKE = Take("wand", site="wand_grip", stand_off_m=0.06)
# The bare wire: where the ring must not touch it.
_BARE_FROM, _BARE_TO = SLEEVES[1][1] + 0.006, SLEEVES[0][0] - 0.006

TASK = TaskSpec(
    name="beat_the_buzz",
    props=(
        Prop("Cuboid", "buzz_frame", at=(0.0, 0.0, 0.1485, 0.0)),
        # It hangs from the first sleeve and leans on the base.
        Prop("wand", "buzz_wand", params={"lean": 0.317}, at=(0.0, _START_Y, 0.2685, 0.0), free=True, graspable=True),
    ),
    footprint=(-0.01, 0.0, 0.160, 0.350),
    variations=({},),
    instructions=(
        "beat the buzz",
        "take the wand and lead its ring along the wire without touching it",
        "bring the ring to the other end of the wire and let go, the wire must not be touched",
        "play the hot wire game",
        "move the wand from one end of the wire to the other, do not let it buzz",
        "guide the ring over the whole wire with a steady hand",
        "the wand's ring belongs at the far end: get it there along the wire without contact",
    ),
    roles=(("wand", Role.TARGET), ("Cuboid", Role.TARGET)),
    sensors=(
        Sensor(
            "middle_sensor",
            size=(0.010, _BARE_TO - _BARE_FROM, 0.010),
            on="Cuboid",
            at=(0.0, (_BARE_FROM + _BARE_TO) / 2, WIRE_Z),
        ),
        Sensor("right_sensor", size=(0.10, 0.040, 0.10), on="Cuboid", at=(0.0, _GOAL_Y, WIRE_Z)),
    ),
    success=All(Detected("wand", "right_sensor"), NothingGrasped()),
    failure=Detected("wand", "middle_sensor"),
    expert=(
        _TAKE,
        Trace(
            _TAKE,
            part="wand_ring",
            on="Cuboid",
            path=((0.0, _START_Y, WIRE_Z, 0.0), (0.0, _GOAL_Y, WIRE_Z, 0.0)),
            release=True,
        ),
    ),
    protocols={
        "agnostos": Protocol(
            note="The published benchmark lets a touch pass unless it happens at the end of one of its long moves."
        )
    },
    suites=("agnostos", "agnostos-level2", "path"),
    notes=(
        "A touch of the bare wire ends the episode. It is looked for after every control step as an overlap of the "
        "wand with the wire, no electricity is simulated. The wire is straight, and its ends are sleeved."
    ),
)
