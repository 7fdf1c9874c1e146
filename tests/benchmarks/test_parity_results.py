"""The committed comparison of the backends: the page is what its figures give, and the figures say what they claim."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hansgym.benchmarks import _parity_compare as comparing
from hansgym.benchmarks._parity_boxes import Box
from hansgym.benchmarks._parity_table import markdown
from hansgym.benchmarks.listing import tasks_of

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
STORED: dict[str, Any] = json.loads((RESULTS / "parity.json").read_text())
ROWS: list[dict[str, Any]] = STORED["rows"]
WITHOUT_MODEL = {
    *("turn_tap", "put_groceries_in_cupboard", "meat_off_grill"),
    *("put_books_on_bookshelf", "take_usb_out_of_computer", "water_plants"),
}


def test_the_page_of_this_repository_is_what_its_figures_give() -> None:
    assert markdown(STORED) == (RESULTS / "parity.md").read_text()
    for said in (STORED["command"], STORED["ran"], *(p for row in ROWS for p in row["problems"])):
        assert said in (RESULTS / "parity.md").read_text()


def test_every_task_with_a_model_is_compared() -> None:
    assert {row["task"] for row in ROWS} == set(tasks_of("agnostos")) - WITHOUT_MODEL
    assert all(task in STORED["ran"] for task in WITHOUT_MODEL)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['task']}-{row['what'].split()[0]}")
def test_problems_are_those_of_the_figures(row: dict[str, Any]) -> None:
    assert row["ok"] == (not row["problems"])
    problems = " | ".join(row["problems"])
    for camera, value in row["iou"].items():
        assert (value < comparing.LEAST_IOU) == (f"{camera} silhouettes" in problems)
    assert (row["tip_m"] > comparing.TIP_M) == ("tips are" in problems)
    assert row["same_instruction"] == (" there and " not in problems)
    here, there = row["steps"]
    assert (not 1 / comparing.LENGTH_FACTOR <= here / there <= comparing.LENGTH_FACTOR) == ("steps here" in problems)
    for name, (up, tight, other_up, other_tight, share) in row["sizes"].items():
        # The edges are stored to the micrometre, which a share of 3 mm feels.
        found = comparing.box_share(Box(tuple(up), tuple(tight)), Box(tuple(other_up), tuple(other_tight)))
        assert found == pytest.approx(share, abs=1e-3)
        assert (share > 0) == (f"{name} differs in size" in problems)
    for name, text in row["elsewhere"].items():
        assert f"{name} {text}" in row["problems"]
    assert all(1 <= solved <= tried for solved, tried in zip(row["solved"], row["tried"], strict=True))
