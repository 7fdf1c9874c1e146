"""How long a reset takes, for :mod:`hansgym.benchmarks.speed`: every task, three cameras rendered, masks included."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import gymnasium as gym

from hansgym.envs.registration import env_id

SIZE = 224


def reset_times(
    tasks: Sequence[str], repeats: int, say: Callable[[str, float], None] = lambda task, seconds: None
) -> dict[str, list[float]]:
    """Seconds of each of ``repeats`` resets per task, each with a seed of its own.

    The first reset, which :func:`gymnasium.make` is measured with elsewhere, is not counted.
    """
    found: dict[str, list[float]] = {}
    for task in tasks:
        env = gym.make(env_id(task), image_size=SIZE, disable_env_checker=True)
        env.reset(seed=0)
        found[task] = [_reset(env, seed) for seed in range(1, repeats + 1)]
        env.close()
        say(task, statistics.median(found[task]))
    return found


def _reset(env: gym.Env, seed: int) -> float:
    start = time.perf_counter()
    observation, _ = env.reset(seed=seed)
    seconds = time.perf_counter() - start
    for name, value in observation.items():
        if name.endswith("_mask") and not value.any():
            raise RuntimeError(f"{name} was not rendered")
    return seconds


def reset_summary(times: Mapping[str, Sequence[float]]) -> dict[str, float | str]:
    """``median_s`` over all resets of all tasks, and the slowest task with its own median."""
    medians = {task: statistics.median(seconds) for task, seconds in times.items()}
    slowest = max(medians, key=lambda task: medians[task])
    every = [s for seconds in times.values() for s in seconds]
    return {"median_s": statistics.median(every), "slowest": slowest, "slowest_median_s": medians[slowest]}
