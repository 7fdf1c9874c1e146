"""Pictures for OpenVLA's vision backbones: on the device where that gives exactly the checkpoint's own numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from hansgym.agents.kernels.numpy import materialise
from hansgym.agents.views import FLIPS, View
from hansgym.batch import Batch, MaskedBatch
from hansgym.lookup import require
from hansgym.seeds import stream


class Pictures:
    """(B, 3 n, h, w) float pixels for n backbones, as ``processor`` (the checkpoint's image processor) makes them.

    A picture that has the backbones' size already needs scaling and shifting only. That is done on the device if it is
    shown to give what the processor gives; pictures then travel as bytes, and masked ones are blended where they are
    used. Otherwise each goes through the processor.
    """

    def __init__(self, processor: Any, view: View, device: Any, dtype: Any) -> None:
        self._torch = require("torch", "openvla")
        self._processor, self.view, self._device, self._dtype = processor, view, device, dtype
        sizes = {tuple(size)[-2:] for size in processor.input_sizes}
        self._size = next(iter(sizes)) if len(sizes) == 1 else None
        self._shift = [self._columns(values) for values in processor.means]
        self._scale = [self._columns(values) for values in processor.stds]
        self.direct = self._size is not None and self._proved()

    def pixels(self, batch: Batch | MaskedBatch) -> Any:
        """The rows of ``batch`` through the view, on the device."""
        return self._exact(batch).to(self._dtype)

    def _exact(self, batch: Batch | MaskedBatch) -> Any:
        """The same in float32."""
        if isinstance(batch, MaskedBatch):
            if self.direct and self._only_turns(batch.base.images[self.view.camera]):
                return self._normalised(self._blended(batch))
            batch = materialise(batch)
        shown = self.view.show(np.asarray(batch.images[self.view.camera]))
        if self.direct and shown.shape[1:3] == self._size:
            return self._normalised(self._torch.tensor(shown, device=self._device))
        return self._processed(shown)

    def _only_turns(self, images: np.ndarray) -> bool:
        """Whether the view but mirrors and swaps channels, which can as well be done before blending."""
        return self.view.keep == 1.0 and images.shape[1:3] == self._size and self.view.size in (None, self._size)

    def _blended(self, batch: MaskedBatch) -> Any:
        from hansgym.agents.kernels.torch import blend

        camera, turn = self.view.camera, FLIPS[self.view.flip]
        bits = turn(batch.bits[camera][..., None])[..., 0]
        return blend(self.view.show(batch.base.images[camera])[0], bits, batch.blur_sigma_px, self._device)

    def _normalised(self, shown: Any) -> Any:
        """(B, H, W, 3) uint8 on the device as pixels."""
        unit = shown.permute(0, 3, 1, 2).float() / 255
        parts = [(unit - shift) / scale for shift, scale in zip(self._shift, self._scale, strict=True)]
        return self._torch.cat(parts, dim=1)

    def _processed(self, shown: np.ndarray) -> Any:
        from PIL import Image

        pixels = self._processor([Image.fromarray(picture) for picture in shown], return_tensors="pt")["pixel_values"]
        return pixels.to(self._device, self._torch.float32)

    def _columns(self, values: Any) -> Any:
        return self._torch.tensor(list(values), dtype=self._torch.float32, device=self._device)[:, None, None]

    def _proved(self) -> bool:
        """Whether a picture of noise comes out alike both ways."""
        assert self._size is not None
        noise = stream(0, "openvla-picture").integers(0, 256, (1, *self._size, 3), dtype=np.uint8)
        theirs = self._processed(noise)
        mine = self._normalised(self._torch.as_tensor(noise, device=self._device))
        return mine.shape == theirs.shape and bool((mine - theirs).abs().max() <= 1e-5)
