"""Patch dropout: cells of a 7x7 grid are hidden behind the blurred image, as in the masks of ISS."""

from __future__ import annotations

import cv2
import numpy as np

from hansgym.agents.kernels.numpy import blur
from hansgym.batch import BLUR_SIGMA_AT_224
from hansgym.wrappers.perturbations._base import ImagePerturbation

GRID = 7


def _change(image: np.ndarray, keep: float, rng: np.random.Generator) -> np.ndarray:
    # Uniform draws compared with p, so that at one seed a higher severity hides every cell that a lower one hides.
    bits = (rng.random((GRID, GRID)) < keep).astype(np.float32)
    mask = cv2.resize(bits, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)[..., None]
    return mask * image + (1.0 - mask) * blur(np.ascontiguousarray(image), BLUR_SIGMA_AT_224)


PERTURBATION = ImagePerturbation(
    name="patch_dropout",
    summary="cells of a 7x7 grid hidden behind the blurred image",
    parameter="probability to keep a cell",
    strengths=(0.85, 0.7, 0.5, 0.3, 0.1),
    change=_change,
)
