"""Labels: what a reader must know about an agent stands in words beside its numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import report_fakes as fakes

from hansgym.benchmarks import leaderboard
from hansgym.benchmarks.labels import NOISE, labels
from hansgym.benchmarks.report import write_joined, write_report

HIDES = "the server hides chunks of 5 actions <b>"


def server(**changes: Any) -> dict[str, Any]:
    agent = {"name": "s", "noise_control": "none", "details": {"flags": [HIDES]}, **changes}
    return {"agent": agent}


def test_noise_first_then_what_the_agent_said_of_itself() -> None:
    assert labels(server()) == [NOISE["none"], HIDES]
    assert labels(server(noise_control="rng", details={})) == [NOISE["rng"]]
    for paired in ("exact", "deterministic"):
        assert labels(server(noise_control=paired, details={"flags": []})) == []


@pytest.mark.parametrize(
    "header", [{}, {"agent": None}, {"agent": "x"}, server(noise_control=[1], details={"flags": "text"}),
               server(noise_control=None, details={"flags": [1, None, "", {}]})],
)  # fmt: skip
def test_forged_headers_have_the_labels_that_can_be_read(header: dict[str, Any]) -> None:
    assert labels(header) == []


def test_every_row_of_every_page_has_them_escaped(tmp_path: Path) -> None:
    flagged = fakes.full_run(tmp_path / "flagged", header=server())
    plain = fakes.full_run(tmp_path / "plain")
    escaped = HIDES.replace("<b>", "&lt;b&gt;")
    page = write_report(flagged).read_text()
    assert page.count(escaped) == 3 + 1 + 1  # two tasks and the pool, the notes, the settings
    assert HIDES not in page
    assert '<tr class="labels">' not in write_report(plain).read_text()
    joined = write_joined([flagged, plain], tmp_path / "joined.html", "both").read_text()
    assert joined.count(escaped) == 1
    board = leaderboard.build([flagged, plain])
    html = leaderboard.page(board)
    assert html.count(escaped) == 1
    assert html.count(NOISE["none"]) == 1
    assert leaderboard.markdown(board).count(HIDES) == 1
