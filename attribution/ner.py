"""Nuisance effect ratio, definition ``ner-v1``, recomputed from what the episodes recorded.

D^2 of a factor is the mean over an episode's decisions, then over episodes, then over tasks with equal weight;
e = sqrt(D^2); ``ner = e_nuisance / (e_nuisance + e_task)`` of these pooled values. Where sampling noise cannot be
paired, D^2 of the clean observation evaluated twice (``e_null``) is subtracted first, floor 0. 0: the policy ignores
what does not matter; 0.5: the wallpaper moves it as much as the task does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from hansgym.attribution.do import NULL, unit
from hansgym.attribution.statistics import DRAWS, percentiles
from hansgym.errors import ConfigurationError
from hansgym.seeds import stream

DEFINITION = "ner-v1"
NUISANCE, TASK = "nuisance", "task"
Interval = tuple[float, float]


@dataclass(frozen=True)
class NerResult:
    """The ratio of a run, and what it is made of.

    ``e``: factor -> pooled effect in ``unit`` (rad or m), with 95 per cent intervals; ``worst``: the single nuisance
    factor that moves the policy most. ``reason`` says why ``ner`` is None. ``episodes`` counts those that went in,
    ``skipped`` those without do-effects. Values compare only within one ``control`` mode and ``severity``.
    """

    ner: float | None
    reason: str | None
    interval: Interval | None = None
    e: Mapping[str, float] = field(default_factory=dict)
    e_interval: Mapping[str, Interval | None] = field(default_factory=dict)
    e_nuisance: float | None = None
    e_task: float | None = None
    e_null: float | None = None
    worst: str | None = None
    worst_e: float | None = None
    text: str = ""
    factors: tuple[str, ...] = ()
    control: str | None = None
    unit: str | None = None
    severity: float | None = None
    episodes: int = 0
    skipped: int = 0
    definition: str = DEFINITION

    def to_json(self) -> dict[str, Any]:
        """All fields, in plain types."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


def ner_of(do: Mapping[str, Mapping[str, Any]] | None) -> tuple[float | None, str | None]:
    """The ratio of one episode's ``do`` record, or None with the reason."""
    if not do:
        return None, "no do-effects were measured"
    null = float(do[NULL]["d2"]) if NULL in do else 0.0
    effects = {f: float(_effect(np.asarray(v["d2"], float), null)) for f, v in do.items()}
    return _ratio(effects.get(NUISANCE), effects.get(TASK))


def pool(
    episodes: Sequence[Mapping[str, Any]], seed: int, *, draws: int = DRAWS, severity: float | None = None
) -> NerResult:
    """The ratio of many episodes, each ``{"task": name, "do": record or None, ...}`` (lines of ``episodes.jsonl``).

    The interval is the 95 per cent percentile bootstrap over episodes within each task, from ``seed``; None where no
    task has two episodes. ``severity`` (``do_severity`` of the run) is passed on to the result.
    """
    kept = [e for e in episodes if e.get("do")]
    if not kept:
        return NerResult(None, "no do-effects were measured", severity=severity, skipped=len(episodes))
    control = _control(kept)
    names = sorted({f for e in kept for f in e["do"]})
    tables = _tables(kept, names)
    effects = _pooled({t: table.mean_of(None) for t, table in tables.items()}, names)
    sampled = _pooled({t: table.mean_of(table.picks(draws, seed, t)) for t, table in tables.items()}, names)
    spread = any(len(table.d2) > 1 for table in tables.values())
    e = {f: float(v) for f, v in effects.items() if f != NULL}
    ner, reason = _ratio(e.get(NUISANCE), e.get(TASK))
    worst, text = _worst(e, control)
    return NerResult(
        ner=ner,
        reason=reason,
        interval=_ratio_interval(sampled) if spread and ner is not None else None,
        e=e,
        e_interval={f: percentiles(sampled[f]) if spread else None for f in e},
        e_nuisance=e.get(NUISANCE),
        e_task=e.get(TASK),
        e_null=float(effects[NULL]) if NULL in effects else None,
        worst=worst,
        worst_e=None if worst is None else e[worst],
        text=text,
        factors=tuple(f for f in names if f != NULL),
        control=control,
        unit=None if control is None else unit(control),
        severity=severity,
        episodes=len(kept),
        skipped=len(episodes) - len(kept),
    )


