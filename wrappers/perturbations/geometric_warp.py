"""Elastic warp: every pixel is fetched from a smoothly displaced place.

The displacement's two components are normal noise smoothed with a Gaussian of 10 px; the field is scaled so that its
longest vector has the stated length. Lengths are meant at 224 px and scale with the width. What lies beyond the image
is its reflection. Restricted to the nuisance region, a pixel there may fetch what is visible inside the task region,
as in the published masking by blending.
"""

from __future__ import annotations

import cv2
import numpy as np

from hansgym.wrappers.perturbations._base import REFERENCE_PX, ImagePerturbation

SIGMA_PX = 10.0


def field(height: int, width: int, shift_px: float, rng: np.random.Generator) -> np.ndarray:
    """(2, H, W) float32 displacements (x, y) in pixels of this image; the longest is ``shift_px`` at 224 px."""
    noise = rng.standard_normal((2, height, width), dtype=np.float32)
    smooth = np.stack([cv2.GaussianBlur(n, (0, 0), SIGMA_PX * width / REFERENCE_PX) for n in noise])
    longest = float(np.hypot(smooth[0], smooth[1]).max())
    return smooth * np.float32(shift_px * width / REFERENCE_PX / max(longest, 1e-12))


def _change(image: np.ndarray, shift_px: float, rng: np.random.Generator) -> np.ndarray:
    height, width = image.shape[:2]
    dx, dy = field(height, width, shift_px, rng)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(image, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


PERTURBATION = ImagePerturbation(
    name="geometric_warp",
    summary="smooth elastic displacement of pixels",
    parameter="longest displacement, px at 224 px",
    strengths=(3.0, 6.0, 12.0, 25.0, 35.0),
    change=_change,
)
