"""Put the grey lid on one of two open jars. Variations: the colour of the jar that is meant."""

from __future__ import annotations

import math

from hansgym.envs.conditions import All, Detected, NothingGrasped
from hansgym.envs.spec import COLOURS, Area, Candidates, Draw, Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.grasp import Grasp
from hansgym.envs.verbs.place import Place
from hansgym.roles import Role

# The lid's underside rests 0.047 above the jar's origin and is 0.0105 under the lid's.
_SEAT_M = 0.0575
_ON_THE_JAR = Place("jar_lid0", over="{target}", height_m=_SEAT_M + 0.002, clearance_m=0.03, grip_m=0.002)
_VARIATIONS = tuple({"colour": c, "target": f"jar{i % 2}", "other": f"jar{(i + 1) % 2}"} for i, c in enumerate(COLOURS))

TASK = TaskSpec(
    name="close_jar",
    props=(
        Prop("jar0", "jar", at=(0.0, 0.0, 0.051, 0.0), placed_in="spawn_boundary"),
        Prop("jar1", "jar", at=(0.0, 0.0, 0.051, 0.0), placed_in="spawn_boundary"),
        Prop("jar_lid0", "jar_lid", at=(0.043, 0.277, 0.010, 0.0), free=True, graspable=True),
    ),
    # Whole jars lie in a plane of 0.333 x 0.373 m, so their origins in one that is smaller by a jar.
    areas=(Area("spawn_boundary", centre=(0.0, -0.089), size=(0.241, 0.281), min_distance=0.105),),
    variations=_VARIATIONS,
    draws=(Draw(("other_colour",), tuple(COLOURS), exclude=("{colour}",)),),
    instructions=(
        "close the {colour} jar",
        "put the grey lid on top of the {colour} jar and let go of it",
        "the {colour} jar stands open: cover it with the lid from the table",
        "lift the lid, bring it over the {colour} jar and shut the jar with it",
    ),
    roles=(("jar_lid0", Role.TARGET), ("{target}", Role.TARGET), ("{other}", Role.DISTRACTOR)),
    colours=(("{target}", "{colour}"), ("{other}", "{other_colour}")),
    sensors=(Sensor("success", size=(0.02, 0.02, 0.02), on="{target}", at=(0.0, 0.0, 0.05)),),
    success=All(Detected("jar_lid0", "success"), NothingGrasped()),
    expert=(Grasp("jar_lid0", before=_ON_THE_JAR, offset=(0.0, 0.0, 0.002)), _ON_THE_JAR),
    yaw=(-0.6 * math.pi, 0.6 * math.pi),
    footprint=(0.0, 0.019, 0.333, 0.590),
    candidates=Candidates(
        props=("jar0", "jar1"), right="{target}", colours={"{target}": "{colour}", "{other}": "{other_colour}"}
    ),
    suites=("quickstart", "agnostos", "agnostos-seen", "peract-18", "screw"),
    protocols={"agnostos": Protocol(variations=_VARIATIONS[:1], note="Only variation 0 is part of that benchmark.")},
    notes="Turning the lid is not asked for, as upstream; it has no thread.",
)
