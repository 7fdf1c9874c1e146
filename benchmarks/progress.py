"""A progress bar with the time left, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


def _columns() -> tuple[ProgressColumn, ...]:
    counts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[tally]}"))
    return (*counts, TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())


class RunProgress:
    """Counts episodes, successes and errors. Use it as a context manager; ``show=False`` makes it silent."""

    def __init__(self, title: str, total: int, done: int = 0, show: bool = True) -> None:
        self._bar = Progress(*_columns(), console=Console(file=sys.stderr), disable=not show)
        self._task = self._bar.add_task(title, total=total - done, tally="")
        self._successes = self._errors = 0

    def __enter__(self) -> RunProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def finished(self, record: dict[str, Any]) -> None:
        """Count one more finished episode."""
        self._successes += bool(record["success"])
        self._errors += record["error"] is not None
        tally = f"[green]{self._successes} ok[/green]" + (f" [red]{self._errors} errors[/red]" if self._errors else "")
        self._bar.update(self._task, advance=1, tally=tally)


class StageProgress:
    """One bar per stage of a longer job, such as a training. Use it as a context manager."""

    def __init__(self) -> None:
        self._bar = Progress(*_columns(), console=Console(file=sys.stderr))
        self._stages: dict[str, TaskID] = {}

    def __enter__(self) -> StageProgress:
        return self

    def __exit__(self, *reason: object) -> None:
        if self._stages:
            self._bar.stop()

    def report(self, stage: str, done: int, total: int, terms: Mapping[str, float]) -> None:
        """``done`` of ``total`` of ``stage``; ``terms`` are named numbers to show beside it."""
        if stage not in self._stages:
            self._bar.start()
            self._stages[stage] = self._bar.add_task(stage, total=total, tally="")
        tally = " ".join(f"{name} {value:.3g}" for name, value in terms.items())
        self._bar.update(self._stages[stage], completed=done, total=total, tally=tally)
