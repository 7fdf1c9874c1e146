"""What a run directory says, checked and put into the order of a page.

A run directory may be half written, of another make or forged. Lines that are no episodes are left out and counted;
values of the wrong kind become missing ones. What is text stays text: the templates escape it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from hansgym.attribution.statistics import bootstrap_mean
from hansgym.attributions import NMR_PERCENT
from hansgym.benchmarks import aggregate
from hansgym.benchmarks.config import RunConfig
from hansgym.benchmarks.records import read_records, read_run
from hansgym.errors import ConfigurationError, HansGymError

Record = dict[str, Any]
_SCALARS = ("effect_cv", "mean_effect", "gripper_share", "soft_mass")
_NAMED = ("top_mass", "nmr_by_camera", "by_region", "by_camera", "by_object")


@dataclass(frozen=True)
class Run:
    """A run directory as a page needs it. ``records``: usable lines in the order of their keys; ``dropped``: lines that
    are no episodes. ``summary`` and ``details``: see :mod:`hansgym.benchmarks.aggregate`. ``trouble``: why numbers are
    missing, if they could not be computed.
    """

    path: Path
    header: Mapping[str, Any]
    config: Mapping[str, Any]
    records: Sequence[Record]
    dropped: int
    summary: Mapping[str, Any]
    details: Mapping[str, Any]
    trouble: str | None = None

    @property
    def asked(self) -> int:
        """How many episodes the run was asked for."""
        return len(self.config["tasks"]) * len(self.config["seeds"]) * int(self.config["trials"])

    @property
    def iss(self) -> bool:
        """Whether saliency was asked for."""
        return "iss" in self.config["attribute"]

    @property
    def do(self) -> bool:
        """Whether do-effects were asked for."""
        return "do" in self.config["attribute"]

    @property
    def agent(self) -> str:
        """The agent's URI."""
        return str(self.config["agent"])


