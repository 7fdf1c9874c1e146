"""Films of episodes: what the cameras saw, and below it the same with the saliency laid over.

The upper row is the plain film, the lower one the same frames in grey with the saliency in colour; a page may show
either. Between decisions that were explained the maps are linearly interpolated, before the first and after the last
they are held. Only positive scores are drawn (hiding the place changes the action more than average), each frame on a
scale of its own, one for all cameras.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hansgym.attribution import timeline
from hansgym.errors import ConfigurationError

TILE = 224
"""Pixels of one camera's picture in a film, height and width."""
LABEL = 20
GAP = 4
OPACITY = 0.75
QUALITY = "30"  # x264's constant rate factor: 70 steps of three cameras with overlay take about 150 KB
LONG, LONG_QUALITY = 200, "33"  # films of more steps keep every second frame, at the same speed, and are coarser
_INK, _PAPER = (238, 238, 238), (24, 26, 32)

Frame = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class _Shown:
    """What interpolation needs of an attribution: cells, and the size to draw them at."""

    cells: Mapping[str, np.ndarray]
    image_size: Mapping[str, tuple[int, int]]


def write_episode(path: Path, frames: Sequence[Frame], decisions: Sequence[Mapping[str, Any]], fps: int = 20) -> None:
    """Write the film of one episode to ``path`` (H.264 in MP4, yuv420p), whole or not at all.

    ``frames``: one per control step from reset on, camera -> (H, W, 3) uint8; frame k is the state after k steps.
    Films of more than :data:`LONG` steps keep every second frame, at half the rate. ``decisions``: per decision
    ``step`` and ``cells`` (camera -> (G, G) scores, or None where it was not explained).
    Without any cells the film has one row. Equal input gives equal bytes. Raises
    :class:`hansgym.errors.ConfigurationError` without frames.
    """
    if not frames or not frames[0]:
        raise ConfigurationError("a film needs at least one frame of at least one camera, got none")
    explained = [d for d in decisions if d.get("cells")]
    steps = [int(d["step"]) for d in explained]
    sizes = dict.fromkeys(frames[0], (TILE, TILE))
    shown: Any = [_Shown({c: np.asarray(d["cells"][c], np.float64) for c in sizes}, sizes) for d in explained]
    partial = Path(path).with_name(Path(path).name + ".partial.mp4")
    stride = 2 if len(frames) > LONG else 1
    try:
        with _Encoder(partial, fps / stride, LONG_QUALITY if stride > 1 else QUALITY) as encoder:
            for step in range(0, len(frames), stride):
                maps = timeline.maps(steps, shown, step) if shown else None
                encoder.add(compose(frames[step], maps))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def compose(frame: Frame, maps: Mapping[str, np.ndarray] | None) -> np.ndarray:
    """One picture (H, W, 3) uint8 of even size: the cameras side by side, and a second row with ``maps`` if given.

    ``frame``: camera -> (H, W, 3) uint8; ``maps``: camera -> (TILE, TILE) float64 scores.
    """
    tiles = {camera: _tile(image) for camera, image in frame.items()}
    rows = [_row({c: (c, t) for c, t in tiles.items()})]
    if maps is not None:
        top = max((float(m.max()) for m in maps.values()), default=0.0)
        rows.append(_row({c: (f"{c}, saliency", overlay(t, maps[c], top)) for c, t in tiles.items()}))
    return np.ascontiguousarray(np.concatenate(rows))


def overlay(image: np.ndarray, scores: np.ndarray, top: float) -> np.ndarray:
    """``image`` (H, W, 3) uint8 in grey under ``scores`` (H, W): violet to yellow up to ``top``, clear at 0 and below.

    The colours grow lighter with the score, so they also read without colour vision.
    """
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
    base = np.repeat(0.8 * grey, 3, axis=2)
    if top <= 0:
        return base.astype(np.uint8)
    share = np.clip(scores / top, 0.0, 1.0).astype(np.float32)
    levels = (40 + 215 * share).astype(np.uint8)  # the darkest end of the scale would look like shadow
    colour = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    alpha = OPACITY * np.minimum(1.0, 1.6 * share)[..., None]
    return np.rint((1 - alpha) * base + alpha * colour).astype(np.uint8)


def _tile(image: np.ndarray) -> np.ndarray:
    import cv2

    if image.shape[:2] == (TILE, TILE):
        return image
    smaller = image.shape[0] > TILE
    return cv2.resize(image, (TILE, TILE), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


def _row(tiles: Mapping[str, tuple[str, np.ndarray]]) -> np.ndarray:
    """Labelled pictures side by side, (TILE + LABEL, …, 3) uint8, of even size."""
    import cv2

    parts: list[np.ndarray] = []
    for text, tile in tiles.values():
        label = np.full((LABEL, TILE, 3), _PAPER, np.uint8)
        cv2.putText(label, text, (6, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, _INK, 1, cv2.LINE_AA)
        parts += [np.full((TILE + LABEL, GAP, 3), _PAPER, np.uint8)] if parts else []
        parts.append(np.concatenate([label, tile]))
    return np.concatenate(parts, axis=1)


class _Encoder:
    """An H.264 file being written; one thread and no dates, so that equal pictures give equal bytes."""

    def __init__(self, path: Path, fps: float, quality: str) -> None:
        self.path, self.fps, self.quality = path, fps, quality
        self._writer: Any = None

    def __enter__(self) -> _Encoder:
        return self

    def add(self, picture: np.ndarray) -> None:
        import imageio_ffmpeg

        if self._writer is None:
            height, width = picture.shape[:2]
            self._writer = imageio_ffmpeg.write_frames(
                str(self.path),
                (width, height),
                fps=self.fps,
                codec="libx264",
                pix_fmt_in="rgb24",
                pix_fmt_out="yuv420p",
                macro_block_size=2,
                ffmpeg_log_level="error",
                quality=None,
                output_params=[
                    *(
                        "-crf",
                        QUALITY,
                        "-preset",
                        "medium",
                        "-tune",
                        "animation",
                        "-g",
                        "100",
                        "-threads",
                        "1",
                        "-map_metadata",
                        "-1",
                    ),
                    *("-fflags", "+bitexact", "-flags:v", "+bitexact", "-movflags", "+faststart"),
                ],
            )
            self._writer.send(None)
        self._writer.send(picture)

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()
