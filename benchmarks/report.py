"""The page of a run, and the page that joins several: self-contained HTML, nothing to install, to serve or to fetch.

Whatever comes from a run directory is escaped, and the page's own content policy lets no script run but ours.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hansgym.benchmarks import figures, report_views
from hansgym.benchmarks.figures import Bar, bar, number, percent, significant
from hansgym.benchmarks.labels import labels
from hansgym.benchmarks.records import write_atomically
from hansgym.benchmarks.report_data import Run, draws, load, readings, real
from hansgym.benchmarks.report_joined import joined

TEMPLATES = Path(__file__).with_name("templates")
PAIRED = {
    "deterministic": "the policy does not sample",
    "exact": "sampling noise is paired exactly",
    "rng": "sampling noise is paired through a shared generator",
    "none": "sampling noise is NOT paired: differences contain it",
}


def write_report(run_dir: Path | str) -> Path:
    """Write ``report/index.html`` of the run in ``run_dir`` and return its path.

    Half-written and empty runs get a page that says so; a folder without a readable ``run.json`` raises
    :class:`hansgym.errors.ConfigurationError`.
    """
    path = Path(run_dir) / "report" / "index.html"
    write_atomically(path, render("report.html.j2", page(load(Path(run_dir)))).encode())
    return path


def write_joined(run_dirs: list[Path], path: Path, title: str) -> Path:
    """Write one page at ``path`` that sets several runs side by side, with links to the reports of those that have one,
    and return ``path``.
    """
    runs = [load(Path(folder)) for folder in run_dirs]
    write_atomically(Path(path), render("joined.html.j2", joined(runs, Path(path), title)).encode())
    return Path(path)


def render(template: str, values: Mapping[str, Any]) -> str:
    """A page from a template of this package."""
    script, style = _text("report.js"), _text("report.css")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template(template)
        .render(**values, script=Markup(script), style=Markup(style), script_hash=f"sha256-{digest}")
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"number": number, "percent": percent, "significant": significant}
    return made


@lru_cache(maxsize=4)
def _text(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def page(run: Run) -> dict[str, Any]:
    """Everything the page of ``run`` shows."""
    command, no_command = report_views.command(run)
    given = run.header.get("command")
    return {
        "title": f"{run.agent} on {_count(len(run.config['tasks']), 'task')}",
        "agent": run.agent,
        "run": str(run.path),
        "config": run.config,
        "control": run.config["control"],
        "n": run.summary["n"],
        "asked": run.asked,
        "notes": _notes(run),
        "labels": labels(run.header),
        "all": run.summary,
        "details": run.details,
        "tasks": _tasks(run),
        "bars": {name: _bars(run, name) for name in ("success", "nmr", "ner")},
        "saliency": _saliency(run),
        "effects": _effects(run),
        "films": report_views.films(run),
        "episodes": report_views.episodes(run),
        "failures": report_views.failures(run),
        "errors": report_views.errors(run),
        "settings": report_views.settings(run),
        "command": command,
        "no_command": no_command,
        "given": report_views.words(given) if isinstance(given, list) else None,
    }


def _count(n: int, what: str) -> str:
    return f"{n} {what}" + ("" if n == 1 else "s")


def _notes(run: Run) -> list[str]:
    """What a reader must know before the numbers."""
    notes = []
    missing = run.asked - len(run.records)
    if not run.records:
        notes.append("No episode has finished yet. The numbers below are empty, not zero.")
    elif missing > 0:
        notes.append(
            f"Unfinished: {len(run.records)} of {_count(run.asked, 'episode')} have finished. The numbers are of these."
        )
    if run.dropped:
        notes.append(
            f"{_count(run.dropped, 'line')} of episodes.jsonl could not be read as episodes and were left out."
        )
    if run.trouble:
        notes.append(f"The attribution could not be summed up ({run.trouble}); only success is shown.")
    return notes + [f"Label: {label}." for label in labels(run.header)]


def _noise(run: Run) -> str:
    agent = run.header.get("agent")
    found = agent.get("noise_control") if isinstance(agent, Mapping) else None
    return str(found or next((r["noise_control"] for r in run.records if r["noise_control"]), "unknown"))


def _tasks(run: Run) -> list[dict[str, Any]]:
    """The table: one row per task, and the pool where there are several."""
    empty = {"success": None, "interval": None, "n": 0, "errors": 0, "nmr@10": None, "nmr_interval": None}
    empty |= {"ner": None, "ner_interval": None}
    rows = []
    for name in run.config["tasks"]:
        more = run.details["tasks"].get(name, {})
        missing = more.get("unfinished", run.asked // max(len(run.config["tasks"]), 1))
        rows.append({"name": name, **run.summary["tasks"].get(name, empty), **_extras(more), "unfinished": missing})
    if len(rows) > 1:
        pooled = {k: v for k, v in run.summary.items() if k != "tasks"}
        missing = run.asked - len(run.records)
        rows.append({"name": "all tasks", **pooled, **_extras(run.details), "unfinished": missing})
    return rows


def _extras(details: Mapping[str, Any]) -> dict[str, Any]:
    names = ("successes", "nuisance_area", "steps", "nmr_nulls", "nmr_episodes")
    return {k: details.get(k) for k in names} | {"ner_reason": (details.get("effects") or {}).get("reason")}


def _bars(run: Run, what: str) -> list[Bar]:
    """Per task and pooled: success, nmr@10 (marked: a random map's score) or ner."""
    found = []
    for row in _tasks(run):
        kind = "pooled" if row["name"] == "all tasks" else "value"
        if what == "success":
            interval = row["interval"] if row["n"] else None
            text = percent(row["success"], interval)
            found.append(bar(row["name"], row["success"], interval, kind=kind, text=text))
        elif what == "nmr":
            found.append(bar(row["name"], row["nmr@10"], row["nmr_interval"], mark=row["nuisance_area"], kind=kind))
        else:
            found.append(bar(row["name"], row["ner"], row["ner_interval"], mark=0.5, kind=kind))
    return found


def _saliency(run: Run) -> dict[str, Any]:
    """Top saliency by region, camera and object, the other readings, and what they rest on."""
    if not run.iss:
        return {"missing": "Saliency was not asked for (--attribute iss)."}
    more, extra = run.details, readings(run)
    if not extra.decisions:
        return {"missing": "No decision has been explained yet."}
    area = more["nuisance_area"]
    regions = [
        bar(name, share, mark=area if name == "nuisance" else None, kind=name, text=percent(share))
        for name, share in (more["by_region"] or {}).items()
    ]
    cameras = len(run.config["cameras"])
    by_camera = [
        bar(name, share, mark=1 / cameras, text=percent(share), note=_camera_note(extra.nmr_by_camera.get(name)))
        for name, share in (more["by_camera"] or {}).items()
    ]
    objects = sorted(extra.by_object.items(), key=lambda p: (-p[1], p[0]))
    return {
        "missing": None,
        "regions": regions,
        "cameras": by_camera,
        "objects": [bar(name, share, text=percent(share)) for name, share in objects[:10] if share > 0],
        "more_objects": max(0, sum(s > 0 for _, s in objects) - 10),
        "readings": extra,
        "estimator": more["estimator"],
        "noise": _noise(run),
        "paired": PAIRED.get(_noise(run), ""),
        "reason": next((r["nmr_reason"] for r in run.records if r["nmr_reason"]), None),
    }


def _camera_note(nmr: float | None) -> str:
    return "no NMR of its own" if nmr is None else f"nmr@10 within this camera {nmr:.2f}"


def _effects(run: Run) -> dict[str, Any]:
    """Do-effects by factor, pooled and by task on one scale, with the draws behind them."""
    found = run.details["effects"]
    if not run.do:
        return {"missing": "Do-effects were not asked for (--attribute do)."}
    if not found["e"]:
        return {"missing": f"There are no do-effects: {found['reason']}."}
    parts = {t: d["effects"] for t, d in run.details["tasks"].items() if d["effects"]["e"]}
    top = figures.effect_top([found, *parts.values()])
    many = len(parts) > 1
    return {
        "missing": None,
        "pooled": found,
        "sentence": sentence(found),
        "bars": figures.effect_bars(found, figures.effect_top([found])),
        "by_task": [(t, figures.effect_bars(e, top), sentence(e)) for t, e in parts.items()] if many else [],
        "draws": draws(run),
        "severity": real(run.config["do_severity"]),
        "skipped": sum(r["do_skipped"] or 0 for r in run.records),
        "noise": _noise(run),
        "paired": PAIRED.get(_noise(run), ""),
    }


def sentence(effects: Mapping[str, Any]) -> str:
    """What the worst factor does, in words."""
    text = effects["text"]
    return f"Worst nuisance factor: {text}." if effects["worst"] else f"{text[:1].upper()}{text[1:]}." if text else ""
