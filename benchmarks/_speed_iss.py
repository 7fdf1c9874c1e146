"""What an explanation costs beside the policy's own forward passes, for :mod:`hansgym.benchmarks.speed`."""

from __future__ import annotations

import time
from collections.abc import Mapping

import gymnasium as gym
import numpy as np

import hansgym  # noqa: F401  registers the ids
from hansgym.agents.base import SimpleAgent
from hansgym.attribution.explain import explain
from hansgym.batch import Batch
from hansgym.specs import CAMERAS

SIZE = 224
N_MASKS = 100
GRID = 7
SLEEP_S = 0.01


class Sleeper(SimpleAgent):
    """Sleeps 10 ms for every observation it is asked about and adds up how long that was.

    Its answer follows the images, so that the statistics have something to rank.
    """

    image_size = SIZE
    slept_s = 0.0

    def predict(
        self, images: Mapping[str, np.ndarray], state: Mapping[str, np.ndarray], words: tuple[str, ...]
    ) -> np.ndarray:
        """(B, horizon, 8): each row's coarse brightness."""
        before = time.perf_counter()
        time.sleep(SLEEP_S * len(words))
        self.slept_s += time.perf_counter() - before
        light = sum(image[:, ::32, ::32].mean(axis=(1, 2, 3)) for image in images.values()) / 255.0
        return np.zeros((len(words), self.horizon, 8)) + light[:, None, None]


def overheads(task: str, repeats: int) -> list[float]:
    """Per explained decision of ``task``, the share of its time that the policy did not spend asleep."""
    env = gym.make(f"hansgym/{task}-v0", image_size=SIZE, segmentation=True)
    try:
        observation, info = env.reset(seed=0)
    finally:
        env.close()
    _overhead(observation, info, seed=0)  # imports and caches are paid for once
    return [_overhead(observation, info, seed) for seed in range(1, repeats + 1)]


def _overhead(observation: Mapping[str, np.ndarray], info: Mapping[str, object], seed: int) -> float:
    agent, start = Sleeper(), time.perf_counter()
    batch = Batch.from_observations([observation], [str(info["instruction"])], CAMERAS)
    found = explain(
        agent,
        batch,
        "iss",
        regions={c: observation[f"{c}_mask"][None] for c in CAMERAS},
        objects={c: observation[f"{c}_objects"][None] for c in CAMERAS},
        scene=[info["objects"]],  # type: ignore[list-item]
        seed=seed,
        n_masks=N_MASKS,
        grid=GRID,
    )[0]
    total = time.perf_counter() - start
    if found.evaluations != N_MASKS + 1 or found.nmr.get("10") is None:
        raise RuntimeError(
            f"this is not the explanation asked for: {found.evaluations} evaluations, {found.nmr_reason}"
        )
    return 1.0 - agent.slept_s / total
