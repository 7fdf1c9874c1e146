"""Mask designs: which cells of which camera each mask keeps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hansgym.errors import ConfigurationError
from hansgym.seeds import stream


def bernoulli(
    seed: int, cameras: Sequence[str], n_masks: int, keep_probability: float, grid: int
) -> dict[str, np.ndarray]:
    """Independent masks, camera -> (N, G, G) uint8: 1 keeps a cell (with ``keep_probability``), 0 hides it.

    All cameras are masked at once (jointly), each from a stream of its own, so that a camera's masks do not depend on
    which others there are.
    """
    if not 0.0 < keep_probability < 1.0:
        raise ConfigurationError(f"keep_probability must lie between 0 and 1, got {keep_probability}; 0.3 as published")
    if n_masks < 4 or grid < 1:
        raise ConfigurationError(f"needs at least 4 masks (two halves of two) and 1 cell, got {n_masks} and {grid}")
    return {
        camera: (stream(seed, "masks", camera).random((n_masks, grid, grid)) < keep_probability).astype(np.uint8)
        for camera in cameras
    }
