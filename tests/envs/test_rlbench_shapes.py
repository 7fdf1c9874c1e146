"""Roles from names: every shape that upstream draws belongs to an object that the task file gives a role to."""

from __future__ import annotations

import numpy as np
import pytest
from _rlbench import LINKS, ROOM, SHAPES, FakeSimulator, fake_backend, task_of

from hansgym.envs.backend import ResetRequest
from hansgym.envs.registration import index
from hansgym.envs.rlbench import shapes
from hansgym.envs.rlbench.simulator import ShapeRecord
from hansgym.errors import ConfigurationError
from hansgym.roles import Region, Role, region_image

TASKS = tuple(row["task"] for row in index())


def test_the_table_of_upstreams_shapes_has_all_tasks() -> None:
    assert set(SHAPES) == set(TASKS)


@pytest.mark.parametrize("task", TASKS)
def test_masks_partition_the_image_and_show_no_helper_plane(task: str) -> None:
    """Each drawn shape has a role, for every variation's binding; an unknown one would raise."""
    simulator = FakeSimulator()
    backend = fake_backend(task, simulator)
    try:
        episode = backend.reset(ResetRequest(seed=3, variation=0))
        objects = backend.render(("front",), 96)["front"].objects
        by_id = {o.id: o for o in episode.objects}
        seen = {by_id[int(i)].name for i in np.unique(objects)}
        assert 0 not in objects, "every pixel is some object's"
        drawn = [n for n, shown in SHAPES[task].items() if shown and not shapes.is_helper(n)]
        owners = {
            name: next(o for o, hs in backend.census.handles.items() if simulator.handle(name) in hs) for name in drawn
        }
        assert set(owners.values()) <= seen
        regions = region_image(objects, episode.objects, "table_supports")
        assert set(np.unique(regions)) == {Region.NUISANCE, Region.ACTION, Region.SUPPORT}
        roles = {o.name: o.role for o in episode.objects}
        assert {roles[name] for name in owners.values()} <= {Role.TARGET, Role.FIXTURE, Role.DISTRACTOR}
    finally:
        backend.close()


@pytest.mark.parametrize("task", TASKS)
def test_every_target_of_the_task_has_a_shape(task: str) -> None:
    """What the instruction is about must be seen: except drops, which come during the episode."""
    backend = fake_backend(task)
    try:
        episode = backend.reset(ResetRequest(seed=0, variation=0))
        there = set(backend.census.handles)
        unseen = {o.name for o in episode.objects if o.role is Role.TARGET} - there
        invisible = {"bulb_holder0", "bulb_phys0", "lamp_screw"} if task == "light_bulb_in" else set()
        assert unseen - {f"drop{k}" for k in range(5)} - invisible - NOT_UPSTREAMS.get(task, set()) == set()
    finally:
        backend.close()


NOT_UPSTREAMS: dict[str, set[str]] = {"scoop_with_spatula": {"spatula_edge"}}
"""Targets that our scenes model as objects of their own and upstream's do not."""


def test_what_a_robot_carries_keeps_its_object() -> None:
    """An attached object becomes a child of the gripper: its own name still comes first."""
    lid = ShapeRecord(9, "jar_lid0", ("Panda_gripper_attachPoint", "Panda"))
    assert shapes.object_of(lid, "close_jar", ("Panda", "jar_lid0")) == "jar_lid0"


@pytest.mark.parametrize(
    "name", ["workspace", "spawn_boundary", "boundary0", "boundary_root", "mug_boundary", "grill_root"]
)
def test_helper_planes_are_known_by_their_names(name: str) -> None:
    assert shapes.is_helper(name)
    assert shapes.is_helper(f"{name}#0")


def test_no_object_of_ours_has_a_helpers_name() -> None:
    for task in TASKS:
        props = [p.name for p in task_of(task).props]
        assert not [n for n in (*props, *ROOM[:7], *LINKS) if shapes.is_helper(n)], task


def test_copies_and_kinds_of_shapes_are_seen_through() -> None:
    def owner(name: str, *ancestors: str) -> str | None:
        return shapes.object_of(ShapeRecord(1, name, ancestors), "t", ("mug0", "lid_visual", "cup", "Panda"))

    assert owner("mug_visual0") == "mug0"
    assert owner("mug0#1") == "mug0"
    assert owner("lid") == "lid_visual"
    assert owner("cup_respondable") == "cup"
    assert owner("screw7", "cup_visual", "boundary") == "cup"
    assert owner("stranger", "table") is None
    assert owner("diningTable") == shapes.TABLE


def test_poured_drops_are_objects_in_the_order_of_their_making() -> None:
    records = [ShapeRecord(50 + k, f"Cuboid{k or ''}") for k in (2, 0, 1)]
    found = shapes.assigned(records, "water_plants", ("head",))
    assert [found[50 + k] for k in range(3)] == ["drop0", "drop1", "drop2"]
    assert shapes.assigned(records, "close_jar", ("head",)) == {}


def test_an_unknown_shape_is_an_error_when_strict_and_one_warning_in_use() -> None:
    backend = fake_backend("close_jar", FakeSimulator(extra=("gremlin",)))
    backend.reset(ResetRequest(seed=0, variation=0))
    with pytest.raises(ConfigurationError, match=r"gremlin.*PARTS"):
        backend.render(("front",), 64)
    backend.close()

    simulator = FakeSimulator(extra=("gremlin",))
    backend = fake_backend("close_jar", simulator, strict=False)
    episode = backend.reset(ResetRequest(seed=0, variation=0))
    with pytest.warns(UserWarning, match="gremlin.*NUISANCE") as said:
        backend.render(("front", "wrist", "front"), 64)
    frame = backend.render(("front",), 64)["front"]
    assert len(said) == 1
    stranger = simulator.picture(64, [simulator.handle("workspace"), simulator.handle("spawn_boundary")])
    where = stranger == simulator.handle("gremlin")
    assert where.any()
    assert (region_image(frame.objects, episode.objects, "table_supports")[where] == Region.NUISANCE).all()
    backend.close()


def test_drops_that_come_later_are_learnt_about() -> None:
    simulator = FakeSimulator()
    backend = fake_backend("water_plants", simulator)
    episode = backend.reset(ResetRequest(seed=0, variation=0))
    simulator._add("Cuboid")
    seen = np.unique(backend.render(("front",), 96)["front"].objects)
    ids = {o.id: o.name for o in episode.objects}
    assert "drop0" in {ids[int(i)] for i in seen}
    backend.close()
