"""do-effects of agents whose dependence on the world is known exactly, in every control mode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from attribution_toys import ToyAgent, observation
from scipy.spatial.transform import Rotation

from hansgym.attribution.do import do_effects, due, episode_record, squared_distance
from hansgym.batch import Batch
from hansgym.errors import ConfigurationError, ContractError
from hansgym.specs import CONTROL_MODES, ActionSpec

WALL, OBJECT, TASK = (0, 0), (3, 3), (6, 6)  # the pixels that stand for each factor


def world(factor: tuple[int, int], values: Sequence[int], clean: Batch) -> Batch:
    """``clean`` with the factor's pixel drawn again."""
    batch = clean.take([0] * len(values))
    images = batch.images["front"].copy()
    images[:, factor[0], factor[1], 0] = values
    return batch.with_images({"front": images})


def reads(*factors: tuple[int, int], **spec: object) -> ToyAgent:
    """The first action dimension is the sum of the factors' pixels / 255."""

    def readout(images: Mapping[str, np.ndarray]) -> np.ndarray:
        total = sum(images["front"][:, y, x, 0].astype(float) / 255 for y, x in factors)
        return np.broadcast_to(total, len(images["front"]))[:, None]

    return ToyAgent(readout, **spec)


@pytest.fixture
def clean() -> Batch:
    base = observation(0, size=8)
    images = base.images["front"].copy()
    for y, x in (WALL, OBJECT, TASK):
        images[0, y, x, 0] = 100
    return base.with_images({"front": images})


def counterfactuals(clean: Batch) -> dict[str, Batch]:
    return {
        "wall": world(WALL, [100, 151, 49, 100], clean),
        "distractor:mug": world(OBJECT, [202, 202, 202, 202], clean),
        "task": world(TASK, [0, 200, 255, 100], clean),
    }


def test_one_object_only(clean: Batch) -> None:
    found = do_effects(reads(OBJECT), clean, counterfactuals(clean), 0)
    assert found.factors["distractor:mug"].d2 == pytest.approx(0.4**2 / 7)
    assert found.factors["wall"].d2 == found.factors["task"].d2 == 0
    assert found.null_d2 is None
    assert found.evaluations == 13


def test_nothing_at_all(clean: Batch) -> None:
    found = do_effects(reads(), clean, counterfactuals(clean), 0)
    assert {e.d2 for e in found.factors.values()} == {0.0}


def test_the_wall(clean: Batch) -> None:
    found = do_effects(reads(WALL), clean, counterfactuals(clean), 0)
    assert found.factors["wall"].d2 == pytest.approx(2 * 0.2**2 / 4 / 7), "unchanged draws stay in the mean"
    assert found.factors["wall"].unchanged == 2
    assert found.factors["wall"].draws == 4
    assert found.factors["distractor:mug"].d2 == 0


@pytest.mark.parametrize(("max_batch", "asked"), [(1, 12), (64, 13)])
def test_a_known_clean_chunk_is_asked_for_only_beside_others(clean: Batch, max_batch: int, asked: int) -> None:
    agent = reads(WALL, max_batch=max_batch)
    first = do_effects(agent, clean, counterfactuals(clean), 0)
    agent.calls.clear()
    flags = {f: np.ones(4, bool) for f in first.factors}
    again = do_effects(agent, clean, counterfactuals(clean), 0, clean_chunk=first.clean_chunk, changed=flags)
    assert sum(agent.calls) == asked
    assert again.evaluations == 13
    assert again.factors["wall"].d2 == first.factors["wall"].d2
    assert again.factors["wall"].unchanged == 0, "the caller's word"


def test_rounding_that_depends_on_the_batch_is_no_effect(clean: Batch) -> None:
    class Rounding(ToyAgent):
        def act(self, batch: Batch, noise_seeds: np.ndarray) -> np.ndarray:
            return super().act(batch, noise_seeds) + 1e-3 / len(batch)

    agent = Rounding(reads(WALL).readout)
    alone = agent.act(clean, np.zeros(1, np.uint64))[0]
    found = do_effects(agent, clean, counterfactuals(clean), 0, clean_chunk=alone)
    assert found.factors["distractor:mug"].d2 == 0
    assert found.factors["wall"].d2 == pytest.approx(2 * 0.2**2 / 4 / 7)
    np.testing.assert_array_equal(found.clean_chunk, alone)


