"""The leaderboard: order, ties, and runs that must not stand in one table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hansgym.benchmarks import leaderboard
from hansgym.benchmarks.config import RunConfig
from hansgym.benchmarks.records import RunDirectory
from hansgym.errors import ConfigurationError


def run(path: Path, agent: str, successes: int, n: int = 20, errors: int = 0, **settings: Any) -> Path:
    """A run directory with ``successes`` of ``n``."""
    given = {"tasks": ("a",), "control": "joint_position", **settings}
    config = RunConfig(agent=agent, seeds=tuple(range(n)), **given)
    header = {"config": config.identity(), "agent": {"noise_control": "exact"}}
    with RunDirectory(path / agent, header) as directory:
        for seed in range(n):
            error = "boom" if seed >= n - errors else None
            keys = {"task": "a", "seed": seed, "trial": 0, "steps": 10}
            directory.append({**keys, "success": seed < successes, "error": error})
    return path / agent


def test_order_and_ties(tmp_path: Path) -> None:
    runs = [run(tmp_path, "worst", 1, errors=2), run(tmp_path, "best", 19), run(tmp_path, "good", 17)]
    [group] = leaderboard.build(runs)["groups"]
    assert [(r["agent"], r["rank"], r["tied"]) for r in group["rows"]] == [
        ("best", 1, False),
        ("good", 2, True),
        ("worst", 3, False),
    ]
    assert group["note"] == ""
    assert group["rows"][2]["errors"] == 2
    assert group["rows"][2]["success"] == 0.05


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"control": "ee_pose"}, "control"),
        ({"do_severity": 2.0}, "do_severity"),
        ({"tasks": ("a", "b")}, "tasks"),
        ({"protocol": "agnostos"}, "protocol"),
        ({"perturb": ("cue",)}, "perturb"),
    ],
)
def test_what_cannot_be_compared_stands_apart(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    board = leaderboard.build([run(tmp_path, "one", 10), run(tmp_path, "two", 10, **change)])
    assert [len(g["rows"]) for g in board["groups"]] == [1, 1]
    assert all(g["note"].endswith(f"they differ in {named}.") for g in board["groups"])


def test_seeds_and_masks_do_not_separate(tmp_path: Path) -> None:
    board = leaderboard.build([run(tmp_path, "one", 10), run(tmp_path, "two", 10, n=30, n_masks=50, run_seed=3)])
    assert len(board["groups"]) == 1


def test_files(tmp_path: Path) -> None:
    board = leaderboard.build([run(tmp_path, "a|<b>", 10), run(tmp_path, "two", 12, perturb=("cue",))])
    leaderboard.write(board, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "leaderboard.json").read_text()) == json.loads(json.dumps(board))
    words = (tmp_path / "out" / "leaderboard.md").read_text()
    assert "| 1 | a\\|<b> | 0.50 [0.30, 0.70] | 20 | 0 | - | - |" in words
    assert "perturbed by cue" in words
    page = (tmp_path / "out" / "leaderboard.html").read_text()
    assert "a|&lt;b&gt;" in page
    assert "<b>" not in page
    assert "http" not in page.replace("<!doctype html>", "")


def test_nothing_to_rank(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="at least one run"):
        leaderboard.build([])
    with pytest.raises(ConfigurationError, match="is not a run directory"):
        leaderboard.build([tmp_path])
    with pytest.raises(ConfigurationError, match="no finished episode"):
        leaderboard.build([run(tmp_path, "empty", 0, n=1, tasks=("zzz",)).parent / _emptied(tmp_path)])


def _emptied(tmp_path: Path) -> str:
    (tmp_path / "empty" / "episodes.jsonl").write_text("")
    return "empty"
