"""The page of all tasks says what the task files and the stored study say."""

from __future__ import annotations

from pathlib import Path

import pytest

from hansgym.benchmarks import gallery
from hansgym.benchmarks.expert_results import Outcome, summarise
from hansgym.benchmarks.listing import task_names, task_spec
from hansgym.envs.conditions import All, Detected, JointMoved, NothingGrasped

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.skipif(not DOCS.is_dir(), reason="the page lies in a clone")
def test_the_page_is_what_would_be_written_now() -> None:
    assert (DOCS / "tasks.md").read_text(encoding="utf-8") == gallery.page(), (
        "run python -m hansgym.benchmarks.gallery --no-pictures"
    )
    assert {p.stem for p in (DOCS / gallery.PICTURES).glob("*.jpg")} == set(task_names())


def test_every_task_is_on_the_page_once() -> None:
    lines = gallery.page().splitlines()
    assert sorted(line.removeprefix("### ") for line in lines if line.startswith("### ")) == sorted(task_names())


def test_the_table_of_experts_has_a_row_for_every_task() -> None:
    row = summarise([Outcome("open_drawer", 0, 1, True, 60, -0.01), Outcome("open_drawer", 1, 2, False, 600, 0.1)], 200)
    lines = gallery._table({"open_drawer": row}).splitlines()
    assert "| open_drawer | 3 | 50.0 % of 2 | 0 % | 60 | 60 | 3.0 |" in lines
    assert sum("not measured" in line for line in lines) == len(task_names()) - 1
    assert "Mean of 1 tasks: 50.00 %." in lines


def test_conditions_are_said_without_what_goes_without_saying() -> None:
    condition = All(Detected("jar_lid0", "success"), NothingGrasped())
    assert gallery.words(condition) == "All(Detected(prop='jar_lid0', sensor='success'), NothingGrasped())"
    assert gallery.words(JointMoved("door", by=0.123456)) == "JointMoved(joint='door', by=0.1235)"
    assert "not measured" in gallery.section(task_spec("open_drawer"), None)
