"""A stand-in for the environment: the same face, no simulator, every call counted."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict

SIZE = 64


class PaintedEnv(gym.Env):
    """Mid-grey images with a square task region that walks right; reward on step ``solve_at``."""

    def __init__(self, size: int = SIZE, solve_at: int = 10_000, cameras: tuple[str, ...] = ("front", "wrist")) -> None:
        self.size, self.solve_at, self.cameras = size, solve_at, cameras
        spaces: dict[str, Box] = {"joint_positions": Box(-3, 3, (7,), np.float32)}
        for camera in cameras:
            spaces[f"{camera}_rgb"] = Box(0, 255, (size, size, 3), np.uint8)
            spaces[f"{camera}_mask"] = Box(0, 2, (size, size), np.uint8)
        self.observation_space = Dict(spaces)
        self.action_space = Box(-1, 1, (8,), np.float32)
        self.observe_images = True
        self.renders, self.taken, self.added = 0, 0, []

    def add_perturbation(self, perturbation: Any) -> None:
        self.added.append(perturbation)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.taken = 0
        self.draw = int(self.np_random.integers(1000))
        return self._see(self.observe_images), {"reset_seed": seed, "draw": self.draw}

    def step(self, action: np.ndarray) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.taken += 1
        done = self.taken == self.solve_at
        info = {"clipped": int((np.abs(action) > 1).sum()), "success": done}
        return self._see(self.observe_images), float(done), done, False, info

    def observe(self) -> dict[str, np.ndarray]:
        return self._see(True)

    def counterfactual(self, factors: Any, seed: int) -> dict[str, np.ndarray]:
        seen = self._see(True)
        return {k: (v + np.uint8(1) if k.endswith("rgb") else v) for k, v in seen.items()}

    def _see(self, images: bool) -> dict[str, np.ndarray]:
        self.renders += images
        seen: dict[str, np.ndarray] = {"joint_positions": np.full(7, self.taken, np.float32)}
        for camera in self.cameras:
            mask = np.zeros((self.size, self.size), np.uint8)
            if images:
                left = self.size // 8 + self.taken % 8
                mask[self.size // 4 : self.size // 2, left : left + self.size // 4] = 1
                mask[self.size // 2 : 3 * self.size // 4, left : left + self.size // 4] = 2
            image = np.where(mask[..., None] > 0, np.uint8(90), np.uint8(128)).repeat(3, -1)
            # A fine chequer, so that warps and blurs have something to move.
            image[::2, ::2] += np.uint8(20) if images else np.uint8(0)
            seen[f"{camera}_rgb"], seen[f"{camera}_mask"] = image if images else np.zeros_like(image), mask
        return seen


gym.register("painted/Square-v0", entry_point=PaintedEnv, max_episode_steps=20)


@pytest.fixture
def painted() -> Any:
    """``make(**kwargs)`` of the stand-in, with Gymnasium's own wrappers (time limit of 20 steps) around it."""
    return lambda **kwargs: gym.make("painted/Square-v0", disable_env_checker=True, **kwargs)
