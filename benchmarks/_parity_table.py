"""The tables of :mod:`hansgym.benchmarks.parity`: on the terminal and in the repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from hansgym.benchmarks._parity_compare import Row
from hansgym.specs import CAMERAS

COLUMNS = (
    *("task", "RLBench", *(f"IoU {c}" for c in CAMERAS), "tip mm", "words", "solved", "steps"),
    *("way m", "joint counts from", "sizes", "places", ""),
)


def table(rows: Sequence[Row]) -> Table:
    """A line per task."""
    shown = Table(*COLUMNS)
    for row in rows:
        shown.add_row(*_cells(row))
    return shown


def _cells(row: Row) -> list[str]:
    solved = (f"{n}/{of}" for n, of in zip(row.solved, row.tried, strict=True))
    return [
        row.task,
        row.what,
        *(f"{row.iou[c]:.2f}" for c in CAMERAS),
        f"{row.tip_m * 1e3:.1f}",
        "same" if row.same_instruction else "differ",
        ", ".join(solved),
        ", ".join("-" if n is None else f"{n:.0f}" for n in row.steps),
        ", ".join("-" if n is None else f"{n:.2f}" for n in row.way_m),
        "; ".join(f"{here:.3f}, {there:.3f}" for here, there in row.counts_from.values()) or "-",
        f"{len(row.sizes) - len(row.off)}/{len(row.sizes)}",
        f"{row.placed - len(_misplaced(row))}/{row.placed}",
        "ok" if row.ok else "DIFFERS",
    ]


def _misplaced(row: Row) -> set[str]:
    return {part for name in row.elsewhere for part in name.split(" and ")}


def markdown(found: Mapping[str, Any]) -> str:
    """The stored comparison as a page."""
    rows = [_row(item) for item in found["rows"]]
    lines = ["# Both backends, side by side", "", f"`{found['command']}`", "", found["ran"], "", *_summary(rows), ""]
    lines += [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    lines += ["", NOTES.strip(), "", "## What differs", ""]
    lines += [f"- {row.task} ({row.what}): {problem}" for row in rows for problem in row.problems]
    return "\n".join(lines) + "\n"


def _row(item: Mapping[str, Any]) -> Row:
    return Row(**{key: value for key, value in item.items() if key != "ok"})


def _summary(rows: Sequence[Row]) -> list[str]:
    counts = [(len(r.sizes) - len(r.off), len(r.sizes)) for r in rows]
    same, compared = (sum(column) for column in zip(*counts, strict=True))
    share = [r.steps[1] / r.steps[0] for r in rows if r.steps[0] and r.steps[1]]
    middle = sorted(share)[len(share) // 2] if share else 0.0
    judged = [r for r in rows if r.counts_from]
    alike = [r for r in judged if not any("counts from" in p for p in r.problems)]
    least = min(min(r.iou.values()) for r in rows)
    return [
        f"{len(rows)} comparisons, {sum(r.ok for r in rows)} without a difference. Silhouettes overlap by at least "
        f"{least:.2f}, tips are at most {max(r.tip_m for r in rows) * 1e3:.1f} mm apart, "
        f"{sum(r.same_instruction for r in rows)} instructions are the same, {same} of {compared} objects have the "
        f"same size; of {len(judged)} tasks that joints decide, {len(alike)} count from the same place. "
        f"An episode there is {middle:.1f} times as long in the median."
    ]


NOTES = """
Pairs are (here, there). IoU: overlap of the robot's silhouettes at the same joint angles. Solved: episodes of the
backend's own expert that ended in success by the backend's own condition, of those tried from the seed on until five
did; steps of 50 ms and the way of the tip are medians of the solved ones. RLBench's demonstrations do not count steps
in which only the fingers move. Joint counts from: how far (m or rad) the joint has to go until the backend's own
condition holds, found by putting it there. Sizes: objects whose boxes agree, each edge within 15 % or 3 mm. Places:
objects that stand at the same height, keep the same distance to what is set up with them (both within 20 mm or 15 %)
and on average stand at the same spot over twenty resets (within 20 mm and four standard errors).
"""
