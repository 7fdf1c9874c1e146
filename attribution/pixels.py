"""Pixel maps from cell scores, made when asked for: results keep cells only."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from hansgym.attributions import Attribution


def upsample(cells: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear (H, W) float64 map of (G, G) cell scores: half-pixel centres, clamped edges, as masks are upsampled.

    Written so that pixels between equal cells are exactly equal, and plateaus at the edges exactly flat.
    """
    low, high, part = _neighbours(height, cells.shape[0])
    rows = cells[low] + part[:, None] * (cells[high] - cells[low])
    low, high, part = _neighbours(width, cells.shape[1])
    return rows[:, low] + part[None, :] * (rows[:, high] - rows[:, low])


def pixel_maps(cells: Mapping[str, np.ndarray], sizes: Mapping[str, tuple[int, int]]) -> dict[str, np.ndarray]:
    """Camera -> (H, W) float64 map; every camera is upsampled on its own, so nothing bleeds from one to the next."""
    return {camera: upsample(np.asarray(c, np.float64), *sizes[camera]) for camera, c in cells.items()}


def maps_of(attribution: Attribution) -> dict[str, np.ndarray]:
    """Camera -> (H, W) float64 pixel map of ``attribution``, at the size of the images it explains."""
    return pixel_maps(attribution.cells, attribution.image_size)


@lru_cache(maxsize=16)
def _neighbours(size: int, grid: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    position = np.clip((np.arange(size) + 0.5) * grid / size - 0.5, 0, grid - 1)
    low = np.floor(position).astype(np.intp)
    return low, np.minimum(low + 1, grid - 1), position - low
