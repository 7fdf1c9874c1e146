"""NER pooled from records: definition, bootstrap, and what it says in words."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hansgym.attribution.ner import ner_of, pool
from hansgym.errors import ConfigurationError


def record(control: str = "joint_position", **e: float) -> dict:
    """A ``do`` field with these effects e (not squared)."""
    return {f.replace("__", ":"): {"d2": v**2, "decisions": 3, "draws": 24, "control": control} for f, v in e.items()}


def episodes(seed: int = 0, n: int = 20, tasks: tuple[str, ...] = ("close_jar", "open_drawer")) -> list[dict]:
    rng = np.random.default_rng(seed)
    return [
        {"task": t, "seed": k, "do": record(nuisance=rng.random(), task=rng.random() + 0.5, wall=rng.random() / 2)}
        for t in tasks
        for k in range(n)
    ]


def test_the_definition_with_loops() -> None:
    runs = [*episodes(), {"task": "close_jar", "do": record(nuisance=3.0, task=0.1, wall=0.0)}]
    pooled = {}
    for factor in ("nuisance", "task"):
        per_task = []
        for task in ("close_jar", "open_drawer"):
            values = [r["do"][factor]["d2"] for r in runs if r["task"] == task]
            per_task.append(sum(values) / len(values))
        pooled[factor] = (sum(per_task) / len(per_task)) ** 0.5
    found = pool(runs, 0)
    assert found.e_nuisance == pytest.approx(pooled["nuisance"], rel=1e-12)
    assert found.e_task == pytest.approx(pooled["task"], rel=1e-12)
    assert found.ner == pytest.approx(pooled["nuisance"] / (pooled["nuisance"] + pooled["task"]), rel=1e-12)
    assert found.interval is not None
    assert found.interval[0] < found.ner < found.interval[1]
    assert (found.episodes, found.unit, found.definition) == (41, "rad", "ner-v1")


def test_never_a_mean_of_ratios() -> None:
    runs = [{"task": "a", "do": record(nuisance=1.0, task=1.0)}, {"task": "a", "do": record(nuisance=0.0, task=7.0)}]
    assert pool(runs, 0).ner == pytest.approx(0.5**0.5 / (0.5**0.5 + 5.0))


def test_tasks_have_equal_weight_however_many_episodes() -> None:
    few = [{"task": "a", "do": record(nuisance=1.0, task=0.0)}]
    many = [{"task": "b", "do": record(nuisance=0.0, task=1.0)}] * 9
    assert pool(few + many, 0).ner == pytest.approx(0.5)


def test_recomputed_from_json_in_any_order() -> None:
    runs = episodes(3)
    first = pool(runs, 5)
    lines = [json.loads(json.dumps(r)) for r in reversed(runs)]
    assert pool(lines, 5) == first, "same seed, same interval, in whatever order the episodes finished"
    assert pool(runs, 6).interval != first.interval
    assert json.loads(json.dumps(first.to_json()))["ner"] == first.ner


def test_bootstrap_spread_is_that_of_the_mean() -> None:
    """One task, constant task effect: the interval of e_task is a point, that of e_nuisance covers the truth."""
    rng = np.random.default_rng(1)
    hits = 0
    for seed in range(60):
        d = rng.normal(1.0, 0.2, 30) ** 2
        runs = [{"task": "a", "do": record(nuisance=float(x) ** 0.5, task=1.0)} for x in d]
        found = pool(runs, seed)
        low, high = found.e_interval["nuisance"]
        hits += low**2 <= 1.04 <= high**2
        assert found.e_interval["task"] == (1.0, 1.0)
    assert 50 <= hits <= 60


def test_one_episode_has_no_interval() -> None:
    found = pool([{"task": "a", "do": record(nuisance=1.0, task=1.0)}], 0)
    assert found.ner == 0.5
    assert found.interval is None
    assert found.e_interval["task"] is None


@pytest.mark.parametrize(
    ("do", "reason"),
    [
        (record(nuisance=0.0, task=0.0, wall=0.0), "neither"),
        (record(nuisance=1.0, wall=1.0), "task was not resampled"),
        (record(task=1.0), "nuisance was not resampled"),
        (None, "no do-effects"),
        ({}, "no do-effects"),
    ],
)
def test_no_ratio_says_why(do: dict | None, reason: str) -> None:
    alone, why = ner_of(do)
    together = pool([{"task": "a", "do": do}] * 3, 0)
    assert alone is None
    assert together.ner is None
    assert together.interval is None
    assert reason in why
    assert reason in together.reason


def test_the_null_is_subtracted_when_pooling_not_before() -> None:
    noisy = record(nuisance=0.5, task=1.0, wall=0.3, null=0.5)
    assert ner_of(noisy) == (0.0, None)
    found = pool(
        [{"task": "a", "do": noisy}, {"task": "a", "do": record(nuisance=0.7, task=1.0, wall=0.3, null=0.1)}], 0
    )
    null = (0.25 + 0.01) / 2
    assert found.e_null == pytest.approx(null**0.5)
    assert found.e_nuisance == pytest.approx(((0.25 + 0.49) / 2 - null) ** 0.5)
    assert found.e["wall"] == 0, "floored"
    assert found.factors == ("nuisance", "task", "wall")


def test_the_worst_factor_in_words() -> None:
    def text(**e: float) -> tuple[str | None, str]:
        found = pool([{"task": "a", "do": record(nuisance=0.5, **e)}], 0)
        return found.worst, found.text

    assert text(task=0.1, poster=0.101, wall=0.02) == ("poster", "poster: 0.10 rad, as much as moving the task")
    assert text(task=0.1, distractor__mug=0.3) == (
        "distractor:mug",
        "distractor:mug: 0.30 rad, 3.0 times as much as moving the task",
    )
    assert text(task=0.4, floor=0.1)[1] == "floor: 0.10 rad, 25 % of what moving the task does"
    assert text(task=0.0, floor=0.1)[1] == "floor: 0.10 rad, while moving the task does nothing"
    assert text(task=0.4, floor=0.0) == (None, "no nuisance factor moves the policy")
    assert text(task=0.4) == (None, "")


def test_factors_that_only_some_tasks_have() -> None:
    runs = [
        {"task": "a", "do": record(nuisance=0.1, task=1.0, poster=0.2)},
        {"task": "a", "do": record(nuisance=0.1, task=1.0)},
        {"task": "b", "do": record(nuisance=0.1, task=1.0)},
        {"task": "b", "do": None},
    ]
    found = pool(runs, 0)
    assert found.e["poster"] == pytest.approx(0.2)
    assert (found.episodes, found.skipped) == (3, 1)


def test_control_modes_do_not_mix() -> None:
    runs = [
        {"task": "a", "do": record(nuisance=0.1, task=1.0)},
        {"task": "a", "do": record("ee_pose", nuisance=0.1, task=1.0)},
    ]
    with pytest.raises(ConfigurationError, match="different meanings"):
        pool(runs, 0)
    assert pool(runs[1:], 0, severity=0.5).unit == "m"
    assert pool(runs[1:], 0, severity=0.5).severity == 0.5
