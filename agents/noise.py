"""Sampling noise from noise seeds: row b from ``seeds[b]`` alone, whatever its neighbours and the framework."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hansgym.seeds import stream

NAME = "policy-noise"
"""The stream of a noise seed that sampling noise is drawn from."""


def normal(seeds: Sequence[int] | np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """(B, *shape) float32 of standard normal numbers, one row per noise seed: common random numbers for flow and
    diffusion policies."""
    distinct, index = np.unique(np.asarray(seeds, np.uint64), return_inverse=True)  # masked copies share their seed
    rows = [stream(int(s), NAME).standard_normal(tuple(shape)) for s in distinct]
    return np.stack(rows).astype(np.float32)[index] if rows else np.empty((0, *shape), np.float32)
