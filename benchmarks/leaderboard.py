"""Rank runs by success, with NMR and NER beside it; runs that cannot be compared stand in tables of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment
from rich.console import Console
from rich.table import Table

from hansgym.benchmarks import aggregate
from hansgym.benchmarks.aggregate import with_interval
from hansgym.benchmarks.config import backend_of
from hansgym.benchmarks.labels import labels
from hansgym.benchmarks.records import write_atomically
from hansgym.errors import ConfigurationError

# Settings that change what a number means. NMR and NER that were not measured are no obstacle.
COMPARED = ("tasks", "protocol", "variation", "perturb", "control", "execute", "partition", "method", "do_severity")
COLUMNS = ("rank", "agent", "success", "n", "errors", "nmr@10", "ner", "worst factor", "labels", "run")
TIES = (
    "Ranked by success, 95 % intervals in brackets. A run marked = cannot be told from the one above it: they overlap. "
    "nmr@10 and ner say how much of what moves the policy is nuisance: lower is better. "
    "A ner of 0.5 means that the wallpaper moves the policy as much as the task does."
)
TEMPLATE = Path(__file__).with_name("leaderboard.html.j2")


def build(runs: Sequence[Path | str]) -> dict[str, Any]:
    """The leaderboard as plain values: ``{note, groups: [{settings, note, rows}]}``, best first.

    A row has ``rank``, ``tied`` (its interval overlaps that of the row above), ``agent``, ``run``, the numbers of
    ``hansgym evaluate --json``, ``worst`` (the worst nuisance factor in words), ``nuisance_area`` (the nmr of a random
    map), ``noise_control``, ``labels`` (see :mod:`hansgym.benchmarks.labels`) and ``unfinished`` (episodes without a
    line).
    """
    if not runs:
        raise ConfigurationError("a leaderboard needs at least one run directory")
    groups: dict[str, dict[str, Any]] = {}
    for run in runs:
        settings, row = _row(Path(run))
        key = json.dumps(settings, sort_keys=True)
        groups.setdefault(key, {"settings": settings, "rows": []})["rows"].append(row)
    for group in groups.values():
        _rank(group["rows"])
    found = list(groups.values())
    for group in found:
        group["note"] = _apart(group, found)
    return {"note": TIES, "groups": found}


def _row(run: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    header, records, summary = aggregate.load(run)
    config = header["config"]
    if not records:
        raise ConfigurationError(f"{run} has no finished episode yet; run its command again, or leave it out")
    more = aggregate.details(records, config)
    settings = {name: config[name] for name in COMPARED}
    settings["tasks"] = sorted(settings["tasks"])
    settings["backend"] = backend_of(config["env_factory"])
    numbers = {k: v for k, v in summary.items() if k != "tasks"}
    return settings, {
        "agent": config["agent"],
        **numbers,
        "tasks": summary["tasks"],
        "worst": more["effects"]["text"],
        "unit": more["effects"]["unit"],
        "nuisance_area": more["nuisance_area"],
        "noise_control": header["agent"]["noise_control"],
        "labels": labels(header),
        "unfinished": more["unfinished"],
    }


def _rank(rows: list[dict[str, Any]]) -> None:
    rows.sort(key=lambda row: (-row["success"], row["agent"], row["run"]))
    for place, row in enumerate(rows):
        above = rows[place - 1] if place else None
        row["tied"] = above is not None and row["interval"][1] >= above["interval"][0]
        row["rank"] = above["rank"] if above is not None and row["success"] == above["success"] else place + 1


def _apart(group: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]) -> str:
    """Why this table is not joined with the others."""
    others = [g["settings"] for g in groups if g is not group]
    differing = [k for k in COMPARED if any(o[k] != group["settings"][k] for o in others)]
    if not differing:
        return ""
    return f"Not comparable with the other tables: they differ in {', '.join(differing)}."


def write(board: Mapping[str, Any], out: Path) -> None:
    """Write ``leaderboard.md``, ``.json`` and ``.html`` (self-contained) to the folder ``out``."""
    write_atomically(out / "leaderboard.json", json.dumps(board, indent=2).encode() + b"\n")
    write_atomically(out / "leaderboard.md", markdown(board).encode())
    write_atomically(out / "leaderboard.html", page(board).encode())


def markdown(board: Mapping[str, Any]) -> str:
    """The leaderboard as Markdown."""
    lines = ["# HansGym leaderboard", "", board["note"], ""]
    for group in board["groups"]:
        lines += [f"## {title(group['settings'])}", ""]
        lines += [group["note"], ""] if group["note"] else []
        lines += [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
        lines += [f"| {' | '.join(_escaped(cell) for cell in cells(row))} |" for row in group["rows"]]
        lines.append("")
    return "\n".join(lines)


def page(board: Mapping[str, Any]) -> str:
    """The leaderboard as one HTML page."""
    template = Environment(autoescape=True).from_string(TEMPLATE.read_text(encoding="utf-8"))
    groups = [
        {"title": title(g["settings"]), "note": g["note"], "rows": [cells(r) for r in g["rows"]]}
        for g in board["groups"]
    ]
    return template.render(note=board["note"], columns=COLUMNS, groups=groups)


def show(board: Mapping[str, Any], console: Console) -> None:
    """Print the leaderboard."""
    for group in board["groups"]:
        table = Table(*COLUMNS[:-3], title=title(group["settings"]), title_justify="left")
        for row in group["rows"]:
            table.add_row(*cells(row)[:-3])
        console.print(table)
        for row in group["rows"]:
            if row["worst"]:
                console.print(f"Worst factor of {row['agent']}: {row['worst']}", markup=False)
            for label in row["labels"]:
                console.print(f"Label of {row['agent']}: {label}", markup=False)
        if group["note"]:
            console.print(group["note"])
    console.print(board["note"])


def title(settings: Mapping[str, Any]) -> str:
    """The settings of a table in words, those that are as usual left out."""
    words = [", ".join(settings["tasks"])]
    words += [f"perturbed by {', '.join(settings['perturb'])}"] if settings["perturb"] else []
    words += [f"{settings['control']} control"]
    usual: dict[str, Any] = {"protocol": "default", "variation": None, "partition": "table_supports", "method": "iss"}
    usual |= {"do_severity": 1.0, "execute": 8}
    words += [f"{name} {settings[name]}" for name, value in usual.items() if settings[name] != value]
    return "; ".join(words)


def cells(row: Mapping[str, Any]) -> list[str]:
    """One line of a table."""
    unfinished = f" ({row['unfinished']} missing)" if row["unfinished"] else ""
    return [
        f"{row['rank']}{' =' if row['tied'] else ''}",
        row["agent"],
        *(with_interval(row["success"], row["interval"]), f"{row['n']}{unfinished}", str(row["errors"])),
        *(with_interval(row["nmr@10"], row["nmr_interval"]), with_interval(row["ner"], row["ner_interval"])),
        row["worst"],
        "; ".join(row["labels"]),
        row["run"],
    ]


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
