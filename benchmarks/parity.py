"""Do both backends show the same world? ``python -m hansgym.benchmarks.parity``, where CoppeliaSim is installed.

For each task, at the same joint angles: the robot's silhouette in each camera (intersection over union, at least 0.9 in
the median), the pose of the tip (within 5 mm); the instruction; whether each backend's own expert ends in success by
the backend's own condition, and in how many steps (medians within a factor of two); from where on a joint that decides
the task counts; the size of the objects (each edge within 15 % or 3 mm), and where they stand. Pixels that the task's
objects take, in either picture, are left out of the silhouettes: placements differ. CoppeliaSim's pictures have shadows
and other materials, so colours are not compared.

``--save`` keeps what was measured, ``--against`` compares with it on a machine without the simulator, and ``--out``
writes ``parity.json`` and ``parity.md``.
"""

from __future__ import annotations

import json
import multiprocessing
import shlex
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from hansgym.benchmarks._parity_compare import Row, compare
from hansgym.benchmarks._parity_measure import Measured, from_json, measure
from hansgym.benchmarks._parity_table import markdown, table
from hansgym.benchmarks.listing import check_task, tasks_of
from hansgym.envs.rlbench import installation
from hansgym.errors import ConfigurationError, HansGymError

TABLE_WIDTH = 170
DIGITS = 6


def apart(backend: str, task: str, seed: int, variation: int, options: Mapping[str, Any]) -> Measured:
    """:func:`measure` in a process of its own: CoppeliaSim wants one, and a crash ends nothing else."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measure, backend, task, seed, variation, dict(options)).result()


def stored(path: Path) -> tuple[list[Measured], str]:
    """What ``--save`` kept in ``path``: a measurement for each task, and the words about what ran."""
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        return [from_json(item) for item in whole["measured"]], str(whole.get("ran", ""))
    except (OSError, json.JSONDecodeError, TypeError, KeyError) as error:
        raise ConfigurationError(f"{path} holds no measurements ({error}); make one with --save") from None


def originals(tasks: Sequence[str], seed: int, variation: int, renderer: str) -> list[Measured]:
    """The RLBench side of each task; what is not installed raises before anything starts."""
    for task in tasks:
        installation.require(task)
    return [apart("rlbench", task, seed, variation, {"renderer": renderer}) for task in tasks]


def main(
    suite: Annotated[str, typer.Option(help="The suite whose tasks are compared.")] = "agnostos",
    tasks: Annotated[str, typer.Option(help="Tasks, separated by commas, instead of a suite.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="The first seed of both sides.")] = 0,
    variation: Annotated[int, typer.Option(min=0, help="The variation of every task.")] = 0,
    renderer: Annotated[str, typer.Option(help="CoppeliaSim's renderer: opengl or opengl3.")] = "opengl",
    save: Annotated[Path | None, typer.Option(help="File to keep RLBench's side in.")] = None,
    ran: Annotated[str, typer.Option(help="Words about what ran, kept with --save and put over the table.")] = "",
    against: Annotated[
        list[Path] | None, typer.Option(help="Compare with such a file, without the simulator; may be repeated.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write parity.json and parity.md to.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Compare the MuJoCo and the RLBench backend, task by task. Exits 1 if a task differs by more than is allowed."""
    chosen = tuple(t.strip() for t in tasks.split(",") if t.strip()) or tasks_of(suite)
    for task in chosen:
        check_task(task)
    theirs, words = _theirs(chosen, against or (), (seed, variation, renderer), ran)
    if save is not None:
        kept = {"ran": words, "measured": [item.to_json() for item in theirs]}
        save.write_text(json.dumps(kept) + "\n", encoding="utf-8")
    sides = {key: apart("mujoco", key[0], seed, key[1], {}) for key in {(m.name, m.variation): None for m in theirs}}
    rows = [compare(sides[item.name, item.variation], item) for item in theirs]
    found = {"command": _command(), "ran": words, "rows": [{**_rounded(asdict(row)), "ok": row.ok} for row in rows]}
    if out is not None:
        _store(out, found)
    _show(rows, found if as_json else None)
    if not all(row.ok for row in rows):
        raise typer.Exit(1)


def _theirs(
    chosen: Sequence[str], against: Sequence[Path], episode: tuple[int, int, str], ran: str
) -> tuple[list[Measured], str]:
    """RLBench's side, measured now or stored, in the order of ``chosen``; and the words about what ran."""
    if not against:
        return originals(chosen, *episode), ran
    files = [stored(path) for path in against]
    theirs = [item for name in chosen for items, _ in files for item in items if item.name == name]
    if not theirs:
        raise ConfigurationError(f"{_listed(against)} has none of the tasks {list(chosen)}; choose some that it has")
    return theirs, ran or " ".join(dict.fromkeys(words for _, words in files if words))


def _listed(paths: Sequence[Path]) -> str:
    return ", ".join(str(path) for path in paths)


def _command() -> str:
    """The command line, as far as it says what was done."""
    return shlex.join(["python", "-m", "hansgym.benchmarks.parity", *sys.argv[1:]])


def _rounded(value: Any) -> Any:
    """Floats to six digits behind the point: a micrometre."""
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value


def _store(folder: Path, found: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    whole = json.loads(json.dumps(found))
    (folder / "parity.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    (folder / "parity.md").write_text(markdown(whole), encoding="utf-8")


def _show(rows: Sequence[Row], found: Mapping[str, Any] | None) -> None:
    if found is not None:
        print(json.dumps(found["rows"]))
        return
    console = Console()
    console.width = max(console.width, TABLE_WIDTH)
    console.print(table(rows))
    for row in rows:
        for problem in row.problems:
            console.print(f"{row.task}: {problem}", soft_wrap=True, highlight=False)


def command() -> None:
    """The command; what the user can mend is said in one line, with exit status 2."""
    try:
        typer.run(main)
    except HansGymError as error:
        print(f"hansgym: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    command()
