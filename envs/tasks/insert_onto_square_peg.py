"""Put the square ring over one of three square pegs. Variations: the colour of the peg that is meant."""

from __future__ import annotations

import math

from hansgym.envs.conditions import All, Detected
from hansgym.envs.spec import COLOURS, Area, Candidates, Draw, Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.grasp import Grasp
from hansgym.envs.verbs.place import Place
from hansgym.roles import Role

_PILLARS = ("pillar0", "pillar1", "pillar2")
_VARIATIONS = tuple({"colour": c} for c in COLOURS)

# The ring is let go 35 mm below the top of the peg, where the palm still clears the pegs' tops, and falls along it.
_ROUND_THE_PEG = Place(
    "square_ring", over="{target}", height_m=0.025, clearance_m=0.060, symmetry=math.pi / 2, grip_m=0.003
)

# Measured round one peg, relative to it in x and y; a box reaches from the task's floor to just over a ring that lies
# on the base plate, so that the ring must be round the peg and low.
_DETECTORS = ((0.0, 0.020), (0.0, -0.023), (-0.020, -0.005), (0.020, -0.005))
_DETECTOR_SIZE, _DETECTOR_Z = (0.010, 0.010, 0.045), 0.0225

TASK = TaskSpec(
    name="insert_onto_square_peg",
    props=(
        Prop("square_base", "peg_base", at=(0.0, -0.075, 0.010, 0.0)),
        Prop("pillar0", "square_peg", at=(-0.125, -0.075, 0.080, 0.0)),
        Prop("pillar1", "square_peg", at=(0.0, -0.075, 0.080, 0.0)),
        Prop("pillar2", "square_peg", at=(0.125, -0.075, 0.080, 0.0)),
        Prop("square_ring", "square_ring", at=(0.0, 0.0, 0.008, 0.0), placed_in="boundary0", free=True, graspable=True),
    ),
    # The whole ring lies in a plane of 0.4 x 0.2 m, far enough from the pegs for a hand.
    areas=(Area("boundary0", centre=(0.0, 0.105), size=(0.34, 0.12)),),
    variations=_VARIATIONS,
    draws=(
        Draw(("target", "other0", "other1"), _PILLARS),
        Draw(("other0_colour", "other1_colour"), tuple(COLOURS), exclude=("{colour}",)),
    ),
    instructions=(
        "put the ring on the {colour} spoke",
        "thread the square ring over the {colour} peg",
        "of the three pegs the {colour} one gets the ring: drop it over that peg",
    ),
    roles=(
        ("square_ring", Role.TARGET),
        ("{target}", Role.TARGET),
        ("{other0}", Role.DISTRACTOR),
        ("{other1}", Role.DISTRACTOR),
        ("square_base", Role.FIXTURE),
    ),
    colours=(("{target}", "{colour}"), ("{other0}", "{other0_colour}"), ("{other1}", "{other1_colour}")),
    sensors=tuple(
        Sensor(f"success_detector{k}", size=_DETECTOR_SIZE, on="{target}", at=(x, y, _DETECTOR_Z), follow="xy")
        for k, (x, y) in enumerate(_DETECTORS)
    ),
    success=All(*(Detected("square_ring", f"success_detector{k}") for k in range(len(_DETECTORS)))),
    expert=(
        Grasp(
            "square_ring",
            before=_ROUND_THE_PEG,
            offset=(0.0, 0.0, 0.003),
            symmetry=math.pi / 2,
            along="square_base",
        ),
        _ROUND_THE_PEG,
    ),
    footprint=(0.0, 0.0375, 0.400, 0.325),
    candidates=Candidates(
        props=_PILLARS,
        right="{target}",
        colours={"{target}": "{colour}", "{other0}": "{other0_colour}", "{other1}": "{other1_colour}"},
    ),
    suites=("quickstart", "agnostos", "agnostos-seen", "peract-18", "insert"),
    protocols={"agnostos": Protocol(variations=_VARIATIONS[:1], note="Only variation 0 is part of that benchmark.")},
    notes="Which peg has the colour is drawn in every episode. Letting go is not asked for, as upstream.",
)
