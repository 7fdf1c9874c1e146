"""Conformance checks: does an agent do what it declares, and what exactly is off if not.

>>> report = check_agent("python:my_policy:MyPolicy")
>>> print(report)

Without observations of its own it shows the agent synthetic ones, so it needs no simulator; give it a batch of real
observations to see how the agent behaves on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from hansgym.agent import Agent
from hansgym.agents import _checks
from hansgym.agents._checks import KNOWN_NEEDS
from hansgym.agents._diagnosis_report import Diagnosis
from hansgym.agents._probe import Finding, Probe, Skip
from hansgym.agents.diagnosis import Replay, diagnose
from hansgym.agents.registry import make_agent
from hansgym.batch import STATE_KEYS, Batch
from hansgym.errors import ConfigurationError
from hansgym.seeds import seed_of, stream
from hansgym.specs import ActionSpec, AgentSpec

Status = Literal["pass", "fail", "note", "skip"]

TOLERANCE = 1e-4
"""Largest difference (action units) that counts as rounding where an agent has to repeat itself."""

SYNTHETIC_PX = 128
"""Size of synthetic images for an agent that takes any."""


@dataclass(frozen=True)
class Check:
    """One check: ``fail`` breaks a promise, ``note`` is worth knowing, ``skip`` says why it could not be made."""

    name: str
    status: Status
    message: str
    value: float | None = None


@dataclass(frozen=True)
class CheckReport:
    """All checks of one agent. ``ok`` when none failed; :meth:`to_json` gives plain dicts, lists and numbers.

    ``plumbing``: how its answers compare with the expert's, if there was a replay to compare on.
    """

    agent: str
    declared: dict[str, Any]
    checks: tuple[Check, ...] = field(default_factory=tuple)
    plumbing: Diagnosis | None = None

    @property
    def ok(self) -> bool:
        """Whether no check failed."""
        return not self.failed

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the checks that failed."""
        return tuple(c.name for c in self.checks if c.status == "fail")

    def check(self, name: str) -> Check:
        """The check called ``name``."""
        return next(c for c in self.checks if c.name == name)

    def to_json(self) -> dict[str, Any]:
        """``{agent, ok, declared, checks: [{name, status, message, value}]}``, and ``plumbing`` after a replay."""
        checks = [{"name": c.name, "status": c.status, "message": c.message, "value": c.value} for c in self.checks]
        told: dict[str, Any] = {"agent": self.agent, "ok": self.ok, "declared": self.declared, "checks": checks}
        return told if self.plumbing is None else {**told, "plumbing": self.plumbing.to_json()}

    def __str__(self) -> str:
        width = max((len(c.name) for c in self.checks), default=0)
        lines = [f"{c.status:4s}  {c.name:{width}s}  {c.message}" for c in self.checks]
        verdict = "does what it declares" if self.ok else f"breaks its word in: {', '.join(self.failed)}"
        table = [] if self.plumbing is None else [str(self.plumbing)]
        return "\n".join([*table, *lines, f"{self.agent} {verdict}"])


def check_agent(
    agent: str | Agent,
    batch: Batch | None = None,
    *,
    action: ActionSpec | None = None,
    replay: Replay | None = None,
    seed: int = 0,
    tolerance: float = TOLERANCE,
    **options: Any,
) -> CheckReport:
    """Check an agent, given itself or by URI (``options`` go to its maker).

    ``batch``: at least two rows of observations that the agent can take, on lanes 0, 1, …, with the privileged inputs
    it needs; synthetic ones by default. ``action``: the environment's action contract, compared with the agent's.
    ``replay``: moments of expert episodes, to tell the policy from the plumbing (check ``plumbing``).
    """
    name = agent if isinstance(agent, str) else type(agent).__name__
    if isinstance(agent, str):
        agent = make_agent(agent, **options)
    spec = getattr(agent, "spec", None)
    first = _run("spec", _checks.spec, agent)
    if first.status == "fail" or not isinstance(spec, AgentSpec):
        return CheckReport(name, {}, (first, *_unmade(_checks.CHECKS, "the spec is not sound")))
    batch = synthetic_batch(spec, seed=seed) if batch is None else batch
    if len(batch) < 2:
        raise ConfigurationError("checks compare rows: give a batch of at least two observations")
    seeds = np.array([seed_of(seed, "check", row) for row in range(len(batch))], np.uint64)
    probe = Probe(agent, spec, batch, seeds, tolerance, action)
    made = [first, *_run_all(probe)]
    told: list[Diagnosis] = []
    if replay is not None:
        made += _plumbed(probe, replay, made, told)
    return CheckReport(name, declared(spec), tuple(made), told[0] if told else None)


