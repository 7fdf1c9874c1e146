"""Ask an agent about many observations, in slices it can take."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from hansgym.abilities import ScoresTokens, TokenScores, check_scores
from hansgym.agent import Agent
from hansgym.agents.kernels.numpy import Blender
from hansgym.batch import Batch, MaskedBatch
from hansgym.errors import ConfigurationError
from hansgym.specs import check_chunk

Rows = Batch | MaskedBatch
Answer = TypeVar("Answer")


def evaluate(agent: Agent, batch: Batch | MaskedBatch, noise_seeds: Sequence[int] | np.ndarray) -> np.ndarray:
    """Chunks (N, horizon, dim) float64 of ``agent`` for every row of ``batch``.

    ``noise_seeds``: (N,) uint64, one per row. The agent gets at most ``spec.max_batch`` rows at a time, in equal
    slices; masked rows are blended here slice by slice unless the agent is ``lazy``. Each answer is checked: a wrong
    shape or dtype or a non-finite number raises :class:`hansgym.errors.ContractError`. What the agent raises passes
    through.
    """
    seeds = np.asarray(noise_seeds, np.uint64)
    if seeds.shape != (len(batch),):
        raise ConfigurationError(f"{len(batch)} rows need as many noise seeds, got an array of shape {seeds.shape}")
    if len(batch) == 0:
        return np.empty((0, agent.spec.horizon, agent.spec.action.dim))

    def ask(rows: Rows, part: slice) -> np.ndarray:
        return check_chunk(agent.act(rows, seeds[part]), len(rows), agent.spec)

    return np.concatenate(_in_slices(agent, batch, ask))


def score(agent: ScoresTokens, batch: Batch | MaskedBatch, tokens: np.ndarray) -> TokenScores:
    """How probable the one action ``tokens`` (A,) is under every row of ``batch`` (one or more), asked like
    :func:`evaluate` and checked as strictly.
    """

    def ask(rows: Rows, part: slice) -> TokenScores:
        return check_scores(agent.score_tokens(rows, tokens), len(rows), agent.spec, tokens)

    parts = _in_slices(agent, batch, ask)
    said, logp, mass = (np.concatenate([getattr(p, n) for p in parts]) for n in ("tokens", "logp", "mass"))
    return TokenScores(said, logp, mass, parts[0].gripper)


def _in_slices(agent: Agent, batch: Rows, ask: Callable[[Rows, slice], Answer]) -> list[Answer]:
    """``ask(rows, part)`` for each slice of ``batch`` that the agent takes, blended unless it is ``lazy``."""
    blender = Blender(batch) if isinstance(batch, MaskedBatch) and not agent.spec.lazy else None
    # The rows are not named here, so that one slice's images are gone before the next are blended.
    return [
        ask(blender.rows(part) if blender is not None else _take(batch, part), part)
        for part in _slices(len(batch), agent.spec.max_batch)
    ]


def _slices(size: int, most: int) -> list[slice]:
    """The fewest slices of at most ``most`` rows, as equal as can be."""
    count = -(-size // most)
    edges = [size * k // count for k in range(count + 1)]
    return [slice(a, b) for a, b in itertools.pairwise(edges)]


def _take(batch: Batch | MaskedBatch, part: slice) -> Batch | MaskedBatch:
    if part == slice(0, len(batch)):
        return batch
    return batch.take(part) if isinstance(batch, MaskedBatch) else batch.take(np.arange(part.start, part.stop))
