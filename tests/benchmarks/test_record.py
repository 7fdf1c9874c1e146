"""Recorded demonstrations: complete, open, the same however they were made, and replayed by our own command."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import gymnasium
import imageio.v3 as imageio
import numpy as np
import pytest
from typer.testing import CliRunner

from hansgym.benchmarks import record as recording
from hansgym.benchmarks.cli import app
from hansgym.benchmarks.episodes import STATE, read_episode, read_episodes
from hansgym.benchmarks.record import Settings, record
from hansgym.envs.registration import env_id
from hansgym.errors import HansGymError
from hansgym.roles import Region

TASKS = ("close_microwave", "open_drawer")
SMALL = Settings(image_size=48, first_seed=77)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("recorded")
    found = record(TASKS, 2, out, settings=SMALL, workers=1)
    assert [(r.task, r.episodes, r.failed) for r in found] == [(t, 2, ()) for t in TASKS]
    return out


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.glob("**/*")) if p.is_file()}


@pytest.mark.parametrize("task", TASKS)
def test_replaying_the_actions_gives_the_recorded_episode(folder: Path, task: str) -> None:
    episode = read_episode(folder / task / "78")
    env: Any = gymnasium.make(env_id(task), image_size=48, segmentation=True)
    seen, info = env.reset(seed=78, options={"variation": episode.header["variation"]})
    assert info["instruction"] == episode.header["instruction"]
    assert info["objects"] == episode.objects
    for step, action in enumerate(episode.steps["action"]):
        for column in STATE:
            np.testing.assert_array_equal(episode.steps[column][step], seen[column].astype(np.float32))
        if step % 10 == 0:
            for camera in episode.cameras:
                np.testing.assert_array_equal(episode.image(camera, step), seen[f"{camera}_rgb"])
                np.testing.assert_array_equal(episode.object_ids(camera)[step], seen[f"{camera}_objects"])
                np.testing.assert_array_equal(episode.regions(camera)[step], seen[f"{camera}_mask"])
        seen, _, terminated, _, info = env.step(action)
    assert terminated
    assert info["is_success"]
    env.close()


def test_variations_take_turns_and_regions_follow_the_partition(folder: Path) -> None:
    episodes = read_episodes(folder)
    assert [(e.header["task"], e.header["variation"]) for e in episodes] == [
        ("close_microwave", 0), ("close_microwave", 0), ("open_drawer", 0), ("open_drawer", 1),
    ]  # fmt: skip
    usual = episodes[0].regions("overhead")
    strict = episodes[0].regions("overhead", "table_is_nuisance")
    assert (usual != strict).any()
    assert set(np.unique(strict[usual != strict])) == {Region.NUISANCE}


def test_more_processes_and_interruptions_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    record(TASKS, 1, tmp_path, settings=SMALL, workers=2)
    half = tmp_path / "open_drawer" / "78.partial" / "front"
    half.mkdir(parents=True)
    (half / "00000.png").write_bytes(b"torn")
    record(TASKS, 2, tmp_path, settings=SMALL, workers=2)
    assert _bytes(tmp_path) == _bytes(folder)


def test_failed_attempts_are_replaced_and_counted(folder: Path, tmp_path: Path) -> None:
    task = "close_microwave"
    (tmp_path / task).mkdir()
    (tmp_path / task / recording.FAILED_FILE).write_text(json.dumps({"0": "planted"}))
    (found,) = record((task,), 2, tmp_path, settings=SMALL, workers=1)
    assert (found.episodes, found.failed) == (2, (77,))
    assert sorted(p.name for p in (tmp_path / task).iterdir() if p.is_dir()) == ["78", "79"]
    assert _bytes(tmp_path / task / "78") == _bytes(folder / task / "78")


def test_a_hopeless_task_ends(tmp_path: Path) -> None:
    (tmp_path / "open_drawer").mkdir()
    failed = {str(k): "planted" for k in range(40)}
    (tmp_path / "open_drawer" / recording.FAILED_FILE).write_text(json.dumps(failed))
    with pytest.raises(HansGymError, match=r"40 of 41 attempts failed, e\.g\. 'planted'"):
        record(("open_drawer",), 1, tmp_path, settings=SMALL, workers=1)


def test_what_a_user_can_mend_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(HansGymError, match="image_size: 48 there, 64 asked for"):
        record(TASKS, 1, folder, settings=Settings(image_size=64, first_seed=77))
    with pytest.raises(HansGymError, match="unknown task 'opendrawer'"):
        record(("opendrawer",), 1, tmp_path)
    with pytest.raises(HansGymError, match="at least 1"):
        record(TASKS, 0, tmp_path)
    with pytest.raises(HansGymError, match="no recorded episode"):
        read_episodes(tmp_path)
    with pytest.raises(HansGymError, match="not a recorded episode"):
        read_episode(folder / "open_drawer")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("episode.json", b"{"),
        ("episode.json", b'{"format": "hansgym-episode-1", "steps": 3}'),
        ("episode.json", b'{"format": "b-9", "steps": 3, "cameras": [], "objects": [], "task": "", "instruction": ""}'),
        ("steps.npz", b"PK\x05\x06"),
        ("objects.npz", b"none"),
        ("front/00000.png", b"\x89PNG"),
    ],
)  # fmt: skip
def test_broken_files_name_themselves(folder: Path, tmp_path: Path, file: str, content: bytes) -> None:
    copy = tmp_path / "77"
    shutil.copytree(folder / "open_drawer" / "77", copy)
    (copy / file).write_bytes(content)
    with pytest.raises(HansGymError, match=file.replace(".", r"\.")):
        _read_all(copy)


def _read_all(folder: Path) -> tuple[object, ...]:
    episode = read_episode(folder)
    return episode.steps, episode.image("front", 0), episode.object_ids("wrist")


def test_pickled_arrays_are_refused(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "77"
    shutil.copytree(folder / "open_drawer" / "77", copy)
    np.savez(copy / "steps.npz", action=np.array([{"a": 1}], dtype=object))
    with pytest.raises(HansGymError, match=r"steps\.npz"):
        assert read_episode(copy).steps


def test_play(folder: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    found = CliRunner().invoke(app, ["play", str(folder / "open_drawer" / "77"), "--out", str(film), "--json"])
    assert found.exit_code == 0, found.output
    said = json.loads(found.stdout)
    frames = imageio.imread(film)
    assert len(frames) == said["steps"] == len(read_episode(folder / "open_drawer" / "77"))
    found = CliRunner().invoke(
        app, ["play", "close_microwave", "--out", str(film), "--image-size", "64", "--seed", "3"]
    )
    assert found.exit_code == 0, found.output
    assert "'close microwave': solved" in found.stdout
    assert len(imageio.imread(film)) > 20


def test_the_viewer_needs_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    found = CliRunner().invoke(app, ["play", "open_drawer", "--viewer"])
    assert isinstance(found.exception, HansGymError)
    assert "no display" in str(found.exception)


def test_the_command(tmp_path: Path) -> None:
    words = ["record", "--tasks", "close_microwave", "--episodes", "1", "--image-size", "32", "--workers", "1"]
    found = CliRunner().invoke(app, [*words, "--out", str(tmp_path), "--json"])
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout.strip().splitlines()[-1]) == {
        "tasks": {"close_microwave": {"episodes": 1, "failed": []}}
    }
