"""Lay the standing wine bottle into the named place of a rack. Variations: middle, left, right."""

from __future__ import annotations

import math

from hansgym.assets.props.wine_bottle import HEIGHT, RADIUS
from hansgym.assets.props.wine_rack import PITCH
from hansgym.envs.conditions import All, Detected, NothingGrasped
from hansgym.envs.spec import Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.carry import Carry
from hansgym.envs.verbs.grip import Grip, Hold
from hansgym.roles import Role

# Left is +x of the task frame, where the front camera sees it on the right, as upstream.
_PLACES = {"middle": 1, "left": 2, "right": 0}
_VARIATIONS = tuple({"location": location, "k": str(k)} for location, k in _PLACES.items())
_RACK_XY, _UPPER_Z = (0.052, 0.275), 0.105

_IN_PLACE = All(Detected("wine_bottle", "success_{location}"), NothingGrasped())
_DIP = 0.25
_HOLD = Hold(
    "wine_bottle",
    offset=(0.0, 0.0, 0.008),
    approach=(math.cos(_DIP), 0.0, -math.sin(_DIP)),
    symmetry=0.0,
    swing_rad=0.65,
)
_ON_THE_RACK = Carry(
    _HOLD,
    to="rack_place{k}",
    offset=(0.0, 0.010, RADIUS + 0.004),
    onto=((0.0, 1.0, 0.0), (1.0, 0.0, 0.0)),
    symmetry=0.0,
    heading=(0.0, 0.0, -1.0),
    stand_off_m=0.10,
    top_m=1.08,
    tolerance_m=0.004,
    when=_IN_PLACE,
    chained=True,
)

TASK = TaskSpec(
    name="place_wine_at_rack_location",
    props=(
        Prop("rack_bottom", "wine_rack", at=(*_RACK_XY, 0.0335, 0.0)),
        Prop("rack_top", "wine_rack", params={"place": "rack_place"}, at=(*_RACK_XY, _UPPER_Z, 0.0)),
        Prop("wine_bottle", "wine_bottle", at=(0.099, -0.284, HEIGHT / 2 - 0.0015, 0.0), free=True, graspable=True),
    ),
    variations=_VARIATIONS,
    instructions=(
        "stack the wine bottle to the {location} of the rack",
        "lay the bottle of wine into the {location} place of the wooden rack",
        "the wine belongs in the rack, at its {location}",
        "pick the bottle up, turn it on its side and leave it in the {location} of the wine rack",
        "store the bottle in the rack's {location} slot",
    ),
    roles=(
        ("wine_bottle", Role.TARGET),
        ("rack_top", Role.TARGET),
        ("rack_bottom", Role.FIXTURE),
    ),
    sensors=tuple(
        Sensor(
            f"success_{location}",
            size=(0.05, 0.05, 0.05),
            on="rack_top",
            at=((k - 1) * PITCH, 0.095, 0.113 - _UPPER_Z),
        )
        for location, k in _PLACES.items()
    ),
    success=_IN_PLACE,
    expert=(Grip(_HOLD, before=_ON_THE_RACK, stand_off_m=0.12, chained=True), _ON_THE_RACK),
    footprint=(0.052, 0.050, 0.300, 0.640),
    yaw=(-math.pi / 4, math.pi / 4),
    protocols={"agnostos": Protocol(variations=_VARIATIONS[:1], note="Only variation 0 is part of that benchmark.")},
    suites=("agnostos", "agnostos-seen", "peract-18", "insert"),
    notes="The bottle is laid down from above, neck first, where upstream slides it in.",
)
