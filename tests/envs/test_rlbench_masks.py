"""Decoding of colour-coded pictures, on arrays that the tests make."""

from __future__ import annotations

import numpy as np
import pytest

from hansgym.envs.rlbench.masks import BEYOND, handles_of, objects_of


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_handles_survive_the_way_through_colours(dtype: type) -> None:
    grid = np.random.default_rng(0).integers(0, 2**24, (64, 64))
    grid[0, :4] = 0, 255, 256, 2**24 - 1
    codes = np.stack([grid & 255, (grid >> 8) & 255, grid >> 16], -1).astype(dtype) / dtype(255)
    np.testing.assert_array_equal(handles_of(codes), grid)
    np.testing.assert_array_equal(handles_of(np.rint(codes * 255).astype(np.uint8)), grid)


def test_cutting_off_instead_of_rounding_would_be_noticed() -> None:
    """The planted bad case: a hair below n / 255, handles change when the product is cut off."""
    grid = np.arange(256)[None]
    codes = (np.stack([grid, 0 * grid, 0 * grid], -1) - 1e-3).astype(np.float32) / np.float32(255)
    assert ((codes * np.float64(255)).astype(int)[..., 0] != grid).any()
    np.testing.assert_array_equal(handles_of(codes), grid)


def test_objects_and_strangers() -> None:
    handles = np.array([[7, 8], [0, 0xFFFFFF], [300, 7]])
    objects, unknown = objects_of(handles, {7: 2, 8: 5})
    assert objects.dtype == np.uint16
    np.testing.assert_array_equal(objects, [[2, 5], [BEYOND, BEYOND], [BEYOND, 2]])
    assert unknown == (300,)


def test_a_shape_with_the_handle_of_the_background_is_a_shape() -> None:
    objects, unknown = objects_of(np.zeros((1, 1), int), {0: 4})
    assert objects[0, 0] == 4
    assert unknown == ()


def test_a_picture_without_three_channels_raises() -> None:
    with pytest.raises(ValueError, match=r"\(H, W, 3\)"):
        handles_of(np.zeros((4, 4)))
