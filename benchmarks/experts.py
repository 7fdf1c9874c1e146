"""The expert study: does the scripted expert solve every variation of every task, through the real environments?

``python -m hansgym.benchmarks.experts`` runs the expert of each variation on held-out seeds in processes of their own,
prints a table and every failure with its margin. With ``--write`` it stores ``benchmarks/results/experts.json`` and
``.md`` and derives the step limits of ``envs/index.json`` from the measured episode lengths. With ``--ci`` it runs one
seed per variation; ``--ci --write`` stores the failures that are then expected, in
``benchmarks/results/experts_ci.json``, with which a test compares.
"""

from __future__ import annotations

import json
import math
import multiprocessing
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import gymnasium
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from hansgym.attribution.statistics import wilson
from hansgym.benchmarks.listing import check_task, task_names, task_spec, tasks_of
from hansgym.benchmarks.progress import RunProgress
from hansgym.envs.registration import INDEX, env_id, index
from hansgym.errors import ConfigurationError, HansGymError

FIRST_SEED = 500_000
"""Held-out seeds: variation v uses ``FIRST_SEED + 1000 v`` and the following ones."""

SEEDS_PER_VARIATION, LEAST_EPISODES = 20, 200
EXECUTE = 8
"""Control steps between two plans. A longer plan begins with the same steps, so no longer one is asked for."""

STUDY_LIMIT = 600
"""Control steps that a study gives an episode; the step limit is judged afterwards."""

LEAST_LIMIT = 200
TABLE_WIDTH = 120
RESULTS = Path(__file__).with_name("results")


@dataclass(frozen=True, order=True)
class Trial:
    """One episode of the study."""

    task: str
    variation: int
    seed: int


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
    """A task's outcomes under its step limit ``limit``; steps are those of successes."""

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


def trials(tasks: Iterable[str], per_variation: int, at_least: int = 0) -> list[Trial]:
    """``per_variation`` seeds for each variation of ``tasks``, more where a task would have fewer than ``at_least``."""
    planned = []
    for task in tasks:
        count = len(task_spec(task).variations)
        each = max(per_variation, math.ceil(at_least / count))
        planned += [Trial(task, v, FIRST_SEED + 1000 * v + k) for v in range(count) for k in range(each)]
    return planned


@cache
def _environment(task: str, steps: int | None) -> gymnasium.Env:
    limit = {} if steps is None else {"max_episode_steps": steps}
    env = gymnasium.make(env_id(task), control="joint_position", image_size=16, disable_env_checker=True, **limit)
    env.unwrapped.observe_images = False  # type: ignore[attr-defined]
    return env


def run_trial(trial: Trial, steps: int | None = STUDY_LIMIT) -> Outcome:
    """Let the expert act, planning anew every 8 control steps, until success or the limit.

    ``steps`` is the limit, None the registered one. An error of the environment's ends the episode and is recorded.
    """
    instruction, taken = "", 0
    try:
        env = _environment(trial.task, steps)
        _, info = env.reset(seed=trial.seed, options={"variation": trial.variation})
        instruction, done = str(info["instruction"]), False
        while not done:
            for action in env.get_wrapper_attr("expert_chunk")(EXECUTE):
                _, _, terminated, truncated, info = env.step(action)
                taken, done = taken + 1, terminated or truncated
                if done:
                    break
    except HansGymError as error:
        text = f"{type(error).__name__}: {error}"
        return Outcome(trial.task, trial.variation, trial.seed, False, taken, None, instruction, text)
    margin = float(info["margin"])
    success = bool(info["is_success"])
    return Outcome(
        trial.task, trial.variation, trial.seed, success, taken, None if math.isnan(margin) else margin, instruction
    )


def _run_many(batch: Sequence[Trial], steps: int | None) -> list[Outcome]:
    return [run_trial(trial, steps) for trial in batch]


