"""What an expert study says: rates under a step limit, failures with their margins, and where they are stored."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hansgym.attribution.statistics import wilson
from hansgym.benchmarks.listing import task_spec
from hansgym.envs.registration import INDEX, index
from hansgym.specs import CONTROL_HZ

LEAST_LIMIT = 200
RESULTS = Path(__file__).with_name("results")


@dataclass(frozen=True)
class Outcome:
    """How it went. ``steps``: control steps; ``margin``: m or rad still missing at the end; ``error``: what broke."""

    task: str
    variation: int
    seed: int
    success: bool
    steps: int
    margin: float | None
    instruction: str = ""
    error: str | None = None


@dataclass(frozen=True)
class Summary:
    """A task's outcomes under its step limit ``limit``; steps are those of successes. ``command`` measured it."""

    task: str
    n: int
    successes: int
    interval: tuple[float, float]
    worst_variation: int
    worst_rate: float
    steps_median: float
    steps_p95: float
    limit: int
    failures: tuple[Outcome, ...]
    command: str = ""


def limit_of(outcomes: Sequence[Outcome]) -> int:
    """Twice the 95th percentile of the successful episodes' lengths, at least :data:`LEAST_LIMIT`."""
    steps = [o.steps for o in outcomes if o.success]
    return max(LEAST_LIMIT, math.ceil(2 * float(np.percentile(steps, 95)))) if steps else LEAST_LIMIT


def summarise(outcomes: Sequence[Outcome], limit: int) -> Summary:
    """One task's rates when successes count up to ``limit`` control steps."""
    good = [o.success and o.steps <= limit for o in outcomes]
    by_variation: dict[int, list[bool]] = {}
    for outcome, hit in zip(outcomes, good, strict=True):
        by_variation.setdefault(outcome.variation, []).append(hit)
    rates = {v: sum(hits) / len(hits) for v, hits in by_variation.items()}
    worst = min(rates, key=lambda v: (rates[v], v))
    steps = [o.steps for o, hit in zip(outcomes, good, strict=True) if hit] or [0]
    return Summary(
        task=outcomes[0].task,
        n=len(outcomes),
        successes=sum(good),
        interval=wilson(sum(good), len(outcomes)),
        worst_variation=worst,
        worst_rate=rates[worst],
        steps_median=float(np.median(steps)),
        steps_p95=float(np.percentile(steps, 95)),
        limit=limit,
        failures=tuple(o for o, hit in zip(outcomes, good, strict=True) if not hit),
    )


def summaries(outcomes: Sequence[Outcome], derive: bool) -> list[Summary]:
    """One summary per task, under limits derived from these outcomes or under the registered ones."""
    registered = {row["task"]: int(row["max_episode_steps"]) for row in index()}
    by_task: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_task.setdefault(outcome.task, []).append(outcome)
    return [summarise(of, limit_of(of) if derive else registered[task]) for task, of in by_task.items()]


HEADINGS = ("task", "n", "success", "95 % interval", "worst variation", "steps median", "p95", "seconds", "step limit")


def cells(row: Summary) -> tuple[str, ...]:
    """A summary as the texts of a table row."""
    low, high = row.interval
    return (
        row.task,
        str(row.n),
        f"{100 * row.successes / row.n:.1f} %",
        f"{100 * low:.1f} to {100 * high:.1f} %",
        f"{row.worst_variation} ({100 * row.worst_rate:.0f} %)",
        f"{row.steps_median:.0f}",
        f"{row.steps_p95:.0f}",
        f"{row.steps_median / CONTROL_HZ:.1f}",
        str(row.limit),
    )


def failure_lines(rows: Sequence[Summary]) -> list[str]:
    """One line per failure: where it was, what it was told, what was missing."""
    lines = []
    for failure in (f for row in rows for f in row.failures):
        missing = "no margin" if failure.margin is None else f"margin {failure.margin:.4f}"
        why = f"; {failure.error}" if failure.error else ""
        where = f"{failure.task} variation {failure.variation} seed {failure.seed}"
        lines.append(f"{where}: {missing} after {failure.steps} steps, {failure.instruction!r}{why}")
    return lines


def markdown(rows: Sequence[Summary]) -> str:
    """Table and failures as Markdown, below the command that each row came from."""
    commands = dict.fromkeys(row.command for row in rows)
    lines = [_origin(command, [r.task for r in rows if r.command == command], len(commands)) for command in commands]
    mean = sum(row.successes / row.n for row in rows) / len(rows)
    lines += ["", f"Mean of {len(rows)} tasks: {100 * mean:.2f} %. Seconds are those of the median episode at 20 Hz."]
    lines += ["", "| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in rows]
    failures = failure_lines(rows)
    lines += ["", f"Failures: {len(failures)}" + ("" if failures else "."), ""] + [f"- {line}" for line in failures]
    return "\n".join(lines).rstrip() + "\n"


def _origin(command: str, tasks: Sequence[str], commands: int) -> str:
    whose = "each row" if commands == 1 else ", ".join(tasks)
    return f"Command: `{command}` ({whose})  "


def write_index(rows: Sequence[Summary], path: Path = INDEX) -> None:
    """Rewrite the environment index: measured tasks get their new limits, the others keep theirs."""
    known = {row["task"]: row for row in json.loads(path.read_text(encoding="utf-8"))}
    for row in rows:
        known[row.task] = {
            "task": row.task,
            "variations": len(task_spec(row.task).variations),
            "max_episode_steps": row.limit,
        }
    body = ",\n".join("  " + json.dumps(known[task]) for task in sorted(known))
    path.write_text(f"[\n{body}\n]\n", encoding="utf-8")


def expected_failures(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """What ``experts_ci.json`` holds: task, variation and seed of each failure, sorted."""
    return [
        {"task": o.task, "variation": o.variation, "seed": o.seed}
        for o in sorted((o for o in outcomes if not o.success), key=lambda o: (o.task, o.variation, o.seed))
    ]


def load_summaries(path: Path = RESULTS / "experts.json") -> dict[str, Summary]:
    """Task -> its stored summary; empty where nothing has been stored."""
    if not path.is_file():
        return {}
    rows = json.loads(path.read_text(encoding="utf-8"))["tasks"]
    return {row["task"]: _summary(row) for row in rows}


def _summary(row: Mapping[str, Any]) -> Summary:
    failures = tuple(Outcome(**f) for f in row["failures"])
    return Summary(**{**row, "interval": tuple(row["interval"]), "failures": failures})


def store(rows: Sequence[Summary], settings: Mapping[str, Any], folder: Path = RESULTS) -> None:
    """Write ``experts.json`` and ``experts.md`` to ``folder``; tasks not studied now keep their stored rows."""
    merged = {**load_summaries(folder / "experts.json"), **{row.task: row for row in rows}}
    kept = [merged[task] for task in sorted(merged)]
    dump(folder / "experts.json", {"settings": settings, "tasks": [asdict(r) for r in kept]})
    (folder / "experts.md").write_text(markdown(kept), encoding="utf-8")


def dump(path: Path, value: Mapping[str, Any]) -> None:
    """Write ``value`` as JSON, making the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
