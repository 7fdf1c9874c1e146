"""The scripted experts, one held-out seed per variation of every task: failures are exactly the ones on record."""

from __future__ import annotations

import json
import os

import pytest

from hansgym.benchmarks.expert_results import RESULTS, expected_failures
from hansgym.benchmarks.experts import run, trials
from hansgym.benchmarks.listing import task_names

EXPECTED = RESULTS / "experts_ci.json"


@pytest.mark.slow
def test_failures_are_the_committed_list() -> None:
    outcomes = run(trials(task_names(), 1), workers=min(2, os.cpu_count() or 1), steps=None, show=False)
    assert [o.error for o in outcomes if o.error] == []
    assert expected_failures(outcomes) == json.loads(EXPECTED.read_text(encoding="utf-8"))["failures"]
