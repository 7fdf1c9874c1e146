"""Slide a spatula under a small cube and lift the cube with it."""

from __future__ import annotations

import math

from hansgym.envs.conditions import All, Detected, Held
from hansgym.envs.spec import Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.scoop import Scoop
from hansgym.envs.verbs.take import Take
from hansgym.roles import Role

_TABLE_Z = -0.002
_SPATULA = "scoop_with_spatula_spatula"
_TAKE = Take(_SPATULA, site=f"{_SPATULA}_grip", stand_off_m=0.06)

TASK = TaskSpec(
    name="scoop_with_spatula",
    props=(
        Prop(
            "Cuboid",
            "block",
            params={"size": 0.02, "mass": 0.010, "rgb": (0.85, 0.85, 1.0), "friction": 0.9},
            at=(0.125, -0.075, _TABLE_Z + 0.010, 0.0),
            free=True,
        ),
        Prop(
            _SPATULA,
            "spatula",
            params={"edge": "spatula_edge"},
            at=(0.130, 0.045, _TABLE_Z, -math.pi / 2),
            free=True,
            graspable=True,
        ),
    ),
    footprint=(0.130, 0.080, 0.120, 0.350),
    variations=({},),
    instructions=(
        "scoop up the cube and lift it with the spatula",
        "take the spatula, slide it under the cube and raise the cube",
        "lift the little cube on the blade of the spatula",
        "use the spatula to pick the cube up from the table",
        "get the cube onto the spatula and hold it up",
        "shovel the cube up with the spatula",
    ),
    roles=(("*", Role.TARGET),),
    # The published volume is unknown: here it begins 9 cm above the table over the cube's place (est).
    sensors=(Sensor("success", size=(0.16, 0.20, 0.06), at=(0.125, -0.100, 0.123)),),
    success=All(Detected("Cuboid", "success"), Held(_SPATULA)),
    expert=(_TAKE, Scoop(_TAKE, blade=f"{_SPATULA}_blade", what="Cuboid", to="success")),
    protocols={"agnostos": Protocol(note="The published rule is the default one.")},
    suites=("agnostos", "agnostos-level2", "tool"),
    notes="The bevelled edge of the blade does not feel the table: the cube slides onto it.",
)
