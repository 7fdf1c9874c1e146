"""Masked observations on a Torch device; the convention is that of :mod:`hansgym.agents.kernels.numpy`.

Only the observation and the bits of the masks travel to the device. A policy in this process asks
:class:`DeviceInputs` for what it needs; ``docs/cost.md`` has an adapter that does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor

from hansgym.agents.kernels.numpy import Index, blur, repeated
from hansgym.agents.kernels.once import Once
from hansgym.agents.noise import normal
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


def blend(image: np.ndarray, bits: np.ndarray, blur_sigma_px: float, device: Any = "cpu") -> Tensor:
    """Views (N, H, W, 3) uint8 on ``device`` of one (H, W, 3) uint8 image through (N, G, G) masks."""
    return _mixed(*_looks(image, blur_sigma_px, torch.device(device)), bits)


def blurred(image: Tensor, blur_sigma_px: float) -> Tensor:
    """Gaussian blur of an (H, W, 3) image on its own device, rounded, float32: the host's within one grey level."""
    sigma = blur_sigma_px * image.shape[0] / 224.0
    if sigma <= 0:
        return image.float()
    size = round(sigma * 6 + 1) | 1  # what OpenCV takes for 8-bit images
    line = torch.as_tensor(cv2.getGaussianKernel(size, sigma)[:, 0], dtype=torch.float32, device=image.device)
    planes = functional.pad(image.float().permute(2, 0, 1)[:, None], [size // 2] * 4, mode="reflect")
    # The highest precision: convolutions on some devices round products to ten bits by default, which would show.
    with torch.backends.cudnn.flags(enabled=torch.backends.cudnn.enabled, allow_tf32=False):
        planes = functional.conv2d(functional.conv2d(planes, line[None, None, :, None]), line[None, None, None, :])
    return planes[:, 0].permute(1, 2, 0).round()


def _looks(image: np.ndarray, blur_sigma_px: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """The image and its blur, (H, W, 3) float32 on ``device`` each."""
    whole = np.ascontiguousarray(image)
    sharp = torch.as_tensor(whole, device=device).float()
    if device.type == "cpu":
        return sharp, torch.as_tensor(blur(whole, blur_sigma_px)).float()
    return sharp, blurred(sharp, blur_sigma_px)


def _mixed(sharp: Tensor, soft: Tensor, bits: np.ndarray) -> Tensor:
    grid = torch.as_tensor(np.ascontiguousarray(bits), device=sharp.device).float()
    mask = functional.interpolate(grid[:, None], size=sharp.shape[:2], mode="bilinear", align_corners=False)
    return torch.lerp(soft, sharp, mask[:, 0, :, :, None]).round_().clamp_(0, 255).to(torch.uint8)


class DeviceInputs:
    """What a Torch policy is given, on its device: an observation's own part travels and is worked out once.

    Of N masked copies of an observation only the pixels differ. So the image goes to the device once and is blurred
    and blended there; state is sent as one row and repeated there; words and noise are one row shown N times
    (``expand``: no memory, stride 0), and so is a camera that no mask hides. All of it is remembered while slices of
    the same observation come, and equals what would be made afresh. Plain batches are simply sent.
    """

    def __init__(self, device: Any = "cpu") -> None:
        self.device = torch.device(device)
        self._once = Once()

    def images(self, batch: Batch | MaskedBatch, cameras: Sequence[str]) -> dict[str, Tensor]:
        """Camera -> (B, H, W, 3) uint8 on the device."""
        if isinstance(batch, Batch):
            return {c: self.tensor(batch.images[c]) for c in cameras}
        return {c: self._seen(batch, c) for c in cameras}

    def _seen(self, batch: MaskedBatch, camera: str) -> Tensor:
        image, bits = batch.base.images[camera][0], batch.bits[camera]
        name = f"{camera} {batch.blur_sigma_px}"
        sharp, soft = self._once.of(batch.base, name, lambda: _looks(image, batch.blur_sigma_px, self.device))
        if bits.all():
            return sharp.to(torch.uint8).expand(len(bits), *sharp.shape)
        return _mixed(sharp, soft, bits)

    def state(self, batch: Batch | MaskedBatch) -> dict[str, Tensor]:
        """Key -> (B, D) float32 on the device."""
        if isinstance(batch, Batch):
            return {k: self.tensor(v) for k, v in batch.state.items()}
        sent = self._once.of(batch.base, "state", lambda: {k: self.tensor(v) for k, v in batch.base.state.items()})
        return {k: v.repeat(len(batch), 1) for k, v in sent.items()}  # small, and policies write to it

    def words(self, batch: Batch | MaskedBatch, encode: Callable[[tuple[str, ...]], Any]) -> Any:
        """What ``encode`` makes of the instructions: a tensor or a mapping of tensors, with one row for each. Have one
        encoder: another one asked about the same observation would be given what the first one made.
        """
        if isinstance(batch, Batch):
            return encode(batch.instructions)
        made = self._once.of(batch.base, "words", lambda: encode(batch.base.instructions))
        if isinstance(made, Tensor):
            return _shown(made, len(batch))
        return {k: _shown(v, len(batch)) for k, v in made.items()}

    def noise(self, seeds: np.ndarray, shape: Sequence[int]) -> Tensor:
        """(B, *shape) float32 of standard normal numbers on the device, each row from its seed alone
        (:func:`hansgym.agents.noise.normal`); equal seeds share a row that is drawn and sent once.
        """
        distinct, index = np.unique(np.asarray(seeds, np.uint64), return_inverse=True)
        drawn = torch.as_tensor(normal(distinct, shape), device=self.device)
        if len(distinct) == 1:
            return drawn.expand(len(index), *drawn.shape[1:])
        return drawn[torch.as_tensor(index, device=self.device)]

    def once(self, batch: Batch | MaskedBatch, name: str, make: Callable[[], Any]) -> Any:
        """``make()``, for masked copies of one observation only the first time; ``name`` says what it is.

        Only for what does not depend on the masked pixels, such as embedded words: the result is given back for all
        slices of the observation. (Where image and language attend to each other, the words' keys do depend on them.)
        """
        return make() if isinstance(batch, Batch) else self._once.of(batch.base, f"own {name}", make)

    def tensor(self, array: Any) -> Tensor:
        """``array`` on the device; the memory of a host array is shared where Torch can."""
        if isinstance(array, Tensor):
            return array.to(self.device)
        given = np.asarray(array)
        if not given.flags.writeable or any(s <= 0 for s in given.strides):  # Torch shares neither read-only nor turned
            given = given.copy()
        return torch.as_tensor(given, device=self.device)


def _shown(row: Tensor, times: int) -> Tensor:
    """``row`` (1, ...) that many times; a single one is a copy, so that nobody writes to what is remembered."""
    return row.clone() if times == 1 else row.expand(times, *row.shape[1:])


def once_if_shared(encode: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
    """``encode(rows)``; rows that are one in memory (a camera that no mask hides) are encoded once, shown B times."""
    if len(rows) > 1 and rows.stride(0) == 0:
        made = encode(rows[:1])
        return made.expand(len(rows), *made.shape[1:])
    return encode(rows)
