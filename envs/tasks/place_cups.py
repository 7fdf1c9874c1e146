"""Hang mugs by their handles on the spokes of a mug tree. Variations: how many, one to three."""

from __future__ import annotations

import math

from hansgym.envs.conditions import All, AtLeast, Condition, Detected, NothingGrasped
from hansgym.envs.expert import Verb
from hansgym.envs.spec import Area, Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.carry import Carry
from hansgym.envs.verbs.grip import Grip, Hold
from hansgym.envs.verbs.only import Only
from hansgym.roles import Role

_MUGS = ("mug0", "mug1", "mug2")
_SPOKES = tuple(f"place_cups_holder_spoke{k}" for k in range(4))
_TREE = "place_cups_holder_base"
_HUNG_ON = {"mug0": 0, "mug1": 2, "mug2": 1}
"""The spoke on which the expert hangs each mug: the two high ones first, which face away from each other."""

_VARIATIONS = tuple(
    {
        "count": str(count),
        "cups": "1 cup" if count == 1 else f"{count} cups",
        **{mug: "hung" if k < count else "left" for k, mug in enumerate(_MUGS)},
    }
    for count in (1, 2, 3)
)


def _on_a_spoke(mug: str) -> Condition:
    return AtLeast("1", tuple(Detected(mug, f"success_detector{k}") for k in range(3)))


def _expert(mug: str) -> tuple[Verb, ...]:
    """Take ``mug`` by the rim, across from its handle or beside it, and hang the handle over its spoke from outside."""
    beside = (-math.pi / 2, math.pi / 2)
    hold = Hold(mug, offset=(-0.031, 0.0, 0.033), close=(1.0, 0.0, 0.0), ahead=True, also=beside)
    hang = Carry(
        hold,
        to=f"hook{_HUNG_ON[mug]}",
        offset=(0.0, 0.0, -0.006),
        point=(0.0463, 0.0, 0.0),
        onto=((0.0, 0.0, 1.0), (0.0, -1.0, 0.0)),
        into=(-0.940, 0.0, -0.342),
        stand_off_m=0.06,
        top_m=1.10,
        when=_on_a_spoke(mug),
    )
    return (Only(f"{{{mug}}}", "hung", Grip(hold, before=hang, top_m=1.10)), Only(f"{{{mug}}}", "hung", hang))


TASK = TaskSpec(
    name="place_cups",
    props=(
        Prop(
            _TREE,
            "mug_tree",
            params={"spoke": "place_cups_holder_spoke", "hook": "hook", "hung": "mug3"},
            at=(0.030, -0.149, 0.157, 0.0),
        ),
        *(
            Prop(mug, "mug", at=(0.0, 0.0, 0.0402, 0.0), placed_in="mug_boundary", free=True, graspable=True)
            for mug in _MUGS
        ),
    ),
    # Whole mugs stand in a plane of 0.476 x 0.314 m, with room for a finger between them.
    areas=(Area("mug_boundary", centre=(-0.025, 0.220), size=(0.36, 0.20), min_distance=0.15),),
    footprint=(-0.025, 0.05, 0.40, 0.60),
    yaw=(-math.pi / 2, math.pi / 2),
    variations=_VARIATIONS,
    instructions=(
        "place {cups} on the cup holder",
        "hang {cups} by the handle on the spokes of the mug tree",
        "take {cups} from the table and put the handle over an arm of the stand",
        "the cup holder has free spokes: hang {cups} there",
    ),
    roles=(
        *((mug, Role.TARGET) for mug in _MUGS),
        *((spoke, Role.TARGET) for spoke in _SPOKES[:3]),
        ("mug3", Role.DISTRACTOR),
        ("*", Role.FIXTURE),
    ),
    # Just over each free spoke, where only what hangs on it gets.
    sensors=tuple(
        Sensor(f"success_detector{k}", size=(0.008, 0.008, 0.070), on=_SPOKES[k], at=(-0.010, 0.0, 0.008))
        for k in range(3)
    ),
    success=All(NothingGrasped(), AtLeast("{count}", tuple(_on_a_spoke(mug) for mug in _MUGS))),
    expert=tuple(verb for mug in _MUGS for verb in _expert(mug)),
    suites=("agnostos", "agnostos-seen", "peract-18", "insert"),
    protocols={
        "agnostos": Protocol(
            variations=_VARIATIONS[:1],
            success=All(NothingGrasped(), _on_a_spoke("mug0")),
            note="Only variation 0 is part of that benchmark, and its published rule wants the first mug.",
        )
    },
    counts="count",
    implied_by="Hanging more mugs up hangs fewer up, too.",
    notes="Any of the three loose mugs will do; all are targets. The one that hangs there already does not count.",
)
