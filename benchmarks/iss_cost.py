"""What a saliency map costs: N evaluations of a policy against one.

``python -m hansgym.benchmarks.iss_cost --agent reference:pfungst`` explains one observation of a task (ISS, NMR and
all) with N = 50, 100, 150 and 200 masks and prints, for each N:

* the time of an explanation, and evaluations a second (an explanation has N + 1: the clean chunk is one);
* the slowdown: that time over the time of a single inference, beside the published one (of another policy, batched on
  a GPU);
* the share of the time that is not the policy's own: drawing masks, blurring and blending, sending, scores;
* for a Torch policy a roofline: its operations and bytes, counted, against what this machine reaches in a large matrix
  product and a large copy (:mod:`hansgym.benchmarks._roofline`), and what bounds it.

Warmed up and synchronised. Single inferences and explanations take turns; the time is the median over the rounds, and
a slowdown the median of the ratios within a round, so that a busy moment of the machine meets both.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from hansgym.benchmarks import _iss_cost_policy as policies
from hansgym.benchmarks._iss_cost_table import markdown
from hansgym.benchmarks.hans import results_folder
from hansgym.errors import ConfigurationError, HansGymError

MASKS = (50, 100, 150, 200)
SINGLES = 5
"""Single inferences before each explanation; the median of all in a round counts."""


@dataclass(frozen=True)
class Round:
    """Seconds of one turn: a ``single`` inference; for each N an ``explained`` decision and the policy's part of it."""

    single: float
    explained: Mapping[int, float]
    policy: Mapping[int, float]


def figures(rounds: Sequence[Round], masks: int) -> dict[str, float]:
    """What the rounds say of one N: medians over the rounds, ratios taken within each."""
    return {
        "masks": masks,
        "explained_s": statistics.median(r.explained[masks] for r in rounds),
        "policy_s": statistics.median(r.policy[masks] for r in rounds),
        "evaluations_per_s": statistics.median((masks + 1) / r.explained[masks] for r in rounds),
        "slowdown": statistics.median(r.explained[masks] / r.single for r in rounds),
        "outside_policy": statistics.median(1 - r.policy[masks] / r.explained[masks] for r in rounds),
    }


def measure(uri: str, masks: Sequence[int], rounds: int, task: str, device: str | None) -> dict[str, Any]:
    """The figures of one agent."""
    agent = policies.made(uri, device)
    seen = policies.observe(agent, task)
    counts = policies.counted(agent, seen, masks)  # warms up with every N, too
    reached = [policies.peak(counts)]
    found = []
    for turn in range(rounds):
        found.append(_round(agent, seen, masks, seed=turn + 1))
        _say(f"{uri} {turn + 1}/{rounds}: single {1e3 * found[-1].single:.1f} ms, {_listed(found[-1])}")
    reached.append(policies.peak(counts))
    rows = [figures(found, n) for n in masks]
    for row in rows:
        row |= policies.roofline(counts, reached, int(row["masks"]), row["policy_s"])
    return {
        "agent": uri,
        "task": task,
        "cameras": list(agent.spec.cameras),
        "image_size": seen.size,
        "max_batch": agent.spec.max_batch,
        "noise_control": agent.spec.noise_control,
        "lazy": agent.spec.lazy,
        "single_s": statistics.median(r.single for r in found),
        "rows": rows,
        "roofline": policies.described(counts, reached),
        "machine": policies.machine(counts),
    }


def _round(agent: Any, seen: policies.Seen, masks: Sequence[int], seed: int) -> Round:
    single: list[float] = []
    explained, own = {}, {}
    for n in masks:
        single += _singles(agent, seen)
        with policies.watched(agent) as (proxy, spent):
            start = time.perf_counter()
            policies.explained(proxy, seen, n, seed)
            explained[n] = time.perf_counter() - start
        own[n] = sum(spent)
    return Round(statistics.median(single), explained, own)


def _singles(agent: Any, seen: policies.Seen) -> list[float]:
    """Seconds of some single inferences, taken before every explanation: what slows the machine meets both."""
    found = []
    for _ in range(SINGLES):
        start = time.perf_counter()
        policies.single(agent, seen)
        found.append(time.perf_counter() - start)
    return found


def _listed(one: Round) -> str:
    return ", ".join(f"N={n} {1e3 * s:.0f} ms" for n, s in one.explained.items())


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def parse_masks(text: str) -> tuple[int, ...]:
    """``"50,100"`` as numbers of at least 4, each once."""
    parts = [p.strip() for p in text.split(",")]
    if not all(p.isdigit() and int(p) >= 4 for p in parts) or len(set(parts)) < len(parts):
        raise ConfigurationError(
            f"masks {text!r} cannot be read; give numbers of at least 4, each once: 50,100,150,200"
        )
    return tuple(int(p) for p in parts)


def main(
    agent: Annotated[list[str], typer.Option(help="Agent URI; may be given several times.")],
    masks: Annotated[str, typer.Option(help="Numbers of masks, separated by commas.")] = ",".join(map(str, MASKS)),
    device: Annotated[str | None, typer.Option(help="cpu or cuda; default: what the agent takes.")] = None,
    task: Annotated[str, typer.Option(help="The task whose first observation is explained.")] = "close_jar",
    rounds: Annotated[int, typer.Option(min=1, help="Turns; medians over them are shown.")] = 5,
    out: Annotated[Path | None, typer.Option(help="Folder for iss_cost.md and iss_cost.json.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a program.")] = False,
) -> None:
    """Measure what an explanation costs against a single inference, print the table and write it.

    With --json: {"agents": [{agent, single_s, rows: [{masks, explained_s, slowdown, …}], roofline, machine}]}.
    """
    try:
        chosen = parse_masks(masks)
        command = " ".join(_command(agent, masks, device, task, rounds))
        found: dict[str, Any] = {"agents": [], "rounds": rounds, "command": command}
        folder = out or results_folder()
        for uri in agent:
            found["agents"].append(measure(uri, chosen, rounds, task, device))
            _write(folder, found)
    except HansGymError as error:
        _say(f"hansgym: {error}")
        raise typer.Exit(1) from error
    if as_json:
        print(json.dumps(found))
        return
    print(markdown(found))
    print(f"written to {folder / 'iss_cost.md'}")


def _write(folder: Path, found: dict[str, Any]) -> None:
    """What has been measured so far: a later agent that fails takes nothing of it away."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "iss_cost.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (folder / "iss_cost.md").write_text(markdown(found), encoding="utf-8")


def _command(agent: Sequence[str], masks: str, device: str | None, task: str, rounds: int) -> list[str]:
    threads = os.environ.get("OMP_NUM_THREADS", "")
    words = [f"OMP_NUM_THREADS={threads}"] if threads.isdigit() else []
    words += ["python -m hansgym.benchmarks.iss_cost", *(f"--agent {uri}" for uri in agent)]
    words += [] if masks == ",".join(map(str, MASKS)) else [f"--masks {masks}"]
    words += [] if device is None else [f"--device {device}"]
    words += [] if task == "close_jar" else [f"--task {task}"]
    return words + ([] if rounds == 5 else [f"--rounds {rounds}"])


if __name__ == "__main__":
    typer.run(main)
