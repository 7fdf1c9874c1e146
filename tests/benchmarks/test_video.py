"""Films: what is in the file, where the overlay lies, and that equal input gives equal bytes."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from hansgym.benchmarks import video
from hansgym.errors import ConfigurationError

CAMERAS = ("front", "overhead", "wrist")
WIDTH, ROW = 3 * video.TILE + 2 * video.GAP, video.TILE + video.LABEL


def scene(count: int, size: int = 64) -> list[dict[str, np.ndarray]]:
    ramp = np.linspace(0, 200, size).astype(np.uint8)
    image = np.stack([np.tile(ramp, (size, 1)), np.full((size, size), 90, np.uint8), np.tile(ramp[:, None], size)], -1)
    return [{c: np.roll(image, k, axis=1) for c in CAMERAS} for k in range(count)]


def cells(value: float, row: int = 3, column: int = 3) -> dict[str, np.ndarray]:
    grid = np.zeros((7, 7))
    grid[row, column] = value
    return {c: grid if c == "front" else np.zeros((7, 7)) for c in CAMERAS}


def decision(step: int, value: float) -> dict[str, object]:
    return {"step": step, "cells": cells(value), "nmr": {"10": 0.2}}


def test_a_film_is_h264_of_even_size_at_the_control_rate(tmp_path: Path) -> None:
    video.write_episode(tmp_path / "film.mp4", scene(21), [decision(0, 1.0), decision(8, 2.0)])
    meta = iio.immeta(tmp_path / "film.mp4", plugin="FFMPEG")
    assert (meta["codec"], meta["fps"], meta["size"]) == ("h264", 20.0, (WIDTH, 2 * ROW))
    assert meta["pix_fmt"].startswith("yuv420p")
    assert iio.imread(tmp_path / "film.mp4", plugin="FFMPEG").shape == (21, 2 * ROW, WIDTH, 3)
    assert [p.name for p in tmp_path.iterdir()] == ["film.mp4"]


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        video.write_episode(tmp_path / f"{name}.mp4", scene(12), [decision(0, 1.0)])
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_without_saliency_there_is_one_row_and_no_overlay(tmp_path: Path) -> None:
    video.write_episode(tmp_path / "film.mp4", scene(4), [{"step": 0, "cells": None, "nmr": None}])
    assert iio.immeta(tmp_path / "film.mp4", plugin="FFMPEG")["size"] == (WIDTH, ROW)


def test_long_films_keep_their_speed_with_half_the_frames(tmp_path: Path) -> None:
    frames = scene(1) * (video.LONG + 1)
    video.write_episode(tmp_path / "film.mp4", frames, [])
    meta = iio.immeta(tmp_path / "film.mp4", plugin="FFMPEG")
    assert meta["fps"] == 10.0
    assert meta["duration"] == pytest.approx(len(frames) / 20, abs=0.1)


def test_nothing_to_film_is_an_error_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="at least one frame"):
        video.write_episode(tmp_path / "film.mp4", [], [])
    frames = [*scene(2), {c: np.zeros((1, 1), np.uint8) for c in CAMERAS}]  # grey: cannot be put beside colour
    with pytest.raises(ValueError, match="dimension"):
        video.write_episode(tmp_path / "film.mp4", frames, [])
    assert list(tmp_path.iterdir()) == []


def test_only_positive_scores_are_drawn() -> None:
    frame = scene(1, video.TILE)[0]
    clear = video.compose(frame, {c: np.zeros((video.TILE, video.TILE)) for c in CAMERAS})
    negative = video.compose(frame, {c: np.full((video.TILE, video.TILE), -3.0) for c in CAMERAS})
    np.testing.assert_array_equal(clear, negative)
    lower = clear[ROW + video.LABEL :, : video.TILE].astype(int)
    assert np.abs(lower - lower[..., :1]).max() == 0, "without a score the lower row is grey"


def test_the_overlay_lies_where_the_score_is_and_one_scale_serves_all_cameras() -> None:
    size = video.TILE
    maps = {c: np.zeros((size, size)) for c in CAMERAS}
    maps["front"][100:120, 40:60] = 2.0
    maps["wrist"][100:120, 40:60] = 0.5
    picture = video.compose(scene(1, size)[0], maps)[ROW + video.LABEL :].astype(int)
    colour = np.ptp(picture, axis=2)
    starts = {c: k * (size + video.GAP) for k, c in enumerate(CAMERAS)}
    at = {c: colour[:, x : x + size] for c, x in starts.items()}
    assert at["front"][100:120, 40:60].min() > 60
    assert at["overhead"].max() == 0
    assert at["front"][:90].max() == 0
    light = {c: picture[105:115, starts[c] + 45 : starts[c] + 55].sum() for c in ("front", "wrist")}
    assert light["front"] > 1.5 * light["wrist"]


def test_maps_are_interpolated_between_decisions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[float] = []
    original = video.compose

    def spy(frame: video.Frame, maps: dict[str, np.ndarray] | None) -> np.ndarray:
        assert maps is not None
        seen.append(float(maps["front"].max()))
        return original(frame, maps)

    monkeypatch.setattr(video, "compose", spy)
    unexplained = {"step": 6, "cells": None, "nmr": None}
    video.write_episode(tmp_path / "film.mp4", scene(12), [decision(2, 1.0), unexplained, decision(10, 3.0)])
    expected = np.interp(np.arange(12), [2, 10], [1.0, 3.0])
    np.testing.assert_allclose(np.array(seen) / seen[0], expected, rtol=1e-9)
