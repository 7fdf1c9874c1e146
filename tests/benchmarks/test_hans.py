"""The study's table and its checks, on rows made by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hansgym.benchmarks import hans
from hansgym.benchmarks.hans import ROWS, Row, cells, markdown, verdicts
from hansgym.errors import HansGymError

TASKS = {"push_buttons": {"aligned": 0.9, "misleading": 0.9}}
HONEST = Row(
    policy="reference:pfungst", code="place", n=50, aligned=0.9, aligned_interval=(0.8, 0.95), misleading=0.88,
    misleading_interval=(0.78, 0.94), nmr=0.2, nmr_interval=(0.19, 0.21), area=0.37, ner=0.12,
    ner_interval=(0.10, 0.14), worst="floor", e={"floor": 0.01, "nuisance": 0.01, "task": 0.1}, text="floor: 0.01 rad",
    errors=0, tasks=TASKS,
)  # fmt: skip
HANS = replace(
    HONEST, policy="reference:hans", misleading=0.1, ner=0.4, ner_interval=(0.35, 0.45), worst="poster",
    tasks={"push_buttons": {"aligned": 0.9, "misleading": 0.1}},
)  # fmt: skip


def failing(*rows: Row) -> list[str]:
    return [text for text, holds in verdicts(rows) if not holds]


def test_all_checks_hold_for_policies_that_are_what_they_should_be() -> None:
    assert failing(HONEST, HANS) == []


def test_each_condition_is_checked() -> None:
    assert any("two thirds" in t for t in failing(HONEST, replace(HANS, misleading=0.31)))
    assert any("at most 10 points" in t for t in failing(replace(HONEST, misleading=0.79), HANS))
    assert any("ner at most 0.2" in t for t in failing(replace(HONEST, ner=0.21), HANS))
    assert any("above that of pfungst" in t for t in failing(HONEST, replace(HANS, ner_interval=(0.13, 0.45))))
    assert any("worst factor" in t for t in failing(HONEST, replace(HANS, worst="floor")))
    low = {"push_buttons": {"aligned": 0.58, "misleading": 0.0}}
    assert any("at least 60 %" in t for t in failing(HONEST, replace(HANS, tasks=low)))
    assert any("ner at most" in t for t in failing(replace(HONEST, ner=None, ner_interval=None), HANS))


def test_the_table_shows_every_number_and_dashes_for_null() -> None:
    assert cells(replace(HONEST, nmr=None))[4] == "–"
    text = markdown([HONEST, HANS], "python -m hansgym.benchmarks.hans --seeds 50")
    for part in ("90 % [80, 95]", "0.12 [0.10, 0.14]", "--seeds 50", "push_buttons", "- [x]", "0.0100"):
        assert part in text


def test_each_hans_stands_beside_pfungst_under_its_own_code() -> None:
    for policy, code in ROWS:
        assert ("reference:pfungst", code) in ROWS, policy


def test_one_policys_rows_can_be_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[tuple[str, str], ...]] = []

    def measured(out: Path, *, rows: tuple[tuple[str, str], ...], **_: object) -> list[Row]:
        asked.append(rows)
        return [replace(HONEST, policy=policy, code=code, n=len(asked)) for policy, code in rows]

    monkeypatch.setattr(hans, "study", measured)
    app = typer.Typer()
    app.command()(hans.main)
    for more in ([], ["--policy", "reference:hans"]):
        assert CliRunner().invoke(app, ["--results", str(tmp_path), *more]).exit_code == 0
    assert asked == [ROWS, (("reference:hans", "place"),)]
    held = json.loads((tmp_path / "hans.json").read_text())
    assert [(r["policy"], r["code"]) for r in held["rows"]] == list(ROWS)
    assert [r["n"] for r in held["rows"]] == [1, 2, 1, 1]
    for wrong in (["--policy", "clever"], ["--policy", "reference:hans", "--seeds", "5"]):
        refused = CliRunner().invoke(app, ["--results", str(tmp_path), *wrong])
        assert isinstance(refused.exception, HansGymError), wrong
