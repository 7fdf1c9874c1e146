"""Do both backends show the same world? ``python -m hansgym.benchmarks.parity``, where CoppeliaSim is installed.

For each task, at the same joint angles: the robot's silhouette in each camera (intersection over union, at least 0.9 in
the median), the pose of the tip (within 5 mm); the instruction; whether each backend's own expert ends in success, and
in how many steps (within a factor of two); and the size of the objects that one shape shows (each edge within 15 % or 3
mm). Pixels that the task's objects take, in either picture, are left out of the silhouettes: placements differ.
CoppeliaSim's pictures have shadows and other materials, so colours are not compared.

``--save`` keeps what was measured, and ``--against`` compares with it on a machine without the simulator.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from hansgym.benchmarks._parity_measure import Measured, from_json, measure
from hansgym.benchmarks.listing import check_task, tasks_of
from hansgym.envs.rlbench import installation
from hansgym.errors import ConfigurationError, HansGymError
from hansgym.specs import CAMERAS

LEAST_IOU, TIP_M, LENGTH_FACTOR = 0.9, 5e-3, 2.0
EDGE_SHARE, EDGE_M = 0.15, 3e-3
TABLE_WIDTH = 140


@dataclass(frozen=True)
class Row:
    """One task. ``iou``: camera -> median; ``off``: object -> largest share by which an edge differs, beyond 15 %."""

    task: str
    iou: dict[str, float]
    tip_m: float
    same_instruction: bool
    success: tuple[bool, bool]
    steps: tuple[int | None, int | None]
    compared: int
    off: dict[str, float]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing differs by more than is allowed."""
        return not self.problems


def compare(ours: Measured, theirs: Measured) -> Row:
    """The comparison of one task's two sides; they must be of the same task and variation."""
    if (ours.name, ours.variation) != (theirs.name, theirs.variation):
        raise ConfigurationError(
            f"task {ours.name!r}, variation {ours.variation}, cannot be compared with {theirs.name!r}, "
            f"{theirs.variation}; measure both for the same one"
        )
    iou = {camera: silhouette_iou(ours, theirs, camera) for camera in CAMERAS}
    tip = float(np.linalg.norm(np.subtract(ours.tips, theirs.tips)[:, :3], axis=1).max())
    off = {n: share for n in sorted({*ours.sizes} & {*theirs.sizes}) if (share := edge_share(ours, theirs, n)) > 0}
    same = plain(ours.instruction) == plain(theirs.instruction)
    problems = [f"{camera} silhouettes overlap by {value:.2f}" for camera, value in iou.items() if value < LEAST_IOU]
    problems += [f"tips are {tip * 1e3:.1f} mm apart"] if tip > TIP_M else []
    problems += [] if same else [f"it says {theirs.instruction!r} there and {ours.instruction!r} here"]
    problems += _experts(ours, theirs)
    problems += [f"{name} differs in size by {share:.0%}" for name, share in off.items()]
    success, steps = (ours.success, theirs.success), (ours.steps, theirs.steps)
    compared = len({*ours.sizes} & {*theirs.sizes})
    return Row(ours.name, iou, tip, same, success, steps, compared, off, tuple(problems))


def _experts(ours: Measured, theirs: Measured) -> list[str]:
    found = [f"{m.backend}'s expert: {m.trouble or 'no success'}" for m in (ours, theirs) if not m.success]
    if ours.steps and theirs.steps and not 1 / LENGTH_FACTOR <= ours.steps / theirs.steps <= LENGTH_FACTOR:
        found.append(f"{ours.steps} steps here, {theirs.steps} there")
    return found


def silhouette_iou(ours: Measured, theirs: Measured, camera: str) -> float:
    """Median over the configurations of the overlap of the robot's silhouettes, where no object of the task is seen."""
    free = ~(ours.seen("task", camera) | theirs.seen("task", camera))
    mine, other = ours.seen("robot", camera) & free, theirs.seen("robot", camera) & free
    both, either = (mine & other).sum((1, 2)), (mine | other).sum((1, 2))
    return float(np.median(np.where(either > 0, both / np.maximum(either, 1), 1.0)))


def edge_share(ours: Measured, theirs: Measured, name: str) -> float:
    """Largest share by which an edge of object ``name`` differs, 0 if every edge is within 15 % or 3 mm.

    The two boxes that fit best count, since the axes of the two shapes need not be the same.
    """
    return min(_box_share(mine, other) for mine in ours.sizes[name] for other in theirs.sizes[name])


