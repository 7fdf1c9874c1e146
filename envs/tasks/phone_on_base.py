"""Put the handset of a desk telephone back on its base."""

from __future__ import annotations

import math

from hansgym.envs.conditions import All, Detected, NothingGrasped
from hansgym.envs.spec import Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.grasp import Grasp
from hansgym.envs.verbs.place import Place
from hansgym.roles import Role

# The handset's faces lie 0.036 under its origin, and the cradle along the base's x, across the handset's.
_ON_THE_CRADLE = Place("phone", over="phone_cradle", height_m=0.039, clearance_m=0.05, symmetry=math.pi)

TASK = TaskSpec(
    name="phone_on_base",
    props=(
        Prop("phone_case_visual", "phone_base", at=(0.0, 0.0, 0.0, 0.0)),
        Prop("phone", "handset", at=(0.002, 0.237, 0.037, math.pi / 2), free=True, graspable=True),
    ),
    variations=({},),
    instructions=(
        "put the phone on the base",
        "hang up: lay the handset back on its cradle",
        "pick up the receiver and set it on the telephone",
        "the handset lies beside the phone, put it where it belongs",
        "place the grey receiver on the orange base",
        "end the call by returning the handset to the base",
    ),
    roles=(("phone", Role.TARGET), ("phone_case_visual", Role.TARGET)),
    sensors=(Sensor("success", size=(0.10, 0.03, 0.03), on="phone_case_visual", at=(0.0, 0.066, 0.087)),),
    success=All(Detected("phone", "success"), NothingGrasped()),
    expert=(Grasp("phone", before=_ON_THE_CRADLE, symmetry=math.pi), _ON_THE_CRADLE),
    footprint=(0.0, 0.085, 0.290, 0.380),
    protocols={"agnostos": Protocol(variations=({},), note="The only variation; the published rule is the default.")},
    suites=("agnostos", "agnostos-level1", "pick-place"),
    notes="The handset has no cord.",
)
