"""Record expert demonstrations: ``hansgym record --suite S --episodes N --out DIR``.

Attempt k of a task has seed ``first_seed + k`` and, unless one is fixed, variation k modulo their number. Attempts are
made in rounds: the first N, then as many more as failed, until N have succeeded. So the episodes that are kept do not
depend on the number of processes or on interruptions. Failed attempts are dropped, listed in ``failed.json`` and
counted.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from hansgym import __version__
from hansgym.benchmarks.episodes import EPISODE_FILE, STATE, write_episode
from hansgym.benchmarks.listing import check_task
from hansgym.benchmarks.records import write_atomically
from hansgym.envs.registration import env_id
from hansgym.errors import ConfigurationError, HansGymError
from hansgym.specs import CAMERAS, CONTROL_HZ

FIRST_SEED = 2_000_000
"""Far from the seeds that evaluations, expert studies and the reference policies' training use."""

SETTINGS_FILE, FAILED_FILE = "recording.json", "failed.json"
EXECUTE = 8
"""Control steps between two plans of the expert."""

MOST_ATTEMPTS = 3
"""A task is given up when it would need more than so many attempts per episode (and ten)."""


@dataclass(frozen=True)
class Settings:
    """What decides the bytes of an episode, but for its task and attempt."""

    first_seed: int = FIRST_SEED
    image_size: int = 224
    cameras: tuple[str, ...] = CAMERAS
    control: str = "joint_position"
    protocol: str = "default"
    variation: int | None = None


@dataclass(frozen=True)
class Attempt:
    """One episode to try, and where it goes."""

    task: str
    index: int
    folder: str
    settings: Settings

    @property
    def seed(self) -> int:
        """The reset seed."""
        return self.settings.first_seed + self.index


@dataclass(frozen=True)
class Recording:
    """What came of one task: how many episodes are there, the seeds of the attempts that failed, and of those kept."""

    task: str
    episodes: int
    failed: tuple[int, ...]
    seeds: tuple[int, ...] = ()


@cache
def _environment(task: str, settings: Settings) -> gymnasium.Env:
    return gymnasium.make(
        env_id(task),
        cameras=settings.cameras,
        image_size=settings.image_size,
        control=settings.control,
        protocol=settings.protocol,
        variation=settings.variation,
        segmentation=True,
        disable_env_checker=True,
    )


def _try(attempt: Attempt) -> tuple[Attempt, str | None]:
    """Record ``attempt``; None when it succeeded, else what went wrong."""
    try:
        return attempt, _record(attempt)
    except HansGymError as error:
        return attempt, f"{type(error).__name__}: {error}"


def _record(attempt: Attempt) -> str | None:
    settings = attempt.settings
    env: Any = _environment(attempt.task, settings)
    options = {} if settings.variation is not None else {"variation": attempt.index % env.unwrapped.variations}
    seen, info = env.reset(seed=attempt.seed, options=options)
    table = [{"id": o.id, "name": o.name, "role": o.role.value} for o in info["objects"]]
    steps: dict[str, list[np.ndarray]] = {k: [] for k in (*STATE, "action")}
    images: dict[str, list[np.ndarray]] = {c: [] for c in settings.cameras}
    objects: dict[str, list[np.ndarray]] = {c: [] for c in settings.cameras}
    done = False
    while not done:
        for action in env.get_wrapper_attr("expert_chunk")(EXECUTE):
            for column in STATE:
                steps[column].append(np.array(seen[column]))
            steps["action"].append(np.asarray(action, np.float32))
            for camera in settings.cameras:
                images[camera].append(np.array(seen[f"{camera}_rgb"]))
                objects[camera].append(np.array(seen[f"{camera}_objects"]))
            seen, _, terminated, truncated, info = env.step(steps["action"][-1])
            done = terminated or truncated
            if done:
                break
    if not info["is_success"]:
        return f"not solved in {len(steps['action'])} steps, {info['margin']:.4f} m or rad were missing"
    header = {
        "task": attempt.task,
        "seed": attempt.seed,
        "variation": int(info["variation"]),
        "instruction": str(info["instruction"]),
        "success": True,
        "hz": CONTROL_HZ,
        "image_size": settings.image_size,
        "control": settings.control,
        "protocol": settings.protocol,
        "action_names": list(env.unwrapped.action_spec.names),
        "objects": table,
        "hansgym": __version__,
    }
    write_episode(Path(attempt.folder), header, {k: np.stack(v) for k, v in steps.items()}, images, objects)
    return None