def _box_share(mine: Sequence[float], other: Sequence[float]) -> float:
    edges = np.sort(other)
    gap = np.abs(np.sort(mine) - edges)
    bad = (gap > EDGE_SHARE * edges) & (gap > EDGE_M)
    return float((gap / np.maximum(edges, EDGE_M))[bad].max()) if bad.any() else 0.0


def plain(text: str) -> str:
    """``text`` without case and articles, in which the forks of RLBench differ."""
    return " ".join(word for word in text.lower().split() if word != "the")


def table(rows: Sequence[Row]) -> Table:
    """A line per task."""
    shown = Table("task", *(f"IoU {c}" for c in CAMERAS), "tip mm", "words", "experts", "steps", "sizes", "")
    for row in rows:
        experts = " ".join("yes" if good else "no" for good in row.success)
        steps = " ".join("-" if n is None else str(n) for n in row.steps)
        cells = [f"{row.iou[c]:.2f}" for c in CAMERAS]
        cells += [f"{row.tip_m * 1e3:.1f}", "same" if row.same_instruction else "differ", experts, steps]
        shown.add_row(row.task, *cells, f"{row.compared - len(row.off)}/{row.compared}", "ok" if row.ok else "DIFFERS")
    return shown


def apart(backend: str, task: str, seed: int, variation: int, options: Mapping[str, Any]) -> Measured:
    """:func:`measure` in a process of its own: CoppeliaSim wants one, and a crash ends nothing else."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measure, backend, task, seed, variation, dict(options)).result()


def stored(path: Path) -> dict[str, Measured]:
    """Task -> what ``--save`` kept in ``path``."""
    try:
        found = [from_json(item) for item in json.loads(path.read_text(encoding="utf-8"))["measured"]]
    except (OSError, json.JSONDecodeError, TypeError, KeyError) as error:
        raise ConfigurationError(f"{path} holds no measurements ({error}); make one with --save") from None
    return {item.name: item for item in found}


def originals(tasks: Sequence[str], seed: int, variation: int, renderer: str) -> dict[str, Measured]:
    """Task -> the RLBench side; what is not installed raises before anything starts."""
    for task in tasks:
        installation.require(task)
    return {task: apart("rlbench", task, seed, variation, {"renderer": renderer}) for task in tasks}


def main(
    suite: Annotated[str, typer.Option(help="The suite whose tasks are compared.")] = "agnostos",
    tasks: Annotated[str, typer.Option(help="Tasks, separated by commas, instead of a suite.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="The seed of both episodes.")] = 0,
    variation: Annotated[int, typer.Option(min=0, help="The variation of every task.")] = 0,
    renderer: Annotated[str, typer.Option(help="CoppeliaSim's renderer: opengl or opengl3.")] = "opengl",
    save: Annotated[Path | None, typer.Option(help="File to keep RLBench's side in.")] = None,
    against: Annotated[Path | None, typer.Option(help="Compare with such a file, without the simulator.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Compare the MuJoCo and the RLBench backend, task by task. Exits 1 if a task differs by more than is allowed."""
    chosen = tuple(t.strip() for t in tasks.split(",") if t.strip()) or tasks_of(suite)
    for task in chosen:
        check_task(task)
    if against is not None:
        theirs = {name: item for name, item in stored(against).items() if name in chosen}
    else:
        theirs = originals(chosen, seed, variation, renderer)
    if save is not None:
        kept = {"measured": [item.to_json() for item in theirs.values()]}
        save.write_text(json.dumps(kept) + "\n", encoding="utf-8")
    if not theirs:
        raise ConfigurationError(f"{against} has none of the tasks {list(chosen)}; choose some that it has")
    rows = [compare(apart("mujoco", name, seed, item.variation, {}), item) for name, item in theirs.items()]
    _show(rows, as_json)
    if not all(row.ok for row in rows):
        raise typer.Exit(1)


def _show(rows: Sequence[Row], as_json: bool) -> None:
    if as_json:
        print(json.dumps([{**asdict(row), "ok": row.ok} for row in rows]))
        return
    console = Console()
    console.width = max(console.width, TABLE_WIDTH)
    console.print(table(rows))
    for row in rows:
        for problem in row.problems:
            console.print(f"{row.task}: {problem}", soft_wrap=True, highlight=False)


def command() -> None:
    """The command; what the user can mend is said in one line, with exit status 2."""
    import sys

    try:
        typer.run(main)
    except HansGymError as error:
        print(f"hansgym: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    command()
