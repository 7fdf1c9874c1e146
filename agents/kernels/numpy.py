"""Blend masked observations on the host, with NumPy and OpenCV.

Convention, the same for every kernel: a (G, G) grid mask is upsampled bilinearly for each camera on its own, with
half-pixel centres and clamped edges (OpenCV's ``INTER_LINEAR``, Torch's ``align_corners=False``), and the image shown
is ``m * image + (1 - m) * blur(image)``, rounded to uint8. The blur is Gaussian with a standard deviation of
``blur_sigma_px`` at 224 px, in proportion at other sizes.

Between four neighbouring cell centres a pixel depends on four mask bits only, so 16 blends of the image hold every
value that any mask can produce. They are computed once per observation; a masked image is then copied together from
them, which makes the cost of a mask that of a copy.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from hansgym.batch import Batch, MaskedBatch

PATTERNS = 16  # of the four mask bits around a pixel

Index = slice | np.ndarray | None


def blur(image: np.ndarray, blur_sigma_px: float) -> np.ndarray:
    """Gaussian blur of an (H, W, 3) uint8 image; ``blur_sigma_px`` is meant at a height of 224 px, and scales."""
    sigma = blur_sigma_px * image.shape[0] / 224.0
    return cv2.GaussianBlur(image, (0, 0), sigma) if sigma > 0 else image.copy()


def materialise(batch: MaskedBatch, index: Index = None) -> Batch:
    """The rows ``index`` (default: all) of ``batch`` with their images blended, (N, H, W, 3) uint8 per camera.

    State, instructions and privileged inputs repeat the base row (as read-only views). To go through a large batch in
    slices without blurring again, keep a :class:`Blender`.
    """
    return Blender(batch).rows(index)


class Blender:
    """Everything about a masked batch that does not depend on the mask, computed once."""

    def __init__(self, batch: MaskedBatch) -> None:
        self._batch = batch
        self._tiles: dict[str, list[_Tile]] = {}
        for camera, images in batch.base.images.items():
            image = np.ascontiguousarray(images[0])
            self._tiles[camera] = _tiles(image, blur(image, batch.blur_sigma_px), batch.bits[camera].shape[1:])

    def rows(self, index: Index = None) -> Batch:
        """The rows ``index`` as a plain batch; only their images are held."""
        pick = slice(None) if index is None else index
        base = self._batch.base
        images = {c: self._assemble(c, np.asarray(bits[pick])) for c, bits in self._batch.bits.items()}
        return repeated(base, len(next(iter(images.values())))).with_images(images)

    def _assemble(self, camera: str, bits: np.ndarray) -> np.ndarray:
        out = np.empty((len(bits), *self._batch.base.images[camera].shape[1:]), np.uint8)
        padded = np.pad(bits != 0, ((0, 0), (1, 1), (1, 1)), mode="edge").astype(np.intp)
        pattern = padded[:, :-1, :-1] + 2 * padded[:, :-1, 1:] + 4 * padded[:, 1:, :-1] + 8 * padded[:, 1:, 1:]
        for tile in self._tiles[camera]:
            out[:, tile.rows, tile.columns] = tile.looks[pattern[:, tile.i, tile.j]]
        return out


def repeated(base: Batch, size: int) -> Batch:
    """``size`` rows that all equal the one row of ``base``; arrays are read-only views that use no memory."""

    def spread(array: np.ndarray) -> np.ndarray:
        return np.broadcast_to(array[:1], (size, *array.shape[1:]))

    return Batch(
        images={c: spread(a) for c, a in base.images.items()},
        state={k: spread(a) for k, a in base.state.items()},
        instructions=base.instructions[:1] * size,
        rows=spread(np.asarray(base.rows)),
        privileged={k: spread(np.asarray(a)) for k, a in base.privileged.items()},
    )


@dataclass(frozen=True)
class _Tile:
    """Pixels between the same four cell centres, number (i, j), in each of the 16 looks: (16, h, w, 3) uint8."""

    i: int
    j: int
    rows: slice
    columns: slice
    looks: np.ndarray


def _tiles(image: np.ndarray, blurred: np.ndarray, grid: tuple[int, ...]) -> list[_Tile]:
    height, width = image.shape[:2]
    keep, hide = _weights(height, width, grid[0], grid[1])
    looks = np.empty((PATTERNS, *image.shape), np.uint8)
    for pattern in range(PATTERNS):
        cv2.blendLinear(image, blurred, keep[pattern], hide[pattern], dst=looks[pattern])
    rows, columns = _spans(height, grid[0]), _spans(width, grid[1])
    return [
        _Tile(i, j, r, c, np.ascontiguousarray(looks[:, r, c]))
        for i, r in enumerate(rows)
        for j, c in enumerate(columns)
        if r.stop > r.start and c.stop > c.start
    ]


def _positions(size: int, grid: int) -> np.ndarray:
    """Pixel centres in units of cells, 0 at the first cell's centre."""
    return (np.arange(size) + 0.5) * grid / size - 0.5


def _spans(size: int, grid: int) -> list[slice]:
    """The pixels between neighbouring cell centres, from before the first to after the last: grid + 1 slices."""
    edges = np.searchsorted(np.floor(_positions(size, grid)), np.arange(-1, grid + 1))
    return [slice(int(a), int(b)) for a, b in itertools.pairwise(edges)]


@lru_cache(maxsize=4)
def _weights(height: int, width: int, grid_rows: int, grid_columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Bilinear weight of image and of blur, (16, H, W) float32 each, for the 16 patterns of the four bits around."""
    y, x = _positions(height, grid_rows), _positions(width, grid_columns)
    fy, fx = (y - np.floor(y))[:, None], (x - np.floor(x))[None, :]
    corners = ((1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx)
    keep = np.stack([sum((w for k, w in enumerate(corners) if p >> k & 1), 0 * corners[0]) for p in range(PATTERNS)])
    return keep.astype(np.float32), (1.0 - keep).astype(np.float32)
