"""Saliency of how probable an action is, against its closed form; the slow reference is in ``test_iss.py``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from attribution_toys import GRID, TokenAgent, centre, observation, reads_cells, speaks_of_cells

from hansgym.abilities import ScoresTokens, TokenScores
from hansgym.agents.kernels.numpy import blur, materialise
from hansgym.attribution.evaluate import score
from hansgym.attribution.explain import explain
from hansgym.attribution.method import method
from hansgym.batch import Batch, MaskedBatch
from hansgym.errors import ConfigurationError, ContractError

P, Q = 0.3, 0.7
CELLS = {("front", 1, 2): 0.3, ("front", 4, 3): 0.6, ("front", 5, 5): 0.45, ("front", 0, 6): 0.3}


def parts(base: Batch) -> dict[tuple[int, int], float]:
    """What hiding each cell adds to delta: (its token's surprise, sharp minus blurred)^2 / number of tokens."""
    image = base.images["front"][0]
    found = {}
    for (_, i, j), weight in CELLS.items():
        y, x = centre((i, j))
        gap = weight * (float(image[y, x, 0]) - float(blur(image, 10.0)[y, x, 0])) / 255.0
        found[i, j] = gap**2 / len(CELLS)
    return found


def test_additive_log_probabilities_are_unbiased_with_honest_standard_errors() -> None:
    """delta = sum of a_i over hidden cells: E[C_i] = p a_i for the cells read, 0 for others, and E[delta] = q sum a."""
    agent, base = speaks_of_cells(CELLS), observation(2)
    truth = np.zeros((GRID, GRID))
    for cell, part in parts(base).items():
        truth[cell] = P * part
    found = [explain(agent, base, "iss_logp", seed=s)[0] for s in range(200)]
    maps = np.stack([r.cells["front"] for r in found])
    z = (maps - truth) / np.stack([r.stderr["front"] for r in found])
    bias = (maps.mean(axis=0) - truth) / (maps.std(axis=0, ddof=1) / np.sqrt(len(maps)))
    assert np.abs(bias).max() < 4.5, "49 cells: a z-score beyond 4.5 is no accident"
    assert abs(z.mean()) < 0.05
    assert 0.9 < z.std() < 1.1
    assert np.mean([r.mean_effect for r in found]) == pytest.approx(Q * sum(parts(base).values()), rel=0.02)


def test_it_sees_what_greedy_decoding_hides() -> None:
    agent, base = speaks_of_cells(CELLS), observation(2)
    assert explain(agent, base, "iss")[0].mean_effect == 0, "the action never changes"
    assert explain(agent, base, "iss_logp")[0].split_half is not None


def test_what_is_asked_how_often() -> None:
    """The clean view once for its action, once beside the masked ones; a known answer is kept, its tokens asked."""
    agent, base = speaks_of_cells(CELLS, max_batch=64), observation(7)
    first = explain(agent, base, "iss_logp", n_masks=100)[0]
    assert agent.calls == [1, 50, 51]
    assert first.evaluations == 102
    known = first.clean_chunk + 0.25
    agent.calls.clear()
    again = explain(agent, base, "iss_logp", n_masks=100, clean_chunks=known[None])[0]
    assert sum(agent.calls) == 102
    assert again.evaluations == 103, "whoever asked for the known one"
    np.testing.assert_array_equal(again.clean_chunk, known)
    np.testing.assert_array_equal(again.cells["front"], first.cells["front"])


def test_the_grippers_part_is_that_of_the_token_that_the_agent_names() -> None:
    agent, base = speaks_of_cells(CELLS), observation(2)
    assert explain(agent, base, "iss_logp")[0].gripper_share is None
    shares = []
    for agent.gripper in range(len(CELLS)):
        shares.append(explain(agent, base, "iss_logp", n_masks=2000)[0].gripper_share)
    due = np.array(list(parts(base).values())) / sum(parts(base).values())
    assert sum(shares) == pytest.approx(1)
    np.testing.assert_allclose(shares, due, atol=0.02)


@pytest.mark.parametrize(
    ("weight", "reason"), [(0.0, "no mask changed how probable the action is"), (1e-5, "no mask changed"), (0.01, None)]
)
def test_rounding_is_no_effect(weight: float, reason: str | None) -> None:
    found = explain(speaks_of_cells({("front", 2, 2): weight}), observation(2), "iss_logp", n_masks=50)[0]
    assert (found.split_half is None) == (reason is not None)
    base = observation(2)
    regions = {"front": np.zeros(base.images["front"].shape[:3], np.uint8)}
    read = explain(speaks_of_cells({("front", 2, 2): weight}), base, "iss_logp", n_masks=50, regions=regions)[0]
    assert (read.nmr_reason or "").startswith(reason or "")
    assert (read.nmr_reason is None) == (reason is None)


def test_lazy_agents_get_the_masks_and_others_the_pictures() -> None:
    class Lazy(TokenAgent):
        def surprise(self, batch: Batch | MaskedBatch) -> np.ndarray:
            return super().surprise(materialise(batch) if isinstance(batch, MaskedBatch) else batch)

    plain, base = speaks_of_cells(CELLS), observation(4)
    lazy = Lazy(plain.readout, lazy=True)
    due = explain(plain, base, "iss_logp")[0]
    np.testing.assert_array_equal(explain(lazy, base, "iss_logp")[0].cells["front"], due.cells["front"])


def test_an_agent_without_tokens_is_told_which_methods_work() -> None:
    agent = reads_cells({("front", 1, 2): 1.0})
    with pytest.raises(
        ConfigurationError,
        match=r"'iss_logp' needs hansgym.abilities.ScoresTokens, and agent 'toy' lacks its "
        r"act_tokens and score_tokens; choose one .*: iss, iss_published$",
    ):
        explain(agent, observation(), "iss_logp")
    assert agent.calls == []
    method("iss_logp").check(speaks_of_cells(CELLS))


def half(scores: TokenScores) -> TokenScores:
    return replace(scores, logp=scores.logp[:, :2])


BAD: Mapping[str, tuple[Any, str]] = {
    "shape": (half, r"logp of shape \(4, 2\) .* \(rows, tokens\) = \(4, 4\) were due"),
    "nan": (lambda s: replace(s, logp=np.where(s.tokens == 0, np.nan, 0)), r"logp nan at \(row, token\) = \(0, 0\)"),
    "impossible": (lambda s: replace(s, logp=np.full((4, 4), -np.inf)), "logp -inf"),
    "probabilities": (lambda s: replace(s, logp=np.exp(s.logp)), "a logarithm of a probability, 0 at most, was due"),
    "mass": (lambda s: replace(s, mass=np.array("x")), "returned mass of shape"),
    "other tokens": (lambda s: replace(s, tokens=1 - s.tokens), "scored other tokens than it was given"),
    "floats": (lambda s: replace(s, tokens=s.tokens / 2), "whole numbers of shape"),
    "gripper": (lambda s: replace(s, gripper=4), "gripper at token 4; 0 to 3 was due"),
    "no scores": (lambda s: s.logp, "returned a ndarray from score_tokens"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_scores_are_named(kind: str) -> None:
    spoil, words = BAD[kind]

    class Bad(TokenAgent):
        def score_tokens(self, batch: Any, tokens: Any = None) -> Any:
            return spoil(super().score_tokens(batch, tokens))

    agent, base = Bad(speaks_of_cells(CELLS).readout), observation(5)
    assert isinstance(agent, ScoresTokens)
    with pytest.raises(ContractError, match=f"agent 'toy' .*{words}"):
        score(agent, base.take([0] * 4), np.zeros(4, np.int64))
