"""The runner: faults become errors of their own episode, and results do not depend on who did what when."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import runner_fakes as fakes

import hansgym.benchmarks
from hansgym.attribution.ner import ner_of, pool
from hansgym.benchmarks import evaluate
from hansgym.benchmarks.records import read_records
from hansgym.errors import ConfigurationError, UnknownNameError

SEEDS = "0:5"


def play(out: Path, agent: Any = "python:runner_fakes:Walker", tasks: str = "plain", **settings: Any) -> Any:
    settings = {"seeds": SEEDS, "workers": 2, "env_factory": fakes.FACTORY, "progress": False, **settings}
    return evaluate(agent, tasks, out=out, **settings)


def comparable(run: Path) -> list[dict[str, Any]]:
    """The lines of a run without what may differ between two equal runs."""
    lines = [{k: v for k, v in r.items() if k != "wall_s"} for r in read_records(run)]
    return sorted(lines, key=lambda r: (r["task"], r["seed"], r["trial"]))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, Any]]:
    """Seed -> the line of an episode without any fault."""
    out = tmp_path_factory.mktemp("sound")
    play(out)
    return {r["seed"]: r for r in comparable(out)}


def others_untouched(run: Path, sound: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """Check that every episode but the bad one is as without the fault, and return the bad one."""
    lines = {r["seed"]: r for r in comparable(run)}
    assert set(lines) == set(sound)
    for seed, found in lines.items():
        if seed != fakes.BAD_SEED:
            assert found == sound[seed]
    return lines[fakes.BAD_SEED]


@pytest.mark.parametrize(
    ("agent", "reason"),
    [
        ("Raising", "raised ZeroDivisionError in act: the policy divided by zero"),
        ("RaisingBatched", "raised ZeroDivisionError in act: the policy divided by zero"),
        ("NotANumber", "returned nan at (row, step, dimension) = (0, 3, 2)"),
        ("WrongShape", "returned shape (1, 5, 8); (rows, horizon, dim) = (1, 16, 8) was due"),
        ("Leaving", "raised SystemExit in act"),
        ("Hanging", "did not answer act within 3 s"),
    ],
)
def test_a_bad_agent_costs_one_episode(tmp_path: Path, sound: Any, agent: str, reason: str) -> None:
    limit = {"agent_limit_s": 3.0} if agent == "Hanging" else {}
    frame = play(tmp_path, f"python:runner_fakes:{agent}", **limit)
    bad = others_untouched(tmp_path, sound)
    assert reason in bad["error"]
    assert bad["success"] is False
    summary = frame.attrs["summary"]
    assert (summary["n"], summary["errors"]) == (5, 1)
    assert f"plain_{fakes.BAD_SEED}_0: agent" in (tmp_path / "errors.log").read_text()
    assert summary["success"] == frame["success"].mean()


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ("explode_reset", "environment failed in reset: RuntimeError: the table fell over"),
        ("explode_step", "environment failed in step_chunk: RuntimeError: the table fell over"),
        ("die_reset", "environment process died in reset (SIGKILL)"),
        ("die_step", "environment process died in step_chunk (SIGKILL)"),
        ("hang_step", "environment did not answer step_chunk within 6 s"),
    ],
)
def test_a_bad_environment_costs_one_episode(tmp_path: Path, task: str, reason: str) -> None:
    limit = {"env_limit_s": 6.0} if task == "hang_step" else {}
    frame = play(tmp_path / "all", tasks=task, **limit)
    play(tmp_path / "others", tasks=task, seeds="0,1,3,4")
    others = comparable(tmp_path / "others")
    lines = comparable(tmp_path / "all")
    assert [line for line in lines if line["seed"] != fakes.BAD_SEED] == others
    assert [line["error"] for line in lines if line["seed"] == fakes.BAD_SEED] == [reason]
    assert frame.attrs["summary"]["errors"] == 1


def test_a_setting_that_cannot_work_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^this task cannot be made; choose another$"):
        play(tmp_path, tasks="refuses")
    with pytest.raises(ConfigurationError, match="execute=17 is more than the 16 steps"):
        play(tmp_path, execute=17)
    with pytest.raises(ConfigurationError, match="takes images of 16 px, image_size is 64"):
        play(tmp_path, image_size=64)
    with pytest.raises(UnknownNameError, match="attribution method 'isss'"):
        play(tmp_path, method="isss", attribute="iss")
    with pytest.raises(ConfigurationError, match=r"'iss_logp' needs .* lacks its act_tokens and score_tokens"):
        play(tmp_path / "never", method="iss_logp", attribute="iss")
    with pytest.raises(ConfigurationError, match=r"--attribute iss --method iss_logp$"):
        play(tmp_path / "never", attribute="iss_logp")
    with pytest.raises(ConfigurationError, match="either tasks or a suite"):
        evaluate("random", None)
    with pytest.raises(UnknownNameError, match=r"unknown task 'open_drawr'\. Did you mean 'open_drawer'"):
        evaluate("random", "open_drawr")
    with pytest.raises(ConfigurationError, match="close_microwave"):
        evaluate("random", "open_drawer,close_microwave", perturb="cue", out=tmp_path / "never")
    with pytest.raises(UnknownNameError, match="protocol of task 'open_drawer' 'balancd'"):
        evaluate("random", "open_drawer", protocol="balancd", out=tmp_path / "never")
    assert not (tmp_path / "never").exists()
    with pytest.raises(UnknownNameError, match="unknown suite 'quick'"):
        evaluate("random", suite="quick")


@pytest.mark.parametrize("agent", ["Walker", "Batched"])
def test_the_number_of_workers_changes_nothing(tmp_path: Path, agent: str) -> None:
    settings = {"trials": 2, "attribute": "iss,do", "n_masks": 8, "do_draws": 3, "do_stride": 2, "seeds": "0:4"}
    for workers in (1, 3):
        frame = play(tmp_path / str(workers), f"python:runner_fakes:{agent}", workers=workers, **settings)
        assert len(frame) == 8
    one, three = comparable(tmp_path / "1"), comparable(tmp_path / "3")
    assert one == three
    for path in sorted((tmp_path / "1" / "attributions").iterdir()):
        assert path.read_bytes() == (tmp_path / "3" / "attributions" / path.name).read_bytes()


def test_a_line_says_all(tmp_path: Path) -> None:
    settings = {"attribute": "iss,do", "n_masks": 8, "do_draws": 3, "do_stride": 1, "attribute_stride": 2}
    frame = play(tmp_path, seeds="0,1", **settings)
    for line in comparable(tmp_path):
        assert {"task", "variation", "seed", "trial", "reset_seed", "success", "steps", "error", "instruction"} <= set(
            line
        )
        assert set(line["nmr"]) == {"1", "5", "10", "15", "20"}
        explained = [d for d in line["timeline"] if "nmr" in d]
        assert [d["step"] for d in explained] == [d["step"] for d in line["timeline"]][::2]
        assert line["nmr"]["10"] == pytest.approx(np.mean([d["nmr"]["10"] for d in explained]))
        assert 0.0 < line["nuisance_area"] < 1.0
        assert line["estimator"] == "centred ISS"
        assert line["iss"]["evaluations"] == 9 * len(explained)
        assert set(line["do"]) == {"wall", "nuisance", "task"}
        for effect in line["do"].values():
            assert effect["draws"] == 3 * effect["decisions"]
        assert line["do"]["wall"]["decisions"] + line["do_skipped"] == len(line["timeline"])
        assert line["ner"] == ner_of(line["do"])[0]
        with np.load(tmp_path / "attributions" / f"plain_{line['seed']}_0.npz", allow_pickle=False) as arrays:
            assert arrays["cells_front"].shape == (len(explained), 7, 7)
            assert arrays["steps"].tolist() == [d["step"] for d in explained]
    summary = frame.attrs["summary"]
    assert summary["ner"] == pool(read_records(tmp_path), 0).ner
    assert summary["nmr@10"] == pytest.approx(frame["nmr@10"].mean())


def test_a_policy_of_tokens_is_explained_by_its_probabilities(tmp_path: Path) -> None:
    settings = {"attribute": "iss", "method": "iss_logp", "n_masks": 8, "seeds": "0:3"}
    for workers in (1, 3):
        play(tmp_path / str(workers), "python:runner_fakes:Speaker", workers=workers, **settings)
    lines = comparable(tmp_path / "1")
    assert lines == comparable(tmp_path / "3")
    for line in lines:
        assert line["error"] is None
        assert line["estimator"] == "centred log-probability ISS"
        assert line["nmr_nulls"] == 0
        assert line["iss"]["evaluations"] == 10 * line["iss"]["decisions"] == 10 * line["decisions"]
        assert line["iss"]["mean_effect"] > 0
        assert 0 < line["iss"]["gripper_share"] < 1


@pytest.mark.parametrize(
    ("agent", "reason"),
    [
        ("Undecided", "returned logp nan at (row, token) = (0, 0)"),
        ("Speechless", "did not answer score_tokens within 3 s"),
    ],
)
def test_bad_scores_cost_one_episode(tmp_path: Path, agent: str, reason: str) -> None:
    settings = {"attribute": "iss", "method": "iss_logp", "n_masks": 8, "agent_limit_s": 3.0}
    play(tmp_path, f"python:runner_fakes:{agent}", **settings)
    errors = {line["seed"]: line["error"] for line in comparable(tmp_path)}
    assert reason in errors.pop(fakes.BAD_SEED)
    assert set(errors.values()) == {None}


def test_contact_skips_do_effects_but_never_the_first(tmp_path: Path) -> None:
    play(tmp_path, seeds="0:4", attribute="do", do_stride=1, do_draws=2, do_factors="nuisance,task", execute=4)
    lines = comparable(tmp_path)
    assert any(line["do_skipped"] for line in lines)
    for line in lines:
        assert "do" in line["timeline"][0]
        assert line["do_factors"] == ["nuisance", "task"]
        assert all(("do" in d) == (d["step"] <= 16) for d in line["timeline"])


def test_without_attribution_the_keys_are_null(tmp_path: Path) -> None:
    summary = play(tmp_path, seeds="0").attrs["summary"]
    keys = {"success", "interval", "n", "errors", "nmr@10", "nmr_interval", "ner", "ner_interval"}
    assert set(summary) == {"run", "tasks", *keys}
    assert set(summary["tasks"]["plain"]) == keys
    for part in (summary, summary["tasks"]["plain"]):
        assert [part[k] for k in ("nmr@10", "nmr_interval", "ner", "ner_interval")] == [None] * 4


def test_filming_changes_nothing_else(tmp_path: Path, sound: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    films: dict[str, tuple[Any, Any]] = {}

    def write_episode(path: Path, frames: Any, decisions: Any, **settings: Any) -> None:
        films[path.name] = (frames, decisions)
        path.touch()

    monkeypatch.setitem(sys.modules, "hansgym.benchmarks.video", SimpleNamespace(write_episode=write_episode))
    monkeypatch.setattr(hansgym.benchmarks, "video", sys.modules["hansgym.benchmarks.video"], raising=False)
    play(tmp_path, videos=2)
    lines = comparable(tmp_path)
    assert [line["video"] for line in lines] == ["videos/plain_0_0.mp4", "videos/plain_1_0.mp4", None, None, None]
    assert [{**line, "video": None} for line in lines] == list(sound.values())
    for line in lines[:2]:
        frames, decisions = films[Path(line["video"]).name]
        assert len(frames) == line["steps"] + 1
        assert all(frame["front"].shape == (224, 224, 3) for frame in frames)
        assert [d["step"] for d in decisions] == [d["step"] for d in line["timeline"]]


def test_a_film_that_fails_costs_no_result(tmp_path: Path, sound: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hansgym.benchmarks.video", SimpleNamespace())
    monkeypatch.setattr(hansgym.benchmarks, "video", sys.modules["hansgym.benchmarks.video"], raising=False)
    with pytest.warns(UserWarning, match="videos/plain_0_0.mp4 was not written: AttributeError"):
        play(tmp_path, videos=1)
    assert comparable(tmp_path) == list(sound.values())


def test_an_agent_object_will_do(tmp_path: Path, sound: Any) -> None:
    frame = play(tmp_path, fakes.Walker())
    assert comparable(tmp_path) == list(sound.values())
    assert frame["seed"].tolist() == [0, 1, 2, 3, 4]


def test_privileged_inputs_reach_the_agent(tmp_path: Path) -> None:
    frame = play(tmp_path, "expert", seeds="0:3", attribute="do", image_size=16)
    assert frame["success"].all()
    assert set(frame.attrs["details"]["effects"]["e"].values()) == {0.0}
    assert frame["ner"].isna().all()
    assert frame["ner_reason"][0] == "neither the nuisance nor the task moved the policy"


@pytest.mark.slow
def test_a_real_task(tmp_path: Path) -> None:
    """The expert looks at no picture: it succeeds, and every measure of reliance on pictures is null with a reason."""
    settings: dict[str, Any] = {"seeds": "90000:90002", "image_size": 64, "progress": False, "attribute": "iss,do"}
    settings |= {"n_masks": 8, "attribute_stride": 8, "do_draws": 2, "do_stride": 8, "do_factors": "wall,nuisance,task"}
    frames = [evaluate("expert", "open_drawer", out=tmp_path / str(w), workers=w, **settings) for w in (1, 2)]
    assert comparable(tmp_path / "1") == comparable(tmp_path / "2")
    assert frames[0]["success"].all()
    assert frames[0]["variation"].between(0, 2).all()
    assert frames[0].attrs["summary"]["ner"] is None
    for line in comparable(tmp_path / "1"):
        assert line["nmr"]["10"] is None
        assert line["nmr_reason"] == "no mask changed the action chunk"
        assert 0.0 < line["nuisance_area"] < 1.0
        assert {f: v["d2"] for f, v in line["do"].items()} == {"wall": 0.0, "nuisance": 0.0, "task": 0.0}
        assert all(v["unchanged"] < v["draws"] for v in line["do"].values())
