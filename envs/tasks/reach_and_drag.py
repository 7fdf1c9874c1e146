"""Drag the cube onto the coloured square with a stick. Variations: the square's colour, of twenty."""

from __future__ import annotations

from hansgym.envs.conditions import Detected
from hansgym.envs.spec import COLOURS, Candidates, Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.drag import Drag
from hansgym.envs.verbs.take import Take
from hansgym.roles import Role

_NAMES = tuple(COLOURS)
_OTHERS = ("distractor1", "distractor2", "distractor3")
# The colours of the other squares follow the target's in the table, five, six and seven places on.
_VARIATIONS = tuple(
    {"colour": c, **{f"other{k}": _NAMES[(i + 4 + k) % len(_NAMES)] for k in (1, 2, 3)}} for i, c in enumerate(_NAMES)
)
_ON_TABLE = -0.0012
_TARGET_AT = (-0.137, -0.154)
# Where the other squares lie is our choice: beside the target and the cube, clear of the way between them.
_OTHERS_AT = ((0.088, 0.121), (0.088, -0.379), (0.253, -0.153))
_TAKE = Take("stick", site="stick_grip", stand_off_m=0.07)

TASK = TaskSpec(
    name="reach_and_drag",
    props=(
        Prop(
            "cube",
            "block",
            params={"size": 0.08, "mass": 0.512, "rgb": (0.85, 0.85, 1.0)},
            at=(0.106, -0.150, 0.038, -1.396),
            free=True,
        ),
        # It leans on the cube.
        Prop(
            "stick",
            "stick",
            params={"pitch": 0.288},
            at=(0.145, -0.021, 0.058, -1.919),
            free=True,
            graspable=True,
        ),
        *(
            Prop(name, "coloured_square", params={"size": 0.13}, at=(x, y, _ON_TABLE, 0.0))
            for name, (x, y) in zip(("target0", *_OTHERS), (_TARGET_AT, *_OTHERS_AT), strict=True)
        ),
    ),
    footprint=(0.058, -0.129, 0.520, 0.630),
    variations=_VARIATIONS,
    instructions=(
        "use the stick to drag the cube onto the {colour} target",
        "take the stick and move the cube with it until it lies on the {colour} square",
        "with the stick in the hand, pull the pale cube over to the {colour} area",
        "the cube belongs on the {colour} square: shift it there with the stick",
    ),
    roles=(("stick", Role.TARGET), ("cube", Role.TARGET), ("target0", Role.TARGET), ("*", Role.DISTRACTOR)),
    colours=(("target0", "{colour}"), *((name, f"{{other{k}}}") for k, name in enumerate(_OTHERS, 1))),
    # The published volume is unknown: here the cube must come over the middle of the square (est).
    sensors=(Sensor("success0", size=(0.03, 0.03, 0.02), on="target0", at=(0.0, 0.0, 0.01)),),
    success=Detected("cube", "success0"),
    expert=(
        _TAKE,
        Drag(_TAKE, part="stick_push", pieces=("cube",), onto="target0", height_m=0.03, behind_m=0.085, touch_m=0.045),
    ),
    candidates=Candidates(
        props=("target0", *_OTHERS),
        right="target0",
        colours={"target0": "{colour}", **{name: f"{{other{k}}}" for k, name in enumerate(_OTHERS, 1)}},
    ),
    protocols={"agnostos": Protocol(variations=_VARIATIONS[:1], note="Only variation 0 is part of that benchmark.")},
    suites=("agnostos", "agnostos-seen", "peract-18", "tool"),
    notes="The stick is meant, but not tested: the cube counts however it comes there, as upstream.",
)
