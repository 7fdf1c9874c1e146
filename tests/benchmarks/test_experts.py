"""The expert study's arithmetic, its plan of seeds and what it writes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from hansgym.benchmarks import expert_results as results
from hansgym.benchmarks import experts
from hansgym.benchmarks.expert_results import Outcome
from hansgym.benchmarks.experts import FIRST_SEED, Trial
from hansgym.envs.registration import index


def outcome(variation: int, steps: int, success: bool = True, task: str = "close_jar", seed: int = 0) -> Outcome:
    return Outcome(task, variation, seed, success, steps, -0.001 if success else 0.25, "close the red jar")


def test_every_variation_gets_its_seeds_and_every_task_enough_episodes() -> None:
    planned = experts.trials(["close_jar", "close_microwave"], 20, 200)
    assert len(planned) == 400 + 200
    assert len(set(planned)) == len(planned)
    assert {t.variation for t in planned if t.task == "close_jar"} == set(range(20))
    assert min(t.seed for t in planned) == FIRST_SEED
    seeds = [t.seed for t in planned if t.task == "close_jar"]
    assert len(set(seeds)) == len(seeds)
    assert experts.trials(["close_microwave"], 1) == [Trial("close_microwave", 0, FIRST_SEED)]


def test_step_limit_is_twice_the_95th_percentile_of_successes() -> None:
    assert results.limit_of([outcome(0, s) for s in range(101, 201)]) == 391
    assert results.limit_of([outcome(0, 40), outcome(0, 600, success=False)]) == 200
    assert results.limit_of([outcome(0, 600, success=False)]) == 200


def test_summary_counts_slow_successes_as_failures_and_finds_the_worst_variation() -> None:
    some = [outcome(0, 50), outcome(0, 60), outcome(1, 70), outcome(1, 250), outcome(2, 80), outcome(2, 90)]
    row = results.summarise(some, limit=200)
    assert (row.n, row.successes, row.worst_variation, row.worst_rate) == (6, 5, 1, 0.5)
    assert row.failures == (some[3],)
    assert row.steps_median == 70
    low, high = row.interval
    assert 0 < low < 5 / 6 < high < 1


def test_failures_are_listed_with_their_margin() -> None:
    row = results.summarise([outcome(4, 400, success=False, seed=7), outcome(4, 90)], limit=400)
    assert results.failure_lines([row]) == [
        "close_jar variation 4 seed 7: margin 0.2500 after 400 steps, 'close the red jar'"
    ]
    text = results.markdown([row])
    assert "| close_jar | 2 | 50.0 % |" in text
    assert "margin 0.2500" in text


def test_index_keeps_the_tasks_that_were_not_measured(tmp_path: Path) -> None:
    path = tmp_path / "index.json"
    path.write_text(json.dumps(index()), encoding="utf-8")
    results.write_index([results.summarise([outcome(0, 150)], limit=300)], path)
    written = {row["task"]: row for row in json.loads(path.read_text(encoding="utf-8"))}
    assert written["close_jar"] == {"task": "close_jar", "variations": 20, "max_episode_steps": 300}
    for row in index():
        if row["task"] != "close_jar":
            assert written[row["task"]] == row


def test_stored_results_come_back_and_other_tasks_are_kept(tmp_path: Path) -> None:
    jar = results.summarise([outcome(4, 400, success=False, seed=7), outcome(4, 90)], limit=400)
    door = results.summarise([outcome(0, 40, task="close_microwave")], limit=200)
    jar, door = replace(jar, command="first"), replace(door, command="second")
    results.store([jar], {}, tmp_path)
    results.store([door], {}, tmp_path)
    assert results.load_summaries(tmp_path / "experts.json") == {"close_jar": jar, "close_microwave": door}
    text = (tmp_path / "experts.md").read_text(encoding="utf-8")
    assert "close_jar variation 4 seed 7" in text
    assert "| close_microwave | 1 | 100.0 % |" in text
    assert "`first` (close_jar)" in text
    assert "`second` (close_microwave)" in text
    assert "Mean of 2 tasks: 75.00 %" in text
    assert "| 40 | 40 | 2.0 | 200 |" in text, "40 steps at 20 Hz are two seconds"


def test_an_unsolved_episode_and_a_broken_one_are_outcomes() -> None:
    short = experts.run_trial(Trial("close_microwave", 0, FIRST_SEED), steps=5)
    assert (short.success, short.steps, short.error) == (False, 5, None)
    assert short.margin is not None
    assert short.margin > 0.5
    broken = experts.run_trial(Trial("close_microwave", 3, FIRST_SEED), steps=5)
    assert not broken.success
    assert broken.error is not None
    assert "variation 3" in broken.error


def test_expected_failures_are_sorted() -> None:
    some = [outcome(3, 9, False, "push_buttons", 2), outcome(1, 9, False, "close_jar", 5), outcome(0, 9)]
    assert [(f["task"], f["variation"]) for f in results.expected_failures(some)] == [
        ("close_jar", 1),
        ("push_buttons", 3),
    ]
