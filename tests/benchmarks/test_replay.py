"""A shipped policy on real expert episodes: sound as it is, and each planted mistake of the plumbing is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hansgym.agents.diagnosis import Replay, diagnose
from hansgym.agents.registry import make_agent
from hansgym.batch import Batch
from hansgym.benchmarks.replay import of_expert
from hansgym.errors import ConfigurationError, UnknownNameError
from hansgym.specs import ActionSpec, AgentSpec

TASK = "slide_block_to_color_target"
Show = Callable[[Batch], Batch]
Answer = Callable[[np.ndarray, Batch], np.ndarray]


class Plumbed:
    """An agent behind plumbing that spoils what it is shown or what it answers."""

    def __init__(self, agent: Any, show: Show = lambda b: b, answer: Answer = lambda c, b: c) -> None:
        self.agent, self.spec, self._show, self._answer = agent, agent.spec, show, answer

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        self.agent.reset(rows, seeds)

    def act(self, batch: Batch, noise_seeds: np.ndarray) -> np.ndarray:
        return self._answer(self.agent.act(self._show(batch), noise_seeds), batch)


@pytest.fixture(scope="module")
def pfungst() -> Any:
    pytest.importorskip("torch")
    return make_agent("reference:pfungst")


@pytest.fixture(scope="module")
def replay(pfungst: Any) -> Replay:
    return of_expert(pfungst.spec, TASK, episodes=4, decisions=4)


def pictures(change: Callable[[np.ndarray], np.ndarray]) -> Show:
    return lambda b: b.with_images({c: change(i) for c, i in b.images.items()})


def cameras(**source: str) -> Show:
    return lambda b: b.with_images({c: b.images[source.get(c, c)] for c in b.images})


def arm(change: Callable[[np.ndarray, Batch], np.ndarray]) -> Answer:
    return lambda c, b: np.concatenate([change(c[..., :7], b), c[..., 7:]], -1)


PLANTED: dict[str, tuple[str, dict[str, Any]]] = {
    "swapped cameras": ("swapped_cameras", {"show": cameras(front="overhead", overhead="front")}),
    "camera order": ("camera_order", {"show": cameras(front="overhead", overhead="wrist", wrist="front")}),
    "bgr": ("bgr", {"show": pictures(lambda i: i[..., ::-1].copy())}),
    "upside down": ("upside_down", {"show": pictures(lambda i: i[:, ::-1].copy())}),
    "inverted gripper": ("inverted_gripper", {"answer": lambda c, b: np.concatenate([c[..., :7], 1 - c[..., 7:]], -1)}),
    "degrees": ("degrees", {"answer": arm(lambda a, b: np.degrees(a))}),
    "delta as absolute": (
        "delta_as_absolute",
        {"answer": arm(lambda a, b: a - b.state["joint_positions"][:, None])},
    ),
    "lost instruction": ("lost_instruction", {"show": lambda b: replace(b, instructions=("",) * len(b))}),
}


def test_a_replay_holds_what_the_expert_did(pfungst: Any, replay: Replay) -> None:
    assert set(replay.batch.rows.tolist()) == {0, 1, 2, 3}
    assert len(replay.batch) == 16
    assert len(set(replay.batch.instructions)) > 1
    assert replay.batch.images["front"].shape[1:] == (64, 64, 3)
    assert (replay.batch.images["front"].std((1, 2, 3)) > 5).all()
    for lane in range(4):
        steps = replay.decision[replay.batch.rows == lane]
        assert (np.diff(steps) > 0).all()
    first = replay.expert[:, 0, :7] - replay.batch.state["joint_positions"]
    assert np.abs(first).max() < 0.2  # absolute targets, a step away
    assert diagnose(make_agent("expert"), with_expert(replay)).before.total == 0.0


def with_expert(replay: Replay) -> Replay:
    return replace(replay, batch=replace(replay.batch, privileged={"expert_chunk": replay.expert}))


def test_an_honest_policy_is_not_accused(pfungst: Any, replay: Replay) -> None:
    found = diagnose(pfungst, replay)
    assert found.mistakes == (), str(found)
    assert found.verdict == "sound"


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_mistake_is_named(name: str, pfungst: Any, replay: Replay) -> None:
    kind, mistake = PLANTED[name]
    found = diagnose(Plumbed(pfungst, **mistake), replay)
    assert found.mistakes[:1] == (kind,), str(found)


def test_what_cannot_be_replayed_is_refused() -> None:
    spec = AgentSpec("a", ActionSpec.of("joint_position"), 4)
    with pytest.raises(UnknownNameError, match="unknown task 'open_drawr'"):
        of_expert(spec, "open_drawr")
    with pytest.raises(ConfigurationError, match="at least one episode"):
        of_expert(spec, "open_drawer", episodes=0)
