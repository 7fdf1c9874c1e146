"""Recorded episodes: a folder each, of files that every language can read.

    <task>/<seed>/episode.json        task, variation, instruction, objects, cameras, rate, success, steps, …
    <task>/<seed>/steps.npz           one row per control step: joint_positions … (see STATE) and action
    <task>/<seed>/objects.npz         per camera (T, H, W) uint16: the object that each pixel shows
    <task>/<seed>/<camera>/00000.png  what the camera saw before step 0, 1, …

Row t is what was observed before ``action[t]`` was taken. Regions follow from the object ids and the roles in
``episode.json`` (:meth:`RecordedEpisode.regions`), so that either partition can be had later. A folder is there when it
is whole: it is written beside its place and then renamed.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hansgym.errors import ConfigurationError
from hansgym.roles import Role, SceneObject, region_image

FORMAT = "hansgym-episode-1"
EPISODE_FILE, STEPS_FILE, OBJECTS_FILE = "episode.json", "steps.npz", "objects.npz"
STATE = ("joint_positions", "joint_velocities", "gripper_open", "gripper_pose")
"""Columns of ``steps.npz`` beside ``action``: (T, 7) rad, (T, 7) rad/s, (T, 1), (T, 7: x y z m, quaternion x y z w)."""


@dataclass(frozen=True)
class RecordedEpisode:
    """One episode on disk. Nothing but ``header`` is read before it is asked for."""

    folder: Path
    header: Mapping[str, Any]

    def __len__(self) -> int:
        return int(self.header["steps"])

    @property
    def cameras(self) -> tuple[str, ...]:
        """Names of the recorded cameras."""
        return tuple(self.header["cameras"])

    @property
    def objects(self) -> tuple[SceneObject, ...]:
        """What the ids in :meth:`object_ids` stand for, with roles."""
        return tuple(SceneObject(int(o["id"]), str(o["name"]), Role(o["role"])) for o in self.header["objects"])

    @cached_property
    def steps(self) -> dict[str, np.ndarray]:
        """Column -> (T, k) float32, of :data:`STATE` and ``action``."""
        table = _arrays(self.folder / STEPS_FILE, (*STATE, "action"))
        wrong = {k: v.shape for k, v in table.items() if v.ndim != 2 or len(v) != len(self)}
        if wrong:
            raise _broken(self.folder / STEPS_FILE, f"{wrong} do not have {len(self)} rows")
        return table

    def image(self, camera: str, step: int) -> np.ndarray:
        """(H, W, 3) uint8 picture of ``camera`` before ``step``."""
        import imageio.v3 as imageio

        path = self.folder / camera / f"{step:05d}.png"
        try:
            picture = np.asarray(imageio.imread(path))
        except (OSError, ValueError, SyntaxError) as error:
            raise _broken(path, str(error)) from None
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise _broken(path, f"it holds {picture.dtype} {picture.shape}, not an RGB picture")
        return picture

    def object_ids(self, camera: str) -> np.ndarray:
        """(T, H, W) uint16 object of each pixel of ``camera``."""
        return _arrays(self.folder / OBJECTS_FILE, (camera,))[camera]

    def regions(self, camera: str, partition: str = "table_supports") -> np.ndarray:
        """(T, H, W) uint8 region of each pixel of ``camera`` under ``partition``."""
        return region_image(self.object_ids(camera), self.objects, partition)


def _broken(path: Path, why: str) -> ConfigurationError:
    return ConfigurationError(f"{path} cannot be read: {why}. Remove its episode's folder and record it again")


def _arrays(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays ``names`` of a NumPy archive; objects in it are refused."""
    import zipfile
    import zlib

    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise _broken(path, f"{type(error).__name__}: {error}") from None


def write_episode(
    folder: Path,
    header: Mapping[str, Any],
    steps: Mapping[str, np.ndarray],
    images: Mapping[str, Sequence[np.ndarray]],
    objects: Mapping[str, Sequence[np.ndarray]],
) -> None:
    """Write one episode to ``folder``, whole or not at all; equal input gives equal bytes.

    ``steps``: the columns of :class:`RecordedEpisode`; ``images`` and ``objects``: camera -> one picture per step,
    (H, W, 3) uint8 and (H, W) uint16.
    """
    import imageio.v3 as imageio

    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    for camera, pictures in images.items():
        (partial / camera).mkdir(parents=True)
        for step, picture in enumerate(pictures):
            imageio.imwrite(partial / camera / f"{step:05d}.png", picture, extension=".png")
    np.savez_compressed(partial / OBJECTS_FILE, **{c: np.stack(list(pictures)) for c, pictures in objects.items()})  # type: ignore[arg-type]
    np.savez(partial / STEPS_FILE, **{k: np.asarray(v, np.float32) for k, v in steps.items()})  # type: ignore[arg-type]
    whole = {"format": FORMAT, **header, "steps": len(steps["action"]), "cameras": list(images)}
    (partial / EPISODE_FILE).write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, folder)


def read_episode(folder: Path) -> RecordedEpisode:
    """The episode in ``folder``; a folder that is none, or of another format, raises."""
    path = Path(folder) / EPISODE_FILE
    if not path.is_file():
        raise ConfigurationError(
            f"{folder} is not a recorded episode: it has no {EPISODE_FILE}. "
            "Give a folder <task>/<seed> that `hansgym record` wrote"
        )
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
        known = header["format"] == FORMAT
        episode = RecordedEpisode(Path(folder), header)
        len(episode), episode.objects, episode.cameras, str(header["task"]), str(header["instruction"])
    except (ValueError, KeyError, TypeError) as error:
        raise _broken(path, f"{type(error).__name__}: {error}") from None
    if not known:
        raise ConfigurationError(
            f"{path} has format {header['format']!r}; this version reads {FORMAT!r}; record it again"
        )
    return episode


def read_episodes(folder: Path) -> list[RecordedEpisode]:
    """All whole episodes below ``folder`` (a recording, or one task of it), by task and seed."""
    paths = sorted(Path(folder).glob(f"**/{EPISODE_FILE}"), key=lambda p: (p.parent.parent.name, _number(p.parent)))
    found = [p.parent for p in paths if not p.parent.name.endswith(".partial")]
    if not found:
        raise ConfigurationError(f"no recorded episode lies below {folder}; `hansgym record` writes some")
    return [read_episode(path) for path in found]


def _number(folder: Path) -> int:
    return int(folder.name) if folder.name.isdigit() else -1