def record(
    tasks: Sequence[str],
    episodes: int,
    out: Path,
    *,
    settings: Settings | None = None,
    workers: int = 2,
    progress: Callable[[str, int, int, int], None] | None = None,
) -> list[Recording]:
    """Record ``episodes`` successful expert episodes of each of ``tasks`` below ``out``; resumes what is there.

    ``progress`` gets (task, episodes there, episodes wanted, failed attempts). Raises :class:`ConfigurationError` when
    ``out`` holds a recording with other settings, and when a task fails far too often.
    """
    settings = settings or Settings()
    for task in tasks:
        check_task(task)
    if episodes < 1 or workers < 1:
        raise ConfigurationError(f"episodes and workers must be at least 1, got {episodes} and {workers}")
    _same_settings(Path(out), settings)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context) as pool:
        return [_record_task(pool, task, episodes, Path(out), settings, progress) for task in tasks]


def _record_task(
    pool: ProcessPoolExecutor,
    task: str,
    episodes: int,
    out: Path,
    settings: Settings,
    progress: Callable[[str, int, int, int], None] | None,
) -> Recording:
    folder = out / task
    folder.mkdir(parents=True, exist_ok=True)
    failed, made = _read_failed(folder), 0
    while True:
        # Only attempts before this end decide what is kept, whatever an earlier, larger recording has left behind.
        end = _round_end(episodes, failed)
        made = sum((folder / str(settings.first_seed + k) / EPISODE_FILE).is_file() for k in range(end))
        planned = [Attempt(task, k, str(folder / str(settings.first_seed + k)), settings) for k in range(end)]
        missing = [a for a in planned if str(a.index) not in failed and not Path(a.folder).is_dir()]
        if not missing:
            break
        if end > MOST_ATTEMPTS * episodes + 10:
            raise ConfigurationError(
                f"task {task!r}: {len(failed)} of {end} attempts failed, e.g. {next(iter(failed.values()))!r}; "
                f"{made} episodes are kept in {folder}. Give fewer episodes, or choose another task"
            )
        for job in as_completed([pool.submit(_try, attempt) for attempt in missing]):
            with _broken_pool(folder):
                attempt, wrong = job.result()
            if wrong is None:
                made += 1
            else:
                failed[str(attempt.index)] = wrong
                _write_failed(folder, failed)
            if progress is not None:
                progress(task, min(made, episodes), episodes, len(failed))
    counted = [settings.first_seed + int(k) for k in failed if int(k) < end]
    kept = [a.seed for a in planned if (Path(a.folder) / EPISODE_FILE).is_file()]
    return Recording(task, made, tuple(sorted(counted)), tuple(kept))


def _round_end(episodes: int, failed: Mapping[str, str]) -> int:
    """How many attempts it takes, as far as is known, until ``episodes`` have succeeded."""
    end = 0
    good = 0
    while good < episodes:
        good += str(end) not in failed
        end += 1
    return end


@contextlib.contextmanager
def _broken_pool(folder: Path) -> Any:
    try:
        yield
    except BrokenProcessPool:
        raise ConfigurationError(
            f"a recording process died (out of memory?); finished episodes are kept in {folder}: run the same command "
            "again, with fewer --workers if memory is short"
        ) from None


def _read_failed(folder: Path) -> dict[str, str]:
    path = folder / FAILED_FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _write_failed(folder: Path, failed: Mapping[str, str]) -> None:
    ordered = dict(sorted(failed.items(), key=lambda item: int(item[0])))
    write_atomically(folder / FAILED_FILE, (json.dumps(ordered, indent=1) + "\n").encode())


def _same_settings(out: Path, settings: Settings) -> None:
    """Write the settings of a new recording, or compare with those of the one in ``out``."""
    path, mine = out / SETTINGS_FILE, json.loads(json.dumps(asdict(settings)))
    if not path.is_file():
        write_atomically(path, (json.dumps(mine, indent=1) + "\n").encode())
        return
    theirs = json.loads(path.read_text(encoding="utf-8"))
    other = [f"{k}: {theirs.get(k)!r} there, {v!r} asked for" for k, v in mine.items() if theirs.get(k) != v]
    if other:
        raise ConfigurationError(
            f"{out} holds a recording with other settings ({'; '.join(other)}); choose another --out"
        )
