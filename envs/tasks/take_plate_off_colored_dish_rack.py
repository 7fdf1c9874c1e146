"""Lift the plate out of the coloured dish rack onto the block beside it. Variations: in which colour it stands."""

from __future__ import annotations

import math

from hansgym.envs.conditions import All, Detected, NothingGrasped, Undetected
from hansgym.envs.spec import Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.grasp import Grasp
from hansgym.envs.verbs.place import Place
from hansgym.roles import Role

# Each colour has two neighbouring pairs of spokes, and a plate stands between them.
_COLOURS = {"black": (0.03, 0.03, 0.03), "red": (1.0, 0.0, 0.0), "purple": (0.5, 0.0, 1.0)}
_VARIATIONS = tuple({"colour": c, "first": str(2 * k), "second": str(2 * k + 1)} for k, c in enumerate(_COLOURS))
_PILLARS = tuple(f"dish_rack_pillar{k}" for k in range(6))
_PAINT = tuple(_COLOURS[c] for c in _COLOURS for _ in range(2))

_ON_THE_BLOCK = Place(
    "plate",
    over="plate_target",
    height_m=0.155,
    clearance_m=0.05,
    grip_m=0.086,
    tolerance_m=0.006,
    within_m=0.15,
    out_of="dish_rack",
    out_m=0.265,
    out_radius_m=0.15,
)

TASK = TaskSpec(
    name="take_plate_off_colored_dish_rack",
    props=(
        Prop("dish_rack", "dish_rack", {"pillars": _PILLARS, "colours": _PAINT}),
        Prop("plate_target", "box", {"rgb": (0.0, 0.85, 1.0)}, at=(0.070, -0.312, 0.050, 0.0)),
        Prop("plate", "plate", at=(0.0, 0.0, 0.103, 0.0), slot="{first}", free=True, graspable=True),
    ),
    slots={str(2 * k): (0.0, 0.1 * (k - 1), 0.0, math.pi / 2) for k in range(3)},
    variations=_VARIATIONS,
    instructions=(
        "take plate off the {colour} colored rack",
        "lift the plate out from between the {colour} spokes and set it on the blue block",
        "the plate stands in the {colour} part of the dish rack: take it out",
        "grip the rim of the plate in the {colour} section and bring it to the block",
        "unload the dish rack: its {colour} spokes hold a plate",
        "remove the plate from the {colour} rack and let it down on the cube",
    ),
    roles=(
        ("plate", Role.TARGET),
        ("plate_target", Role.TARGET),
        ("dish_rack_pillar{first}", Role.TARGET),
        ("dish_rack_pillar{second}", Role.TARGET),
        ("dish_rack", Role.FIXTURE),
        ("*", Role.DISTRACTOR),
    ),
    sensors=(
        Sensor("success_source", size=(0.16, 0.30, 0.14), at=(0.0, 0.0, 0.080)),
        Sensor("success_target", size=(0.14, 0.14, 0.12), at=(0.076, -0.309, 0.085)),
    ),
    success=All(Undetected("plate", "success_source"), Detected("plate", "success_target"), NothingGrasped()),
    expert=(Grasp("plate", before=_ON_THE_BLOCK, offset=(0.0, 0.0, 0.086), symmetry=math.pi), _ON_THE_BLOCK),
    footprint=(0.012, -0.106, 0.225, 0.522),
    chance="an arm that flails may knock the plate out of the rack and onto its place",
    protocols={"agnostos": Protocol(variations=_VARIATIONS[:1], note="Only variation 0 is part of that benchmark.")},
    suites=("agnostos", "agnostos-level2", "extract"),
    notes="The plate may lie, lean or stand on the block. Only one colour holds a plate.",
)
