"""Chunked execution: which steps are taken, what is rendered, what adds up."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from hansgym.errors import ConfigurationError, InvalidActionError, UnknownNameError
from hansgym.wrappers import ChunkedExecution

CHUNK = np.zeros((16, 8), np.float32)


def test_executes_the_first_actions_and_renders_once(painted: Any) -> None:
    env = ChunkedExecution(painted())
    env.reset(seed=0)
    assert env.unwrapped.renders == 1
    observation, reward, terminated, truncated, info = env.step(CHUNK)
    assert (env.unwrapped.taken, env.unwrapped.renders, info["chunk_steps"]) == (8, 2, 8)
    assert observation["front_mask"].any(), "the observation at the end of a chunk has its images"
    assert observation["joint_positions"][0] == 8
    assert (reward, terminated, truncated) == (0.0, False, False)
    assert env.unwrapped.observe_images is True


def test_stops_when_the_episode_ends_and_still_observes(painted: Any) -> None:
    env = ChunkedExecution(painted(solve_at=3))
    env.reset(seed=0)
    observation, reward, terminated, _, info = env.step(CHUNK)
    assert (reward, terminated, info["chunk_steps"], info["success"]) == (1.0, True, 3, True)
    assert observation["front_rgb"].any()
    assert env.unwrapped.renders == 2


def test_the_time_limit_counts_control_steps(painted: Any) -> None:
    env = ChunkedExecution(painted())
    env.reset(seed=0)
    ends = [env.step(CHUNK)[3] for _ in range(3)]
    assert ends == [False, False, True]
    assert env.unwrapped.taken == 20
    assert env.unwrapped.renders == 4


def test_observe_every_lists_the_frames(painted: Any) -> None:
    env = ChunkedExecution(painted(), horizon=4, execute=4, observe="every")
    env.reset(seed=0)
    observation, _, _, _, info = env.step(CHUNK[:4])
    assert [int(f["joint_positions"][0]) for f in info["frames"]] == [1, 2, 3, 4]
    assert info["frames"][-1] is observation
    assert env.unwrapped.renders == 5


def test_counts_add_up(painted: Any) -> None:
    env = ChunkedExecution(painted())
    env.reset(seed=0)
    chunk = CHUNK.copy()
    chunk[:, :3] = 2.0
    assert env.step(chunk)[4]["clipped"] == 3 * 8


def test_images_come_back_on_when_a_step_raises(painted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    env = ChunkedExecution(painted())
    env.reset(seed=0)

    def broken(action: np.ndarray) -> None:
        raise RuntimeError("simulated")

    monkeypatch.setattr(env.unwrapped, "step", broken)
    with pytest.raises(RuntimeError, match="simulated"):
        env.step(CHUNK)
    assert env.unwrapped.observe_images is True


def test_spec_makes_it_again(painted: Any) -> None:
    env = ChunkedExecution(painted(), horizon=10, execute=5, observe="every")
    again = gym.make(env.spec)
    assert isinstance(again, ChunkedExecution)
    assert (again.horizon, again.execute, again.observe_setting) == (10, 5, "every")
    assert again.action_space == env.action_space
    assert again.action_space.shape == (10, 8)


def test_mistakes_are_named(painted: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"between 1 and horizon \(4\), got 8"):
        ChunkedExecution(painted(), horizon=4)
    with pytest.raises(UnknownNameError, match=r"'always'.*every, last"):
        ChunkedExecution(painted(), observe="always")
    env = ChunkedExecution(painted())
    env.reset(seed=0)
    with pytest.raises(InvalidActionError, match=r"shape \(8,\).*\(16, 8\)"):
        env.step(CHUNK[0])
    with pytest.raises(ConfigurationError, match="Box action space of one dimension"):
        ChunkedExecution(env)


def test_works_around_an_environment_that_only_steps() -> None:
    env = ChunkedExecution(gym.make("Pendulum-v1"), horizon=4, execute=3)
    env.reset(seed=0)
    observation, _, _, _, info = env.step(np.zeros((4, 1), np.float32))
    assert observation.shape == (3,)
    assert info["chunk_steps"] == 3
