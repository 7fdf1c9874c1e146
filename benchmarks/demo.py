"""``make demo``: three shipped policies, one table that tells Clever Hans from the real thing, and a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hansgym.benchmarks.hans import FIRST_SEED, HEADINGS, ROWS, cells, run_folder, study

DEMO_ROWS = tuple(row for row in ROWS if row != ("reference:pfungst", "colour"))


def main(
    out: Annotated[Path, typer.Option(help="Folder of the runs and the page.")] = Path("runs/demo"),
    seeds: Annotated[int, typer.Option(help="Episodes per policy, task and cue setting.")] = 5,
    workers: Annotated[int | None, typer.Option(help="Processes that simulate.")] = None,
) -> None:
    """Evaluate the reference policies with the cue aligned and misleading, and say what the numbers mean."""
    from hansgym.benchmarks.report import write_joined, write_report

    console = Console()
    console.print(
        "[bold]HansGym demo[/bold]: one policy reads the task, two read a poster on the wall. Which is which?"
    )
    rows = study(
        out,
        seeds=range(FIRST_SEED, FIRST_SEED + seeds),
        rows=DEMO_ROWS,
        workers=workers,
        attribute_stride=3,
        videos=1,
    )
    table = Table(title=f"{seeds} episodes per policy, task and cue setting; 95 % intervals", show_lines=True)
    for heading in HEADINGS:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*cells(row))
    console.print(table)
    console.print(
        "Success with the cue aligned cannot tell them apart. ner is near 0 for a policy that ignores what does not "
        "matter and 0.5 for one that the wallpaper moves as much as the task; a random map's nmr@10 is its area."
    )
    folders = [run_folder(out, p, c, s) for p, c in DEMO_ROWS for s in ("aligned", "misleading")]
    for folder in folders:
        write_report(folder)
    page = write_joined(folders, out / "index.html", title="Clever Hans, and the real thing")
    console.print(f"Runs and reports: [bold]{out}[/bold]; open [bold]{page}[/bold] in a browser.")


if __name__ == "__main__":
    typer.run(main)
