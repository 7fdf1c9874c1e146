"""A guard around an agent: whatever the policy does, the run gets a chunk or a reason, in time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from typing import Any, TypeVar

import numpy as np

from hansgym.abilities import ScoresTokens, TokenScores, check_said, check_scores
from hansgym.agent import Agent
from hansgym.batch import Batch, MaskedBatch
from hansgym.errors import AgentError, ContractError
from hansgym.specs import AgentSpec, check_chunk

_BUILD_LIMIT_S = 1800.0  # loading weights may take long, and happens once
Answer = TypeVar("Answer")


class _HungError(Exception):
    """A call that did not end in time."""


class _Thread:
    """One daemon thread that runs calls in turn: a policy that keeps state per thread always sees the same one."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name="agent", daemon=True).start()

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            function, future = call
            try:
                future.set_result(function())
            except BaseException as error:  # a policy that calls sys.exit must not end the run either
                future.set_exception(error)
            del call, function, future

    def call(self, function: Callable[[], Any], limit_s: float) -> Any:
        future: Future[Any] = Future()
        self._calls.put((function, future))
        if not wait_for([future], timeout=limit_s).done:
            raise _HungError
        return future.result()

    def leave(self) -> None:
        self._calls.put(None)


class GuardedAgent:
    """An agent whose calls end within ``limit_s`` seconds and answer finite chunks of the right shape.

    Everything else is an :class:`hansgym.errors.AgentError` with the reason. After a call that did not return, the
    thread and the agent in it are abandoned, and ``factory`` makes a fresh one; ``on_fresh`` is called then.
    ``evaluations`` counts rows asked for. It is a :class:`hansgym.abilities.ScoresTokens` where the agent is one.
    """

    act_tokens: Callable[[Batch | MaskedBatch, np.ndarray], tuple[np.ndarray, np.ndarray]]
    score_tokens: Callable[..., TokenScores]

    def __init__(self, factory: Callable[[], Agent], limit_s: float) -> None:
        self._factory = factory
        self._limit_s = limit_s
        self.evaluations = 0
        self.abandoned = 0
        self.on_fresh: Callable[[GuardedAgent], None] | None = None
        self._thread = _Thread()
        self._agent: Agent | None = self._thread.call(factory, _BUILD_LIMIT_S)
        assert self._agent is not None
        self.spec: AgentSpec = self._agent.spec
        # On the instance, so that isinstance tells whether this agent can be asked.
        if isinstance(self._agent, ScoresTokens):
            self.act_tokens, self.score_tokens = self._act_tokens, self._score_tokens

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Pass a reset on."""
        self._call("reset", lambda agent: agent.reset(list(rows), list(seeds)))

    def act(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> np.ndarray:
        """Chunks (B, horizon, dim) float64."""
        seeds = np.asarray(noise_seeds, np.uint64)
        self.evaluations += len(batch)
        chunk = self._call("act", lambda agent: agent.act(batch, seeds))
        return _checked(lambda: check_chunk(chunk, len(batch), self.spec))

    def _act_tokens(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Chunks (B, horizon, dim) float64 and their tokens (B, A) int64."""
        seeds = np.asarray(noise_seeds, np.uint64)
        self.evaluations += len(batch)
        said = self._call("act_tokens", lambda agent: agent.act_tokens(batch, seeds))
        return _checked(lambda: check_said(said, len(batch), self.spec))

    def _score_tokens(self, batch: Batch | MaskedBatch, tokens: np.ndarray | None = None) -> TokenScores:
        """Scores of ``tokens`` under the rows of ``batch``; of the agent's own for None."""
        self.evaluations += len(batch)
        scores = self._call("score_tokens", lambda agent: agent.score_tokens(batch, tokens))
        return _checked(lambda: check_scores(scores, len(batch), self.spec, tokens))

    def close(self) -> None:
        """Let the thread go; an abandoned one cannot be ended from here."""
        self._thread.leave()

    def _call(self, method: str, function: Callable[[Any], Any]) -> Any:
        agent = self._agent or self._refresh()
        try:
            return self._thread.call(lambda: function(agent), self._limit_s)
        except _HungError:
            self._agent = None
            self.abandoned += 1
            raise AgentError(f"agent {self.spec.name!r} did not answer {method} within {self._limit_s:g} s") from None
        except (KeyboardInterrupt, AgentError):
            raise
        except BaseException as error:
            raise AgentError(f"agent {self.spec.name!r} raised {type(error).__name__} in {method}: {error}") from error

    def _refresh(self) -> Agent:
        self._thread = _Thread()
        try:
            fresh: Agent = self._thread.call(self._factory, _BUILD_LIMIT_S)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            raise AgentError(
                f"agent {self.spec.name!r} could not be made again after it hung: {type(error).__name__}: {error}"
            ) from error
        self._agent = fresh
        if self.on_fresh is not None:
            self.on_fresh(self)
        return fresh


def _checked(check: Callable[[], Answer]) -> Answer:
    """What ``check`` returns; what it finds wrong with an answer is the agent's error."""
    try:
        return check()
    except (ContractError, ValueError, TypeError) as error:
        raise AgentError(str(error)) from error
