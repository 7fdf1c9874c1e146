"""What spoils an episode spoils it for good: the hot wire ends it at a touch, and no success comes after."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hansgym.envs.env import HansGymEnv
from hansgym.envs.mujoco import control

STAY = np.append(control.HOME, 1.0)


def hang(env: HansGymEnv, y_m: float) -> None:
    """Put the wand as it hung at reset, ``y_m`` along the wire."""
    live = env.backend.live
    index = live.scene.props["wand"]
    frame, middle = live.view.rotation("Cuboid"), live.view.position("Cuboid")
    here = frame.T @ (live.view.position("wand") - middle)
    live.data.qpos[index.qpos : index.qpos + 3] = middle + frame @ np.array([here[0], y_m, here[2]])
    live.data.qvel[index.dof : index.dof + 6] = 0.0
    live.refresh()


def test_a_touch_of_the_wire_ends_the_episode_for_good(shared_env: Callable[..., HansGymEnv]) -> None:
    env = shared_env("beat_the_buzz", control="joint_position")
    env.observe_images = False
    env.reset(seed=3)
    _, reward, terminated, _, info = env.step(STAY)
    assert (reward, terminated, info["success"]) == (0.0, False, False)
    hang(env, 0.0)
    _, reward, terminated, _, info = env.step(STAY)
    assert (reward, terminated, info["success"]) == (0.0, True, False)
    spoilt = env.backend.live.snapshot()
    hang(env, -0.105)
    _, reward, terminated, _, info = env.step(STAY)
    assert (reward, terminated, info["success"]) == (0.0, True, False)
    env.reset(seed=3)
    assert not env.backend.verdict().failed
    env.backend.live.load(spoilt)
    assert env.backend.verdict().failed, "a snapshot remembers it"


def test_the_far_end_counts_without_a_touch(shared_env: Callable[..., HansGymEnv]) -> None:
    env = shared_env("beat_the_buzz", control="joint_position")
    env.observe_images = False
    env.reset(seed=3)
    hang(env, -0.105)
    _, reward, terminated, _, info = env.step(STAY)
    assert (reward, terminated, info["success"]) == (1.0, True, True)
