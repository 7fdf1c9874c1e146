"""The agent protocol: a policy behind a batch-first, framework-neutral face."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from hansgym.batch import Batch, MaskedBatch
from hansgym.specs import AgentSpec


@runtime_checkable
class Agent(Protocol):
    """A policy."""

    @property
    def spec(self) -> AgentSpec:
        """What it wants and gives; fixed for its life. A plain attribute will do."""
        ...

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Forget lanes ``rows``, about to start episodes with ``seeds``; other lanes are untouched."""
        ...

    def act(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> np.ndarray:
        """Chunks (B, horizon, dim) for the rows of ``batch``.

        ``noise_seeds``: (B,) uint64; equal seeds and equal observations must give equal chunks wherever the spec claims
        ``exact`` or ``deterministic`` noise. ``act`` must not change what a later ``act`` answers for the same
        observation unless a ``reset`` lies between: attributions ask many times. Only agents with ``spec.lazy`` are
        ever given a :class:`MaskedBatch`.
        """
        ...
