"""Masks are exact: every pixel has one region, ids are objects of the scene, roles are those the task declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from hansgym.envs.env import HansGymEnv
from hansgym.envs.registration import index
from hansgym.roles import PARTITIONS, Region, Role, SceneObject, region_image
from hansgym.specs import CAMERAS

TASKS = [row["task"] for row in index()]
ENOUGH_PX = 20
"""Pixels that each role the task needs must cover in the front or the overhead camera at 224 px."""

SEEDS = (23, 24, 25)
REQUIRED = (Role.ROBOT, Role.TARGET, Role.FIXTURE, Role.SURFACE)


def unseen(observation: Mapping[str, np.ndarray], things: Mapping[str, set[int]]) -> dict[str, int]:
    """The ``things`` (name -> object ids) that neither camera sees enough of, with their pixels in the better one."""
    most = {
        name: max(int(np.isin(observation[f"{c}_objects"], list(ids)).sum()) for c in ("front", "overhead"))
        for name, ids in things.items()
    }
    return {name: pixels for name, pixels in most.items() if pixels < ENOUGH_PX}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("partition", sorted(PARTITIONS))
def test_regions_are_the_roles_of_the_objects_seen(
    task: str, partition: str, shared_env: Callable[..., HansGymEnv]
) -> None:
    env = shared_env(task, segmentation=True, partition=partition)
    observation, info = env.reset(seed=23)
    roles = {o.id: o.role for o in info["objects"]}
    assert len(roles) == len(info["objects"]), "ids are distinct"
    assert 0 not in roles
    for camera in CAMERAS:
        objects, mask = observation[f"{camera}_objects"], observation[f"{camera}_mask"]
        for number in np.unique(objects):
            want = PARTITIONS[partition][roles[int(number)]] if number else Region.NUISANCE
            assert (mask[objects == number] == want).all()
        assert set(np.unique(mask)) <= {int(r) for r in Region}


@pytest.mark.parametrize("task", TASKS)
def test_roles_agree_with_the_task_file_and_what_is_needed_is_seen(
    task: str, shared_env: Callable[..., HansGymEnv]
) -> None:
    env = shared_env(task, segmentation=True, image_size=224)
    for seed in SEEDS:
        variation = {"variation": seed % env.variations}
        observation, info = env.reset(seed=seed, options=variation)
        own = [o for o in info["objects"] if o.name not in ("Panda", "diningTable_visible")]
        for item in own:
            if item.role is not Role.BACKGROUND:
                assert env.task_spec.role_of(item.name, env.binding) is item.role
        needed = {role: {o.id for o in info["objects"] if o.role is role} for role in Role if role in REQUIRED}
        assert not unseen(observation, {r.value: ids for r, ids in needed.items() if ids}), f"seed {seed}"


@pytest.mark.parametrize("task", TASKS)
def test_what_is_to_be_grasped_is_seen(task: str, shared_env: Callable[..., HansGymEnv]) -> None:
    env = shared_env(task, segmentation=True, image_size=224)
    scene = env.backend.live.scene  # type: ignore[attr-defined]
    parts = {p.name: {int(scene.geom_objects[g]) for g in scene.props[p.name].geoms} for p in env.task_spec.props}
    for seed in SEEDS:
        observation, info = env.reset(seed=seed)
        targets = {o.id for o in info["objects"] if o.role is Role.TARGET}
        meant = {p.name: parts[p.name] for p in env.task_spec.props if p.graspable and parts[p.name] & targets}
        assert not unseen(observation, meant), f"seed {seed}"


def test_an_object_nobody_declared_is_caught() -> None:
    objects = (SceneObject(1, "robot", Role.ROBOT),)
    with pytest.raises(ValueError, match=r"ids \[2\]"):
        region_image(np.array([[0, 1], [1, 2]], np.uint16), objects, "table_supports")


def test_a_thing_that_only_the_wrist_camera_sees_is_caught() -> None:
    blank, full = np.zeros((8, 8), np.uint16), np.full((8, 8), 7, np.uint16)
    observation = {"front_objects": blank, "overhead_objects": blank, "wrist_objects": full}
    assert unseen(observation, {"knob": {7}}) == {"knob": 0}
    assert unseen({**observation, "overhead_objects": full}, {"knob": {7}}) == {}
