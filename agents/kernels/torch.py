"""Blend masked observations on a Torch device; the convention is that of :mod:`hansgym.agents.kernels.numpy`.

Only the observation, its blur (both once) and the bits of the masks travel to the device.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional

from hansgym.agents.kernels.numpy import Index, blur, repeated
from hansgym.batch import Batch, MaskedBatch


def materialise(batch: MaskedBatch, index: Index = None, device: Any = "cpu") -> Batch:
    """The rows ``index`` (default: all) of ``batch``; its images are (N, H, W, 3) uint8 **tensors on** ``device``.

    They equal the NumPy kernel's within one grey level. State, instructions and privileged inputs repeat the base row
    as read-only NumPy views.
    """
    pick = slice(None) if index is None else index
    images = {c: blend(i[0], batch.bits[c][pick], batch.blur_sigma_px, device) for c, i in batch.base.images.items()}
    size = len(next(iter(images.values())))
    return repeated(batch.base, size).with_images(images)  # type: ignore[arg-type] # tensors in place of arrays


def blend(image: np.ndarray, bits: np.ndarray, blur_sigma_px: float, device: Any = "cpu") -> torch.Tensor:
    """Views (N, H, W, 3) uint8 on ``device`` of one (H, W, 3) uint8 image through (N, G, G) masks."""
    # The blur is the host's, so that all kernels hide the same content; one image is cheap to send.
    sharp = torch.as_tensor(np.ascontiguousarray(image), device=device).float()
    soft = torch.as_tensor(blur(np.ascontiguousarray(image), blur_sigma_px), device=device).float()
    grid = torch.as_tensor(np.ascontiguousarray(bits), device=device).float()
    mask = functional.interpolate(grid[:, None], size=image.shape[:2], mode="bilinear", align_corners=False)
    return torch.lerp(soft, sharp, mask[:, 0, :, :, None]).round_().clamp_(0, 255).to(torch.uint8)
