"""What some policies can do beyond acting, each a small protocol of its own: ask with ``isinstance(agent, ...)``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from hansgym.batch import Batch, MaskedBatch


@dataclass(frozen=True)
class TokenScores:
    """What a policy that speaks in tokens thinks of B actions of A tokens each.

    ``tokens``: (B, A) int64, the actions. ``logp``: (B, A) float64, the natural logarithm of each token's probability
    among all tokens, given the observation and the tokens before it. ``mass``: (B, A) float64, the probability of all
    action tokens together at that place: where it is far from 1 the policy is not about to act at all.
    """

    tokens: np.ndarray
    logp: np.ndarray
    mass: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """(B,) float64: the log-probability of the whole action."""
        total: np.ndarray = self.logp.sum(axis=1)
        return total


@runtime_checkable
class ScoresTokens(Protocol):
    """An agent that knows how probable an action is."""

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
