"""Drop a small basketball through the hoop."""

from __future__ import annotations

import math

from hansgym.envs.conditions import Detected
from hansgym.envs.spec import Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.grasp import Grasp
from hansgym.envs.verbs.place import Place
from hansgym.roles import Role

_RING = "basket_ball_hoop_ring"

_BACK_RAD = 0.45
"""How far the hand is tipped back near the robot's base: a ball can be gripped so as well."""

# Let go over the ring; wherever near the hoop's foot it rolls then, it has been put.
_THROUGH_THE_RING = Place(
    "ball",
    over=_RING,
    height_m=0.045,
    clearance_m=0.03,
    tolerance_m=0.008,
    cap_m=0.12,
    within_m=0.12,
    level=False,
    back_rad=_BACK_RAD,
)

TASK = TaskSpec(
    name="basketball_in_hoop",
    props=(
        Prop("basket_ball_hoop_visual", "basketball_hoop", at=(0.095, 0.024, 0.0, 0.0)),
        Prop("ball_stop", "ball_stop", at=(-0.150, 0.035, 0.005, 0.0)),
        Prop("ball", "basketball", at=(-0.150, 0.035, 0.031, 0.0), free=True, graspable=True),
    ),
    variations=({},),
    instructions=(
        "put the ball in the hoop",
        "drop the basketball through the ring",
        "score a basket with the small orange ball",
        "carry the ball up over the hoop and let it fall through",
        "take the ball from the table and dunk it",
        "the ball belongs in the net: throw it in from above",
    ),
    roles=(("ball", Role.TARGET), ("basket_ball_hoop_visual", Role.TARGET), ("ball_stop", Role.DISTRACTOR)),
    sensors=(Sensor("success", size=(0.10, 0.10, 0.05), at=(0.095, 0.024, 0.034)),),
    success=Detected("ball", "success"),
    expert=(Grasp("ball", before=_THROUGH_THE_RING, back_rad=_BACK_RAD), _THROUGH_THE_RING),
    yaw=(-math.pi / 4, math.pi / 4),
    # The pole may stand outside the workspace.
    footprint=(0.0, 0.0, 0.300, 0.550),
    protocols={"agnostos": Protocol(variations=({},), note="The only variation; the published rule is the default.")},
    suites=("agnostos", "agnostos-level2", "pick-place"),
    notes=(
        "The detection volume stands on the table under the ring. That the ball came through the ring, or was let go "
        "of, is not asked for, as upstream."
    ),
)
