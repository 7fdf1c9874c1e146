"""How fast is it? Ratios measured side by side in one run, on whatever machine this is.

``python -m hansgym.benchmarks.speed`` compares with robosuite's Lift, which it installs once into a virtual environment
of its own, and prints and writes one table:

* ``control_ratio``: our control steps a second with three 224x224 cameras, RGB and masks rendered at every step, over
  those of Lift with three 224x224 cameras, RGB only;
* ``chunked_ratio``: the same for a chunked rollout of ours that renders once per chunk of 8;
* ``reset_ratio``: the time of our ``gym.make`` and first reset over that of Lift, all in fresh processes; the import
  statements before are left out, what ``gym.make`` loads by itself counts;
* ``iss_overhead``: the share of an explanation (ISS, N = 100, three cameras at 224) that is not the policy's own
  time, for a policy that sleeps 10 ms per evaluated observation.

Beside them stands the median time of a reset over all tasks, in seconds: three cameras at 224, masks included.

Both sides run in processes of their own and take turns in short blocks; a ratio is the median over the rounds of the
ratio within a round, so that a busy moment of the machine meets both sides.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from hansgym.benchmarks._speed_resets import reset_summary, reset_times
from hansgym.benchmarks._speed_worker import (
    REQUIREMENTS,
    SpeedError,
    Worker,
    default_venv,
    lift,
    ours,
    robosuite_python,
)
from hansgym.benchmarks.hans import results_folder
from hansgym.benchmarks.listing import task_names

TASK = "close_jar"
KEYS = ("control_ratio", "chunked_ratio", "reset_ratio", "iss_overhead")
GOALS = {"control_ratio": 12.0, "chunked_ratio": 60.0, "reset_ratio": 0.25, "iss_overhead": 0.10}
"""The first two are to be at least this, the others at most."""

RESET_GOAL_S = 0.3

WARM_UP_S = 1.0


@dataclass(frozen=True)
class Round:
    """One turn of each side: control steps a second, by the clock and per second of processor time."""

    lift: float
    control: float
    chunked: float
    lift_cpu: float
    control_cpu: float
    chunked_cpu: float


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measure(task: str, venv: Path, rounds: int, block_s: float, starts: int, repeats: int) -> dict[str, Any]:
    """The four ratios, and under ``detail`` what they were computed from."""
    from hansgym.benchmarks._speed_iss import overheads

    python = robosuite_python(venv)
    made: list[tuple[float, float]] = []
    with contextlib.ExitStack() as stack:
        # The first pair of processes fills the caches of both sides and is not counted.
        for turn in range(starts + 1):
            last = stack.pop_all()
            last.close()
            pair = stack.enter_context(ours(task)), stack.enter_context(lift(python))
            seconds = pair[0].ask("start")["seconds"], pair[1].ask("start")["seconds"]
            _say(f"make and first reset {turn}/{starts}: HansGym {seconds[0]:.2f} s, Lift {seconds[1]:.2f} s")
            made += [seconds] if turn else []
        found = _rounds(*pair, rounds, block_s)
    shares = overheads(task, repeats)
    resets = reset_times(task_names(), starts, lambda name, s: _say(f"reset of {name}: {1000 * s:.0f} ms"))
    return {**summary(found, made, shares), "detail": _detail(task, found, made, shares, resets)}


def _rounds(mine: Worker, other: Worker, rounds: int, block_s: float) -> list[Round]:
    for worker, do in ((other, "step"), (mine, "step"), (mine, "chunk")):
        worker.ask(do, WARM_UP_S)
    found = []
    for turn in range(rounds):
        answers = [worker.ask(do, block_s) for worker, do in ((other, "step"), (mine, "step"), (mine, "chunk"))]
        rates = [a["count"] / a["seconds"] for a in answers] + [a["count"] / a["cpu_seconds"] for a in answers]
        found.append(Round(*rates))
        _say(
            f"control steps a second {turn + 1}/{rounds}: Lift {rates[0]:.1f}, HansGym {rates[1]:.1f}, "
            f"in chunks {rates[2]:.0f}"
        )
    return found


def summary(rounds: Sequence[Round], made: Sequence[tuple[float, float]], shares: Sequence[float]) -> dict[str, float]:
    """The four figures from rounds, (our, their) seconds of make and first reset, and overhead shares."""
    return {
        "control_ratio": statistics.median(r.control / r.lift for r in rounds),
        "chunked_ratio": statistics.median(r.chunked / r.lift for r in rounds),
        "reset_ratio": statistics.median(a / b for a, b in made),
        "iss_overhead": statistics.median(shares),
    }


def met(key: str, value: float) -> bool:
    """Whether ``value`` reaches the goal of ``key``."""
    return value >= GOALS[key] if key in KEYS[:2] else value <= GOALS[key]


def _detail(
    task: str,
    rounds: Sequence[Round],
    made: Sequence[tuple[float, float]],
    shares: Sequence[float],
    resets: Mapping[str, Sequence[float]],
) -> dict[str, Any]:
    middle = {name: statistics.median(getattr(r, name) for r in rounds) for name in Round.__dataclass_fields__}
    return {
        "task": task,
        "compared_with": list(REQUIREMENTS),
        "control_steps_per_second": {k: middle[k] for k in ("lift", "control", "chunked")},
        "control_steps_per_processor_second": {k: middle[f"{k}_cpu"] for k in ("lift", "control", "chunked")},
        "make_and_reset_s": {
            "control": statistics.median(a for a, _ in made),
            "lift": statistics.median(b for _, b in made),
        },
        "iss_overhead": list(shares),
        "resets": {**reset_summary(resets), "tasks": {name: statistics.median(s) for name, s in resets.items()}},
        "rounds": [vars(r) for r in rounds],
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
    }


def markdown(found: Mapping[str, Any]) -> str:
    """The table."""
    detail = found["detail"]
    rates, made = detail["control_steps_per_second"], detail["make_and_reset_s"]
    absolute = {
        "control_ratio": f"{rates['control']:.1f} against {rates['lift']:.1f} control steps a second",
        "chunked_ratio": f"{rates['chunked']:.0f} against {rates['lift']:.1f} control steps a second",
        "reset_ratio": f"{made['control']:.2f} s against {made['lift']:.2f} s",
        "iss_overhead": "of an explanation with N = 100 around a policy of 10 ms",
    }
    lines = ["| figure | measured | goal | holds | |", "|---|---|---|---|---|"]
    for key in KEYS:
        sign = "at least" if key in KEYS[:2] else "at most"
        value = f"{found[key]:.1f}" if key in KEYS[:2] else f"{found[key]:.3f}"
        holds = "yes" if met(key, found[key]) else "no"
        lines.append(f"| {key} | {value} | {sign} {GOALS[key]:g} | {holds} | {absolute[key]} |")
    resets, machine = detail["resets"], detail["machine"]
    slowest = f"slowest task {resets['slowest']}, {resets['slowest_median_s']:.2f} s"
    holds = "yes" if resets["median_s"] <= RESET_GOAL_S else "no"
    lines.append(f"| reset of a task (s) | {resets['median_s']:.3f} | at most {RESET_GOAL_S:g} | {holds} | {slowest} |")
    lines += [
        "",
        f"Three cameras at 224x224; task {detail['task']} against robosuite's Lift ({', '.join(REQUIREMENTS)}), which",
        f"renders no masks; resets: median over {len(resets['tasks'])} tasks. {machine['cores']} cores, Python",
        f"{machine['python']}. Command: `python -m hansgym.benchmarks.speed`.",
    ]
    return "\n".join(lines) + "\n"


def main(
    out: Annotated[Path | None, typer.Option(help="Folder for speed.md and speed.json.")] = None,
    task: Annotated[str, typer.Option(help="Our task in the comparison.")] = TASK,
    venv: Annotated[
        Path | None, typer.Option(help="Virtual environment of robosuite; made when it is missing.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Turns that each side takes.")] = 7,
    block: Annotated[float, typer.Option(min=0.1, help="Seconds of one turn.")] = 2.0,
    starts: Annotated[int, typer.Option(min=1, help="Fresh processes that make and reset; resets of each task.")] = 5,
    repeats: Annotated[int, typer.Option(min=1, help="Explanations whose overhead is measured.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Print the four figures as one JSON object.")] = False,
) -> None:
    """Measure speed against robosuite's Lift on this machine, print the table and write it."""
    try:
        found = measure(task, venv or default_venv(), rounds, block, starts, repeats)
    except SpeedError as error:
        _say(f"hansgym: {error}")
        raise typer.Exit(1) from error
    folder = out or results_folder()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "speed.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (folder / "speed.md").write_text(markdown(found), encoding="utf-8")
    if as_json:
        print(json.dumps({key: found[key] for key in KEYS}))
        return
    print(markdown(found))
    print(f"written to {folder / 'speed.md'}")


if __name__ == "__main__":
    typer.run(main)