def load(run_dir: Path) -> Run:
    """Read a run directory; nothing in it is changed. One without a readable header raises
    :class:`hansgym.errors.ConfigurationError`.
    """
    header = read_run(run_dir)
    config = _config(header["config"], run_dir)
    lines = read_records(run_dir)
    found = [clean(line, config) for line in lines]
    records: list[Record] = list(aggregate.ranked([r for r in found if r is not None]))  # type: ignore[arg-type]
    order = {task: k for k, task in enumerate(config["tasks"])}
    records.sort(key=lambda r: order[r["task"]])
    trouble = None
    try:
        summary, details = aggregate.summarise(run_dir, records, config), aggregate.details(records, config)
    except (HansGymError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        trouble = f"{type(error).__name__}: {error}"
        bare = [{k: r[k] for k in _ALWAYS} for r in records]
        summary, details = aggregate.summarise(run_dir, bare, config), aggregate.details(bare, config)
    return Run(Path(run_dir), header, config, records, len(lines) - len(records), summary, details, trouble)


def _config(given: Any, run_dir: Path) -> dict[str, Any]:
    """The settings, those that an older version did not know at their defaults."""
    defaults = {f.name: f.default for f in fields(RunConfig) if isinstance(f.default, (int, float, str, tuple))}
    config = {**defaults, "variation": None, "suite": None, **given} if isinstance(given, Mapping) else {}
    lists = {k: _texts(config.get(k)) for k in ("tasks", "attribute", "perturb", "cameras", "do_factors")}
    seeds = config.get("seeds")
    whole = isinstance(seeds, list) and all(_is_int(s) for s in seeds) and all(_is_int(config[k]) for k in _WHOLE)
    if not whole or not all(isinstance(config.get(k), str) for k in ("agent", "control")) or None in lists.values():
        raise ConfigurationError(f"{run_dir}/run.json has no usable config; give a folder of `hansgym evaluate`")
    return {**config, **lists}


_WHOLE = ("trials", "run_seed", "execute", "n_masks", "do_stride", "do_draws", "attribute_stride", "videos")
_ALWAYS = ("task", "seed", "trial", "success", "error", "steps")


def clean(line: Mapping[str, Any], config: Mapping[str, Any]) -> Record | None:
    """An episode's line with values of the right kinds only, or None when it is no episode of this run."""
    known = line.get("task") in config["tasks"] if isinstance(line.get("task"), str) else False
    if not known or not all(_is_int(line.get(k)) for k in ("seed", "trial", "steps")):
        return None
    if not isinstance(line.get("success"), bool) or not isinstance(line.get("error"), (str, type(None))):
        return None
    record: Record = {k: line[k] for k in ("task", "seed", "trial", "steps", "success")}
    record["error"] = line.get("error")
    for name in ("instruction", "estimator", "nmr_reason", "ner_reason", "noise_control", "video"):
        record[name] = line[name] if isinstance(line.get(name), str) else None
    for name in ("margin", "nuisance_area", "split_half", "ner", "wall_s", "do_severity"):
        record[name] = real(line.get(name))
    for name in ("variation", "reset_seed", "decisions", "clipped", "speed_limited", "ik_unreached", "do_skipped"):
        record[name] = line[name] if _is_int(line.get(name)) else None
    record["nmr_nulls"] = line["nmr_nulls"] if _is_int(line.get("nmr_nulls")) else 0
    record["perturbations"] = line["perturbations"] if isinstance(line.get("perturbations"), Mapping) else {}
    record["timeline"] = _timeline(line.get("timeline"))
    if isinstance(line.get("nmr"), Mapping):
        record["nmr"] = numbers(line["nmr"])
    record["iss"], record["do"] = _iss(line.get("iss")), _do(line.get("do"))
    return record


def real(value: Any) -> float | None:
    """``value`` if it is a finite number, else None."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if good else None


def numbers(table: Any) -> dict[str, float | None]:
    """Name -> finite number or None."""
    return {str(k): real(v) for k, v in table.items()} if isinstance(table, Mapping) else {}


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _texts(value: Any) -> list[str] | None:
    good = isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value)
    return list(value) if good else None


def _iss(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, Mapping) or not _is_int(value.get("decisions")):
        return None
    counts = {"decisions": value["decisions"], "evaluations": real(value.get("evaluations")) or 0}
    return {
        **counts,
        **{k: real(value.get(k)) for k in _SCALARS},
        **{k: numbers(value.get(k)) for k in _NAMED},
    }


def _do(value: Any) -> dict[str, dict[str, Any]] | None:
    """The effects by factor, or None when any of them cannot be used: a ratio of the rest would be another one."""
    if not isinstance(value, Mapping) or not value:
        return None
    found: dict[str, dict[str, Any]] = {}
    for factor, entry in value.items():
        d2 = real(entry.get("d2")) if isinstance(entry, Mapping) else None
        if d2 is None or d2 < 0 or not isinstance(entry.get("control", ""), str):
            return None
        counts = {k: int(real(entry.get(k)) or 0) for k in ("decisions", "draws", "unchanged")}
        control = {"control": entry["control"]} if "control" in entry else {}
        found[str(factor)] = {"d2": d2, "d2_gripper": real(entry.get("d2_gripper")), **counts, **control}
    return found


def _timeline(value: Any) -> list[dict[str, Any]]:
    """Per decision its step and, where it was explained, its NMR; steps grow."""
    found: list[dict[str, Any]] = []
    for entry in value if isinstance(value, list) else ():
        if not isinstance(entry, Mapping) or not _is_int(entry.get("step")):
            continue
        if found and entry["step"] <= found[-1]["step"]:
            continue
        kept: dict[str, Any] = {"step": entry["step"]}
        if "nmr" in entry:
            reason = entry.get("nmr_reason")
            kept |= {"nmr": numbers(entry["nmr"]), "nmr_reason": reason if isinstance(reason, str) else None}
        found.append(kept)
    return found


@dataclass(frozen=True)
class Readings:
    """The saliency of a run beyond ``nmr@10``: means over episodes with bootstrap intervals over episodes."""

    nmr: Sequence[tuple[str, float | None, tuple[float, float] | None]]
    top_mass: Sequence[tuple[str, float | None]]
    soft_mass: float | None
    by_object: Mapping[str, float]
    nmr_by_camera: Mapping[str, float | None]
    evaluations: int
    decisions: int


def readings(run: Run) -> Readings:
    """Other readings of the saliency maps, from the lines."""
    kept = [r for r in run.records if r["iss"]]
    nmr = []
    for k in NMR_PERCENT:
        values = [v for r in kept if (v := r.get("nmr", {}).get(str(k))) is not None]
        nmr.append((str(k), _mean(values), bootstrap_mean(values, run.config["run_seed"])))
    items = [r["iss"] for r in kept]
    return Readings(
        nmr=nmr,
        top_mass=[(str(k), _mean([i["top_mass"].get(str(k)) for i in items])) for k in NMR_PERCENT],
        soft_mass=_mean([i["soft_mass"] for i in items]),
        by_object=_means([i["by_object"] for i in items]),
        nmr_by_camera={c: _mean([i["nmr_by_camera"].get(c) for i in items]) for c in run.config["cameras"]},
        evaluations=int(sum(i["evaluations"] for i in items)),
        decisions=sum(i["decisions"] for i in items),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    kept = [v for v in values if v is not None]
    return sum(kept) / len(kept) if kept else None


def _means(tables: Sequence[Mapping[str, float | None]]) -> dict[str, float]:
    """Name -> mean over the tables that have any entry; a name that one of these lacks counts as 0 there."""
    kept = [t for t in tables if any(v is not None for v in t.values())]
    names = dict.fromkeys(name for table in kept for name in table)
    return {name: sum(t.get(name) or 0.0 for t in kept) / len(kept) for name in names}


def draws(run: Run) -> dict[str, dict[str, int]]:
    """Factor -> how many decisions and draws went into its effect, and how many draws changed no pixel."""
    found: dict[str, dict[str, int]] = {}
    for record in run.records:
        for factor, entry in (record["do"] or {}).items():
            total = found.setdefault(factor, {"decisions": 0, "draws": 0, "unchanged": 0})
            for name in total:
                total[name] += entry[name]
    return found
