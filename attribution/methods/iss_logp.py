"""``iss_logp``: centred ISS of how probable the action still is, for policies that speak in action tokens.

With a* the A tokens of the action that the policy takes on the clean view, the effect of mask k is

    delta_k = 1/A * sum_t (log p(a*_t | a*_<t, clean) - log p(a*_t | a*_<t, mask k))^2    in nat^2.

A greedily decoded action moves only where another token overtakes the first; its probability moves with every change
that the policy sees. All masks take one forward pass instead of one per token.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from hansgym.abilities import ScoresTokens, TokenScores, check_said
from hansgym.attribution import iss_core
from hansgym.attribution.evaluate import score
from hansgym.attribution.method import CellScores, Method, Question

RESOLUTION_NAT = 1e-4  # logits of some tens in float32 are that exact


def explain(question: Question) -> CellScores:
    """C_i = 1/((N - 1) q) * sum_k (delta_k - mean delta) ((1 - m_ki) - q), with delta_k as above."""
    return iss_core.explain(question, iss_core.centred, logp_effects)


def logp_effects(question: Question, bits: dict[str, np.ndarray]) -> iss_core.Measured:
    """How far masks move the probability of the clean view's action.

    The clean view is asked twice: for its action, token by token, and beside the masked ones for its probability.
    """
    agent, known = cast(ScoresTokens, question.agent), question.clean_chunk
    said = agent.act_tokens(question.base, np.array([question.noise_seed], np.uint64))
    chunk, tokens = check_said(said, 1, agent.spec)
    views = iss_core.masked(question, bits, clean=True)
    moved = effects(score(agent, views, tokens[0]))
    return iss_core.Measured(moved, chunk[0] if known is None else known, 1 + len(views) + (known is not None))


def effects(scores: TokenScores) -> iss_core.Effects:
    """Effects of masks from the scores of the clean view, the first row, and of the N masked ones, the others."""
    squared = (scores.logp[1:] - scores.logp[:1]) ** 2
    gripper = None if scores.gripper is None else squared[:, scores.gripper] / squared.shape[1]
    return iss_core.Effects(squared.mean(axis=1), gripper, RESOLUTION_NAT, "how probable the action is")


METHOD = Method(
    "iss_logp",
    "centred log-probability ISS",
    explain,
    exact_for="E[delta | cell hidden] - E[delta], delta in nat^2, any policy of action tokens",
    needs=ScoresTokens,
)
