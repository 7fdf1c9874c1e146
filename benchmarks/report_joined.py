"""What the page that joins several runs shows."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hansgym.benchmarks import figures, report_views
from hansgym.benchmarks.figures import bar, number, percent
from hansgym.benchmarks.labels import labels
from hansgym.benchmarks.report_data import Run

MOST_SCENES, MOST_BARS = 3, 8
MOST_FILMS_BYTES = 24_000_000


def joined(runs: Sequence[Run], path: Path, title: str) -> dict[str, Any]:
    """Rows, effects and films of ``runs`` for the page at ``path``; one agent under one kind of cue is one group."""
    names = [label(run) for run in runs]
    order = {key: k for k, key in reversed(list(enumerate(_group(r) for r in runs)))}
    ranked = sorted(range(len(runs)), key=lambda k: order[_group(runs[k])])
    groups: list[dict[str, Any]] = []
    for k in ranked:
        if not groups or groups[-1]["key"] != _group(runs[k]):
            groups.append({"key": _group(runs[k]), "agent": runs[k].agent, "rows": []})
        groups[-1]["rows"].append(_row(runs[k], path))
    measured = [k for k in ranked if runs[k].details["effects"]["e"]]
    top = figures.effect_top([runs[k].details["effects"] for k in measured])
    return {
        "title": title,
        "groups": groups,
        "controls": sorted({r.config["control"] for r in runs}),
        "severities": sorted({str(r.config["do_severity"]) for r in runs if r.do}),
        "tasks": list(dict.fromkeys(t for r in runs for t in r.config["tasks"])),
        "estimators": sorted({e for r in runs if (e := r.details["estimator"])}),
        "effects": [_effects(names[k], runs[k], top) for k in measured],
        "unit": next((runs[k].details["effects"]["unit"] for k in measured), None),
        "scenes": _scenes([runs[k] for k in ranked]),
        "notes": _notes(runs),
    }


def label(run: Run) -> str:
    """The agent and what was done to the scene, in a few words."""
    return f"{run.agent}, {cue(run)}"


def cue(run: Run) -> str:
    """``place, misleading`` for a run with a cue, else its perturbations as they were asked for."""
    options = _cue_options(run)
    if options and len(run.config["perturb"]) == 1:
        return ", ".join(options[k] for k in ("code", "setting") if k in options)
    return "; ".join(run.config["perturb"]) or "no perturbation"


def _cue_options(run: Run) -> dict[str, str]:
    text = next((p for p in run.config["perturb"] if p.startswith("cue:")), "")
    return dict(p.split("=", 1) for p in text.removeprefix("cue:").split(",") if "=" in p)


def _group(run: Run) -> tuple[str, ...]:
    """Runs that differ only in whether the cue tells the truth belong together."""
    others = tuple(p for p in run.config["perturb"] if not p.startswith("cue:"))
    return (run.agent, _cue_options(run).get("code", ""), *others)


def _row(run: Run, path: Path) -> dict[str, Any]:
    found, more = run.summary, run.details
    interval = found["interval"] if found["n"] else None
    return {
        "cue": cue(run),
        "success": bar("success", found["success"], interval, text=percent(found["success"], interval)),
        "by_task": [(t, percent(v["success"]), v["n"]) for t, v in found["tasks"].items()],
        "n": found["n"],
        "errors": found["errors"],
        "unfinished": run.asked - found["n"],
        "nmr": _measure(found["nmr@10"], found["nmr_interval"], more["nuisance_area"]),
        "area": number(more["nuisance_area"]),
        "ner": _measure(found["ner"], found["ner_interval"], 0.5),
        "why_no_nmr": None if found["nmr@10"] is not None else _reason(run, "iss", "nmr_reason"),
        "why_no_ner": None if found["ner"] is not None else more["effects"]["reason"],
        "worst": more["effects"]["text"],
        "labels": labels(run.header),
        "link": _link(run, path),
        "folder": run.path.name,
    }


def _measure(value: float | None, interval: Any, mark: float | None) -> figures.Bar | None:
    return None if value is None else bar("", value, interval, mark=mark)


def _reason(run: Run, what: str, key: str) -> str:
    if what not in run.config["attribute"]:
        return "saliency was not asked for"
    return next((r[key] for r in run.records if r[key]), None) or "no episode has finished"


def _link(run: Run, path: Path) -> str | None:
    """The run's report as seen from the page, or None when it has none."""
    report = run.path / "report" / "index.html"
    if not report.is_file():
        return None
    steps = Path(os.path.relpath(report.resolve(), path.resolve().parent)).parts
    from urllib.parse import quote

    return "./" + "/".join(quote(part) for part in steps)


def _effects(name: str, run: Run, top: float) -> dict[str, Any]:
    found = run.details["effects"]
    bars = figures.effect_bars(found, top)
    return {"name": name, "bars": bars[:MOST_BARS], "more": len(bars[MOST_BARS:]), "text": found["text"]}


def _scenes(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The same episode in several runs, filmed: one per task, those that most runs filmed."""
    kept = [{_key(r): r for r in run.records if r["video"] is not None} for run in runs]
    count = Counter(key for table in kept for key in table)
    chosen: dict[str, tuple[str, int, int]] = {}
    for key, _ in sorted(count.items(), key=lambda p: (-p[1], p[0])):
        chosen.setdefault(key[0], key)
    scenes, room = [], MOST_FILMS_BYTES
    for task, key in list(chosen.items())[:MOST_SCENES]:
        films = []
        for run, table in zip(runs, kept, strict=True):
            if key not in table:
                continue
            src, why = report_views.film_source(run.path, table[key]["video"], room)
            room -= len(src or "")
            films.append({**report_views.film(table[key], run), "name": label(run), "src": src, "why": why})
        scenes.append({"task": task, "seed": key[1], "films": films})
    return scenes


def _key(record: Mapping[str, Any]) -> tuple[str, int, int]:
    return (record["task"], record["seed"], record["trial"])


def _notes(runs: Sequence[Run]) -> list[str]:
    notes = []
    for what in ("tasks", "seeds", "protocol", "control", "execute", "do_severity"):
        if len({str(run.config[what]) for run in runs}) > 1:
            notes.append(f"These runs differ in {what}: compare with care.")
    for run in runs:
        if run.asked > len(run.records):
            notes.append(f"{label(run)}: {len(run.records)} of {run.asked} episodes have finished.")
        if run.dropped:
            notes.append(f"{label(run)}: {run.dropped} lines could not be read as episodes and were left out.")
        if run.trouble:
            notes.append(f"{label(run)}: the attribution could not be summed up ({run.trouble}).")
    return notes
