"""Environments shared by the tests of this folder: one per task and set of arguments, closed at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import pytest

import hansgym  # noqa: F401
from hansgym.envs.env import HansGymEnv
from hansgym.envs.registration import env_id

SIZE = 64


@pytest.fixture(scope="session")
def shared_env() -> Iterator[Callable[..., HansGymEnv]]:
    """``shared_env(task, **arguments)``: the bare environment at 64 px without perturbations; reset it before use."""
    made: dict[tuple[Any, ...], gym.Env] = {}

    def get(task: str, **arguments: Any) -> HansGymEnv:
        key = (task, *sorted(arguments.items()))
        if key not in made:
            made[key] = gym.make(env_id(task), **{"image_size": SIZE, **arguments})
        env = made[key].unwrapped
        env.clear_perturbations()
        env.observe_images = True
        return env

    yield get
    for env in made.values():
        env.close()
