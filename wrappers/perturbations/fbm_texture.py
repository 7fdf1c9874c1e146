"""A cloudy texture added to the image: fractional Brownian motion of four octaves.

Octave f in (1, 2, 4, 8) is normal noise smoothed with a Gaussian of 1.5 f px (at 224 px), brought to unit standard
deviation and weighted 0.5 per octave; the sum is standardised to mean 0 and standard deviation 60 lambda grey levels.
One field for all three channels, so that it darkens and lightens and keeps hues.
"""

from __future__ import annotations

import cv2
import numpy as np

from hansgym.wrappers.perturbations._base import REFERENCE_PX, ImagePerturbation

OCTAVES = (1, 2, 4, 8)
SIGMA_PX = 1.5
GAIN = 0.5
STD_AT_ONE = 60.0


def field(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """(H, W) float32 texture with mean 0 and standard deviation 1."""
    total = np.zeros((height, width), np.float32)
    for k, octave in enumerate(OCTAVES):
        noise = rng.standard_normal((height, width), dtype=np.float32)
        smooth = cv2.GaussianBlur(noise, (0, 0), SIGMA_PX * octave * width / REFERENCE_PX)
        total += GAIN**k * _standard(smooth)
    return _standard(total)


def _standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / max(float(values.std()), 1e-12)


def _change(image: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    height, width = image.shape[:2]
    return image + STD_AT_ONE * strength * field(height, width, rng)[..., None]


PERTURBATION = ImagePerturbation(
    name="fbm_texture",
    summary="a cloudy texture (fractional Brownian motion, four octaves) added to the image",
    parameter="lambda; standard deviation 60 lambda grey levels",
    strengths=(0.25, 0.5, 0.75, 1.0, 1.5),
    change=_change,
)
