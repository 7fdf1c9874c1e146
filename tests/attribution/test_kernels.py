"""Every kernel shows the same images, and the images the definition asks for."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from attribution_toys import observation

from hansgym.agents.kernels import numpy as host
from hansgym.attribution.designs import bernoulli
from hansgym.batch import MaskedBatch
from hansgym.errors import ConfigurationError

CAMERAS = ("front", "wrist")


def masked(size: int, grid: int = 7, n: int = 12, seed: int = 0) -> MaskedBatch:
    return MaskedBatch(observation(seed, CAMERAS, size), bernoulli(seed, CAMERAS, n, 0.3, grid))


def slow_blend(image: np.ndarray, bits: np.ndarray, blur_sigma_px: float) -> np.ndarray:
    """The definition, a pixel at a time."""
    height, width = image.shape[:2]
    soft = cv2.GaussianBlur(image, (0, 0), blur_sigma_px * height / 224)
    out = np.empty(image.shape)
    for y in range(height):
        for x in range(width):
            v = min(max((y + 0.5) * len(bits) / height - 0.5, 0), len(bits) - 1)
            u = min(max((x + 0.5) * len(bits) / width - 0.5, 0), len(bits) - 1)
            i, j = min(int(v), len(bits) - 2), min(int(u), len(bits) - 2)
            top = bits[i, j] * (1 - (u - j)) + bits[i, j + 1] * (u - j)
            bottom = bits[i + 1, j] * (1 - (u - j)) + bits[i + 1, j + 1] * (u - j)
            m = top * (1 - (v - i)) + bottom * (v - i)
            out[y, x] = m * image[y, x] + (1.0 - m) * soft[y, x]
    return np.rint(out)


@pytest.mark.parametrize(("size", "grid"), [(35, 7), (40, 7), (33, 2), (9, 7)])
def test_host_kernel_is_the_definition(size: int, grid: int) -> None:
    batch = masked(size, grid, n=4)
    shown = host.materialise(batch)
    for camera in CAMERAS:
        for k in range(4):
            due = slow_blend(batch.base.images[camera][0], batch.bits[camera][k].astype(float), batch.blur_sigma_px)
            assert np.abs(shown.images[camera][k] - due).max() <= 1


@pytest.mark.parametrize("size", [224, 64, 50])
def test_torch_equals_host_within_one_grey_level(size: int) -> None:
    device = pytest.importorskip("hansgym.agents.kernels.torch", exc_type=ImportError)
    batch = masked(size)
    here, there = host.materialise(batch), device.materialise(batch, slice(2, 9))
    for camera in CAMERAS:
        other = there.images[camera].numpy()
        assert other.dtype == np.uint8
        assert np.abs(here.images[camera][2:9].astype(int) - other).max() <= 1


def test_all_kept_is_the_image_and_all_hidden_its_blur() -> None:
    batch = masked(64)
    for value in (0, 1):
        uniform = replace(batch, bits={c: np.full_like(b[:1], value) for c, b in batch.bits.items()})
        for camera, images in host.materialise(uniform).images.items():
            sharp = batch.base.images[camera][0]
            assert np.array_equal(images[0], sharp if value else host.blur(sharp, 10.0))


def test_slices_agree_and_everything_else_repeats() -> None:
    batch = masked(40)
    whole, blender = host.materialise(batch), host.Blender(batch)
    pick = np.array([5, 0, 5])
    part = blender.rows(pick)
    assert all(np.array_equal(part.images[c], whole.images[c][pick]) for c in CAMERAS)
    assert part.instructions == batch.base.instructions * 3
    assert np.array_equal(part.state["joint_positions"], np.repeat(batch.base.state["joint_positions"], 3, axis=0))
    assert part.state["joint_positions"].strides[0] == 0, "a view, not a copy"


def test_masks_have_the_asked_for_rate_and_a_stream_per_camera() -> None:
    bits = bernoulli(3, ("front", "wrist"), 2000, 0.3, 7)
    assert abs(bits["front"].mean() - 0.3) < 5 * np.sqrt(0.21 / bits["front"].size)
    assert not np.array_equal(bits["front"], bits["wrist"])
    assert np.array_equal(bits["wrist"], bernoulli(3, ("wrist",), 2000, 0.3, 7)["wrist"])


@pytest.mark.parametrize("p", [0.0, 1.0, -0.2])
def test_impossible_keep_probability_is_refused(p: float) -> None:
    with pytest.raises(ConfigurationError, match="between 0 and 1"):
        bernoulli(0, ("front",), 10, p, 7)
