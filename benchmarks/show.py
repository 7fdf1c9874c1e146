"""What the command line shows: the table of a run, and observations for an agent to be checked with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from rich.console import Console
from rich.table import Table

from hansgym.agents.registry import make_agent
from hansgym.batch import Batch
from hansgym.benchmarks import listing
from hansgym.benchmarks.aggregate import with_interval
from hansgym.envs.registration import env_id

if TYPE_CHECKING:
    import pandas


def print_run(frame: pandas.DataFrame) -> None:
    """The table of a run for a person."""
    summary, details = frame.attrs["summary"], frame.attrs["details"]
    table = Table("task", "success", "n", "errors", "nmr@10", "ner")
    for name, row in [*summary["tasks"].items(), *([("all", summary)] if len(summary["tasks"]) > 1 else [])]:
        table.add_row(
            *(name, with_interval(row["success"], row["interval"]), str(row["n"]), str(row["errors"])),
            with_interval(row["nmr@10"], row["nmr_interval"]),
            with_interval(row["ner"], row["ner_interval"]),
        )
    console = Console()
    console.print(table)
    console.print("Brackets: 95 % intervals.")
    if details["nuisance_area"] is not None:
        nulls = f"; {details['nmr_nulls']} decisions had none" if details["nmr_nulls"] else ""
        console.print(f"A random map would score nmr {details['nuisance_area']:.2f}{nulls}.")
    if details["effects"]["text"]:
        console.print(f"Worst nuisance factor: {details['effects']['text']}.")
    for label in frame.attrs.get("labels", ()):
        console.print(f"Label: {label}.", markup=False)
    if summary["errors"]:
        reasons = frame["error"].dropna().value_counts()
        console.print("\n".join(f"{count} x {reason}" for reason, count in reasons.items()), markup=False)
        console.print(f"Traces: {summary['run']}/errors.log", markup=False, soft_wrap=True)
    console.print(f"Run: {summary['run']}", markup=False, soft_wrap=True)


def observed(uri: str, task: str) -> dict[str, Any]:
    """Four first observations of ``task``, as the agent would get them, and the environment's action contract."""
    listing.check_task(task)
    spec = make_agent(uri).spec
    env: Any = gym.make(
        env_id(task), cameras=spec.cameras, image_size=spec.image_size or 224, control=spec.action.mode
    ).unwrapped
    seen, words, privileged = [], [], []
    for seed in range(4):
        observation, info = env.reset(seed=seed)
        seen.append(observation)
        words.append(info["instruction"])
        privileged.append({need: getattr(env, need)(spec.horizon) for need in spec.needs})
    env.close()
    batch = Batch.from_observations(
        seen, words, spec.cameras, privileged={k: np.stack([p[k] for p in privileged]) for k in spec.needs}
    )
    return {"batch": batch, "action": env.action_spec}
