"""Pick up the crumpled paper that lies among tomatoes and drop it into the waste basket."""

from __future__ import annotations

import math

from hansgym.envs.conditions import Detected
from hansgym.envs.spec import Draw, Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.grasp import Grasp
from hansgym.envs.verbs.place import Place
from hansgym.roles import Role

# Let go well above the rim, whence it falls; anywhere in the basket it is where it belongs.
_INTO_THE_BIN = Place(
    "rubbish",
    over="bin_visual",
    height_m=0.150,
    clearance_m=0.02,
    cap_m=0.10,
    tolerance_m=0.012,
    within_m=0.085,
    level=False,
)

TASK = TaskSpec(
    name="put_rubbish_in_bin",
    props=(
        Prop("bin_visual", "waste_basket", at=(0.087, -0.280, 0.0945, 0.0)),
        Prop("rubbish", "rubbish", at=(0.0, 0.0, 0.017, 0.0), slot="{rubbish_at}", free=True, graspable=True),
        Prop("tomato1_visual", "tomato", at=(0.0, 0.0, 0.030, 0.0), slot="{tomato1_at}"),
        Prop("tomato2_visual", "tomato", at=(0.0, 0.0, 0.030, 0.0), slot="{tomato2_at}"),
    ),
    variations=({},),
    # The paper is equally often in each of three places, and the tomatoes, which look alike, are in the others.
    slots={"near": (0.098, -0.039, 0.0, 1.9), "middle": (0.086, 0.103, 0.0, 0.4), "far": (0.121, 0.252, 0.0, -0.7)},
    draws=(Draw(("rubbish_at", "tomato1_at", "tomato2_at"), ("near", "middle", "far")),),
    instructions=(
        "put rubbish in bin",
        "throw the crumpled paper into the waste basket",
        "the paper on the table is litter: drop it into the bin",
        "tidy up: the piece of rubbish belongs in the basket, the tomatoes stay",
        "find the scrap of paper, pick it up and let it fall into the waste bin",
    ),
    roles=(("rubbish", Role.TARGET), ("bin_visual", Role.TARGET), ("*", Role.DISTRACTOR)),
    sensors=(Sensor("success", size=(0.12, 0.12, 0.10), at=(0.087, -0.280, 0.055)),),
    success=Detected("rubbish", "success"),
    expert=(Grasp("rubbish", before=_INTO_THE_BIN, symmetry=math.pi), _INTO_THE_BIN),
    footprint=(0.087, -0.046, 0.210, 0.670),
    protocols={"agnostos": Protocol(variations=({},), note="The only variation; the published rule is the default.")},
    suites=("agnostos", "agnostos-level1", "pick-place"),
    notes="Letting go is not asked for, as upstream. The detection volume fills the lower half of the basket.",
)
