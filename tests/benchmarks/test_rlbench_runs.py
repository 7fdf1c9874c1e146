"""Runs on the RLBench backend: the setting travels, and without the simulator nothing starts."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import report_fakes as fakes
import runner_fakes

from hansgym.benchmarks import evaluate, workers
from hansgym.benchmarks.config import FACTORIES
from hansgym.benchmarks.lanes import Lane, Reply
from hansgym.benchmarks.leaderboard import build
from hansgym.benchmarks.report_data import load
from hansgym.benchmarks.report_views import command
from hansgym.envs.rlbench import installation
from hansgym.errors import ConfigurationError, MissingExtraError, UnknownNameError
from hansgym.specs import CAMERAS

SETTINGS = workers.EnvSettings("", "joint_position", 16, 8, CAMERAS, 64)


def test_an_unknown_backend_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"'rlbanch'.*Did you mean 'rlbench'"):
        evaluate("random", tasks="close_jar", backend="rlbanch", out=tmp_path / "run")


def test_without_the_simulator_nothing_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COPPELIASIM_ROOT", raising=False)
    with pytest.raises(MissingExtraError, match=r"COPPELIASIM_ROOT is not set.*hansgym doctor"):
        evaluate("random", tasks="close_jar", backend="rlbench", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_expert_is_refused_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "require", lambda task: None)
    with pytest.raises(ConfigurationError, match=r"'expert' asks for the expert's next steps.*use backend 'mujoco'"):
        evaluate("expert", tasks="close_jar", backend="rlbench", out=tmp_path / "run")


@pytest.mark.parametrize(("backend", "renderer"), [("rlbench", {}), ("rlbench:opengl", {"renderer": "opengl"})])
def test_the_factories_make_what_they_say(
    backend: str, renderer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "require", lambda task: None)
    make = getattr(workers, FACTORIES[backend].partition(":")[2])
    env: gym.Env = make("close_jar", SETTINGS)
    base = env.unwrapped
    assert base.backend_name == "rlbench"  # type: ignore[attr-defined]
    assert base.backend_options == renderer  # type: ignore[attr-defined]
    assert make("close_jar", SETTINGS).observation_space == workers.make_env("close_jar", SETTINGS).observation_space


@pytest.mark.parametrize("backend", FACTORIES)
def test_a_runs_page_repeats_the_backend(backend: str, tmp_path: Path) -> None:
    run = load(fakes.write(tmp_path / "run", [], env_factory=FACTORIES[backend]))
    text, reason = command(run)
    assert reason is None
    assert text is not None
    assert (f"--backend {backend}" in text) == (backend != "mujoco")


def test_runs_of_two_backends_stand_in_tables_of_their_own(tmp_path: Path) -> None:
    runs = []
    for k, backend in enumerate(("mujoco", "rlbench", "mujoco")):
        lines = [fakes.line("open_drawer", 0)]
        runs.append(fakes.write(tmp_path / str(k), lines, env_factory=FACTORIES[backend]))
    groups = build(runs)["groups"]
    assert sorted((g["settings"]["backend"], len(g["rows"])) for g in groups) == [("mujoco", 2), ("rlbench", 1)]


@pytest.mark.parametrize(("backend", "processes"), [("rlbench:tiny", 2), ("tiny", 1)])
def test_an_episode_in_coppeliasim_has_a_process_of_its_own(
    backend: str, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FACTORIES, backend, runner_fakes.FACTORY)
    lane = Lane(0, workers.EnvSettings(runner_fakes.FACTORY, "joint_position", 4, 2, CAMERAS, 16), limit_s=60.0)
    seen = set()
    for seed in (0, 1):
        assert _answer(lane, "reset", "walk", seed, False).error is None
        assert lane._process is not None
        seen.add(lane._process.pid)
        assert _answer(lane, "step_chunk", np.zeros((4, 8), np.float32)).error is None
    lane.stop()
    assert len(seen) == processes


def _answer(lane: Lane, method: str, *arguments: object) -> Reply:
    lane.ask(method, *arguments)
    while (reply := lane.collect()) is None:
        pass
    return reply
