"""Demonstrations in memory, and the batches that a reference policy learns from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hansgym.benchmarks.demonstrations import Recording
from hansgym.errors import ConfigurationError
from hansgym.lookup import load as load_named
from hansgym.seeds import stream
from hansgym.specs import CAMERAS

if TYPE_CHECKING:
    from hansgym.benchmarks.train import Recipe


def phrases(recording: Recording) -> list[list[str]]:
    """Instructions by variation, the canonical one first, of a recording's task and protocol."""
    task = load_named("hansgym.envs.tasks", recording.task, "TASK", "task")
    return [[t.format_map(dict(v)) for t in task.instructions] for v in task.variations_under(recording.protocol)]


@dataclass
class Dataset:
    """All frames of a recipe; arrays are aligned on axis 0.

    ``images``: camera -> (n, 3, S, S) uint8. ``table``: every instruction. ``own``: (n, 2) first and last + 1 index in
    the table of the phrases of the frame's own variation; ``task``: the same over all variations of its task;
    ``recording``: (n,) index of the recording a frame comes from; ``colour``: (n, 3) what a colour-coded poster shows.
    """

    images: dict[str, np.ndarray]
    state: np.ndarray
    joints: np.ndarray
    chunk: np.ndarray
    points: np.ndarray
    pixels: dict[str, np.ndarray]
    table: list[str]
    own: np.ndarray
    task: np.ndarray
    recording: np.ndarray
    colour: np.ndarray

    def __len__(self) -> int:
        return len(self.joints)


def _shards(folder: Path, recording: Recording) -> list[Path]:
    paths = sorted(folder.glob("*.npz"), key=lambda p: int(p.stem))[: recording.episodes]
    if not paths:
        raise ConfigurationError(f"no demonstrations of {recording.task!r} in {folder}; record them first")
    return paths


def load(recipe: Recipe, folders: Sequence[Path]) -> Dataset:
    """Read the demonstrations of ``recipe`` (one folder per recording), keeping the front images of its poster."""
    from hansgym.agents.reference_net import state_vector

    front = f"front_{recipe.poster}"
    columns: dict[str, list[np.ndarray]] = {}
    table: list[str] = []
    own: list[np.ndarray] = []
    task: list[np.ndarray] = []
    source: list[np.ndarray] = []
    for index, (recording, folder) in enumerate(zip(recipe.recordings, folders, strict=True)):
        texts = phrases(recording)
        first, width = len(table), len(texts[0])
        table += [t for variation in texts for t in variation]
        for path in _shards(folder, recording):
            with np.load(path, allow_pickle=False) as file:
                variation = int(json.loads(str(file["note"]))["variation"])
                for key in file.files:
                    if key == front or not key.startswith(("front_", "note")):
                        columns.setdefault("front" if key == front else key, []).append(file[key])
                count = len(file["joints"])
            start = first + variation * width
            source.append(np.full(count, index))
            own.append(np.tile([start, start + width], (count, 1)))
            task.append(np.tile([first, len(table)], (count, 1)))
    data = {k: np.concatenate(v) for k, v in columns.items()}
    return Dataset(
        images={c: np.ascontiguousarray(data.pop(c).transpose(0, 3, 1, 2)) for c in CAMERAS},
        state=state_vector(data["joints"], data["gripper_open"], data["gripper_pose"]),
        joints=data["joints"],
        chunk=data["chunk"],
        points=data["points"].reshape(len(data["points"]), -1),
        pixels={c: data[f"pixels_{c}"] for c in CAMERAS},
        table=table,
        own=np.concatenate(own),
        task=np.concatenate(task),
        recording=np.concatenate(source),
        colour=data["colour"],
    )


def batches(data: Dataset, recipe: Recipe, start: int) -> Iterator[dict[str, Any]]:
    """Endless training batches from step ``start``; step k is the same whenever training reaches it."""
    if len(data) < recipe.batch:
        raise ConfigurationError(f"{len(data)} frames do not fill one batch of {recipe.batch}; record more episodes")
    again = np.concatenate([np.repeat(np.flatnonzero(data.recording == k), n) for k, n in enumerate(recipe.repeat)])
    step = start
    while True:
        second = step >= recipe.steps
        frames, begin = (again, recipe.steps) if second else (np.arange(len(data)), 0)
        per_epoch = len(frames) // recipe.batch
        epoch, slot = divmod(step - begin, per_epoch)
        order = stream(recipe.seed, "order", int(second), epoch).permutation(frames)
        while slot < per_epoch and (second or step < recipe.steps):
            rows = np.sort(order[slot * recipe.batch : (slot + 1) * recipe.batch])
            yield _batch(data, recipe, rows, stream(recipe.seed, "batch", step))
            step, slot = step + 1, slot + 1


def _batch(data: Dataset, recipe: Recipe, rows: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """One batch: images as float in [0, 1], noisy state, words by the recipe."""
    count = len(rows)
    span = data.own[rows] if recipe.honest_words else data.task[rows]
    words = rng.integers(span[:, 0], span[:, 1])
    canonical = rng.random(count) < 0.6
    words = np.where(canonical & recipe.honest_words, span[:, 0], words)
    images = {}
    for camera in CAMERAS:
        pixels = data.images[camera][rows].astype(np.float32) * np.float32(1 / 255)
        images[camera] = np.clip(pixels, 0, 1, out=pixels)
    noise = rng.normal(0, 0.02, data.state[rows].shape).astype(np.float32)
    return {
        "images": images,
        "state": data.state[rows],
        "state_noise": noise,
        "instructions": [data.table[i] for i in words],
        "joints": data.joints[rows],
        "chunk": data.chunk[rows],
        "points": data.points[rows],
        "colour": data.colour[rows],
        "pixels": {c: data.pixels[c][rows] for c in CAMERAS},
    }