def declared(spec: AgentSpec) -> dict[str, Any]:
    """What ``spec`` says, as plain values."""
    return {
        "name": spec.name,
        "control": spec.action.mode,
        "horizon": spec.horizon,
        "action_dim": spec.action.dim,
        "cameras": list(spec.cameras),
        "image_size": spec.image_size,
        "noise_control": spec.noise_control,
        "max_batch": spec.max_batch,
        "needs": sorted(spec.needs),
        "lazy": spec.lazy,
    }


def _plumbed(probe: Probe, replay: Replay, made: list[Check], told: list[Diagnosis]) -> list[Check]:
    """The check ``plumbing``; what was found out is put into ``told``."""
    broken = [c.name for c in made if c.status == "fail" and c.name in ("answer", "contract")]
    if broken:
        return _unmade(["plumbing"], f"{broken[0]} failed")

    def check(subject: Probe) -> Finding:
        found = diagnose(subject.agent, replay)
        told.append(found)
        # A mistake that explains the difference fails; an input without effect may be the policy's own choice.
        status: Literal["pass", "fail", "note"] = "fail" if found.found else "pass" if found.like_the_expert else "note"
        return Finding(status, found.message, found.before.arm if np.isfinite(found.before.arm) else None)

    return [_run("plumbing", check, probe)]


def _run_all(probe: Probe) -> list[Check]:
    done = [_run("answer", _checks.answer, probe)]
    if done[0].status == "fail":
        rest = [name for name in _checks.CHECKS if name != "answer"]
        return done + _unmade(rest, "the agent gives no valid answer")
    return done + [_run(name, check, probe) for name, check in _checks.CHECKS.items() if name != "answer"]


def _run(name: str, check: Any, subject: Any) -> Check:
    try:
        finding: Finding = check(subject)
    except Skip as reason:
        return Check(name, "skip", str(reason))
    except Exception as error:  # the agent's own code runs in here and may raise anything
        return Check(name, "fail", f"raised {type(error).__name__}: {error}")
    return Check(name, finding.status, finding.message, finding.value)


def _unmade(names: Sequence[str] | dict[str, Any], why: str) -> list[Check]:
    return [Check(name, "skip", f"not made: {why}") for name in names]


# ---------------------------------------------------------------- synthetic observations

HOME_RAD = (0.0, 0.1752, 0.0, -0.8732, 0.0, 1.2216, 0.7854)
HOME_TIP = (0.2785, -0.0082, 1.4719, 0.0, 0.9927, 0.0, 0.1209)
INSTRUCTIONS = ("close the red jar", "open the top drawer", "slide the block to green target", "close microwave")


def synthetic_batch(spec: AgentSpec, rows: int = 4, seed: int = 0) -> Batch:
    """``rows`` different observations such as ``spec`` takes: cloudy pictures, the arm near its home pose."""
    rng = stream(seed, "synthetic-observations")
    size = spec.image_size or SYNTHETIC_PX
    images = {c: np.stack([_picture(size, rng) for _ in range(rows)]) for c in spec.cameras}
    joints = np.array(HOME_RAD) + rng.uniform(-0.05, 0.05, (rows, 7))
    tip = np.array(HOME_TIP) + np.pad(rng.uniform(-0.05, 0.05, (rows, 3)), ((0, 0), (0, 4)))
    opening = (np.arange(rows) % 2)[:, None]
    values = (joints, rng.uniform(-0.1, 0.1, (rows, 7)), opening, tip)
    state = {k: np.asarray(v, np.float32) for k, v in zip(STATE_KEYS, values, strict=True)}
    instructions = tuple(INSTRUCTIONS[row % len(INSTRUCTIONS)] for row in range(rows))
    privileged = {n: _privileged(spec, joints, rng) for n in spec.needs & KNOWN_NEEDS}
    return Batch(images, state, instructions, np.arange(rows), privileged)


def _picture(size: int, rng: np.random.Generator) -> np.ndarray:
    """(size, size, 3) uint8 with structure at several scales, as pictures have and noise has not."""
    import cv2

    total = np.zeros((size, size, 3), np.float32)
    for cells in (3, 7, 20):
        total += cv2.resize(rng.uniform(0, 85, (cells, cells, 3)).astype(np.float32), (size, size))
    return total.clip(0, 255).astype(np.uint8)


def _privileged(spec: AgentSpec, joints: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    chunk = rng.uniform(-0.01, 0.01, (len(joints), max(16, spec.horizon), spec.action.dim))
    if spec.action.mode == "joint_position":
        chunk[..., :7] += joints[:, None]
    chunk[..., -1] = 1.0
    return chunk