def test_the_gripper_stands_apart(clean: Batch) -> None:
    def grip(images: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.eye(8)[7] * images["front"][:, 0, 0, :1] / 255.0

    effect = do_effects(ToyAgent(grip), clean, counterfactuals(clean), 0).factors["wall"]
    assert effect.d2 == 0
    assert effect.d2_gripper == pytest.approx(2 * 0.2**2 / 4)


def test_only_executed_steps_count(clean: Batch) -> None:
    class Late(ToyAgent):
        def act(self, batch: Batch, noise_seeds: np.ndarray) -> np.ndarray:
            chunk = super().act(batch, noise_seeds)
            chunk[:, :8] = 0
            return chunk

    agent = Late(reads(WALL).readout)
    assert do_effects(agent, clean, counterfactuals(clean), 0).factors["wall"].d2 == 0
    longer = do_effects(agent, clean, counterfactuals(clean), 0, executed=16)
    assert longer.factors["wall"].d2 == pytest.approx(2 * 0.2**2 / 4 / 7 / 2)
    assert do_effects(agent, clean, counterfactuals(clean), 0, executed=99).executed == 16


@pytest.mark.parametrize("mode", CONTROL_MODES)
def test_delta_modes_accumulate(mode: str, clean: Batch) -> None:
    """A constant difference of 0.4 in x or joint 1: squared as it is, or growing along the chunk."""
    found = do_effects(reads(OBJECT, mode=mode), clean, counterfactuals(clean), 0).factors["distractor:mug"].d2
    steps = np.arange(1, 9) if mode.endswith("delta") else np.ones(8)
    assert found == pytest.approx(((0.4 * steps) ** 2).mean() / (7 if mode.startswith("joint") else 6))


def pose_chunk(rotation: Rotation, position: tuple[float, float, float] = (0.4, 0.0, 1.0)) -> np.ndarray:
    return np.tile(np.concatenate([position, rotation.as_quat(), [1.0]]), (16, 1))


def test_rotations_differ_by_their_relative_angle() -> None:
    spec = ActionSpec.of("ee_pose")
    start = Rotation.from_rotvec([0.3, -1.2, 2.0])
    turned = Rotation.from_rotvec([0.0, 0.0, 0.5]) * start
    chunks = np.stack([pose_chunk(turned), pose_chunk(start, (0.4, 0.3, 1.0)), pose_chunk(start)])
    chunks[2, :, 3:7] *= -2.0  # the same rotation, written otherwise
    due_m2 = [0.05**2 / 6, 0.3**2 / 6, 0.0]
    assert squared_distance(chunks, pose_chunk(start), spec, 8) == pytest.approx(due_m2, abs=1e-12)


def test_rotation_steps_compose_in_the_base_frame() -> None:
    """Unlike turns, composed from the left and not summed, against a reference that turns too."""
    spec = ActionSpec.of("ee_delta")
    turns, clean_turns = np.array([[1.5, 0, 0], [0, 1.2, 0]]), np.array([[0, 0, 0.9], [0.8, 0, 0]])
    chunk, clean = np.zeros((1, 2, 7)), np.zeros((2, 7))
    chunk[0, :, 3:6], clean[:, 3:6] = turns, clean_turns
    first, second = Rotation.from_rotvec(turns)
    clean_first, clean_second = Rotation.from_rotvec(clean_turns)
    angles = [
        (first * clean_first.inv()).magnitude(),
        (second * first * (clean_second * clean_first).inv()).magnitude(),
    ]
    assert squared_distance(chunk, clean, spec, 2) == pytest.approx([0.01 * np.square(angles).mean() / 6])


def test_no_rotation_is_refused() -> None:
    chunk = pose_chunk(Rotation.identity())
    chunk[:, 3:7] = 0
    with pytest.raises(ContractError, match="no rotation"):
        squared_distance(chunk[None], pose_chunk(Rotation.identity()), ActionSpec.of("ee_pose"), 8)


def test_unpaired_noise_is_measured(clean: Batch) -> None:
    class Jittery(ToyAgent):
        rng = np.random.default_rng(0)

        def act(self, batch: Batch, noise_seeds: np.ndarray) -> np.ndarray:
            return super().act(batch, noise_seeds) + 0.1 * self.rng.normal(size=(len(batch), 16, 8))

    agent = Jittery(reads().readout, noise_control="none")
    found = [do_effects(agent, clean, counterfactuals(clean), 0) for _ in range(50)]
    assert np.mean([f.null_d2 for f in found]) == pytest.approx(2 * 0.1**2, rel=0.1)
    assert np.mean([f.factors["task"].d2 for f in found]) == pytest.approx(2 * 0.1**2, rel=0.1)
    assert found[0].evaluations == 14
    known = do_effects(agent, clean, counterfactuals(clean), 0, clean_chunk=found[0].clean_chunk)
    assert known.null_d2 is not None
    assert known.null_d2 > 0


def test_paired_noise_cancels(clean: Batch) -> None:
    agent = reads(OBJECT, noise_control="exact")
    found = do_effects(agent, clean, counterfactuals(clean), 7)
    assert found.null_d2 is None
    assert found.factors["distractor:mug"].d2 == pytest.approx(0.4**2 / 7)
    assert found.factors["wall"].d2 == 0


def test_anything_else_that_differs_is_named(clean: Batch) -> None:
    draws = counterfactuals(clean)["wall"]
    moved = {k: v + 1 for k, v in draws.state.items()}
    cases = {
        "joint_positions": Batch(draws.images, moved, draws.instructions, draws.rows),
        "rows": Batch(draws.images, draws.state, draws.instructions, np.arange(4)),
        "instructions": Batch(draws.images, draws.state, ("open the jar",) * 4, draws.rows),
        "privileged": Batch(draws.images, draws.state, draws.instructions, draws.rows, {"expert_chunk": np.zeros(4)}),
    }
    for name, batch in cases.items():
        with pytest.raises(ConfigurationError, match=name):
            do_effects(reads(WALL), clean, {"wall": batch}, 0)
    with pytest.raises(ConfigurationError, match="no draw"):
        do_effects(reads(WALL), clean, {"wall": draws.take([])}, 0)


def test_record_means_over_decisions_that_have_the_factor(clean: Batch) -> None:
    draws = counterfactuals(clean)
    agent = reads(WALL, TASK)
    first = do_effects(agent, clean, draws, 0)
    second = do_effects(agent, clean, {"task": world(TASK, [151], clean)}, 0)
    record = episode_record([first, second])
    assert record["task"]["d2"] == pytest.approx((first.factors["task"].d2 + 0.2**2 / 7) / 2)
    assert (record["task"]["decisions"], record["task"]["draws"]) == (2, 5)
    assert (record["wall"]["decisions"], record["wall"]["draws"], record["wall"]["unchanged"]) == (1, 4, 2)
    assert "null" not in record
    assert episode_record([]) == {}


def test_which_decisions_are_due() -> None:
    assert [d for d in range(10) if due(d)] == [0, 4, 8]
    assert [d for d in range(10) if due(d, 3, contact=True)] == [0]
    with pytest.raises(ConfigurationError, match="at least 1"):
        due(0, 0)
