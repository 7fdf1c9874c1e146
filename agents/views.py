"""How a policy wants to see: which camera under which name, mirrored, cropped, resized, in which colour order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hansgym.errors import ConfigurationError
from hansgym.lookup import unknown
from hansgym.specs import CAMERAS

BLACK = "black"
"""In place of a camera: black pictures, for a policy with more cameras than there are."""

FLIPS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "none": lambda i: i,
    "vertical": lambda i: i[:, ::-1],
    "horizontal": lambda i: i[:, :, ::-1],
    "rotate_180": lambda i: i[:, ::-1, ::-1],
}
"""On (B, H, W, 3); ``vertical`` turns pictures upside down, ``horizontal`` mirrors left and right."""

RESIZE = ("stretch", "pad", "crop")
_CHOICES = {
    "camera": (*CAMERAS, BLACK),
    "flip": tuple(FLIPS),
    "channels": ("rgb", "bgr"),
    "resize": RESIZE,
    "layout": ("hwc", "chw"),
    "dtype": ("uint8", "float32"),
}


@dataclass(frozen=True)
class View:
    """One picture that the policy is given, called ``key``, made of ours from ``camera``.

    In this order: mirrored by ``flip``; cut to the central ``keep`` of each side; brought to ``size`` (height and width
    in pixels; None leaves it) by ``stretch``, by ``pad`` (whole picture, black bars) or by ``crop`` (filled, edges
    lost); ``channels`` in rgb or bgr order; ``layout`` hwc or chw; ``dtype`` uint8, or float32 in [0, 1].
    """

    key: str
    camera: str
    flip: str = "none"
    keep: float = 1.0
    size: tuple[int, int] | None = None
    resize: str = "stretch"
    channels: str = "rgb"
    layout: str = "hwc"
    dtype: str = "uint8"

    def __post_init__(self) -> None:
        for name, valid in _CHOICES.items():
            if getattr(self, name) not in valid:
                raise unknown(f"{name} of view {self.key!r}", str(getattr(self, name)), valid)
        if not 0.1 <= self.keep <= 1.0:
            raise ConfigurationError(f"view {self.key!r} keeps {self.keep} of the picture; give 0.1 to 1")
        if self.size is not None and (len(self.size) != 2 or not all(8 <= s <= 2048 for s in self.size)):
            raise ConfigurationError(f"view {self.key!r} has size {self.size}; give height and width from 8 to 2048")

    def show(self, images: np.ndarray) -> np.ndarray:
        """(B, H, W, 3) uint8 as the policy wants it; a view that changes nothing gives ``images`` itself."""
        out = images if self.camera != BLACK else np.zeros_like(images)
        out = _middle(FLIPS[self.flip](out), self.keep)
        if self.size is not None and out.shape[1:3] != self.size:
            out = np.stack([_resized(np.ascontiguousarray(i), self.size, self.resize) for i in out])
        if self.channels == "bgr":
            out = out[..., ::-1]
        if self.layout == "chw":
            out = out.transpose(0, 3, 1, 2)
        if self.dtype == "float32":
            return np.ascontiguousarray(out, np.float32) / np.float32(255)
        return np.ascontiguousarray(out)


def _middle(images: np.ndarray, keep: float) -> np.ndarray:
    if keep == 1.0:
        return images
    height, width = images.shape[1:3]
    h, w = max(1, round(height * keep)), max(1, round(width * keep))
    top, left = (height - h) // 2, (width - w) // 2
    return images[:, top : top + h, left : left + w]


def _resized(image: np.ndarray, size: tuple[int, int], how: str) -> np.ndarray:
    """One (H, W, 3) uint8 picture at ``size``; shrinking averages, as antialiased bilinear resizing does."""
    import cv2

    (height, width), (h, w) = size, image.shape[:2]
    shrinking = height * width < h * w
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    if how == "stretch":
        return cv2.resize(image, (width, height), interpolation=method)
    factor = (min if how == "pad" else max)(height / h, width / w)
    inner = max(1, round(h * factor)), max(1, round(w * factor))
    scaled = cv2.resize(image, (inner[1], inner[0]), interpolation=method)
    if how == "crop":
        top, left = (inner[0] - height) // 2, (inner[1] - width) // 2
        return scaled[top : top + height, left : left + width]
    out = np.zeros((height, width, 3), np.uint8)
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    out[top : top + inner[0], left : left + inner[1]] = scaled
    return out
