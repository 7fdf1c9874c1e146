"""What there is to evaluate: tasks and suites, read from the task files; no scene is built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hansgym.benchmarks.config import parse_names
from hansgym.envs.registration import env_id, index
from hansgym.envs.spec import TaskSpec
from hansgym.errors import ConfigurationError
from hansgym.lookup import load, unknown
from hansgym.seeds import stream

TASKS = "hansgym.envs.tasks"


def task_names() -> tuple[str, ...]:
    """Names of all registered tasks."""
    return tuple(row["task"] for row in index())


def check_task(name: str) -> None:
    """Raise, with the names that there are, if ``name`` is no task."""
    if name not in task_names():
        raise unknown("task", name, task_names())


def task_spec(name: str) -> TaskSpec:
    """The task's constant."""
    spec: TaskSpec = load(TASKS, name, "TASK", "task")
    return spec


def suites() -> dict[str, tuple[str, ...]]:
    """Suite -> its tasks."""
    found: dict[str, list[str]] = {}
    for name in task_names():
        for suite in task_spec(name).suites:
            found.setdefault(suite, []).append(name)
    return {suite: tuple(names) for suite, names in sorted(found.items())}


def tasks_of(suite: str) -> tuple[str, ...]:
    """The tasks of ``suite``; an unknown name raises with those that there are."""
    known = suites()
    if suite not in known:
        raise unknown("suite", suite, known)
    return known[suite]


def chosen(tasks: str | Sequence[str] | None, suite: str | None) -> tuple[str, ...]:
    """The tasks that a user names: ``tasks`` (a list, or names with commas) or all of ``suite``, one of the two."""
    if (tasks is None) == (suite is None):
        raise ConfigurationError(
            "give either tasks or a suite, one of the two. "
            f"Tasks: {', '.join(task_names())}; suites: {', '.join(suites())}"
        )
    if suite is not None:
        return tasks_of(suite)
    names = parse_names(tasks)
    for name in names:
        check_task(name)
    return names


def rows(suite: str | None = None) -> list[dict[str, Any]]:
    """For each task: ``id``, ``task``, ``suites``, ``variations`` (count), ``instructions`` (canonical, one each)."""
    names = task_names() if suite is None else tasks_of(suite)
    return [_row(name) for name in names]


def _row(name: str) -> dict[str, Any]:
    spec = task_spec(name)
    count = len(spec.variations)
    return {
        "id": env_id(name),
        "task": name,
        "suites": list(spec.suites),
        "variations": count,
        "instructions": [_instruction(spec, k) for k in range(count)],
    }


def _instruction(spec: TaskSpec, variation: int) -> str:
    from hansgym.envs.spec import fill

    return fill(spec.instructions[0], spec.bind(variation, stream(0, "binding")))
