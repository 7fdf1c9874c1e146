"""Our side of :mod:`hansgym.benchmarks.speed`, in a process of its own like the other side.

``python -m hansgym.benchmarks._speed_ours TASK`` speaks the JSON lines of :mod:`hansgym.benchmarks._robosuite_lift`.
What is imported up here is what a user imports; all else that ``gym.make`` needs is loaded on its own time.
"""

from __future__ import annotations

import functools
import itertools
import sys
from collections.abc import Iterator

import gymnasium as gym
import numpy as np

import hansgym  # noqa: F401  registers the ids
from hansgym.benchmarks._robosuite_lift import SIZE, Work, serve
from hansgym.seeds import stream
from hansgym.specs import CAMERAS

HORIZON, EXECUTE = 16, 8
REACH_RAD = 0.1
FOREVER = 10**9


def _start(task: str) -> dict[str, Work]:
    env = gym.make(f"hansgym/{task}-v0", image_size=SIZE, max_episode_steps=FOREVER)
    observation, _ = env.reset(seed=0)
    targets = _targets(observation["joint_positions"])
    return {
        "step": functools.partial(_step, env, targets),
        "chunk": functools.partial(_chunk, functools.cache(functools.partial(_chunked, env)), targets),
    }


def _targets(joints: np.ndarray) -> Iterator[np.ndarray]:
    """Endless joint targets around ``joints``, the gripper open: new ones at every control step."""
    offsets = stream(0, "speed").uniform(-REACH_RAD, REACH_RAD, (64, 7))
    return itertools.cycle(np.append(joints.astype(float) + offsets, np.ones((64, 1)), axis=1))


def _step(env: gym.Env, targets: Iterator[np.ndarray]) -> int:
    observation, _, terminated, truncated, _ = env.step(next(targets))
    _check(observation, terminated or truncated)
    return 1


def _chunked(env: gym.Env) -> gym.Env:
    from hansgym.wrappers.chunk import ChunkedExecution  # after gym.make has been timed

    return ChunkedExecution(env, horizon=HORIZON, execute=EXECUTE)


def _chunk(chunked: functools._lru_cache_wrapper[gym.Env], targets: Iterator[np.ndarray]) -> int:
    chunk = np.stack([next(targets) for _ in range(HORIZON)])
    observation, _, terminated, truncated, info = chunked().step(chunk)
    _check(observation, terminated or truncated)
    return int(info["chunk_steps"])


def _check(observation: dict[str, np.ndarray], over: bool) -> None:
    if over:
        raise RuntimeError("the episode ended while its speed was measured; name another task")
    for camera in CAMERAS:
        if not (observation[f"{camera}_rgb"].any() and observation[f"{camera}_mask"].any()):
            raise RuntimeError(f"the image or the mask of camera {camera!r} was not rendered")


if __name__ == "__main__":
    serve(functools.partial(_start, sys.argv[1]))
