"""A progress bar with the time left, on stderr."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class RunProgress:
    """Counts episodes, successes and errors. Use it as a context manager; ``show=False`` makes it silent."""

    def __init__(self, title: str, total: int, done: int = 0, show: bool = True) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[tally]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(file=sys.stderr),
            disable=not show,
        )
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
