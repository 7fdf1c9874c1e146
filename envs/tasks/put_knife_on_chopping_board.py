"""Draw the knife out of its block and lay it on the chopping board."""

from __future__ import annotations

import math

from hansgym.envs.conditions import All, Detected, InOrder, NothingGrasped
from hansgym.envs.spec import Area, Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.grasp import Grasp
from hansgym.envs.verbs.place import Place
from hansgym.roles import Role

_GRIP_M = 0.078

# Tipped over, its point a little above the board, it falls flat.
_ON_THE_BOARD = Place(
    "knife",
    over="success",
    height_m=0.100,
    clearance_m=0.10,
    grip_m=0.068,
    tolerance_m=0.006,
    within_m=0.15,
    out_of="knife_block",
    out_m=0.255,
    lean_rad=0.5,
)

TASK = TaskSpec(
    name="put_knife_on_chopping_board",
    props=(
        Prop("chopping_board_visual", "chopping_board", at=(0.0, -0.101, 0.0075, 0.0)),
        Prop("knife_block", "knife_block", placed_in="boundary"),
        Prop("knife", "knife", at=(0.0, 0.0, 0.125, 0.0), rides="knife_block", free=True, graspable=True),
    ),
    # Whole blocks lie in a plane of 0.5 x 0.25 m; this is what it leaves to their middles.
    areas=(Area("boundary", centre=(0.0, 0.15), size=(0.37, 0.12)),),
    variations=({},),
    instructions=(
        "put the knife on the chopping board",
        "draw the knife from the block and lay it on the board",
        "the knife stands in its block, it should lie on the cutting board",
        "pull out the kitchen knife and put it down on the wooden board",
        "fetch the knife and place it where the vegetables will be chopped",
    ),
    roles=(("knife", Role.TARGET), ("chopping_board_visual", Role.TARGET), ("knife_block", Role.FIXTURE)),
    sensors=(Sensor("success", size=(0.24, 0.18, 0.03), at=(-0.075, -0.101, 0.030)),),
    success=All(Detected("knife", "success"), NothingGrasped()),
    expert=(Grasp("knife", before=_ON_THE_BOARD, offset=(0.0, 0.0, _GRIP_M), symmetry=math.pi), _ON_THE_BOARD),
    footprint=(0.0, 0.035, 0.500, 0.480),
    protocols={
        "agnostos": Protocol(
            variations=({},),
            success=InOrder(Detected("knife", "success"), NothingGrasped()),
            note="The published parts latch in order: the knife may have left the board again when it is let go.",
        )
    },
    suites=("agnostos", "agnostos-level1", "pick-place"),
    notes="By default the knife must be over the board when nothing is grasped.",
)
