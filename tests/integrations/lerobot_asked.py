"""Agents of tiny random checkpoints of every kind of LeRobot's policies, for the tests of them."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import lerobot_kinds as kinds
import lerobot_kinds_more as more
import lerobot_tiny as tiny
import pytest

from hansgym.agents import _lerobot_kinds as adapter
from hansgym.agents.lerobot import LeRobotAgent
from hansgym.agents.registry import make_agent

LEROBOT = metadata.version("lerobot")
OLD = LEROBOT.startswith("0.4")


@dataclass(frozen=True)
class Kind:
    """``build(folder)``; ``says``: noise control, how it gets in, chunk length. ``gemma``: the words of its PaliGemma.
    ``tolerance``: some round to eight bits whatever they are told. ``words``: whether it is told any.
    """

    build: Callable[[Path], Path]
    says: tuple[str, str, int]
    of: str = ""
    gemma: int = 0
    tolerance: float = 1e-4
    words: bool = True


KINDS = {
    "act": Kind(tiny.act, ("deterministic", "untouched", 12), words=False),
    "diffusion": Kind(tiny.diffusion, ("exact", "inside", 8), words=False),
    "smolvla": Kind(tiny.smolvla, ("exact", "argument", 10)),
    "pi05": Kind(kinds.pi05, ("exact", "argument", 10), gemma=kinds.NUMERALS),
    "vqbet": Kind(kinds.vqbet, ("rng", "generator", 4), words=False),
    "xvla": Kind(kinds.xvla, ("exact", "inside", 6)),
    "pi0": Kind(kinds.pi0, ("exact", "argument", 10), gemma=64),
    "pi0_fast": Kind(kinds.pi0_fast, ("deterministic", "untouched", 5), gemma=kinds.FAST_WORDS),
    "multi_task_dit": Kind(kinds.multi_task_dit, ("exact", "inside", 6)),
    "dit flow": Kind(
        lambda f: kinds.multi_task_dit(f, objective="flow_matching"), ("exact", "inside", 6), "multi_task_dit"
    ),
    "groot": Kind(more.groot, ("exact", "inside", 10)),
    "eo1": Kind(more.eo1, ("exact", "inside", 6)),
    "evo1": Kind(more.evo1, ("exact", "inside", 6)),
    "vla_jepa": Kind(more.vla_jepa, ("exact", "inside", 4), tolerance=0.05),
}


@dataclass
class Made:
    """The agent of a kind, made in ``root`` when it is first asked for; a LeRobot that has none of the kind skips."""

    root: Path
    known: dict[str, LeRobotAgent] = field(default_factory=dict)

    def __call__(self, name: str) -> LeRobotAgent:
        if name not in self.known:
            kind = KINDS[name]
            needs(kind.of or name)
            with small(name):
                kind.build(self.root / name)
                self.known[name] = agent(self.root / name)
        return self.known[name]


def needs(kind: str) -> None:
    if OLD and adapter.TESTED[kind] != LEROBOT:
        pytest.skip(f"{kind}: LeRobot {LEROBOT} has another, or none that its own packages run; 0.6.1 runs this test")
    if kind == "groot":
        pytest.importorskip("tree", reason="GR00T needs dm-tree, which `make test-lerobot` installs")


def small(name: str) -> contextlib.AbstractContextManager[Any]:
    gemma = KINDS[name].gemma if name in KINDS else 0
    return kinds.small_gemma(name, gemma) if gemma else contextlib.nullcontext()


def agent(folder: Path, **options: Any) -> LeRobotAgent:
    chosen = {} if "mapping" in options else {"control": "joint_position"}
    found = make_agent(f"lerobot:{folder}", **{**chosen, "device": "cpu", "max_batch": 8, **options})
    assert isinstance(found, LeRobotAgent)
    return found


def copied(folder: Path, to: Path) -> Path:
    return shutil.copytree(folder, to / "copy")


def step_of(folder: Path, name: str, change: Callable[[dict[str, Any]], Any], where: str = "pre") -> None:
    """Change the settings of the processor ``name`` of a checkpoint."""

    def edit(table: dict[str, Any]) -> None:
        change(next(s for s in table["steps"] if s.get("registry_name") == name)["config"])

    tiny.edit(folder / f"policy_{where}processor.json", edit)
