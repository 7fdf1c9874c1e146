"""Put the named package into the open cupboard. Variations: which of nine."""

from __future__ import annotations

import math

from hansgym.assets.props.cupboard import DEPTH, SHELVES
from hansgym.assets.props.grocery import PACKAGES
from hansgym.envs.conditions import All, Detected, NothingGrasped
from hansgym.envs.spec import Area, Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.carry import Carry
from hansgym.envs.verbs.grip import Grip, Hold
from hansgym.roles import Role

_VARIATIONS = tuple({"item": item.replace("_", " "), "name": item} for item in PACKAGES)
_LEAN, _TIP_BACK = 0.30, 0.50
"""The hand leans so far at the grip, and tips the package back so far to get it under the upper shelf, rad."""

_IN_CUPBOARD = All(Detected("{name}", "success"), NothingGrasped())
_HOLD = Hold(
    "{name}",
    at="{name}_grasp_point",
    approach=(math.sin(_LEAN), 0.0, -math.cos(_LEAN)),
    symmetry=math.pi,
)
_ON_THE_SHELF = Carry(
    _HOLD,
    to="cupboard_shelf",
    offset=(0.115 - DEPTH / 2, 0.0, 0.045),
    onto=((-math.sin(_TIP_BACK), 0.0, math.cos(_TIP_BACK)), (1.0, 0.0, 0.0)),
    symmetry=0.0,
    heading=(1.0, 0.0, 0.0),
    swing_rad=0.35,
    into=(1.0, 0.0, 0.0),
    stand_off_m=0.25,
    top_m=1.15,
    slope=4.0,
    tolerance_m=0.006,
    when=_IN_CUPBOARD,
    chained=True,
)

TASK = TaskSpec(
    name="put_groceries_in_cupboard",
    props=(
        Prop("cupboard", "cupboard", params={"shelf": "cupboard_shelf"}, at=(0.36, 0.0, -0.002, 0.0)),
        *(
            Prop(
                item,
                "grocery",
                params={"grip": f"{item}_grasp_point"},
                at=(0.0, 0.0, -0.0015, 0.0),
                placed_in="workspace",
                free=True,
                graspable=True,
            )
            for item in PACKAGES
        ),
    ),
    # Upstream strews them over the whole table; here they lie before the cupboard, where the arm gets at them.
    areas=(Area("workspace", centre=(0.0, 0.0), size=(0.32, 0.60), min_distance=0.115),),
    footprint=(0.0, 0.0, 0.52, 0.40),
    yaw=(-1.0, 1.0),
    variations=_VARIATIONS,
    instructions=(
        "put the {item} in the cupboard",
        "put the {item} away on the cupboard's lower open shelf",
        "the {item} belongs in the cupboard",
        "find the {item} among the groceries and move it into the cupboard",
    ),
    roles=(("{name}", Role.TARGET), ("cupboard", Role.TARGET), ("*", Role.DISTRACTOR)),
    sensors=(Sensor("success", size=(0.19, 0.32, 0.16), on="cupboard", at=(0.005, 0.0, SHELVES[0] + 0.085)),),
    success=_IN_CUPBOARD,
    expert=(Grip(_HOLD, before=_ON_THE_SHELF, slope=3.0, chained=True), _ON_THE_SHELF),
    protocols={"agnostos": Protocol(variations=_VARIATIONS[:1], note="Only variation 0 is part of that benchmark.")},
    suites=("agnostos", "agnostos-seen", "peract-18", "pick-place"),
    notes="Packages that do not fit between the fingers as sold are a little smaller.",
)
