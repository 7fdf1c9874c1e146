"""An environment made again from its spec, or copied, is the same environment."""

from __future__ import annotations

import copy
from collections.abc import Callable

import gymnasium as gym
import numpy as np
import pytest

from hansgym.envs.cue import Cue
from hansgym.envs.env import HansGymEnv
from hansgym.envs.registration import env_id, index

ARGUMENTS = {
    "cameras": ("wrist", "front"),
    "image_size": 32,
    "control": "ee_delta",
    "partition": "table_is_nuisance",
    "segmentation": True,
    "render_mode": None,
}


def same(first: gym.Env, second: gym.Env) -> None:
    """Equal spaces, and equal bytes after a reset."""
    assert first.observation_space == second.observation_space
    assert first.action_space == second.action_space
    (one, info_one), (two, info_two) = first.reset(seed=3), second.reset(seed=3)
    assert info_one == info_two
    for key, value in one.items():
        np.testing.assert_array_equal(value, two[key])


@pytest.mark.parametrize("task", [row["task"] for row in index()])
def test_make_from_spec(task: str) -> None:
    first = gym.make(env_id(task), variation=0, **ARGUMENTS)
    second = gym.make(first.spec)
    assert second.spec == first.spec
    assert [type(w) for w in layers(first)] == [type(w) for w in layers(second)]
    same(first, second)
    first.close()
    second.close()


def layers(env: gym.Env) -> list[gym.Env]:
    found = [env]
    while isinstance(found[-1], gym.Wrapper):
        found.append(found[-1].env)
    return found


def test_spec_travels_as_json() -> None:
    first = gym.make(env_id("push_buttons"), image_size=32)
    again = gym.make(gym.envs.registration.EnvSpec.from_json(first.spec.to_json()))
    assert again.observation_space == first.observation_space


def test_a_copy_keeps_arguments_and_perturbations_and_leaves_the_simulator(
    shared_env: Callable[..., HansGymEnv],
) -> None:
    env = shared_env("push_buttons")
    env.add_perturbation(Cue("place", "random"))
    env.reset(seed=1)
    # A deep copy goes through the pickle protocol.
    twin = copy.deepcopy(env)
    assert twin.perturbations == env.perturbations
    assert twin.spec == env.spec
    same(env, twin)
    twin.close()
