"""Sweep five pieces of dirt into one of two dustpans with a broom. Variations: the tall pan, the short one."""

from __future__ import annotations

import math

from hansgym.envs.conditions import All, Detected
from hansgym.envs.spec import Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.drag import Drag
from hansgym.envs.verbs.take import Take
from hansgym.roles import Role

_VARIATIONS = ({"size": "tall", "other": "short"}, {"size": "short", "other": "tall"})
_DIRT_AT = ((0.050, -0.050), (0.025, 0.000), (0.000, -0.050), (0.050, 0.000), (0.000, -0.075))
_DIRT = tuple(f"dirt{k}" for k in range(len(_DIRT_AT)))
_PANS = {"tall": (0.218, 0.274, 0.083), "short": (0.131, 0.164, 0.050)}
_TABLE_Z = -0.002
_TAKE = Take("broom", site="broom_grip", swing_rad=0.6, dip_rad=0.9, stand_off_m=0.08)


def _inside(pan: str) -> Sensor:
    """The volume over the pan's floor, from 5 mm behind its front edge."""
    depth, width, height = _PANS[pan]
    size = (depth - 0.005, width - 0.008, height)
    return Sensor(f"success_{pan}", size=size, on=f"dustpan_{pan}", at=(0.0025, 0.0, height / 2))


TASK = TaskSpec(
    name="sweep_to_dustpan_of_size",
    props=(
        Prop("broom_holder", "broom_holder", at=(-0.175, 0.376, 0.248, 0.0)),
        Prop("broom", "broom", params={"lean": 0.416}, at=(-0.171, 0.227, 0.307, 0.0), free=True, graspable=True),
        Prop(
            "dustpan_tall",
            "dustpan",
            params={"size": _PANS["tall"], "pole": (0.0105, 0.595)},
            at=(-0.001, -0.301, _TABLE_Z, -math.pi / 2),
        ),
        Prop(
            "dustpan_short",
            "dustpan",
            params={"size": _PANS["short"], "pole": (0.006, 0.357)},
            at=(0.044, 0.203, _TABLE_Z, math.pi / 2),
        ),
        *(
            Prop(
                name,
                "block",
                params={"size": 0.01, "mass": 0.002, "rgb": (0.46, 0.31, 0.31)},
                at=(x, y, _TABLE_Z + 0.005, 0.0),
                free=True,
            )
            for name, (x, y) in zip(_DIRT, _DIRT_AT, strict=True)
        ),
    ),
    # The arm has no room between the pans' handles when it stands on their other side.
    yaw=(-0.36, 0.36),
    footprint=(-0.025, 0.0, 0.400, 0.800),
    variations=_VARIATIONS,
    instructions=(
        "sweep dirt to the {size} dustpan",
        "take the broom and brush the crumbs into the {size} dustpan",
        "two dustpans stand ready: all the dirt goes into the {size} one",
        "clean the table with the broom, the {size} dustpan takes the dirt",
    ),
    roles=(
        ("broom", Role.TARGET),
        *((name, Role.TARGET) for name in _DIRT),
        ("dustpan_{size}", Role.TARGET),
        ("dustpan_{other}", Role.DISTRACTOR),
        ("broom_holder", Role.FIXTURE),
    ),
    sensors=tuple(_inside(pan) for pan in _PANS),
    success=All(*(Detected(name, "success_{size}") for name in _DIRT)),
    expert=(
        _TAKE,
        Drag(
            _TAKE,
            part="broom_brush",
            pieces=_DIRT,
            onto="dustpan_{size}_mouth",
            height_m=0.001,
            behind_m=0.055,
            touch_m=0.033,
            stop_m=0.015,
            straight=True,
        ),
    ),
    protocols={"agnostos": Protocol(variations=_VARIATIONS[:1], note="Only variation 0 is part of that benchmark.")},
    suites=("agnostos", "agnostos-seen", "peract-18", "tool"),
    notes=(
        "Bristles are one stiff box; the pans' floors and sides let it pass, as if it bent. The long handles hide too "
        "much of the back wall for a cue to hang there."
    ),
)
