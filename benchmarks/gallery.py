"""``python -m hansgym.benchmarks.gallery``: the page of all tasks, docs/tasks.md, and their pictures.

Everything on it comes from the task files and the stored expert study, so that it cannot drift from them; a test
compares the page with what this module would write now.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from hansgym.benchmarks.expert_results import Summary, load_summaries
from hansgym.benchmarks.listing import suites, task_names, task_spec
from hansgym.envs.spec import TaskSpec
from hansgym.specs import CONTROL_HZ

PAGE = Path("docs/tasks.md")
PICTURES = "tasks"
QUALITY = 88
SPLITS = {
    "agnostos-seen": "The 18 seen tasks",
    "agnostos-level1": "The 13 unseen tasks of level 1",
    "agnostos-level2": "The 10 unseen tasks of level 2",
}

_HEAD = """# Tasks

Front, overhead and wrist camera at reset, and the regions of the front image (blue support, green action, red
nuisance). *Success* is the condition as the task file states it, in metres and radians; names in braces stand for what
the variation or the episode's draws put there. *Expert* is the scripted expert on held-out seeds, with a 95 % interval,
and the median length of its episodes. Written by `python -m hansgym.benchmarks.gallery` from the task files and
`benchmarks/results/experts.json`.
"""


def words(value: Any) -> str:
    """A condition as text: its class, its parts and what differs from the defaults."""
    if isinstance(value, tuple):
        return ", ".join(words(v) for v in value)
    if not is_dataclass(value):
        return f"{value:.4g}" if isinstance(value, float) else repr(value)
    parts = []
    for field in fields(value):
        held = getattr(value, field.name)
        if isinstance(held, tuple):
            parts.append(words(held))
        elif held != field.default:
            parts.append(f"{field.name}={words(held)}")
    return f"{type(value).__name__}({', '.join(parts)})"


def _expert(row: Summary | None) -> str:
    if row is None:
        return "not measured"
    low, high = row.interval
    seconds = row.steps_median / CONTROL_HZ
    rate = f"{row.successes} of {row.n} episodes ({100 * low:.1f} to {100 * high:.1f} %)"
    return f"{rate}; {row.steps_median:.0f} steps, {seconds:.1f} s"


def section(task: TaskSpec, expert: Summary | None) -> str:
    """One task's part of the page."""
    protocols = [f"- *Protocol* `{name}`: {p.note}" for name, p in sorted(task.protocols.items()) if p.note]
    lines = [
        f"### {task.name}",
        "",
        f"![{task.name}]({PICTURES}/{task.name}.jpg)",
        "",
        f"- *Instruction* “{task.instructions[0]}”, and {len(task.instructions) - 1} paraphrases",
        f"- *Variations* {len(task.variations)}; *suites* {', '.join(task.suites)}",
        f"- *Success* `{words(task.success)}`",
        f"- *Expert* {_expert(expert)}",
        *protocols,
        *([f"- {task.notes}"] if task.notes else []),
    ]
    return "\n".join(lines) + "\n"


def page() -> str:
    """The whole page as Markdown."""
    measured, known = load_summaries(), suites()
    parts = [_HEAD]
    for suite, title in SPLITS.items():
        names = known.get(suite, ())
        if names:
            parts += [f"## {title}\n", *(section(task_spec(name), measured.get(name)) for name in names)]
    parts += ["## The experts\n", _table(measured)]
    parts += ["## Suites\n", *(_suite(name, tasks) for name, tasks in known.items())]
    return "\n".join(parts).rstrip() + "\n"


def _table(measured: Mapping[str, Summary]) -> str:
    """Rate, steps and seconds of every task's expert."""
    lines = ["| task | variations | success | worst variation | steps, median | p95 | seconds |", "|" + "---|" * 7]
    for name in task_names():
        row, variations = measured.get(name), len(task_spec(name).variations)
        if row is None:
            lines.append(f"| {name} | {variations} | not measured | | | | |")
            continue
        rates = f"{100 * row.successes / row.n:.1f} % of {row.n} | {100 * row.worst_rate:.0f} %"
        steps = f"{row.steps_median:.0f} | {row.steps_p95:.0f} | {row.steps_median / CONTROL_HZ:.1f}"
        lines.append(f"| {name} | {variations} | {rates} | {steps} |")
    if measured:
        mean = sum(row.successes / row.n for row in measured.values()) / len(measured)
        lines += ["", f"Mean of {len(measured)} tasks: {100 * mean:.2f} %."]
    listed = "Every failure with its margin is listed in `benchmarks/results/experts.md`, beside the commands."
    return "\n".join([*lines, listed]) + "\n"


def _suite(name: str, tasks: tuple[str, ...]) -> str:
    lines = textwrap.wrap(f"- `{name}` ({len(tasks)}): {', '.join(tasks)}", 110, subsequent_indent="  ")
    return "\n".join(lines)


def draw(folder: Path, size: int = 160, seed: int = 7) -> None:
    """One picture per task, ``<task>.jpg`` in ``folder``."""
    import imageio.v3 as imageio

    from hansgym.benchmarks.pictures import row

    folder.mkdir(parents=True, exist_ok=True)
    for name in task_names():
        picture: np.ndarray = row(name, seed, size)
        imageio.imwrite(folder / f"{name}.jpg", picture, quality=QUALITY)


def main(
    out: Annotated[Path, typer.Option(help="The page to write; pictures go to a folder beside it.")] = PAGE,
    pictures: Annotated[bool, typer.Option(help="Draw the pictures again, too.")] = True,
) -> None:
    """Write the page of all tasks."""
    out.parent.mkdir(parents=True, exist_ok=True)
    if pictures:
        draw(out.parent / PICTURES)
    out.write_text(page(), encoding="utf-8")
    typer.echo(f"wrote {out}")


if __name__ == "__main__":
    typer.run(main)