def run(
    planned: Sequence[Trial], workers: int = 2, steps: int | None = STUDY_LIMIT, show: bool = True
) -> list[Outcome]:
    """Outcomes of ``planned``, in its order, whatever the number of ``workers``."""
    if workers < 1:
        raise ConfigurationError(f"workers must be at least 1, got {workers}")
    # Batches of one task: a process keeps the environments it has made.
    size = max(1, min(16, len(planned) // (2 * workers)))
    batches = [planned[i : i + size] for i in range(0, len(planned), size)]
    found: dict[Trial, Outcome] = {}
    context = multiprocessing.get_context("spawn")
    with RunProgress("experts", len(planned), show=show) as bar, ProcessPoolExecutor(workers, context) as pool:
        for finished in as_completed([pool.submit(_run_many, batch, steps) for batch in batches]):
            for outcome in finished.result():
                found[Trial(outcome.task, outcome.variation, outcome.seed)] = outcome
                bar.finished(asdict(outcome))
    return [found[trial] for trial in planned]


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


HEADINGS = ("task", "n", "success", "95 % interval", "worst variation", "steps median", "p95", "step limit")


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


def markdown(rows: Sequence[Summary], command: str) -> str:
    """Table and failures as Markdown."""
    lines = [f"Command: `{command}`", "", "| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in rows]
    failures = failure_lines(rows)
    lines += ["", f"Failures: {len(failures)}" + ("" if failures else "."), ""] + [f"- {line}" for line in failures]
    return "\n".join(lines).rstrip() + "\n"


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


def _dump(path: Path, value: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def _store(rows: Sequence[Summary], outcomes: Sequence[Outcome], command: str, ci: bool) -> None:
    if ci:
        _dump(RESULTS / "experts_ci.json", {"command": command, "failures": expected_failures(outcomes)})
        return
    settings = {"first_seed": FIRST_SEED, "execute": EXECUTE, "study_limit": STUDY_LIMIT}
    _dump(RESULTS / "experts.json", {"command": command, "settings": settings, "tasks": [asdict(r) for r in rows]})
    (RESULTS / "experts.md").write_text(markdown(rows, command), encoding="utf-8")
    write_index(rows)


def _show(rows: Sequence[Summary]) -> None:
    console = Console()
    console.width = max(console.width, TABLE_WIDTH)
    table = Table(*HEADINGS, title="scripted experts")
    for row in rows:
        table.add_row(*cells(row))
    console.print(table)
    for line in failure_lines(rows):
        console.print(line, soft_wrap=True, highlight=False)


def main(
    suite: Annotated[str, typer.Option(help="The suite whose tasks are studied.")] = "quickstart",
    tasks: Annotated[str, typer.Option(help="Tasks, separated by commas, instead of a suite.")] = "",
    seeds_per_variation: Annotated[
        int, typer.Option(min=1, max=1000, help="Held-out seeds of each variation; at least 200 episodes per task.")
    ] = SEEDS_PER_VARIATION,
    workers: Annotated[int, typer.Option(min=1, help="Processes that simulate.")] = 2,
    ci: Annotated[bool, typer.Option("--ci", help="One seed per variation, under the registered step limits.")] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Store results, and step limits or expected failures.")
    ] = False,
) -> None:
    """Run the scripted expert on every variation and report where it fails."""
    chosen = tuple(t.strip() for t in tasks.split(",") if t.strip()) or tasks_of(suite)
    for task in chosen:
        check_task(task)
    if write and ci and set(chosen) != set(task_names()):
        raise ConfigurationError("expected failures cover all tasks; run --ci --write without --tasks or --suite")
    planned = trials(chosen, 1) if ci else trials(chosen, seeds_per_variation, LEAST_EPISODES)
    outcomes = run(planned, workers, steps=None if ci else STUDY_LIMIT)
    rows = summaries(outcomes, derive=write and not ci)
    _show(rows)
    which = f"--tasks {','.join(chosen)}" if tasks else f"--suite {suite}"
    how = "--ci" if ci else f"--seeds-per-variation {seeds_per_variation}"
    if write:
        _store(rows, outcomes, f"python -m hansgym.benchmarks.experts {which} {how} --write", ci)


if __name__ == "__main__":
    typer.run(main)
