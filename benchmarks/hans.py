"""The planted Clever Hans: do the measures tell two policies that read the poster from one that reads the task?

``python -m hansgym.benchmarks.hans`` evaluates the three reference policies on held-out seeds with the cue aligned and
misleading, measures NMR and NER on the aligned episodes, writes one table, and checks what the policies were built to
be and what NER must see. NMR is reported as it comes out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from hansgym.errors import ConfigurationError
from hansgym.lookup import unknown

TASKS = ("push_buttons", "slide_block_to_color_target", "open_drawer")
PROTOCOL = "push_buttons=balanced"
FIRST_SEED = 90_000
ROWS = (
    ("reference:pfungst", "place"),
    ("reference:hans", "place"),
    ("reference:pfungst", "colour"),
    ("reference:hans-colour", "colour"),
)
"""(policy, code of the cue): the honest policy beside each Hans under the code that this one was trained on."""

Interval = tuple[float, float]


@dataclass(frozen=True)
class Row:
    """One policy under one cue code: success pooled over the tasks, and the measures on the aligned episodes."""

    policy: str
    code: str
    n: int
    aligned: float
    aligned_interval: Interval
    misleading: float
    misleading_interval: Interval
    nmr: float | None
    nmr_interval: Interval | None
    area: float | None
    ner: float | None
    ner_interval: Interval | None
    worst: str | None
    e: Mapping[str, float]
    text: str
    errors: int
    tasks: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def study(
    out: Path,
    *,
    seeds: Sequence[int],
    tasks: Sequence[str] = TASKS,
    rows: Sequence[tuple[str, str]] = ROWS,
    workers: int | None = None,
    attribute_stride: int = 4,
    n_masks: int = 100,
    videos: int = 0,
    progress: bool = True,
) -> list[Row]:
    """Run every row under ``out`` (resuming what is there) and return the table.

    The aligned episodes carry ISS at every ``attribute_stride``-th decision and do-effects by the definition; the
    misleading ones only count success. All rows use the same seeds.
    """
    found = []
    for policy, code in rows:
        summaries = {}
        for setting, measures in (("aligned", ("iss", "do")), ("misleading", ())):
            summaries[setting] = _evaluate(
                policy, code, setting, measures, out, tasks, seeds, workers, attribute_stride, n_masks, videos, progress
            )
        found.append(_row(policy, code, summaries))
    return found


def run_folder(out: Path, policy: str, code: str, setting: str) -> Path:
    """Where the run of one row and setting lies."""
    return out / f"{policy.removeprefix('reference:')}-{code}-{setting}"


def _evaluate(
    policy: str,
    code: str,
    setting: str,
    measures: tuple[str, ...],
    out: Path,
    tasks: Sequence[str],
    seeds: Sequence[int],
    workers: int | None,
    stride: int,
    n_masks: int,
    videos: int,
    progress: bool,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    from hansgym.benchmarks.records import read_records
    from hansgym.benchmarks.runner import evaluate

    folder = run_folder(out, policy, code, setting)
    table = evaluate(
        policy,
        tasks,
        seeds=tuple(seeds),
        attribute=measures,
        perturb=(f"cue:code={code},setting={setting}",),
        protocol=PROTOCOL,
        attribute_stride=stride,
        n_masks=n_masks,
        workers=workers,
        videos=videos,
        out=folder,
        progress=progress,
    )
    return table.attrs["summary"], read_records(folder)


def _row(policy: str, code: str, summaries: Mapping[str, tuple[dict[str, Any], list[dict[str, Any]]]]) -> Row:
    from hansgym.attribution.ner import pool

    (aligned, records), (misleading, _) = summaries["aligned"], summaries["misleading"]
    ner = pool(sorted(records, key=lambda r: (r["task"], r["seed"], r["trial"])), seed=0)
    areas = [r["nuisance_area"] for r in records if r.get("nuisance_area") is not None]
    return Row(
        policy=policy,
        code=code,
        n=aligned["n"],
        aligned=aligned["success"],
        aligned_interval=tuple(aligned["interval"]),
        misleading=misleading["success"],
        misleading_interval=tuple(misleading["interval"]),
        nmr=aligned["nmr@10"],
        nmr_interval=_pair(aligned["nmr_interval"]),
        area=sum(areas) / len(areas) if areas else None,
        ner=aligned["ner"],
        ner_interval=_pair(aligned["ner_interval"]),
        worst=ner.worst,
        e=dict(ner.e),
        text=ner.text,
        errors=aligned["errors"] + misleading["errors"],
        tasks={
            t: {"aligned": aligned["tasks"][t]["success"], "misleading": misleading["tasks"][t]["success"]}
            for t in aligned["tasks"]
        },
    )


def _pair(values: Sequence[float] | None) -> Interval | None:
    return None if values is None else (float(values[0]), float(values[1]))


def verdicts(rows: Sequence[Row]) -> list[tuple[str, bool]]:
    """What the policies were built to be and what NER must see, each as (sentence, whether it holds)."""
    found: list[tuple[str, bool]] = []
    for row in rows:
        who = f"{row.policy} ({row.code})"
        for task, rates in row.tasks.items():
            found.append((f"{who}: at least 60 % on {task} with the cue aligned", rates["aligned"] >= 0.6))
        if row.policy == "reference:pfungst":
            found.append((f"{who}: misleading costs at most 10 points", row.misleading >= row.aligned - 0.10))
            found.append((f"{who}: ner at most 0.2", row.ner is not None and row.ner <= 0.2))
            continue
        found.append((f"{who}: misleading costs at least two thirds", row.misleading <= row.aligned / 3))
        found.append((f"{who}: ner names the poster as the worst factor", row.worst == "poster"))
        for honest in (r for r in rows if r.policy == "reference:pfungst"):
            apart = (
                row.ner_interval is not None
                and honest.ner_interval is not None
                and row.ner_interval[0] > honest.ner_interval[1]
            )
            found.append((f"{who}: ner interval above that of pfungst ({honest.code})", apart))
    return found


def _percent(value: float, interval: Interval) -> str:
    return f"{100 * value:.0f} % [{100 * interval[0]:.0f}, {100 * interval[1]:.0f}]"


def _number(value: float | None, interval: Interval | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" + (f" [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else "")


HEADINGS = ("policy", "cue", "success, aligned", "success, misleading", "nmr@10", "area", "ner", "worst factor")


def cells(row: Row) -> tuple[str, ...]:
    """The row as texts under :data:`HEADINGS`."""
    return (
        row.policy,
        row.code,
        _percent(row.aligned, row.aligned_interval),
        _percent(row.misleading, row.misleading_interval),
        _number(row.nmr, row.nmr_interval),
        _number(row.area, None),
        _number(row.ner, row.ner_interval),
        row.text,
    )


def markdown(rows: Sequence[Row], command: str) -> str:
    """The table, the rates by task, the effects by factor and the checks as Markdown."""
    lines = [f"Command: `{command}`", "", "| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in rows]
    lines += ["", "Success by task, aligned / misleading:", ""]
    names = list(rows[0].tasks)
    lines += ["| policy | cue | " + " | ".join(names) + " |", "|" + "---|" * (len(names) + 2)]
    for row in rows:
        rates = [f"{100 * row.tasks[t]['aligned']:.0f} % / {100 * row.tasks[t]['misleading']:.0f} %" for t in names]
        lines.append(f"| {row.policy} | {row.code} | " + " | ".join(rates) + " |")
    lines += ["", "Effect e of each factor (rad):", ""]
    factors = sorted({f for row in rows for f in row.e})
    lines += ["| policy | cue | " + " | ".join(factors) + " |", "|" + "---|" * (len(factors) + 2)]
    for row in rows:
        values = [f"{row.e[f]:.4f}" if f in row.e else "–" for f in factors]
        lines.append(f"| {row.policy} | {row.code} | " + " | ".join(values) + " |")
    lines += ["", "Checks:", ""] + [f"- [{'x' if holds else ' '}] {text}" for text, holds in verdicts(rows)]
    return "\n".join(lines) + "\n"


def results_folder() -> Path:
    """``benchmarks/results`` of a clone, else ``./hansgym-results``."""
    here = Path(__file__).resolve().parent
    return here / "results" if (here.parent / "pyproject.toml").is_file() else Path("hansgym-results")


def stored(folder: Path, command: str) -> dict[tuple[str, str], Row]:
    """(policy, code) -> the row that ``command`` has written to ``folder``; rows of another one are an error."""
    path = folder / "hans.json"
    if not path.is_file():
        return {}
    held = json.loads(path.read_text(encoding="utf-8"))
    if held["command"] != command:
        raise ConfigurationError(
            f"{path} holds rows of `{held['command']}`, which must not stand beside rows of `{command}`; "
            "measure all rows, without --policy, or write to another --results folder"
        )
    intervals = ("aligned_interval", "misleading_interval", "nmr_interval", "ner_interval")
    rows = [Row(**{**row, **{key: _pair(row[key]) for key in intervals}}) for row in held["rows"]]
    return {(row.policy, row.code): row for row in rows}


def main(
    seeds: Annotated[int, typer.Option(help="Held-out seeds per policy, task and cue setting.")] = 50,
    out: Annotated[Path, typer.Option(help="Folder of the runs; the same folder resumes.")] = Path("runs/hans"),
    results: Annotated[Path | None, typer.Option(help="Where hans.md and hans.json are written.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that simulate.")] = None,
    attribute_stride: Annotated[int, typer.Option(help="Explain every so many decisions by ISS.")] = 4,
    videos: Annotated[int, typer.Option(help="Episodes per task and run that are filmed.")] = 0,
    policy: Annotated[
        str, typer.Option(help="Measure the rows of this policy alone; the others are kept as they are stored.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
) -> None:
    """Evaluate the three reference policies with the cue aligned and misleading, and check what must hold."""
    folder = results or results_folder()
    command = f"python -m hansgym.benchmarks.hans --seeds {seeds} --attribute-stride {attribute_stride}"
    chosen = tuple(row for row in ROWS if policy in ("", row[0]))
    if not chosen:
        raise unknown("reference policy", policy, [name for name, _ in ROWS])
    kept = stored(folder, command) if policy else {}
    measured = study(
        out,
        seeds=range(FIRST_SEED, FIRST_SEED + seeds),
        rows=chosen,
        workers=workers,
        attribute_stride=attribute_stride,
        videos=videos,
    )
    found = {**kept, **{(row.policy, row.code): row for row in measured}}
    rows = [found[key] for key in ROWS if key in found]
    folder.mkdir(parents=True, exist_ok=True)
    text = markdown(rows, command)
    (folder / "hans.md").write_text(text, encoding="utf-8")
    payload = {"command": command, "rows": [asdict(r) for r in rows], "checks": verdicts(rows)}
    (folder / "hans.json").write_text(json.dumps(payload, indent=1) + "\n", encoding="utf-8")
    typer.echo(json.dumps(payload) if as_json else text)


if __name__ == "__main__":
    typer.run(main)
