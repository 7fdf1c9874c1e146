"""Recorded episodes as a LeRobotDataset v3, written by LeRobot's own writer (``hansgym record --format lerobot``).

Names are those of the environment's LeRobot layout: ``observation.images.<camera>``, ``observation.state`` (7 joint
angles in rad, gripper 1 open 0 closed), ``action`` (in the recording's control mode) and the instruction as ``task``.
What LeRobot has no place for (seeds, variations, failed attempts, control mode) is in ``meta/hansgym.json``.

A dataset is there when it is whole: it is written beside its place and then renamed, since LeRobot's writer cannot go
on where it was interrupted. The recorded episodes it is made from are kept, and those can.
"""

from __future__ import annotations

import inspect
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from hansgym.benchmarks.episodes import EPISODE_FILE, RecordedEpisode, read_episode, read_episodes
from hansgym.errors import ConfigurationError
from hansgym.lookup import require

META = Path("meta") / "hansgym.json"
ROBOT = "panda"
_STATE = ("joint_positions", "gripper_open")
_STATE_NAMES = [*(f"joint{i}" for i in range(1, 8)), "gripper_open"]
_ALIKE = ("control", "protocol", "image_size", "hz", "cameras", "action_names")
"""What the episodes of one dataset share."""


def write_dataset(
    episodes: Sequence[RecordedEpisode],
    out: Path,
    *,
    videos: bool = True,
    failed: Mapping[str, Sequence[int]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write ``episodes`` to the new dataset ``out`` and return it.

    ``videos``: pictures as MP4 (small), else as PNG within the tables (lossless). ``failed``: task -> seeds of failed
    attempts, for the record. ``progress`` gets (episodes written, episodes). An ``out`` that holds just this is left
    alone; one that holds anything else, or episodes that differ in size, rate or control mode, raise
    :class:`ConfigurationError`.
    """
    header = _shared(episodes)
    note = _note(episodes, header, videos, failed or {})
    if out.exists():
        return _same(out, note)
    datasets = require("lerobot.datasets.lerobot_dataset", "lerobot")
    partial = out.with_name(f"{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    with _quiet():
        dataset = datasets.LeRobotDataset.create(
            repo_id=f"local/{out.name}",
            fps=int(header["hz"]),
            features=features(header, videos),
            root=partial,
            robot_type=ROBOT,
            use_videos=videos,
            **_threads(datasets.LeRobotDataset.create, len(header["cameras"])),
        )
        for count, episode in enumerate(episodes, 1):
            for frame in _frames(episode):
                dataset.add_frame(frame)
            dataset.save_episode()
            if progress is not None:
                progress(count, len(episodes))
        dataset.finalize()
        if hasattr(dataset, "stop_image_writer"):
            dataset.stop_image_writer()
    shutil.rmtree(partial / "images", ignore_errors=True)  # the writer's own scratch
    (partial / META).write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, out)
    return out


def convert(folder: Path, out: Path, **options: Any) -> Path:
    """The recorded episodes below ``folder`` as the dataset ``out``; ``options``: those of :func:`write_dataset`."""
    failed = {}
    for path in sorted(Path(folder).glob("**/failed.json")):
        first = int(json.loads((path.parent.parent / "recording.json").read_text(encoding="utf-8"))["first_seed"])
        failed[path.parent.name] = [first + int(k) for k in json.loads(path.read_text(encoding="utf-8"))]
    return write_dataset(read_episodes(Path(folder)), Path(out), failed=failed, **options)


def features(header: Mapping[str, Any], videos: bool) -> dict[str, dict[str, Any]]:
    """LeRobot's description of the columns of an episode with this ``header``."""
    size, kind = int(header["image_size"]), "video" if videos else "image"
    picture = {"dtype": kind, "shape": (size, size, 3), "names": ["height", "width", "channels"]}
    action = list(header["action_names"])
    return {
        **{f"observation.images.{camera}": dict(picture) for camera in header["cameras"]},
        "observation.state": {"dtype": "float32", "shape": (len(_STATE_NAMES),), "names": _STATE_NAMES},
        "action": {"dtype": "float32", "shape": (len(action),), "names": action},
    }


def _frames(episode: RecordedEpisode) -> Iterator[dict[str, Any]]:
    state = np.concatenate([episode.steps[part] for part in _STATE], axis=1).astype(np.float32)
    for step in range(len(episode)):
        yield {
            **{f"observation.images.{camera}": episode.image(camera, step) for camera in episode.cameras},
            "observation.state": state[step],
            "action": episode.steps["action"][step].astype(np.float32),
            "task": str(episode.header["instruction"]),
        }


def _shared(episodes: Sequence[RecordedEpisode]) -> Mapping[str, Any]:
    """The header of the first episode, which all share as far as a dataset needs."""
    if not episodes:
        raise ConfigurationError(f"{len(episodes)} episodes make no dataset; record some: hansgym record")
    first = episodes[0].header
    for episode in episodes:
        other = [k for k in _ALIKE if episode.header.get(k) != first.get(k)]
        if other:
            raise ConfigurationError(
                f"{episode.folder} and {episodes[0].folder} differ in {', '.join(other)} "
                f"({episode.header.get(other[0])!r}, {first.get(other[0])!r}); write them to datasets of their own"
            )
    return first


def _note(
    episodes: Sequence[RecordedEpisode], header: Mapping[str, Any], videos: bool, failed: Mapping[str, Sequence[int]]
) -> dict[str, Any]:
    rows = [{k: e.header[k] for k in ("task", "seed", "variation", "instruction", "steps")} for e in episodes]
    shared = {k: header[k] for k in _ALIKE}
    lost = {task: sorted(int(s) for s in seeds) for task, seeds in sorted(failed.items()) if seeds}
    return json.loads(json.dumps({**shared, "videos": videos, "failed_seeds": lost, "episodes": rows}))


def check_place(out: Path) -> None:
    """Raise :class:`ConfigurationError` where ``out`` is there and is no dataset of ours."""
    if out.exists() and not (out / META).is_file():
        raise ConfigurationError(f"{out} holds something else than a dataset of ours; choose another --out")


def _same(out: Path, note: Mapping[str, Any]) -> Path:
    check_place(out)
    if json.loads((out / META).read_text(encoding="utf-8")) == note:
        return out
    raise ConfigurationError(
        f"{out} holds another dataset, and LeRobot's writer adds nothing to a finished one; choose another --out, or "
        "remove it"
    )


def _threads(create: Callable[..., Any], cameras: int) -> dict[str, int]:
    known = inspect.signature(create).parameters
    return {"image_writer_threads": 2 * cameras} if "image_writer_threads" in known else {}


@contextmanager
def _quiet() -> Iterator[None]:
    """The writer's tables draw a progress bar for every episode."""
    tables = require("datasets", "lerobot")
    shown = tables.is_progress_bar_enabled()
    tables.disable_progress_bars()
    os.environ.setdefault("SVT_LOG", "1")  # the video encoder speaks to the terminal itself
    try:
        yield
    finally:
        if shown:
            tables.enable_progress_bars()


def chosen_episodes(folder: Path, wanted: Sequence[tuple[str, int]]) -> list[RecordedEpisode]:
    """The episodes (task, seed) below ``folder``, in that order."""
    missing = [(t, s) for t, s in wanted if not (folder / t / str(s) / EPISODE_FILE).is_file()]
    if missing:
        raise ConfigurationError(f"{folder} lacks the episodes {missing[:3]}; record them: hansgym record")
    return [read_episode(folder / task / str(seed)) for task, seed in wanted]
