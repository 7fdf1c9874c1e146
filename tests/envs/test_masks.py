"""Masks are exact: every pixel has one region, ids are objects of the scene, roles are those the task declares."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hansgym.envs.env import HansGymEnv
from hansgym.envs.registration import index
from hansgym.roles import PARTITIONS, Region, Role, SceneObject, region_image
from hansgym.specs import CAMERAS

TASKS = [row["task"] for row in index()]
ENOUGH_PX = 20
"""Pixels that every kind of thing the task needs must cover in some camera at 224 px."""


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
    observation, info = env.reset(seed=23)
    own = [o for o in info["objects"] if o.name not in ("Panda", "diningTable_visible")]
    seen = np.concatenate([observation[f"{c}_objects"].ravel() for c in CAMERAS])
    for item in own:
        if item.role is not Role.BACKGROUND:
            assert env.task_spec.role_of(item.name, env.binding) is item.role
    for role in (Role.ROBOT, Role.TARGET, Role.SURFACE, Role.BACKGROUND):
        pixels = np.isin(seen, [o.id for o in info["objects"] if o.role is role]).sum()
        assert pixels >= ENOUGH_PX, f"{role} covers {pixels} px"


def test_an_object_nobody_declared_is_caught() -> None:
    objects = (SceneObject(1, "robot", Role.ROBOT),)
    with pytest.raises(ValueError, match=r"ids \[2\]"):
        region_image(np.array([[0, 1], [1, 2]], np.uint16), objects, "table_supports")
