"""Watch the scripted expert, or a recorded episode: ``hansgym play TASK`` and ``hansgym play FOLDER``."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hansgym.benchmarks.acting import acted_out
from hansgym.errors import ConfigurationError
from hansgym.specs import CONTROL_HZ

LAST_LOOK_S = 2.0
"""How long the viewer stays open after the episode."""


@dataclass(frozen=True)
class Played:
    """What was shown: where the film lies (None in the viewer), and how the episode went."""

    film: Path | None
    instruction: str
    steps: int
    success: bool


def play_task(
    task: str,
    *,
    seed: int = 0,
    variation: int | None = None,
    out: Path | None = None,
    image_size: int = 224,
    viewer: bool = False,
) -> Played:
    """Let the expert of ``task`` act out the episode of ``seed``, into a film or, with ``viewer``, before your eyes.

    The film (H.264, 20 frames a second, all three cameras) goes to ``out``, by default ``<task>.mp4``.
    """
    import gymnasium

    from hansgym.benchmarks.listing import check_task
    from hansgym.envs.registration import env_id

    check_task(task)
    if viewer:
        _check_display()
    env: Any = gymnasium.make(env_id(task), image_size=image_size, variation=variation, disable_env_checker=True)
    env.unwrapped.observe_images = not viewer
    try:
        return _in_viewer(env, seed) if viewer else _into_film(env, seed, out or Path(f"{task}.mp4"))
    finally:
        env.close()


def _check_display() -> None:
    """The viewer opens a window of its own; say so before a scene is built where there is no display."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        shown = os.environ.get("DISPLAY")
        raise ConfigurationError(
            f"the viewer has no display (DISPLAY is {shown!r}); leave out --viewer, and use the film instead"
        )


def _episode(env: Any, seed: int) -> Any:
    """The observations of the expert's episode and, with each, the info."""
    seen, info = env.reset(seed=seed)
    yield seen, info
    yield from acted_out(env)


def _into_film(env: Any, seed: int, path: Path) -> Played:
    from hansgym.benchmarks.video import write_episode

    shown = list(_episode(env, seed))
    frames, info = [{c: seen[f"{c}_rgb"] for c in env.unwrapped.cameras} for seen, _ in shown], shown[-1][1]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_episode(path, frames, [], CONTROL_HZ)
    return Played(path, str(info["instruction"]), len(frames) - 1, bool(info["is_success"]))


def _in_viewer(env: Any, seed: int) -> Played:
    """In MuJoCo's own viewer, at the pace of a clock; closing the window ends it."""
    module: Any = importlib.import_module("mujoco.viewer")
    env.reset(seed=seed)
    live = env.unwrapped.backend.live
    last: dict[str, Any] = {}
    steps = -1
    before = set(threading.enumerate())
    with module.launch_passive(live.model, live.data, show_left_ui=False, show_right_ui=False) as window:
        with window.lock():
            window.cam.lookat[:], window.cam.distance = (0.15, 0.0, 0.95), 2.0
            window.cam.azimuth, window.cam.elevation = 150.0, -25.0  # from the front, where the robot faces
        for _, info in _episode(env, seed):
            due = time.monotonic() + 1 / CONTROL_HZ
            if not window.is_running():
                break
            window.sync()
            steps, last = steps + 1, info
            time.sleep(max(0.0, due - time.monotonic()))
        until = time.monotonic() + LAST_LOOK_S
        while window.is_running() and time.monotonic() < until:
            time.sleep(1 / CONTROL_HZ)
    # The window's thread still draws when it is told to close; the scene must outlive it.
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=10)
    return Played(None, env.unwrapped.instruction, steps, bool(last.get("is_success")))


def play_episode(folder: Path, out: Path | None = None) -> Played:
    """Make a film of the recorded episode in ``folder``; by default ``<task>-<seed>.mp4``."""
    from hansgym.benchmarks.episodes import read_episode
    from hansgym.benchmarks.video import write_episode

    episode = read_episode(folder)
    if not len(episode):
        raise ConfigurationError(f"{folder} holds an episode without a step; remove it and record it again")
    path = out or Path(f"{episode.header['task']}-{episode.header['seed']}.mp4")
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = [{c: episode.image(c, k) for c in episode.cameras} for k in range(len(episode))]
    write_episode(path, frames, [], int(episode.header["hz"]))
    return Played(path, str(episode.header["instruction"]), len(episode), bool(episode.header["success"]))
