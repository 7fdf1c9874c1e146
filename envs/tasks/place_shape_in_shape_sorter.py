"""Drop the named shape through the lid of a shape sorter. Variations: cube, cylinder, triangular prism, star, moon."""

from __future__ import annotations

import math

from hansgym.envs.conditions import Detected
from hansgym.envs.expert import Verb
from hansgym.envs.spec import Area, Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.carry import Carry
from hansgym.envs.verbs.grip import Grip, Hold
from hansgym.envs.verbs.only import Only
from hansgym.roles import Role

_HALF_HEIGHTS = {"cube": 0.0105, "cylinder": 0.0105, "triangular_prism": 0.010, "star": 0.0085, "moon": 0.0095}
_SYMMETRIES = {
    "cube": math.pi / 2,
    "cylinder": 0.0,
    "triangular_prism": 2 * math.pi / 3,
    "star": 2 * math.pi / 5,
    "moon": 2 * math.pi,
}
_VARIATIONS = tuple({"shape": shape, "words": shape.replace("_", " ")} for shape in _SYMMETRIES)


def _expert(shape: str) -> tuple[Verb, ...]:
    """Take ``shape`` near its top, bring it through its own hole so far that the fingers clear the lid, let go."""
    half, symmetry = _HALF_HEIGHTS[shape], _SYMMETRIES[shape]
    hold = Hold(shape, offset=(0.0, 0.0, half - 0.005), symmetry=symmetry)
    drop = Carry(
        hold,
        to=f"{shape}_drop_point",
        offset=(0.0, 0.0, 0.0105 - half),
        symmetry=symmetry,
        stand_off_m=0.05,
        top_m=0.93,
        tolerance_m=0.0015,
        when=Detected("{shape}", "success"),
    )
    return (
        Only("{shape}", shape, Grip(hold, before=drop, top_m=0.93, tolerance_m=0.002)),
        Only("{shape}", shape, drop),
    )


TASK = TaskSpec(
    name="place_shape_in_shape_sorter",
    props=(
        Prop("shape_sorter", "shape_sorter", at=(0.0, -0.1, 0.0425, 0.0)),
        *(
            Prop(
                shape,
                "sorter_shape",
                params={"kind": shape},
                at=(0.0, 0.0, half - 0.0019, 0.0),
                placed_in="boundary",
                free=True,
                graspable=True,
            )
            for shape, half in _HALF_HEIGHTS.items()
        ),
    ),
    # Whole shapes lie in a plane of 0.338 x 0.169 m; between them there is room for a finger.
    areas=(Area("boundary", centre=(0.0, 0.125), size=(0.308, 0.139), min_distance=0.07),),
    footprint=(0.0, 0.0275, 0.338, 0.364),
    variations=_VARIATIONS,
    instructions=(
        "put the {words} in the shape sorter",
        "pick the {words} up and let it fall through its hole in the sorter's lid",
        "of the five shapes on the table, the {words} belongs into the wooden box",
        "sort the {words} into the box with the holes",
    ),
    roles=(("{shape}", Role.TARGET), ("shape_sorter", Role.TARGET), ("*", Role.DISTRACTOR)),
    # Inside the box, over its floor.
    sensors=(Sensor("success", size=(0.078, 0.078, 0.030), on="shape_sorter", at=(0.0, 0.0, -0.025)),),
    success=Detected("{shape}", "success"),
    expert=tuple(verb for shape in _SYMMETRIES for verb in _expert(shape)),
    suites=("agnostos", "agnostos-seen", "peract-18", "insert"),
    protocols={"agnostos": Protocol(variations=_VARIATIONS[:1], note="Only variation 0 is part of that benchmark.")},
    notes="Which hole a shape went through is not asked, as upstream. Felt holes are rectangles; profiles are painted.",
)
