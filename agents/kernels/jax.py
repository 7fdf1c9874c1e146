"""Blend masked observations on a JAX device; the convention is that of :mod:`hansgym.agents.kernels.numpy`.

:func:`blend` can be traced, so that a policy's jitted function blends and answers in one go: only the observation, its
blur (both once) and the bits of the masks travel to the device.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hansgym.agents.kernels.numpy import Index, blur, repeated
from hansgym.batch import Batch, MaskedBatch


def materialise(batch: MaskedBatch, index: Index = None, device: Any = None) -> Batch:
    """The rows ``index`` (default: all) of ``batch``; its images are (N, H, W, 3) uint8 **arrays on** ``device``.

    They equal the NumPy kernel's within one grey level. State, instructions and privileged inputs repeat the base row
    as read-only NumPy views.
    """
    pick = slice(None) if index is None else index
    images = {}
    for camera, (sharp, soft) in looks(batch).items():
        sent = jax.device_put((sharp, soft, np.asarray(batch.bits[camera][pick])), device)
        images[camera] = _blend(*sent)
    size = len(next(iter(images.values())))
    return repeated(batch.base, size).with_images(images)  # type: ignore[arg-type] # device arrays in place of arrays


def looks(batch: MaskedBatch) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Camera -> the image and its blur, (H, W, 3) uint8 each; the host blurs, so that all kernels hide the same."""
    sharp = {c: np.ascontiguousarray(i[0]) for c, i in batch.base.images.items()}
    return {c: (i, blur(i, batch.blur_sigma_px)) for c, i in sharp.items()}


def blend(sharp: Any, soft: Any, bits: Any) -> Any:
    """Views (N, H, W, 3) uint8 of one image (H, W, 3) uint8 and its blur through (N, G, G) masks; can be traced."""
    rows, columns = (jnp.asarray(_weights(sharp.shape[k], bits.shape[k + 1])) for k in (0, 1))
    kept = bits.astype(jnp.float32)
    # The highest precision: the default of some devices rounds products to ten bits, which would show.
    mask = jnp.einsum("hi,nij,wj->nhw", rows, kept, columns, precision=jax.lax.Precision.HIGHEST)[..., None]
    mixed = mask * sharp.astype(jnp.float32) + (1.0 - mask) * soft.astype(jnp.float32)
    return jnp.clip(jnp.round(mixed), 0, 255).astype(jnp.uint8)


_blend = jax.jit(blend)


@lru_cache(maxsize=16)
def _weights(size: int, grid: int) -> np.ndarray:
    """(size, grid) float32: the bilinear weight of each cell for each pixel, half-pixel centres, edges clamped."""
    at = np.clip((np.arange(size) + 0.5) * grid / size - 0.5, 0, grid - 1)
    low = np.minimum(np.floor(at).astype(int), max(grid - 2, 0))
    weights = np.zeros((size, grid), np.float32)
    weights[np.arange(size), np.minimum(low + 1, grid - 1)] = at - low
    weights[np.arange(size), low] += 1.0 - (at - low)
    return weights
