"""Where callers of a served agent queue up: lanes, checks of what they send, one answer at a time."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from hansgym.agent import Agent
from hansgym.agents.vla_eval_interface import STATE_WIDTHS
from hansgym.batch import STATE_KEYS, Batch
from hansgym.errors import AgentError, ConfigurationError
from hansgym.specs import check_chunk


class Desk:
    """An agent that answers one caller at a time."""

    def __init__(self, agent: Agent, run_seed: int = 0) -> None:
        if agent.spec.needs:
            raise ConfigurationError(
                f"agent {agent.spec.name!r} needs {sorted(agent.spec.needs)}, which only an environment has; "
                "serve an agent that acts on what it sees"
            )
        self.agent, self.run_seed = agent, run_seed
        self._lock = threading.Lock()
        self._lanes: dict[tuple[int, int], int] = {}

    def lane(self, connection: int, theirs: int) -> int:
        """The agent's lane for one of a connection's."""
        with self._lock:
            return self._lanes.setdefault((connection, theirs), len(self._lanes))

    def reset(self, lane: int, seed: int) -> None:
        """A new episode on ``lane``."""
        with self._lock:
            self.agent.reset([lane], [seed])

    def act(self, batch: Batch, noise_seed: int) -> np.ndarray:
        """The chunk (horizon, dim) float64 for a batch of one row."""
        with self._lock:
            chunk = self.agent.act(batch, np.array([noise_seed], np.uint64))
        return check_chunk(chunk, 1, self.agent.spec)[0]

    def row(self, images: Mapping[str, Any], state: Mapping[str, Any], instruction: Any, lane: int) -> Batch:
        """One row out of what a caller sent, every part checked; sizes are brought to the agent's."""
        if not isinstance(instruction, str):
            raise AgentError(f"the instruction is a {type(instruction).__name__}; it must be text")
        pictures = {c: self._picture(c, images.get(c))[None] for c in self.agent.spec.cameras}
        vectors = {k: _vector(k, state[k])[None] for k in STATE_KEYS if k in state}
        return Batch(pictures, vectors, (instruction,), np.array([lane]))

    def _picture(self, camera: str, image: Any) -> np.ndarray:
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            got = f"{image.shape} {image.dtype}" if isinstance(image, np.ndarray) else type(image).__name__
            raise AgentError(f"the image of camera {camera!r} is {got}; (height, width, 3) uint8 was due")
        size = self.agent.spec.image_size
        if size is None or image.shape[:2] == (size, size):
            return image
        import cv2

        shrinking = image.shape[0] * image.shape[1] > size * size
        return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)


def _vector(name: str, value: Any) -> np.ndarray:
    try:
        array = np.asarray(value, np.float32)
    except (TypeError, ValueError):
        array = np.empty(0, np.float32)
    if array.shape != (STATE_WIDTHS[name],) or not np.isfinite(array).all():
        raise AgentError(f"state {name!r} is {value!r:.120}; {STATE_WIDTHS[name]} finite numbers were due")
    return array


def binary(data: Any) -> bytes:
    """A message's bytes; text raises :class:`AgentError`."""
    if isinstance(data, str):
        raise AgentError(f"a text message arrived ({data[:80]!r}); it must be a binary one")
    return bytes(data)