@dataclass(frozen=True)
class _Table:
    """Squared effects of one task's episodes, (E, F), NaN where an episode did not have the factor."""

    d2: np.ndarray

    def picks(self, draws: int, seed: int, task: str) -> np.ndarray:
        """Episodes drawn with replacement, (draws, E)."""
        return stream(seed, "ner", task).integers(0, len(self.d2), (draws, len(self.d2)))

    def mean_of(self, picks: np.ndarray | None) -> np.ndarray:
        """Means over all episodes, (1, F), or over the resampled ones ``picks`` (D, E), (D, F); NaN without any."""
        rows = np.arange(len(self.d2))[None] if picks is None else picks
        present = np.isfinite(self.d2)
        # How often each episode was drawn, times the values: no (D, E, F) array.
        times = np.zeros((len(rows), len(self.d2)))
        np.add.at(times, (np.arange(len(rows))[:, None], rows), 1.0)
        count = times @ present.astype(float)
        with np.errstate(invalid="ignore"):
            return np.where(count > 0, (times @ np.where(present, self.d2, 0.0)) / count, np.nan)


def _tables(episodes: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, _Table]:
    rows: dict[str, list[list[float]]] = {}
    for episode in episodes:
        values = [float(episode["do"][f]["d2"]) if f in episode["do"] else np.nan for f in names]
        rows.setdefault(str(episode["task"]), []).append(values)
    # Sorted by value: the interval must not depend on the order in which workers finished.
    return {
        t: _Table(np.array(sorted(rows[t], key=lambda r: np.nan_to_num(r, nan=-1.0).tolist()))) for t in sorted(rows)
    }


def _pooled(means: Mapping[str, np.ndarray], names: Sequence[str]) -> dict[str, np.ndarray]:
    """Factor -> e, (D,), from task -> mean squared effects (D, F): equal weights for the tasks that have it."""
    stacked = np.stack(list(means.values()))
    count = np.isfinite(stacked).sum(axis=0)
    d2 = np.where(count > 0, np.nansum(stacked, axis=0) / np.maximum(count, 1), np.nan)
    null = d2[:, names.index(NULL)] if NULL in names else np.zeros(len(d2))
    pooled = {f: _effect(d2[:, k], null) for k, f in enumerate(names) if f != NULL}
    if NULL in names:
        pooled[NULL] = np.sqrt(null)
    return {f: v[0] if len(v) == 1 else v for f, v in pooled.items()}


def _effect(d2: np.ndarray, null: np.ndarray | float) -> np.ndarray:
    return np.sqrt(np.maximum(d2 - null, 0.0))


def _ratio(nuisance: float | None, task: float | None) -> tuple[float | None, str | None]:
    missing = [f for f, e in ((NUISANCE, nuisance), (TASK, task)) if e is None]
    if missing or nuisance is None or task is None:
        return None, f"the factor {' and '.join(missing)} was not resampled"
    if nuisance + task == 0:
        return None, "neither the nuisance nor the task moved the policy"
    return nuisance / (nuisance + task), None


def _ratio_interval(sampled: Mapping[str, np.ndarray]) -> Interval | None:
    nuisance, task = np.atleast_1d(sampled[NUISANCE]), np.atleast_1d(sampled[TASK])
    with np.errstate(invalid="ignore"):
        return percentiles(nuisance / (nuisance + task))


def _control(episodes: Sequence[Mapping[str, Any]]) -> str | None:
    found = sorted({v["control"] for e in episodes for v in e["do"].values() if "control" in v})
    if len(found) > 1:
        raise ConfigurationError(f"effects of control modes {found} have different meanings; pool one mode at a time")
    return found[0] if found else None


def _worst(e: Mapping[str, float], control: str | None) -> tuple[str | None, str]:
    """The single nuisance factor with the largest effect, and a sentence that sets it beside the task's."""
    single = {f: v for f, v in e.items() if f not in (NUISANCE, TASK)}
    if not single:
        return None, ""
    worst = max(single, key=lambda f: single[f])
    if single[worst] == 0:
        return None, "no nuisance factor moves the policy"
    size = f"{worst}: {_digits(single[worst])} {unit(control) if control else ''}".rstrip()
    task = e.get(TASK)
    if not task:
        return worst, f"{size}, while moving the task does nothing" if task == 0 else size
    return worst, f"{size}, {_comparison(single[worst] / task)}"


def _digits(value: float) -> str:
    """Two significant digits, zeros kept: 0.10."""
    return f"{value:#.2g}".rstrip(".")


def _comparison(ratio: float) -> str:
    if ratio < 0.8:
        return f"{100 * ratio:.2g} % of what moving the task does"
    if ratio <= 1.25:
        return "as much as moving the task"
    return f"{ratio:.1f} times as much as moving the task"
