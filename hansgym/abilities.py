"""What some policies can do beyond acting, each a small protocol of its own: ask with ``isinstance(agent, ...)``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from hansgym.agent import Agent
from hansgym.batch import Batch, MaskedBatch
from hansgym.errors import ContractError
from hansgym.specs import AgentSpec, check_chunk

ABOVE_CERTAIN_NAT = 1e-3
"""How far rounding may lift a log-probability above 0, which is certainty."""


@dataclass(frozen=True)
class TokenScores:
    """What a policy that speaks in tokens thinks of B actions of A tokens each.

    ``tokens``: (B, A) int64, the actions. ``logp``: (B, A) float64, the natural logarithm of each token's probability
    among all tokens, given the observation and the tokens before it. ``mass``: (B, A) float64, the probability of all
    action tokens together at that place: where it is far from 1 the policy is not about to act at all. ``gripper``: the
    place, from 0 to A - 1, of the token that says what the gripper does, or None where no token is the gripper's alone.
    """

    tokens: np.ndarray
    logp: np.ndarray
    mass: np.ndarray
    gripper: int | None = None

    @property
    def total(self) -> np.ndarray:
        """(B,) float64: the log-probability of the whole action."""
        total: np.ndarray = self.logp.sum(axis=1)
        return total


@runtime_checkable
class ScoresTokens(Agent, Protocol):
    """An agent that speaks in action tokens and knows how probable an action is.

    As to :meth:`hansgym.agent.Agent.act`, only agents with ``spec.lazy`` are ever given a :class:`MaskedBatch`, and no
    more than ``spec.max_batch`` rows.
    """

    def act_tokens(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What ``act`` answers, (B, horizon, dim), and the tokens that it is made of, (B, A) whole numbers."""
        ...

    def score_tokens(self, batch: Batch | MaskedBatch, tokens: np.ndarray | None = None) -> TokenScores:
        """Scores of ``tokens``, (B, A) or one action (A,) for all rows, under the rows of ``batch``; None: its own.

        One forward pass for all rows, whatever their number of tokens, so that N masked views of an observation can be
        asked how probable the clean view's action still is.
        """
        ...


@runtime_checkable
class HasNetwork(Protocol):
    """An agent whose policy computes in this process, behind one method: measurements tell its time from the rest."""

    @property
    def network(self) -> tuple[Any, str]:
        """The object and the name of its method that does the policy's own work, and nothing else."""
        ...


def check_said(said: tuple[np.ndarray, np.ndarray], rows: int, spec: AgentSpec) -> tuple[np.ndarray, np.ndarray]:
    """Return what ``act_tokens`` answered as float64 (rows, horizon, dim) and int64 (rows, A), or raise
    :class:`ContractError` saying what is off.
    """
    if not isinstance(said, tuple) or len(said) != 2:
        raise ContractError(
            f"agent {spec.name!r} returned a {type(said).__name__} from act_tokens; a pair (chunks, tokens) was due"
        )
    return check_chunk(said[0], rows, spec), _tokens(said[1], rows, spec)


def check_scores(scores: TokenScores, rows: int, spec: AgentSpec, tokens: np.ndarray | None = None) -> TokenScores:
    """Return ``scores`` of ``rows`` rows, its arrays of the documented dtypes, or raise :class:`ContractError`.

    ``tokens``: what was asked for, (rows, A) or (A,); None: the agent's own.
    """
    if not isinstance(scores, TokenScores):
        raise ContractError(
            f"agent {spec.name!r} returned a {type(scores).__name__} from score_tokens; a TokenScores was due"
        )
    said = _tokens(scores.tokens, rows, spec)
    width = said.shape[1]
    if tokens is not None and (np.shape(tokens)[-1] != width or (said != tokens).any()):
        raise ContractError(f"agent {spec.name!r} scored other tokens than it was given; those given must be scored")
    logp, mass = (_numbers(n, getattr(scores, n), said.shape, spec) for n in ("logp", "mass"))
    if logp.max() > ABOVE_CERTAIN_NAT:
        raise ContractError(
            f"agent {spec.name!r} returned logp up to {logp.max():g}; a logarithm of a probability, 0 at most, was due"
        )
    if scores.gripper is not None and not 0 <= scores.gripper < width:
        raise ContractError(f"agent {spec.name!r} has its gripper at token {scores.gripper}; 0 to {width - 1} was due")
    return TokenScores(said, logp, mass, scores.gripper)


def _tokens(tokens: np.ndarray, rows: int, spec: AgentSpec) -> np.ndarray:
    array = np.asarray(tokens)
    if array.dtype.kind not in "iu" or array.ndim != 2 or len(array) != rows or array.size == 0:
        raise ContractError(
            f"agent {spec.name!r} returned tokens of shape {array.shape} and dtype {array.dtype}; whole numbers of "
            f"shape (rows, tokens of an action) = ({rows}, 1 or more) were due"
        )
    return array.astype(np.int64)


def _numbers(name: str, values: np.ndarray, due: tuple[int, ...], spec: AgentSpec) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind not in "fiu" or array.shape != due:
        raise ContractError(
            f"agent {spec.name!r} returned {name} of shape {array.shape} and dtype {array.dtype}; numbers of shape "
            f"(rows, tokens) = {due} were due"
        )
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ContractError(
            f"agent {spec.name!r} returned {name} {array[where]} at (row, token) = {where}; it must be finite"
        )
    return array.astype(np.float64)
