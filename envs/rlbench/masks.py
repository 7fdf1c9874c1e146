"""From a colour-coded picture of handles to an image of object ids: pure functions on arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

EMPTY = (0, 0xFFFFFF)
"""Codes of pixels that no shape covers (black or white), unless a shape has that handle."""

BEYOND = 0
"""The object id of pixels that no object covers: the background beyond all geometry."""


def handles_of(codes: np.ndarray) -> np.ndarray:
    """(H, W) int64 handles of a colour-coded picture (H, W, 3): floats in [0, 1] or uint8, red the lowest byte.

    Floats are rounded, not cut off: they come from the driver, a hair beside n / 255.
    """
    if codes.ndim != 3 or codes.shape[2] != 3:
        raise ValueError(f"a picture of handles must have shape (H, W, 3), got {codes.shape}")
    levels = codes.astype(np.int64) if codes.dtype == np.uint8 else np.rint(codes * 255.0).astype(np.int64)
    return levels[..., 0] + (levels[..., 1] << 8) + (levels[..., 2] << 16)


def objects_of(handles: np.ndarray, ids: Mapping[int, int]) -> tuple[np.ndarray, tuple[int, ...]]:
    """Object ids (H, W) uint16 of ``handles`` (H, W), and the handles that ``ids`` does not know, sorted.

    Pixels with an unknown handle and those that nothing covers become :data:`BEYOND`.
    """
    seen, where = np.unique(handles, return_inverse=True)
    table = np.array([ids.get(int(h), BEYOND) for h in seen], np.uint16)
    unknown = tuple(int(h) for h in seen if int(h) not in ids and int(h) not in EMPTY)
    return table[where].reshape(handles.shape), unknown
