"""Conformance checks: good agents pass, and each planted fault is caught by the check meant for it, by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hansgym.abilities import TokenScores
from hansgym.agents._checks import CHECKS
from hansgym.agents.base import SimpleAgent
from hansgym.agents.check import check_agent, synthetic_batch
from hansgym.agents.kernels.numpy import materialise
from hansgym.batch import Batch, MaskedBatch
from hansgym.errors import ConfigurationError
from hansgym.seeds import stream
from hansgym.specs import CONTROL_MODES, ActionSpec, AgentSpec


class Linear:
    """A sound agent: mean colour of each camera, joints and a word count, through fixed weights; noise on demand."""

    noise_control = "deterministic"
    lazy = False

    def __init__(self) -> None:
        self.spec = AgentSpec(
            "linear",
            ActionSpec.of("joint_position"),
            4,
            image_size=32,
            noise_control=self.noise_control,  # type: ignore[arg-type]
            max_batch=16,
            lazy=self.lazy,
        )
        self.weights = stream(0, "weights").standard_normal((9, 32)) / 10

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        pass

    def features(self, batch: Batch) -> np.ndarray:
        looks = [batch.images[c].astype(float).mean((1, 2))[:, :2] / 255 for c in self.spec.cameras]
        words = np.array([[len(i)] for i in batch.instructions]) / 20
        return np.concatenate([*looks, words, batch.state["joint_positions"][:, :2]], axis=1)

    def noise(self, seeds: np.ndarray) -> np.ndarray:
        return np.stack([stream(int(s), "n").standard_normal((4, 8)) for s in seeds])

    def act(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> np.ndarray:
        assert isinstance(batch, Batch)
        # Row by row: BLAS may round a row differently in another batch.
        chunk = np.stack([(f[:, None] * self.weights).sum(0) for f in self.features(batch)]).reshape(-1, 4, 8)
        return chunk + self.noise(noise_seeds) if self.spec.noise_control == "exact" else chunk


class Sampler(Linear):
    noise_control = "exact"


class Lazy(Linear):
    lazy = True

    def act(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> np.ndarray:
        return super().act(materialise(batch) if isinstance(batch, MaskedBatch) else batch, noise_seeds)


class Speaks(Linear):
    """Says an action in two tokens, 0 or 1: whether the first features are above one half."""

    def chances(self, batch: Batch | MaskedBatch) -> np.ndarray:
        """(B, 2): the probability of a 1."""
        assert isinstance(batch, Batch)
        return 0.1 + 0.8 * self.features(batch)[:, :2]

    def act(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> np.ndarray:
        return self.act_tokens(batch, noise_seeds)[0]

    def act_tokens(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        tokens = (self.chances(batch) > 0.5).astype(int)
        return np.repeat(np.repeat(tokens[:, None] / 10, 4, 1), 4, 2), tokens

    def score_tokens(self, batch: Batch | MaskedBatch, tokens: np.ndarray | None = None) -> TokenScores:
        chances = self.chances(batch)
        said = (chances > 0.5).astype(int) if tokens is None else np.broadcast_to(tokens, chances.shape)
        logp = np.log(np.where(said == 1, chances, 1 - chances))
        return TokenScores(said, logp, np.ones_like(logp))


@pytest.mark.parametrize("make", [Linear, Sampler, Lazy, Speaks])
def test_sound_agents_pass_every_check(make: type[Linear]) -> None:
    report = check_agent(make())
    assert report.ok, str(report)
    assert [c.name for c in report.checks] == ["spec", *CHECKS]
    assert report.check("batch_invariance").value == 0.0
    assert report.check("lazy").status == ("pass" if make is Lazy else "skip")
    assert report.check("tokens").status == ("pass" if make is Speaks else "skip")
    assert "does what it declares" in str(report)


@pytest.mark.parametrize("mode", CONTROL_MODES)
@pytest.mark.parametrize("uri", ["expert", "random"])
def test_shipped_agents_pass(uri: str, mode: str) -> None:
    report = check_agent(uri, control=mode, action=ActionSpec.of(mode))
    assert report.ok, str(report)
    assert report.check("contract").status == "pass"
    assert "images change nothing" in report.check("image").message


def test_report_is_json() -> None:
    told = json.loads(json.dumps(check_agent(Linear()).to_json()))
    assert told["ok"] is True
    assert {"name", "status", "message", "value"} == set(told["checks"][0])
    assert told["declared"]["horizon"] == 4


def test_notes_say_what_the_agent_looks_at() -> None:
    class FrontOnly(Linear):
        def features(self, batch: Batch) -> np.ndarray:
            seen = super().features(batch)
            seen[:, 2:7] = 0
            return seen

    report = check_agent(FrontOnly())
    assert report.ok
    assert "front" in report.check("image").message
    assert "no effect of: overhead, wrist" in report.check("image").message
    assert report.check("instruction").message == "other words change nothing"
    assert "other words change the chunk" in check_agent(Linear()).check("instruction").message


# ---------------------------------------------------------------- planted faults, each caught by name


class NoSpec(Linear):
    def __init__(self) -> None:
        self.spec = {"name": "x"}  # type: ignore[assignment]


class ZeroScale(Linear):
    def __init__(self) -> None:
        super().__init__()
        self.spec = replace(self.spec, action=ActionSpec.of("joint_position", (0.0,) * 8))


class UnknownNeed(Linear):
    def __init__(self) -> None:
        super().__init__()
        self.spec = replace(self.spec, needs=frozenset({"object_poses"}))


class WrongShape(Linear):
    def act(self, batch: Any, noise_seeds: np.ndarray) -> np.ndarray:
        return super().act(batch, noise_seeds)[:, :3]


class NotANumber(Linear):
    def act(self, batch: Any, noise_seeds: np.ndarray) -> np.ndarray:
        chunk = super().act(batch, noise_seeds)
        chunk[-1, 2, 5] = np.nan
        return chunk


class Words(Linear):
    def act(self, batch: Any, noise_seeds: np.ndarray) -> np.ndarray:
        return super().act(batch, noise_seeds).astype(str)


class Raises(Linear):
    def act(self, batch: Any, noise_seeds: np.ndarray) -> np.ndarray:
        raise KeyError("base_rgb")


class UnseededNoise(Linear):
    def __init__(self) -> None:
        super().__init__()
        self.rng = np.random.default_rng(0)

    def act(self, batch: Any, noise_seeds: np.ndarray) -> np.ndarray:
        chunk = super().act(batch, noise_seeds)
        return chunk + 0.1 * self.rng.standard_normal(chunk.shape)


class IgnoredSeeds(Sampler):
    def noise(self, seeds: np.ndarray) -> np.ndarray:
        return np.zeros((len(seeds), 4, 8))


class SecretSampler(Linear):
    def act(self, batch: Any, noise_seeds: np.ndarray) -> np.ndarray:
        return super().act(batch, noise_seeds) + self.noise(noise_seeds)


class BatchNorm(Linear):
    def features(self, batch: Batch) -> np.ndarray:
        seen = super().features(batch)
        return seen - seen.mean(0)


class Positional(Linear):
    """Noise by place in the batch; alone (place 0) it differs too, so batch_invariance may also object."""

    def act(self, batch: Any, noise_seeds: np.ndarray) -> np.ndarray:
        return super().act(batch, noise_seeds) + np.arange(len(batch))[:, None, None]


class Remembers(Linear):
    """A running mean over what it was shown, which masked views then poison."""

    seen = 0.0

    def act(self, batch: Any, noise_seeds: np.ndarray) -> np.ndarray:
        bright = float(batch.images["front"].mean())
        self.seen = max(self.seen, bright)
        return super().act(batch, noise_seeds) + self.seen / 255


class ResetsAll(Linear):
    """Forgets every lane when one is reset."""

    def __init__(self) -> None:
        super().__init__()
        self.offsets: dict[int, int] = {}

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        self.offsets = dict(zip(rows, seeds, strict=True))

    def act(self, batch: Any, noise_seeds: np.ndarray) -> np.ndarray:
        own = np.array([self.offsets.get(int(r), 0) for r in batch.rows])
        return super().act(batch, noise_seeds) + own[:, None, None]


class WritesImages(Linear):
    def act(self, batch: Any, noise_seeds: np.ndarray) -> np.ndarray:
        chunk = super().act(batch, noise_seeds)
        if batch.images["wrist"].flags.writeable:
            batch.images["wrist"][...] = 255 - batch.images["wrist"]
        return chunk


class WantsWriteable(Linear):
    def act(self, batch: Any, noise_seeds: np.ndarray) -> np.ndarray:
        chunk = super().act(batch, noise_seeds)
        batch.state["joint_positions"] += 0.0
        return chunk


class Overpromises(Linear):
    def act(self, batch: Any, noise_seeds: np.ndarray) -> np.ndarray:
        if len(batch) > 8:
            raise MemoryError("out of device memory")
        return super().act(batch, noise_seeds)


class WrongLazy(Linear):
    """Takes 1 for hidden."""

    lazy = True

    def act(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> np.ndarray:
        if isinstance(batch, MaskedBatch):
            batch = materialise(replace(batch, bits={c: 1 - b for c, b in batch.bits.items()}))
        return super().act(batch, noise_seeds)


class SaysOtherwise(Speaks):
    """Does another thing than its tokens say."""

    def act(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> np.ndarray:
        return super().act(batch, noise_seeds) + 0.1


class Unsure(Speaks):
    """Scores one action for all rows otherwise than an action a row."""

    def score_tokens(self, batch: Batch | MaskedBatch, tokens: np.ndarray | None = None) -> TokenScores:
        scores = super().score_tokens(batch, tokens)
        return scores if np.ndim(tokens) == 2 else replace(scores, logp=scores.logp * 2)


class Likes(Speaks):
    """Gives probabilities where their logarithms are due."""

    def score_tokens(self, batch: Batch | MaskedBatch, tokens: np.ndarray | None = None) -> TokenScores:
        scores = super().score_tokens(batch, tokens)
        return replace(scores, logp=np.exp(scores.logp))


class OtherWorld(Linear):
    def __init__(self) -> None:
        super().__init__()
        self.spec = replace(self.spec, action=ActionSpec.of("joint_delta"))


PLANTED = [
    (NoSpec, "spec", "spec is dict"),
    (ZeroScale, "spec", "not all zero"),
    (UnknownNeed, "spec", "object_poses"),
    (WrongShape, "answer", r"returned shape (4, 3, 8); (rows, horizon, dim) = (4, 4, 8) was due"),
    (NotANumber, "answer", "nan at (row, step, dimension) = (3, 2, 5)"),
    (Words, "answer", "dtype"),
    (Raises, "answer", "raised KeyError: 'base_rgb'"),
    (UnseededNoise, "determinism", "asked twice with equal noise seeds it answers differently"),
    (IgnoredSeeds, "noise_seeds", "declares 'exact', but ignores noise_seeds"),
    (SecretSampler, "noise_seeds", "but other noise seeds change its answer; declare 'exact'"),
    (BatchNorm, "batch_invariance", "alone and in a batch"),
    (Positional, "permutation", "depends on the position in the batch"),
    (Remembers, "repetition", "leave traces"),
    (ResetsAll, "partial_reset", "resetting one lane changes"),
    (WritesImages, "inputs", "writes into what it is given: wrist"),
    (WantsWriteable, "inputs", "read-only"),
    (Overpromises, "max_batch", "raised MemoryError: out of device memory"),
    (WrongLazy, "lazy", "answered differently from blended ones"),
    (SaysOtherwise, "tokens", "act_tokens answers differently from act"),
    (Unsure, "tokens", "scored differently when it is given for all rows"),
    (Likes, "tokens", "a logarithm of a probability, 0 at most, was due"),
    (OtherWorld, "contract", "agent 'joint_delta', environment 'joint_position'"),
]


@pytest.mark.parametrize(("make", "name", "says"), PLANTED, ids=[m.__name__ for m, _, _ in PLANTED])
def test_planted_fault_is_caught_by_its_check(make: type[Linear], name: str, says: str) -> None:
    report = check_agent(make(), action=ActionSpec.of("joint_position"))
    assert name in report.failed, str(report)
    assert says in report.check(name).message
    assert f"breaks its word in: {', '.join(report.failed)}" in str(report)


def test_every_promise_has_a_planted_fault() -> None:
    only_notes = {"instruction", "image", "latency"}
    assert {name for _, name, _ in PLANTED} == {"spec", *CHECKS} - only_notes


def test_unpaired_noise_is_noted_not_failed() -> None:
    class Honest(UnseededNoise):
        noise_control = "none"

    report = check_agent(Honest())
    assert report.ok, str(report)
    assert report.check("determinism").status == "note"
    assert report.check("repetition").status == "skip"


def test_rounding_is_flagged_but_passes() -> None:
    class Rounds(Linear):
        def act(self, batch: Any, noise_seeds: np.ndarray) -> np.ndarray:
            return super().act(batch, noise_seeds) + 1e-7 * len(batch)

    check = check_agent(Rounds()).check("batch_invariance")
    assert check.status == "pass"
    assert "not bit-equal" in check.message


def test_simple_agents_are_checked_like_any_other() -> None:
    class Mine(SimpleAgent):
        horizon, cameras, noise_control = 1, ("front",), "exact"

        def predict(self, images: Any, state: Any, instructions: Any, seeds: np.ndarray) -> np.ndarray:
            noise = np.stack([stream(int(s), "n").standard_normal(8) for s in seeds])
            return images["front"].mean((1, 2, 3))[:, None] + noise

    assert check_agent(Mine()).ok


def test_needs_two_rows() -> None:
    agent = Linear()
    with pytest.raises(ConfigurationError, match="at least two observations"):
        check_agent(agent, synthetic_batch(agent.spec, rows=1))
