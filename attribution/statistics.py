"""Intervals and means that results are reported with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from hansgym.errors import ConfigurationError
from hansgym.seeds import stream

DRAWS = 2000
CONFIDENCE = 0.95


def wilson(successes: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson score interval of a success rate (E. B. Wilson, 1927); (0, 1) when nothing was tried."""
    if not 0 <= successes <= n:
        raise ConfigurationError(f"successes must lie between 0 and n, got {successes} of {n}")
    if n == 0:
        return 0.0, 1.0
    z = float(norm.ppf(0.5 + confidence / 2))
    rate, shrink = successes / n, 1 + z * z / n
    middle = (rate + z * z / (2 * n)) / shrink
    half = z * np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / shrink
    # At the ends the bounds are 0 and 1 exactly, which rounding would miss.
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    high = 1.0 if successes == n else min(1.0, middle + half)
    return float(low), float(high)


def percentiles(draws: np.ndarray, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """The central interval of bootstrap ``draws`` (D,), those that are not a number left out; None without any."""
    kept = draws[np.isfinite(draws)]
    if kept.size == 0:
        return None
    low, high = np.percentile(kept, [50 * (1 - confidence), 50 * (1 + confidence)])
    return float(low), float(high)


def bootstrap_mean(
    values: Sequence[float], seed: int, draws: int = DRAWS, confidence: float = CONFIDENCE
) -> tuple[float, float] | None:
    """Percentile bootstrap interval of the mean over episodes; None below two episodes, which show no spread."""
    array = np.sort(np.asarray(values, np.float64))  # the order in which episodes finished must not matter
    if array.size < 2:
        return None
    picks = stream(seed, "bootstrap-mean").integers(0, array.size, (draws, array.size))
    return percentiles(array[picks].mean(axis=1), confidence)


@dataclass(frozen=True)
class MeanOfMeans:
    """A mean over episodes of their means over decisions. ``nulls`` counts the decisions left out for having no value,
    ``empty`` the episodes left out because none of their decisions had one, ``episodes`` those that count.
    """

    mean: float | None
    interval: tuple[float, float] | None
    episodes: int
    empty: int
    nulls: int


def episode_mean(values: Sequence[float | None]) -> float | None:
    """Mean of the decisions that have a value; None if none has."""
    kept = [v for v in values if v is not None]
    return float(np.mean(kept)) if kept else None


def mean_of_means(episodes: Sequence[Sequence[float | None]], seed: int) -> MeanOfMeans:
    """Mean over episodes of the mean over decisions, with the interval that resamples episodes (e.g. of ``nmr@10``)."""
    means = [episode_mean(e) for e in episodes]
    kept = [m for m in means if m is not None]
    return MeanOfMeans(
        mean=float(np.mean(kept)) if kept else None,
        interval=bootstrap_mean(kept, seed),
        episodes=len(kept),
        empty=len(means) - len(kept),
        nulls=sum(v is None for e in episodes for v in e),
    )
