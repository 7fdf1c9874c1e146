"""Demonstrations for the reference policies: what the expert would do, seen through varied wallpaper.

Every second control step of an episode gives one frame: a fresh plan of the expert from the measured state, the three
cameras rendered with every nuisance factor drawn anew, and the front camera once per poster code, so that policies
which differ only in the poster learn from the very same motion. Most episodes are disturbed by joint offsets that are
not in the labels, which teaches the way back.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from hansgym.benchmarks.posters import POSTERS, EpisodePosters
from hansgym.benchmarks.wallpaper import recolour, recolour_right
from hansgym.envs.expert import current
from hansgym.envs.mujoco.counterfactual import ROOM_FACTORS, resampled
from hansgym.envs.mujoco.view import SimView
from hansgym.envs.registration import env_id
from hansgym.seeds import seed_of, stream
from hansgym.specs import CAMERAS

HORIZON = 16
POINTS = 2


@dataclass(frozen=True)
class Recording:
    """One task's worth of demonstrations; everything that decides the bytes.

    ``disturbed`` is the share of episodes with joint offsets of standard deviation ``offset_rad``. ``severity`` scales
    the ranges of wall, floor and light beyond those of do-effects; ``plain`` is the share of frames left as they are.
    With ``any_right`` the right candidate and a poster of its colour take a new colour in every frame that is not
    plain: what they share is all that tells it, and there is no layout to remember.
    """

    task: str
    protocol: str = "default"
    episodes: int = 250
    seed: int = 1_000_000
    image_size: int = 64
    disturbed: float = 0.7
    offset_rad: float = 0.06
    severity: float = 1.15
    plain: float = 0.15
    any_right: bool = False

    @property
    def folder(self) -> str:
        """Name of the folder that holds this recording."""
        decides = {k: v for k, v in asdict(self).items() if k != "episodes" and v is not False}
        words = json.dumps(decides, sort_keys=True)
        return f"{self.task}-{self.protocol}-{seed_of(0, words) & 0xFFFFFFFF:08x}"


def project(env: Any, points: np.ndarray, camera: str) -> np.ndarray:
    """World points (P, 3) to image positions (P, 2), x right and y down in [-1, 1]; NaN where out of view."""
    live = env.unwrapped.backend.live
    view = live.data.camera(camera)
    local = (points - view.xpos) @ view.xmat.reshape(3, 3)  # a MuJoCo camera looks along its -z
    with np.errstate(divide="ignore", invalid="ignore"):
        flat = local[:, :2] / (-local[:, 2:] * np.tan(np.radians(live.model.camera(camera).fovy) / 2))
    flat[:, 1] *= -1
    seen = (local[:, 2] < 0) & (np.abs(flat) <= 1).all(axis=1)
    return np.where(seen[:, None], flat, np.nan)


def _points(env: Any) -> np.ndarray:
    """(2, 3) the first and last place that the present verb of the expert has to reach."""
    backend = env.unwrapped.backend
    view = SimView(backend.live)
    reach = current(backend.task.expert, view).reach(view)
    return np.stack([reach[0].position, reach[-1].position])


def _frame(env: Any, posters: EpisodePosters, recording: Recording, seed: int, step: int) -> dict[str, np.ndarray]:
    """One instant: images ``front_<poster>`` for each poster code, ``overhead`` and ``wrist``; ``colour``, the RGB that
    a poster coded by colour has."""
    backend = env.unwrapped.backend
    rng = stream(seed, "wallpaper", step)
    plain = rng.random() < recording.plain
    draw, size = seed_of(seed, "frame", step), recording.image_size
    images: dict[str, np.ndarray] = {}
    room = () if plain else ROOM_FACTORS
    with resampled(backend.scratch, backend.live.snapshot(), room, draw, recording.severity) as sim:
        right = None
        if not plain:
            recolour(sim, rng)
            right = recolour_right(sim, rng) if recording.any_right else None
        for code in POSTERS:
            posters.show(sim, code, rng, right)
            images[f"front_{code}"] = backend.render_sim(sim, ("front",), size, objects=False)["front"].rgb.copy()
        rest = [c for c in CAMERAS if c != "front"]
        seen = backend.render_sim(sim, rest, size, objects=False)
        images.update({c: seen[c].rgb.copy() for c in rest})
    return {**images, "colour": np.array(right or posters.aligned["colour"].rgb, np.float32)}


def record_episode(env: Any, recording: Recording, seed: int) -> dict[str, np.ndarray] | None:
    """Arrays of one successful episode, stacked over frames, or None when the expert failed."""
    env.reset(seed=seed)
    base = env.unwrapped
    rng = stream(seed, "disturbance")
    disturbed = rng.random() < recording.disturbed
    posters = EpisodePosters.of(env)
    rows: list[dict[str, np.ndarray]] = []
    offset, left, done, success, step = np.zeros(7), 0, False, False, 0
    while not done:
        chunk = base.expert_chunk(HORIZON)
        feel = base.backend.proprioception()
        points = _points(env)
        rows.append(
            {
                **_frame(env, posters, recording, seed, step),
                "chunk": chunk.astype(np.float32),
                "joints": feel.joint_positions.astype(np.float32),
                "gripper_open": np.array([feel.opening > 0.9], np.float32),
                "gripper_pose": feel.gripper_pose.astype(np.float32),
                "points": points.astype(np.float32),
                **{f"pixels_{c}": project(env, points, c).astype(np.float32) for c in CAMERAS},
            }
        )
        for action in chunk[:2]:
            if left == 0:
                offset = np.zeros(7)
                if disturbed and rng.random() < 0.12:
                    offset, left = rng.normal(0, recording.offset_rad, 7), int(rng.integers(3, 7))
            else:
                left -= 1
            _, _, terminated, truncated, info = env.step(np.append(action[:7] + offset, action[7]).astype(np.float32))
            step += 1
            done, success = terminated or truncated, bool(info["success"])
            if done:
                break
    return {k: np.stack([r[k] for r in rows]) for k in rows[0]} if success else None


def _write(path: Path, arrays: dict[str, Any]) -> None:
    temporary = path.with_suffix(".partial")
    with temporary.open("wb") as file:
        np.savez(file, **arrays)
    os.replace(temporary, path)


def _record_many(job: tuple[Recording, str, list[int]]) -> int:
    """Record the episodes ``seeds`` of one recording into ``folder``; returns how many failed."""
    recording, folder, seeds = job
    env = gymnasium.make(
        env_id(recording.task), protocol=recording.protocol, image_size=recording.image_size, disable_env_checker=True
    )
    world: Any = env.unwrapped
    world.observe_images = False
    failed = 0
    for seed in seeds:
        arrays = record_episode(env, recording, seed)
        name = Path(folder) / f"{seed}"
        if arrays is None:
            failed += 1
            name.with_suffix(".failed").touch()
            continue
        note = {"instruction": world.instruction, "variation": int(world.variation)}
        _write(name.with_suffix(".npz"), {**arrays, "note": np.array(json.dumps(note))})
    env.close()
    return failed


def record(recordings: Sequence[Recording], cache: Path, workers: int, progress: Any = None) -> list[Path]:
    """Make the missing demonstrations of ``recordings`` under ``cache``; returns their folders.

    Finished episodes are kept, so an interrupted recording goes on where it stopped. Failed attempts leave a marker.
    """
    jobs, folders = [], []
    for recording in recordings:
        folder = cache / recording.folder
        folder.mkdir(parents=True, exist_ok=True)
        folders.append(folder)
        (folder / "recording.json").write_text(json.dumps(asdict(recording), indent=1))
        done = {p.stem for p in folder.iterdir() if p.suffix in (".npz", ".failed")}
        missing = [s for s in range(recording.seed, recording.seed + recording.episodes) if str(s) not in done]
        jobs += [(recording, str(folder), missing[i : i + 10]) for i in range(0, len(missing), 10)]
    context = multiprocessing.get_context("spawn")
    if jobs:
        with context.Pool(workers, maxtasksperchild=8) as pool:
            for index, _ in enumerate(pool.imap_unordered(_record_many, jobs)):
                if progress is not None:
                    progress(index + 1, len(jobs))
    return folders
