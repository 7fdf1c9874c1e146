"""Whose shape is it: from RLBench's shape names to the objects that the task files give roles to.

The task files carry upstream's object names and decide the roles of both backends. Upstream draws an object by one or
several shapes, often called ``<object>_visual`` beside an invisible ``<object>``; what these rules do not cover is
listed by name in :data:`PARTS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from hansgym.envs.rlbench.simulator import ShapeRecord

ROBOT = "Panda"
TABLE = "diningTable_visible"

_HELPER = re.compile(r"(^|_)(workspace|boundary\d*)(_|$)|_root$")
_COPY = re.compile(r"#\d+$")
_KIND = re.compile(r"_(visual|visible|vis|respondable|repondable|resp)(?=\d|_|$)")
_KINDS = ("_visual", "_vis", "_visible")
_DROP = re.compile(r"Cuboid\d*$")

PARTS: Mapping[str, Mapping[str, str]] = {
    "beat_the_buzz": {"wand_visual_sub": "wand"},
    "close_fridge": {f"shelf{k}": "fridge_base_visual" for k in range(3)},
    "lamp_off": {"light_bulb": "bulb", "bulb_phys": "bulb"},
    "lamp_on": {"light_bulb": "bulb", "bulb_phys": "bulb"},
    "meat_off_grill": {"lid": "grill_lid", "lid_visual": "grill_lid", "handle_visual": "grill_lid", "Shape1": "grill"},
    "place_shape_in_shape_sorter": {"shape_sorter_top": "shape_sorter"},
    "put_money_in_safe": {"dollar_back_visual": "dollar_stack", "dollar_front_visual": "dollar_stack"},
    "put_toilet_roll_on_stand": {"toilet_roll_holder": "holder_visual"},
    "scoop_with_spatula": {"spatula_visual": "scoop_with_spatula_spatula"},
    "sweep_to_dustpan_of_size": {
        "Dustpan_3": "dustpan_tall",
        "Dustpan_4": "dustpan_short",
        "Dustpan_5": "dustpan_tall",
        "Dustpan_6": "dustpan_short",
        "sweep_to_dustpan_broom_visual": "broom",
    },
    "toilet_seat_down": {"toilet_seat_up_respondable": "toilet_seat_up_seat"},
    "turn_oven_on": {
        "oven_base_resp": "oven_frame",
        "oven_knob": "oven_knob_9",
        "oven_tray": "oven_frame",
        "oven_tray_repondable": "oven_frame",
    },
    "unplug_charger": dict.fromkeys(("hole1", "hole2", "hole_visual1", "hole_visual2"), "plug"),
}
"""Task -> upstream shape -> object, where no rule finds it. What is inside of something counts as that thing."""

POURED: Mapping[str, Sequence[str]] = {"water_plants": tuple(f"drop{k}" for k in range(5))}
"""Objects that upstream makes during an episode: cuboids without a name of their own, in the order of their making."""


def is_helper(name: str) -> bool:
    """Whether ``name`` is a plane that places things: CoppeliaSim draws it into masks, and into no picture."""
    return bool(_HELPER.search(_COPY.sub("", name)))


def object_of(shape: ShapeRecord, task: str, objects: Iterable[str]) -> str | None:
    """The name of the object that ``shape`` is a part of, out of ``objects``; None where nobody knows.

    Tried in turn: the robot's, the task's own list, the name itself, the name without or with the ending of another
    kind of shape, the same for each of its parents from the nearest on.
    """
    known = frozenset(objects)
    if shape.robot:
        return ROBOT
    for name in (shape.name, *shape.ancestors):
        found = None if is_helper(name) else _named(_COPY.sub("", name), task, known)
        if found is not None:
            return found
    return None


def _named(name: str, task: str, known: frozenset[str]) -> str | None:
    part = PARTS.get(task, {}).get(name)
    if part is not None:
        return part
    if name in known:
        return name
    stem = _KIND.sub("", name, count=1)
    numbered = re.fullmatch(r"(.*?)(\d+)", stem)
    for kind in _KINDS:
        for candidate in (stem, f"{stem}{kind}", *([f"{numbered[1]}{kind}{numbered[2]}"] if numbered else ())):
            if candidate in known:
                return candidate
    return TABLE if name.startswith("diningTable") else None


def assigned(shapes: Sequence[ShapeRecord], task: str, objects: Sequence[str]) -> dict[int, str]:
    """Handle -> object for all of ``shapes`` that belong to one; helper planes and strangers are left out."""
    found = {s.handle: object_of(s, task, objects) for s in shapes if not is_helper(s.name)}
    drops = [s.handle for s in sorted(shapes, key=lambda s: s.handle) if _poured(s, task)]
    found |= dict(zip(drops, POURED.get(task, ()), strict=False))
    return {handle: name for handle, name in found.items() if name is not None}


def _poured(shape: ShapeRecord, task: str) -> bool:
    return task in POURED and not shape.ancestors and _DROP.match(shape.name) is not None
