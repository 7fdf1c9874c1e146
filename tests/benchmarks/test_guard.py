"""The guard passes on what an agent can do, no more and no less, and checks each answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import runner_fakes as fakes

from hansgym.abilities import ScoresTokens
from hansgym.agent import Agent
from hansgym.batch import Batch
from hansgym.benchmarks.guard import GuardedAgent
from hansgym.errors import AgentError
from hansgym.seeds import agent_seed, stream

SEEDS = np.zeros(3, np.uint64)


@contextmanager
def guarded(factory: Callable[[], Agent], limit_s: float = 60.0) -> Iterator[Any]:
    guard = GuardedAgent(factory, limit_s)
    try:
        yield guard
    finally:
        guard.close()


def observations() -> Batch:
    images = {"front": stream(0, "guard").integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)}
    state = {"joint_positions": np.zeros((3, 7), np.float32)}
    return Batch(images, state, ("walk",) * 3, np.arange(3))


def test_it_scores_tokens_exactly_where_the_agent_does() -> None:
    with guarded(fakes.Walker) as walker, guarded(fakes.Speaker) as speaker:
        assert isinstance(walker, Agent)
        assert not isinstance(walker, ScoresTokens)
        assert isinstance(speaker, ScoresTokens)
        shown, plain = observations(), fakes.Speaker()
        chunks, tokens = speaker.act_tokens(shown, SEEDS)
        scores = speaker.score_tokens(shown, tokens[0])
        np.testing.assert_array_equal(chunks, plain.act(shown, SEEDS))
        np.testing.assert_array_equal(scores.logp, plain.score_tokens(shown, tokens[0]).logp)
        np.testing.assert_array_equal(speaker.score_tokens(shown).tokens, tokens)
        assert scores.gripper == 1
        assert speaker.evaluations == 9, "three rows, asked three times"


def test_what_is_wrong_with_tokens_and_scores_is_the_agents_error() -> None:
    class Odd(fakes.Speaker):
        def act_tokens(self, batch: Any, noise_seeds: Any) -> Any:
            chunks, tokens = super().act_tokens(batch, noise_seeds)
            return chunks if len(batch) == 3 else (chunks, tokens / 2)

        def score_tokens(self, batch: Any, tokens: Any = None) -> Any:
            if len(batch) == 3:
                raise ZeroDivisionError("no token is probable")
            return super().score_tokens(batch, 1 - np.asarray(tokens))

    with guarded(Odd) as odd:
        shown = observations()
        one = shown.take([0])
        with pytest.raises(AgentError, match=r"returned a ndarray from act_tokens; a pair \(chunks, tokens\) was due"):
            odd.act_tokens(shown, SEEDS)
        with pytest.raises(AgentError, match=r"whole numbers of shape .* were due"):
            odd.act_tokens(one, SEEDS[:1])
        with pytest.raises(AgentError, match="raised ZeroDivisionError in score_tokens: no token is probable"):
            odd.score_tokens(shown)
        with pytest.raises(AgentError, match="scored other tokens than it was given"):
            odd.score_tokens(one, np.zeros(2, np.int64))


def test_after_a_call_that_never_ends_a_fresh_agent_scores() -> None:
    with guarded(fakes.Speechless, limit_s=2.0) as guard:
        shown = observations()
        due = guard.score_tokens(shown)
        guard.reset([1], [agent_seed(0, "plain", fakes.BAD_SEED)])
        with pytest.raises(AgentError, match="did not answer score_tokens within 2 s"):
            guard.score_tokens(shown)
        assert guard.abandoned == 1
        np.testing.assert_array_equal(guard.score_tokens(shown).logp, due.logp)
