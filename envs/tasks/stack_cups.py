"""Nest two cups in a third. Variations: the colour of the cup that stays."""

from __future__ import annotations

from hansgym.envs.conditions import All, Detected, NothingGrasped
from hansgym.envs.spec import COLOURS, Area, Candidates, Draw, Prop, Protocol, Sensor, TaskSpec
from hansgym.envs.verbs.grasp_rim import GraspRim
from hansgym.envs.verbs.place import Place
from hansgym.roles import Role

_VARIATIONS = tuple({"colour": c} for c in COLOURS)
_CUPS = ("cup2", "cup1", "cup3")

# Cups are 0.147 high and stand 0.025 higher for each cup they stand in; they are let go of a little above that.
_FIRST = Place("cup1", over="cup2", height_m=0.031, clearance_m=0.14, grip_m=0.064, clear_m=0.12)
_SECOND = Place("cup3", over="cup2", height_m=0.056, clearance_m=0.14, grip_m=0.064, clear_m=0.12)


def _grasp(cup: str, before: Place) -> GraspRim:
    return GraspRim(cup, before=before, radius_m=0.0445, height_m=0.064)


TASK = TaskSpec(
    name="stack_cups",
    props=tuple(
        Prop(cup, "cup", at=(0.0, 0.0, 0.0717, 0.0), placed_in="boundary", yaw=(0.0, 0.0), free=True, graspable=True)
        for cup in _CUPS
    ),
    # Whole cups stand in a plane of 0.4 x 0.6 m, so their middles in one that is smaller by a cup. Between them there
    # is room for a finger.
    areas=(Area("boundary", centre=(-0.008, 0.0), size=(0.306, 0.506), min_distance=0.165),),
    footprint=(-0.008, 0.0, 0.4, 0.6),
    variations=_VARIATIONS,
    draws=(Draw(("colour1", "colour3"), tuple(COLOURS), exclude=("{colour}",)),),
    instructions=(
        "stack the other cups on top of the {colour} cup",
        "put both other cups into the {colour} one, one after the other",
        "make one stack of the three cups, with the {colour} cup at the bottom",
        "leave the {colour} cup where it is and nest the other two in it",
        "the {colour} cup is the base: set the remaining cups into it",
        "collect the cups in the {colour} cup",
    ),
    roles=tuple((cup, Role.TARGET) for cup in _CUPS),
    colours=(("cup2", "{colour}"), ("cup1", "{colour1}"), ("cup3", "{colour3}")),
    # Low inside the standing cup, where only the foot of a nested one gets.
    sensors=(Sensor("success", size=(0.02, 0.02, 0.05), on="cup2", at=(0.0, 0.0, -0.0365)),),
    success=All(Detected("cup1", "success"), Detected("cup3", "success"), NothingGrasped()),
    expert=(_grasp("cup1", _FIRST), _FIRST, _grasp("cup3", _SECOND), _SECOND),
    candidates=Candidates(
        props=_CUPS, right="cup2", colours={"cup2": "{colour}", "cup1": "{colour1}", "cup3": "{colour3}"}
    ),
    suites=("agnostos", "agnostos-seen", "peract-18", "stack"),
    protocols={"agnostos": Protocol(variations=_VARIATIONS[:1], note="Only variation 0 is part of that benchmark.")},
    notes="The three colours always differ; upstream the two cups that are moved may have the same one.",
)
