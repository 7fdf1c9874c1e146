"""Chunked execution: one action of this environment is what a policy predicts in one inference."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box

from hansgym.errors import ConfigurationError, InvalidActionError
from hansgym.lookup import unknown
from hansgym.wrappers.perturbations import with_report

OBSERVE = ("last", "every")

COUNTS = ("clipped", "ik_unreached", "speed_limited")
"""What the environment counts per control step and a chunk adds up."""


class ChunkedExecution(gym.Wrapper, gym.utils.RecordConstructorArgs):
    """Takes chunks (horizon, dim), executes their first ``execute`` actions, observes once at the end.

    Every action goes through the wrapped environment's ``step``, so that its time limit counts control steps. Images
    are rendered only for the observation that is returned, also when the episode ends inside the chunk; with
    ``observe="every"`` each control step is rendered and ``info["frames"]`` lists the observations, the returned one
    last. The reward is the sum. ``info`` is that of the last control step, with ``chunk_steps`` (int, the control steps
    executed) and the sums over the chunk of :data:`COUNTS`.

    Example::

        env = ChunkedExecution(gym.make("hansgym/open_drawer-v0"), horizon=16, execute=8)
        observation, info = env.reset(seed=0)
        chunk = env.get_wrapper_attr("expert_chunk")(16)
        observation, reward, terminated, truncated, info = env.step(chunk)
    """

    def __init__(self, env: gym.Env, horizon: int = 16, execute: int = 8, observe: str = "last") -> None:
        """``1 <= execute <= horizon``; ``observe`` is ``"last"`` or ``"every"``."""
        gym.utils.RecordConstructorArgs.__init__(self, horizon=horizon, execute=execute, observe=observe)
        gym.Wrapper.__init__(self, env)
        if not 1 <= execute <= horizon:
            raise ConfigurationError(f"execute must be between 1 and horizon ({horizon}), got {execute}")
        if observe not in OBSERVE:
            raise unknown("observe setting", observe, OBSERVE)
        space = env.action_space
        if not isinstance(space, Box) or len(space.shape) != 1:
            raise ConfigurationError(f"chunks need a Box action space of one dimension, this environment has {space}")
        self.horizon, self.execute, self.observe_setting = horizon, execute, observe
        self.action_space = Box(
            np.tile(space.low, (horizon, 1)),
            np.tile(space.high, (horizon, 1)),
            dtype=space.dtype.type,
        )

    def step(self, action: np.ndarray) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Execute the first ``execute`` rows of ``action`` (horizon, dim); stops early when the episode ends."""
        chunk = self._checked(action)
        total, frames, counts = 0.0, [], dict.fromkeys(COUNTS, 0)
        every = self.observe_setting == "every"
        with self._images(every):
            for row in chunk[: self.execute]:
                observation, reward, terminated, truncated, info = self.env.step(row)
                total += float(reward)
                frames.append(observation)
                for name in COUNTS:
                    counts[name] += int(info.get(name, 0))
                if terminated or truncated:
                    break
        info = {**info, **counts, "chunk_steps": len(frames)}
        if every:
            info["frames"] = frames
        elif self.env.has_wrapper_attr("observe"):
            observation = self.env.get_wrapper_attr("observe")()
            if self.env.has_wrapper_attr("perturbed"):
                info = with_report(info, self.env.get_wrapper_attr("perturbed"))
        return observation, total, terminated, truncated, info

    def _checked(self, action: np.ndarray) -> np.ndarray:
        chunk = np.asarray(action)
        if chunk.shape != self.action_space.shape:
            raise InvalidActionError(
                f"chunk has shape {chunk.shape}, (horizon, dim) = {self.action_space.shape} was due"
            )
        return chunk

    @contextmanager
    def _images(self, on: bool) -> Iterator[None]:
        """Render at every control step or not, and put the setting back, also when a step raises."""
        base = self.env.unwrapped
        if not hasattr(base, "observe_images"):
            yield
            return
        before = base.observe_images
        base.observe_images = on
        try:
            yield
        finally:
            base.observe_images = before
