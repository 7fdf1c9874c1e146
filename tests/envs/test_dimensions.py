"""Objects have the edges of RLBench's: within 15 % (or 3 mm), where the shape that shows them was measured.

Only objects that one shape shows there are compared: the box of several depends on how they are turned. What is known
to be off is listed with the reason; an entry that has become needless fails as well.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hansgym import lookup
from hansgym.benchmarks._parity_measure import _mujoco_sizes
from hansgym.benchmarks.parity import _box_share
from hansgym.envs.backend import ResetRequest
from hansgym.envs.mujoco.backend import MujocoBackend
from hansgym.envs.rlbench import shapes
from hansgym.envs.rlbench.simulator import ShapeRecord

BOXES: dict[str, dict[str, list[float]]] = json.loads(
    (Path(__file__).parent.parent / "data" / "rlbench_boxes.json").read_text()
)["tasks"]
HANDLE = "what sticks out of it (a bar handle, a dial) is in the box here; the slab itself fits"
SPLIT = "drawn by other pieces here: there this shape holds more, or less, of the thing"
TURNED = "the box there is along other axes than those of the thing, which lies turned in it"
FLAT = "a sheet without thickness there; here it is solid, or stands on rails"
TABLE = "the shape there reaches 56 mm into the table"
HOOPS = "the hoops around the lid are whole rings here, their lower half out of sight; the dome fits"
WHOLE = "the shape there is as high as bowl and cistern, which are two objects here"
CAPSULES = "links overlap here, so that the rope shows no gaps; their distance is that of the measured links"
CABLE = "the cable hangs out of the box there into the table; here it lies on it, or is a part of the thing"
OFF: dict[str, dict[str, str]] = {
    "close_fridge": {"door_bottom_visual": HANDLE, "door_top_visual": HANDLE},
    "close_laptop_lid": {"lid_visual": FLAT},
    "lamp_off": {"cable": CABLE},
    "lamp_on": {"cable": CABLE},
    "light_bulb_in": {"light_bulb0": SPLIT, "light_bulb1": SPLIT},
    "open_grill": {"grill_visual": TABLE, "lid_visual": HOOPS},
    "put_money_in_safe": {"dollar_stack": TURNED, "safe_door": HANDLE},
    "scoop_with_spatula": {"scoop_with_spatula_spatula": SPLIT},
    "straighten_rope": dict.fromkeys(("head", "tail", *(f"Cylinder{k}" for k in range(1, 17))), CAPSULES),
    "take_lid_off_saucepan": {"saucepan_lid_visual": SPLIT},
    "take_plate_off_colored_dish_rack": {"dish_rack": FLAT},
    "toilet_seat_down": {"toilet_seat_up_toilet": WHOLE},
    "turn_oven_on": {"oven_door": HANDLE},
    "unplug_charger": {"charger": CABLE, "task_wall": FLAT},
}


def _measured(task: str) -> tuple[MujocoBackend, dict[str, list[str]]]:
    """The scene, and for each of its objects the measured shapes that show it."""
    backend = MujocoBackend(lookup.load("hansgym.envs.tasks", task, "TASK", "task"))
    backend.reset(ResetRequest(500_000, 0))
    names, found = [name for _, name in backend.scene.objects], {}
    for shape in BOXES[task]:
        if not shapes.is_helper(shape):
            found.setdefault(shapes.object_of(ShapeRecord(1, shape), task, names), []).append(shape)
    return backend, found


@pytest.mark.parametrize("task", sorted(BOXES))
def test_edges_are_those_of_rlbench(task: str) -> None:
    backend, measured = _measured(task)
    ours = _mujoco_sizes(backend)
    backend.close()
    compared = {name: shown[0] for name, shown in measured.items() if len(shown) == 1 and name in ours}
    off = {name for name, shape in compared.items() if min(_box_share(b, BOXES[task][shape]) for b in ours[name]) > 0}
    assert off == set(OFF.get(task, {})), {n: (ours[n], BOXES[task][compared[n]]) for n in off ^ set(OFF.get(task, {}))}
