"""What the conformance checks work with: the agent under test, what to show it, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from hansgym.agent import Agent
from hansgym.agents.kernels.numpy import materialise
from hansgym.batch import Batch, MaskedBatch
from hansgym.seeds import stream
from hansgym.specs import ActionSpec, AgentSpec, check_chunk

ROUNDING_SHARE = 0.05
"""Pictures blended elsewhere differ by a grey level, and batches of another size are rounded otherwise: how much of the
masks' own effect this may amount to."""


@dataclass(frozen=True)
class Finding:
    """What a check found; ``value`` is the number behind the words (action units, or seconds)."""

    status: Literal["pass", "fail", "note"]
    message: str
    value: float | None = None


class Skip(Exception):
    """This check does not apply; the text says why."""


@dataclass(frozen=True)
class Probe:
    """An agent and what to show it."""

    agent: Agent
    spec: AgentSpec
    batch: Batch
    seeds: np.ndarray
    tolerance: float
    environment: ActionSpec | None

    def ask(self, batch: Batch | MaskedBatch | None = None, seeds: np.ndarray | None = None) -> np.ndarray:
        """The agent's checked answer, in slices of at most its ``max_batch`` rows."""
        batch = self.batch if batch is None else batch
        seeds = self.seeds if seeds is None else seeds
        parts = []
        for start in range(0, len(batch), self.spec.max_batch):
            pick = np.arange(start, min(start + self.spec.max_batch, len(batch)))
            part = batch if len(pick) == len(batch) else batch.take(pick)
            parts.append(check_chunk(self.agent.act(part, seeds[pick].copy()), len(pick), self.spec).copy())
        return np.concatenate(parts)

    def restart(self) -> None:
        """All lanes at the beginning of an episode."""
        self.agent.reset([int(r) for r in self.batch.rows], [100 + k for k in range(len(self.batch))])

    @cached_property
    def clean(self) -> np.ndarray:
        """(B, horizon, dim): what the agent answers to the batch at the beginning."""
        self.restart()
        return self.ask()

    @cached_property
    def masked(self) -> MaskedBatch:
        """Eight views of the first row, half of whose cells are hidden."""
        base, rng = self.batch.take([0]), stream(0, "check-masks")
        return MaskedBatch(base, {c: (rng.random((8, 7, 7)) < 0.5).astype(np.uint8) for c in base.images})

    @cached_property
    def masks_move(self) -> float:
        """How far these masks, blended here, move the chunk at most: what rounding is measured against."""
        return furthest(self.answers_to_masked, self.clean[:1])

    @cached_property
    def answers_to_masked(self) -> np.ndarray:
        """(8, horizon, dim): answers to :attr:`masked`, blended here."""
        return self.ask(materialise(self.masked), np.repeat(self.seeds[:1], len(self.masked)))

    def needs_repeatable(self) -> None:
        """Skip what cannot be asked of an agent that declares unpaired noise."""
        if self.spec.noise_control == "none":
            raise Skip("the agent declares noise_control='none', so its answers need not repeat")

    def needs_row_noise(self) -> None:
        """Skip what only holds where each row has a noise of its own."""
        if self.spec.noise_control in ("none", "rng"):
            raise Skip(f"noise_control={self.spec.noise_control!r} ties a row's noise to its batch")


def furthest(a: np.ndarray, b: np.ndarray) -> float:
    """Largest absolute difference."""
    return float(np.abs(np.asarray(a) - np.asarray(b)).max())


def same(probe: Probe, a: np.ndarray, b: np.ndarray, good: str, bad: str) -> Finding:
    gap = furthest(a, b)
    if gap == 0.0:
        return Finding("pass", f"{good} (bit-equal)", gap)
    if gap <= probe.tolerance:
        return Finding("pass", f"{good} (not bit-equal: rounding up to {gap:.1e})", gap)
    return Finding("fail", f"{bad} (largest difference {gap:.3g})", gap)


def rounded(probe: Probe, a: np.ndarray, b: np.ndarray, good: str, bad: str) -> Finding:
    """As :func:`same`, for batches of two sizes: processors of low precision round each in its own way, which does no
    harm while it is little beside what masks do to the chunk.
    """
    found = same(probe, a, b, good, bad)
    if found.status == "pass" or probe.masks_move == 0:
        return found
    share = (found.value or 0.0) / probe.masks_move
    told = f"of what masks do ({probe.masks_move:.3g})"
    if share <= ROUNDING_SHARE:
        return Finding("pass", f"{good}, but for rounding up to {found.value:.1e}, {share:.1%} {told}", found.value)
    return Finding("fail", f"{bad} (largest difference {found.value:.3g}, {share:.0%} {told})", found.value)


def copied(batch: Batch) -> Batch:
    """A batch that shares no memory with ``batch``."""
    images = {k: v.copy() for k, v in batch.images.items()}
    state = {k: v.copy() for k, v in batch.state.items()}
    privileged = {k: np.array(v) for k, v in batch.privileged.items()}
    return Batch(images, state, batch.instructions, batch.rows.copy(), privileged)


def sliced(batch: Batch, pick: slice) -> Batch:
    """Views of the rows ``pick``, so that what an agent writes is seen in ``batch``."""
    if pick.stop - pick.start == len(batch):
        return batch
    images, state, privileged = (
        {k: v[pick] for k, v in d.items()} for d in (batch.images, batch.state, batch.privileged)
    )
    return Batch(images, state, batch.instructions[pick], batch.rows[pick], privileged)


def pairs(a: Batch, b: Batch) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(name, array of ``a``, array of ``b``) for every array of the two."""
    named = [("rows", a.rows, b.rows)]
    for mine, theirs in ((a.images, b.images), (a.state, b.state), (a.privileged, b.privileged)):
        named += [(k, mine[k], theirs[k]) for k in theirs]
    return named
