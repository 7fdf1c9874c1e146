"""The expert study: does the scripted expert solve every variation of every task, through the real environments?

``python -m hansgym.benchmarks.experts`` runs the expert of each variation on held-out seeds in processes of their own,
prints a table and every failure with its margin. With ``--write`` it stores ``benchmarks/results/experts.json`` and
``.md`` and derives the step limits of ``envs/index.json`` from the measured episode lengths. With ``--ci`` it runs one
seed per variation; ``--ci --write`` stores the failures that are then expected, in
``benchmarks/results/experts_ci.json``, with which a test compares.
"""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Annotated

import gymnasium
import typer
from rich.console import Console
from rich.table import Table

from hansgym.benchmarks.acting import EXECUTE, acted_out
from hansgym.benchmarks.expert_results import (
    HEADINGS,
    RESULTS,
    Outcome,
    Summary,
    cells,
    dump,
    expected_failures,
    failure_lines,
    store,
    summaries,
    write_index,
)
from hansgym.benchmarks.listing import check_task, task_names, task_spec, tasks_of
from hansgym.benchmarks.progress import RunProgress
from hansgym.envs.registration import env_id
from hansgym.errors import ConfigurationError, HansGymError

FIRST_SEED = 500_000
"""Held-out seeds: variation v uses ``FIRST_SEED + 1000 v`` and the following ones."""

SEEDS_PER_VARIATION, LEAST_EPISODES = 20, 200
STUDY_LIMIT = 600
"""Control steps that a study gives an episode; the step limit is judged afterwards."""

TABLE_WIDTH = 120


@dataclass(frozen=True, order=True)
class Trial:
    """One episode of the study."""

    task: str
    variation: int
    seed: int


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
        instruction = str(info["instruction"])
        for _, after in acted_out(env):
            taken, info = taken + 1, after
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
    suite: Annotated[str, typer.Option(help="The suite whose tasks are studied.")] = "agnostos",
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
    if write and ci:
        command = f"python -m hansgym.benchmarks.experts {which} --ci --write"
        dump(RESULTS / "experts_ci.json", {"command": command, "failures": expected_failures(outcomes)})
    elif write:
        # A row depends on its own task alone, so the command names a task's place, not the tasks of this run.
        command = (
            f"python -m hansgym.benchmarks.experts --tasks TASK --seeds-per-variation {seeds_per_variation} --write"
        )
        rows = [replace(row, command=command) for row in rows]
        settings = {"first_seed": FIRST_SEED, "execute": EXECUTE, "study_limit": STUDY_LIMIT}
        store(rows, settings)
        write_index(rows)


if __name__ == "__main__":
    typer.run(main)
