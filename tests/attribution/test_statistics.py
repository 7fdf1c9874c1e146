"""Intervals, means of means, and what lies between inference steps."""

from __future__ import annotations

import numpy as np
import pytest
from attribution_toys import observation, reads_cells

from hansgym.attribution import timeline
from hansgym.attribution.explain import explain
from hansgym.attribution.pixels import maps_of
from hansgym.attribution.statistics import bootstrap_mean, mean_of_means, wilson
from hansgym.errors import ConfigurationError


@pytest.mark.parametrize(
    ("successes", "n", "due"),
    [
        (8, 10, (0.4902, 0.9433)),
        (0, 10, (0.0, 0.2775)),
        (10, 10, (0.7225, 1.0)),
        (50, 100, (0.4038, 0.5962)),
        (0, 0, (0, 1)),
    ],
)
def test_wilson_against_published_values(successes: int, n: int, due: tuple[float, float]) -> None:
    assert wilson(successes, n) == pytest.approx(due, abs=1e-4)


def test_wilson_solves_the_score_equation() -> None:
    """At each bound, the observed rate lies z standard errors of the bound away."""
    for bound in wilson(13, 47):
        assert abs(13 / 47 - bound) / np.sqrt(bound * (1 - bound) / 47) == pytest.approx(1.959964, abs=1e-5)
    with pytest.raises(ConfigurationError, match="5 of 4"):
        wilson(5, 4)


def test_bootstrap_mean() -> None:
    values = np.random.default_rng(0).normal(0, 1, 400)
    low, high = bootstrap_mean(values, 1)
    half = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.015)
    assert bootstrap_mean(values[::-1], 1) == (low, high)
    assert bootstrap_mean(values, 2) != (low, high)
    assert bootstrap_mean([0.3], 0) is None
    assert bootstrap_mean([], 0) is None


def test_mean_of_means_leaves_nulls_out_and_counts_them() -> None:
    found = mean_of_means([[0.2, None, 0.4], [1.0], [None, None], []], seed=0)
    assert found.mean == pytest.approx((0.3 + 1.0) / 2)
    assert (found.episodes, found.empty, found.nulls) == (2, 2, 3)
    assert found.interval == pytest.approx((0.3, 1.0))
    assert mean_of_means([[None]], seed=0).mean is None


def test_series_between_steps() -> None:
    found = timeline.series([0, 8, 16], [0.0, 0.8, None], [-1, 0, 2, 8, 12, 16, 20])
    assert found == pytest.approx([0.0, 0.0, 0.2, 0.8, None, None, None])
    assert timeline.series([3], [0.5], [0, 3, 9]) == [0.5, 0.5, 0.5]
    with pytest.raises(ConfigurationError, match="grow"):
        timeline.series([4, 4], [0.0, 1.0], [4])


def test_maps_between_steps() -> None:
    agent = reads_cells({("front", 2, 2): 1.0})
    first, second = explain(agent, observation(0, rows=2))
    start, end = maps_of(first)["front"], maps_of(second)["front"]
    middle = timeline.maps([0, 8], [first, second], 2)["front"]
    assert middle == pytest.approx(0.75 * start + 0.25 * end)
    assert np.array_equal(timeline.maps([0, 8], [first, second], 8)["front"], end)
    assert np.array_equal(timeline.maps([0, 8], [first, second], 99)["front"], end)
