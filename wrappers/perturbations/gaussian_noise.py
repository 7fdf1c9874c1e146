"""Sensor noise: independent normal noise on every pixel and channel."""

from __future__ import annotations

import numpy as np

from hansgym.wrappers.perturbations._base import ImagePerturbation


def _change(image: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    return image + 255.0 * sigma * rng.standard_normal(image.shape, dtype=np.float32)


PERTURBATION = ImagePerturbation(
    name="gaussian_noise",
    summary="independent normal noise on every pixel and channel",
    parameter="standard deviation, images in [0, 1]",
    strengths=(0.08, 0.12, 0.18, 0.25, 0.38),
    change=_change,
)
