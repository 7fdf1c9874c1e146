"""From the lines of a run to its numbers: success, NMR and NER, per task and pooled, each with a 95 % interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hansgym.attribution.statistics import bootstrap_mean, wilson
from hansgym.benchmarks import effects
from hansgym.benchmarks.records import plain, read_records, read_run

Record = Mapping[str, Any]
Config = Mapping[str, Any]


def summarise(run_dir: Path | str, records: Sequence[Record], config: Config) -> dict[str, Any]:
    """The object that ``hansgym evaluate --json`` prints; its keys are stable.

    ``success`` is successes / n with a Wilson interval; errors are in n and no successes. ``nmr@10`` is the mean over
    episodes that have one, its interval resamples episodes. Without attribution those keys, and ``ner``'s, are null.
    """
    return {"run": str(run_dir), **_by_task(records, config, numbers)}


def details(records: Sequence[Record], config: Config) -> dict[str, Any]:
    """What a page shows beside the numbers of :func:`summarise`, pooled and under ``tasks``.

    ``nmr_nulls``: decisions without an NMR, and ``nmr_episodes``: episodes that have one. ``estimator``: of the
    saliency. ``nuisance_area``: what a random map scores. ``split_half``, ``gripper_share``: means over episodes.
    ``by_region``, ``by_camera``: where the top 10 per cent of pixels lie. ``effects``:
    :meth:`hansgym.attribution.ner.NerResult.to_json`. ``steps``: mean control steps of the successes. ``unfinished``:
    episodes asked for that have no line.
    """
    asked = len(config["seeds"]) * config["trials"]
    found = _by_task(records, config, _details)
    for name, part in found["tasks"].items():
        part["unfinished"] = asked - sum(r["task"] == name for r in records)
    found["unfinished"] = asked * len(config["tasks"]) - len(records)
    return plain(found)


def load(run_dir: Path | str) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """Header, lines and summary of the run in ``run_dir``, which is only read."""
    header, records = read_run(Path(run_dir)), read_records(Path(run_dir))
    return header, records, summarise(run_dir, records, header["config"])


def ranked(records: Sequence[Record]) -> list[Record]:
    """The lines in the order of their keys: the order in which lanes finished must move no resampling draw."""
    return sorted(records, key=lambda r: (r["task"], r["seed"], r["trial"]))


def numbers(records: Sequence[Record], config: Config) -> dict[str, Any]:
    """Success, NMR and NER of some lines."""
    n, successes = len(records), sum(bool(r["success"]) for r in records)
    values = [v for r in records if (v := (r.get("nmr") or {}).get("10")) is not None]
    nmr_interval = bootstrap_mean(values, config["run_seed"])
    ner = effects.pooled(records, config)
    return {
        "success": successes / n if n else None,
        "interval": list(wilson(successes, n)),
        "n": n,
        "errors": sum(r["error"] is not None for r in records),
        "nmr@10": float(np.mean(values)) if values else None,
        "nmr_interval": list(nmr_interval) if nmr_interval else None,
        "ner": ner.ner,
        "ner_interval": list(ner.interval) if ner.interval else None,
    }


def with_interval(value: float | None, interval: Sequence[float] | None) -> str:
    """A number with its interval, as tables show it: ``0.83 [0.44, 0.97]``, or ``-`` where there is none."""
    if value is None:
        return "-"
    return f"{value:.2f}" + (f" [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else "")


def _by_task(
    records: Sequence[Record], config: Config, what: Callable[[Sequence[Record], Config], dict[str, Any]]
) -> dict[str, Any]:
    lines = ranked(records)
    parts = {t: what(found, config) for t in config["tasks"] if (found := [r for r in lines if r["task"] == t])}
    return {**what(lines, config), "tasks": parts}


def _details(records: Sequence[Record], config: Config) -> dict[str, Any]:
    items = [r["iss"] for r in records if r.get("iss") and r["iss"]["decisions"]]
    return {
        "successes": sum(bool(r["success"]) for r in records),
        "steps": _mean([r["steps"] for r in records if r["success"]]),
        "nmr_nulls": sum(r.get("nmr_nulls", 0) for r in records),
        "nmr_episodes": sum((r.get("nmr") or {}).get("10") is not None for r in records),
        "estimator": next((r["estimator"] for r in records if r.get("estimator")), None),
        **{k: _mean([r.get(k) for r in records]) for k in ("nuisance_area", "split_half")},
        "gripper_share": _mean([i["gripper_share"] for i in items]),
        **{k: _mean_by_name([i[k] for i in items]) for k in ("by_region", "by_camera")},
        "effects": effects.pooled(records, config).to_json(),
    }


def _mean(values: Sequence[float | None]) -> float | None:
    kept = [v for v in values if v is not None]
    return float(np.mean(kept)) if kept else None


def _mean_by_name(tables: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    names = list(dict.fromkeys(name for table in tables for name in table))
    return {name: _mean([table.get(name) for table in tables]) for name in names}
