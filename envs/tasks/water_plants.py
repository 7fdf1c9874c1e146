"""Pour water from a can into the pot of a plant. The water is five drops that leave the can's rose over the pot."""

from __future__ import annotations

import math

from hansgym.assets.props.potted_plant import HEIGHT, SOIL_Z
from hansgym.assets.props.watering_can import POUR
from hansgym.envs.conditions import All, Detected
from hansgym.envs.spec import Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.take import Take
from hansgym.envs.verbs.trace import Trace
from hansgym.roles import Role

_TABLE_Z = -0.002
_CAN_AT, _POT_AT = (0.0, 0.140), (0.0, -0.140)
_SPOUT_YAW = -math.pi / 2
_POUR_Z = 0.185
_DROPS = tuple(f"drop{k}" for k in range(5))
# In the rose, clear of each other (m, along the spout's and the table's own directions).
_DROPS_AT = ((0.0, 0.0), (0.009, 0.0), (-0.009, 0.0), (0.0, 0.009), (0.0, -0.009))
_TAKE = Take("waterer", site="waterer_grip", stand_off_m=0.06)
_REST_X = POUR[0] - (_CAN_AT[1] - _POT_AT[1])

TASK = TaskSpec(
    name="water_plants",
    props=(
        Prop("base_visual", "potted_plant", params={"plant": "plant_visual"}, at=(*_POT_AT, _TABLE_Z, _SPOUT_YAW)),
        Prop(
            "waterer",
            "watering_can",
            params={"head": "head"},
            at=(*_CAN_AT, _TABLE_Z, _SPOUT_YAW),
            free=True,
            graspable=True,
        ),
        *(
            Prop(
                name,
                "block",
                params={"size": 0.005, "mass": 0.001, "rgb": (0.1, 0.1, 0.9)},
                at=(_CAN_AT[0] + aside, _CAN_AT[1] - POUR[0] + along, _TABLE_Z + POUR[2], 0.0),
                free=True,
                inside="head",
            )
            for name, (along, aside) in zip(_DROPS, _DROPS_AT, strict=True)
        ),
    ),
    footprint=(0.0, 0.0, 0.150, 0.430),
    variations=({},),
    instructions=(
        "water plant",
        "give the plant in the pot some water",
        "take the watering can and pour it out over the pot",
        "the plant is dry: water it with the can",
        "lift the can by its handle, bring its spout over the plant's pot and pour",
        "use the watering can on the potted plant",
    ),
    roles=(("*", Role.TARGET),),
    sensors=(
        Sensor("pour_point", size=(0.02, 0.02, 0.06), on="base_visual", at=(0.0, 0.0, _POUR_Z - 0.02)),
        Sensor("success", size=(0.110, 0.110, 0.05), on="base_visual", at=(0.0, 0.0, (SOIL_Z + HEIGHT) / 2 + 0.01)),
    ),
    success=All(*(Detected(name, "success") for name in _DROPS)),
    spills=Detected("head", "pour_point"),
    expert=(
        _TAKE,
        Trace(
            _TAKE,
            part="waterer_pour",
            on="base_visual",
            path=(
                (_REST_X, 0.0, 0.235, 0.0),
                (0.0, 0.0, 0.235, 0.0),
                (0.0, 0.0, _POUR_Z, 0.6),
            ),
            speed_m=0.012,
        ),
    ),
    protocols={
        "agnostos": Protocol(
            note="In the published rule the can itself, held into the pot, counts as well before it has poured."
        )
    },
    suites=("agnostos", "agnostos-level2", "tool"),
    notes=(
        "Water is five small cubes that the can carries hidden in its rose and lets go of, once, when the rose comes "
        "to the pouring point over the pot. How far the can is tilted is not tested, as upstream. Sizes are estimates."
    ),
)
