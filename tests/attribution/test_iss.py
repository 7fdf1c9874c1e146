"""ISS against closed forms, exact enumeration and a second, slow, obvious implementation."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from attribution_toys import (
    CELL,
    GRID,
    HORIZON,
    SIZE,
    TokenAgent,
    ToyAgent,
    centre,
    observation,
    reads_cells,
    speaks_of_cells,
)

from hansgym.agents.kernels.numpy import blur, materialise
from hansgym.attribution import iss_core
from hansgym.attribution.designs import bernoulli
from hansgym.attribution.evaluate import evaluate
from hansgym.attribution.explain import explain
from hansgym.attribution.method import method, methods
from hansgym.batch import Batch, MaskedBatch
from hansgym.errors import ConfigurationError, ContractError, UnknownNameError
from hansgym.roles import Region, Role, SceneObject

P, Q = 0.3, 0.7
CAMERAS = ("front", "wrist")


def slow_deltas(agent: ToyAgent, base: Batch, bits: Mapping[str, np.ndarray]) -> list[float]:
    """Effects on the chunk, with loops and one evaluation at a time."""
    seeds, deltas = np.zeros(1, np.uint64), []
    clean = agent.act(base, seeds)[0]
    for k in range(len(bits["front"])):
        one = materialise(MaskedBatch(base, {c: b[k : k + 1] for c, b in bits.items()}))
        total = 0.0
        chunk = agent.act(one, seeds)[0]
        for t in range(clean.shape[0]):
            for a in range(clean.shape[1]):
                total += (agent.spec.action.scale[a] * (chunk[t, a] - clean[t, a])) ** 2
        deltas.append(total / (clean.shape[0] * clean.shape[1]))
    return deltas


def slow_logp_deltas(agent: TokenAgent, base: Batch, bits: Mapping[str, np.ndarray]) -> list[float]:
    """Effects on how probable the action is, one mask and one token at a time."""
    own, deltas = agent.score_tokens(base), []
    for k in range(len(bits["front"])):
        one = materialise(MaskedBatch(base, {c: b[k : k + 1] for c, b in bits.items()}))
        said = agent.score_tokens(one, own.tokens)
        gaps = [float(own.logp[0, t] - said.logp[0, t]) ** 2 for t in range(own.tokens.shape[1])]
        deltas.append(sum(gaps) / len(gaps))
    return deltas


def slow_scores(deltas: Sequence[float], bits: Mapping[str, np.ndarray], p: float, published: bool) -> dict:
    """Scores by the published and the centred formula, with loops."""
    n, mean = len(deltas), sum(deltas) / len(deltas)
    scores = {}
    for camera, masks in bits.items():
        for i, j in itertools.product(range(masks.shape[1]), range(masks.shape[2])):
            total = 0.0
            for k in range(n):
                hidden = 1 - int(masks[k, i, j])
                total += deltas[k] * hidden if published else (deltas[k] - mean) * (hidden - (1 - p))
            scores[camera, i, j] = total / (n * (1 - p)) if published else total / ((n - 1) * (1 - p))
    return scores


REFERENCES = {
    "iss": (reads_cells, slow_deltas, False),
    "iss_published": (reads_cells, slow_deltas, True),
    "iss_logp": (speaks_of_cells, slow_logp_deltas, False),
}
"""Method -> an agent that can be asked, the slow effects, and whether the published formula makes scores of them."""


@pytest.mark.parametrize("name", methods())
def test_equals_the_slow_implementation(name: str) -> None:
    cells = {("front", 1, 2): 0.6, ("wrist", 4, 4): 0.4, ("front", 6, 6): 0.3}
    made, slow, published = REFERENCES[name]
    agent: Any = made(cells, scale=(2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5), max_batch=7)
    base = observation(1, CAMERAS)
    result = explain(agent, base, name, seed=[11], n_masks=20)[0]
    bits = bernoulli(11, CAMERAS, 20, P, GRID)
    due = slow_scores(slow(agent, base, bits), bits, P, published)
    assert result.mean_effect > 1e-6
    for (camera, i, j), score in due.items():
        assert result.cells[camera][i, j] == pytest.approx(score, abs=1e-9, rel=1e-9)


@pytest.mark.parametrize("name", methods())
def test_every_method_finds_the_cell_that_is_read_and_names_itself(name: str) -> None:
    agent: Any = REFERENCES[name][0]({("front", 3, 4): 0.6})
    base = observation(3)
    result = explain(agent, base, name, n_masks=400, regions=regions(base, slice(0, 2 * CELL)))[0]
    assert np.unravel_index(result.cells["front"].argmax(), (GRID, GRID)) == (3, 4)
    assert (result.method, result.estimator) == (name, method(name).estimator)
    assert result.nmr["1"] == 0.0, "the cell lies outside the nuisance"
    np.testing.assert_array_equal(result.clean_chunk, agent.act(base, np.zeros(1, np.uint64))[0])


def additive_truth(cells: Mapping[tuple[str, int, int], float], base: Batch) -> dict[tuple[str, int, int], float]:
    """What hiding each cell adds to delta: its dimension moves from the sharp to the blurred centre pixel."""
    truth = {}
    for (camera, i, j), weight in cells.items():
        y, x = centre((i, j))
        image = base.images[camera][0]
        step = weight * (float(image[y, x, 0]) - float(blur(image, 10.0)[y, x, 0])) / 255.0
        truth[camera, i, j] = step**2 * HORIZON / (HORIZON * 8)
    return truth


def test_linear_policy_is_unbiased_with_honest_standard_errors() -> None:
    """delta = sum of a_i over hidden cells, so E[C_i] = p a_i for the cells read and 0 for all others."""
    cells = {("front", 1, 2): 1.0, ("front", 4, 3): 2.0, ("front", 5, 5): 1.5, ("front", 0, 6): 1.0}
    agent, base = reads_cells(cells), observation(2)
    truth = np.zeros((GRID, GRID))
    for (_, i, j), a in additive_truth(cells, base).items():
        truth[i, j] = P * a
    found = [explain(agent, base, seed=s)[0] for s in range(200)]
    maps = np.stack([r.cells["front"] for r in found])
    errors = np.stack([r.stderr["front"] for r in found])
    bias = (maps.mean(axis=0) - truth) / (maps.std(axis=0, ddof=1) / np.sqrt(len(maps)))
    assert np.abs(bias).max() < 4.5, "49 cells: a z-score beyond 4.5 is no accident"
    z = (maps - truth) / errors
    assert abs(z.mean()) < 0.05
    assert 0.9 < z.std() < 1.1
    for i, j in ((1, 2), (4, 3), (5, 5), (3, 3)):
        assert 0.90 <= (np.abs(z[:, i, j]) < 1.96).mean() <= 0.98 + 0.01
    assert 0.92 <= (np.abs(z) < 1.96).mean() <= 0.98
    mean_effect = Q * sum(additive_truth(cells, base).values())
    assert np.mean([r.mean_effect for r in found]) == pytest.approx(mean_effect, rel=0.02)


def test_published_map_is_the_centred_one_plus_the_mean_with_far_more_variance() -> None:
    cells = {("front", 1, 2): 1.0, ("front", 4, 3): 2.0, ("front", 5, 5): 1.5}
    agent, base = reads_cells(cells), observation(2)
    raw = np.stack([explain(agent, base, "iss_published", seed=s)[0].cells["front"] for s in range(100)])
    centred = np.stack([explain(agent, base, "iss", seed=s)[0].cells["front"] for s in range(100)])
    due = Q * sum(additive_truth(cells, base).values())
    assert (raw - centred).mean() == pytest.approx(due, rel=0.05)
    assert raw.var(axis=0).mean() > 2 * centred.var(axis=0).mean()


def test_exact_enumeration_of_a_small_grid() -> None:
    """All 16 masks of a 2x2 grid, equally likely at p = 0.5: the estimators give the conditional means exactly."""

    def product(images: Mapping[str, np.ndarray]) -> np.ndarray:
        red = images["front"][..., 0].astype(float) / 255.0
        return (red[:, 2, 2] * red[:, 7, 7])[:, None]

    agent, base = ToyAgent(product), observation(4, size=10)
    bits = np.array(list(itertools.product((0, 1), repeat=4)), np.uint8)
    chunks = evaluate(agent, MaskedBatch(base, {"front": bits.reshape(16, 2, 2)}), np.zeros(16, np.uint64))
    moved = iss_core.effects(chunks, evaluate(agent, base, [0])[0], agent.spec.action)
    hidden = 1.0 - bits
    conditional = np.array([moved.total[hidden[:, i] == 1].mean() for i in range(4)])
    assert moved.total.std() > 0
    assert iss_core.published(moved.total, hidden, 0.5)[0] == pytest.approx(conditional, abs=1e-12)
    centred = iss_core.centred(moved.total, hidden, 0.5)[0] * 15 / 16
    assert centred == pytest.approx(conditional - moved.total.mean(), abs=1e-12)


def test_sampling_agrees_with_enumeration_weighted_by_p() -> None:
    def gate(images: Mapping[str, np.ndarray]) -> np.ndarray:
        red = images["front"][..., 0].astype(float) / 255.0
        return np.maximum(red[:, 2, 2] - red[:, 7, 7], 0.2 * red[:, 2, 7])[:, None]

    agent, base = ToyAgent(gate, max_batch=500), observation(5, size=10)
    bits = np.array(list(itertools.product((0, 1), repeat=4)), np.uint8)
    chunks = evaluate(agent, MaskedBatch(base, {"front": bits.reshape(16, 2, 2)}), np.zeros(16, np.uint64))
    delta = iss_core.effects(chunks, evaluate(agent, base, [0])[0], agent.spec.action).total
    weight = np.prod(np.where(bits == 1, P, Q), axis=1)
    truth = [(weight * delta * (1 - bits[:, i])).sum() / Q - (weight * delta).sum() for i in range(4)]
    result = explain(agent, base, n_masks=4000, grid=2)[0]
    z = (result.cells["front"].ravel() - truth) / result.stderr["front"].ravel()
    assert np.abs(z).max() < 4


def regions(base: Batch, nuisance_rows: slice) -> dict[str, np.ndarray]:
    """SUPPORT everywhere but in ``nuisance_rows`` of the image."""
    images = {c: np.full(i.shape[:3], Region.SUPPORT, np.uint8) for c, i in base.images.items()}
    for image in images.values():
        image[:, nuisance_rows] = Region.NUISANCE
    return images


def test_a_policy_that_ignores_the_image_has_no_ratio_and_says_why() -> None:
    agent, base = ToyAgent(lambda images: np.ones((len(images["front"]), 1))), observation(0)
    result = explain(agent, base, regions=regions(base, slice(0, 10)))[0]
    assert not result.cells["front"].any()
    assert result.mean_effect == 0
    assert set(result.nmr.values()) == {None}
    assert result.nmr_reason == "no mask changed the action chunk"
    assert result.split_half is None
    assert result.effect_cv is None
    assert result.gripper_share is None
    assert result.nuisance_area == pytest.approx(10 / SIZE)


def test_float32_rounding_is_no_effect() -> None:
    def noisy(images: Mapping[str, np.ndarray]) -> np.ndarray:
        return 1.0 + 1e-7 * images["front"][:, 17, 17, :1] / 255.0

    base = observation(0)
    result = explain(ToyAgent(noisy), base, regions=regions(base, slice(0, 10)))[0]
    assert result.mean_effect > 0
    assert result.nmr["10"] is None
    assert result.nmr_reason == "no mask changed the action chunk"


def test_an_effect_that_no_mask_makes_smaller_or_larger_is_no_map() -> None:
    """Whatever is hidden, the policy answers the same other thing."""
    base = observation(0)
    sharp = base.images["front"][0]

    def startled(images: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.array([[0.0 if np.array_equal(i, sharp) else 1.0] for i in images["front"]])

    result = explain(ToyAgent(startled), base, "iss_published", regions=regions(base, slice(0, 10)))[0]
    assert result.nmr["10"] is None
    assert result.nmr_reason == "every mask changed the action chunk equally"


@pytest.mark.parametrize(("where", "due"), [(slice(0, 2 * CELL), 1.0), (slice(5 * CELL, SIZE), 0.0)])
def test_a_policy_that_reads_only_the_nuisance_scores_one(where: slice, due: float) -> None:
    """The policy reads cells of the top row; the top two rows are nuisance in one case, the bottom two in the other."""
    agent = reads_cells({("front", 0, j): 1.0 for j in range(1, 6)})
    base = observation(3)
    result = explain(agent, base, regions=regions(base, where), n_masks=1000)[0]
    assert result.nmr["1"] == due
    assert result.nmr["10"] == pytest.approx(due, abs=0.05)
    assert result.nmr_reason is None


def test_sampling_noise_is_paired() -> None:
    """An exact agent's noise is added to clean and masked chunks alike, so the map is that of the noiseless one."""
    cells, base = {("front", 2, 2): 1.0, ("front", 3, 5): 1.0}, observation(6)
    quiet = explain(reads_cells(cells), base, seed=1)[0]
    noisy = explain(reads_cells(cells, noise_control="exact"), base, seed=1, noise_seeds=[99])[0]
    assert noisy.cells["front"] == pytest.approx(quiet.cells["front"], abs=1e-12)
    assert (quiet.noise_control, noisy.noise_control) == ("deterministic", "exact")


def test_rows_have_fresh_masks_and_the_clean_chunk_is_reused() -> None:
    agent, base = reads_cells({("front", 2, 2): 1.0}), observation(7).take([0, 0])
    first, second = explain(agent, base)
    assert not np.array_equal(first.cells["front"], second.cells["front"])
    assert sum(agent.calls) == 2 * 101
    assert first.evaluations == 101
    assert max(agent.calls) <= agent.spec.max_batch
    clean = np.stack([first.clean_chunk, second.clean_chunk])
    agent.calls.clear()
    again = explain(agent, base, clean_chunks=clean)
    assert sum(agent.calls) == 2 * 100
    assert np.array_equal(again[1].cells["front"], second.cells["front"])
    assert again[0].evaluations == 101


def test_a_row_explained_alone_equals_the_row_in_a_batch() -> None:
    agent, base = reads_cells({("front", 2, 2): 1.0}), observation(8, rows=3)
    together = explain(agent, base, seed=[5, 6, 7], noise_seeds=[1, 2, 3])
    alone = explain(agent, base.take([1]), seed=[6], noise_seeds=[2])[0]
    assert np.array_equal(together[1].cells["front"], alone.cells["front"])


def test_gripper_share_and_scale() -> None:
    def grips(images: Mapping[str, np.ndarray]) -> np.ndarray:
        red = images["front"][:, 17, 17, 0] / 255.0
        return np.stack([red, *[0 * red] * 6, red], axis=1)

    base = observation(9)
    assert explain(ToyAgent(grips), base)[0].gripper_share == pytest.approx(0.5)
    silent = ToyAgent(grips, scale=(1.0,) * 7 + (0.0,))
    assert explain(silent, base)[0].gripper_share == 0


def test_reliability_rises_with_the_number_of_masks() -> None:
    agent, base = reads_cells({("front", 2, 2): 1.0, ("front", 5, 1): 1.0}), observation(10)
    few = np.mean([explain(agent, base, seed=s, n_masks=20)[0].split_half for s in range(10)])
    many = explain(agent, base, n_masks=2000)[0].split_half
    assert few < many
    assert many > 0.9


def test_only_the_cameras_the_agent_looks_at_are_masked() -> None:
    agent, base = reads_cells({("wrist", 2, 2): 1.0}), observation(11, CAMERAS)
    assert set(explain(agent, base)[0].cells) == {"wrist"}
    with pytest.raises(ConfigurationError, match="looks at camera 'wrist'"):
        explain(agent, observation(11))


def test_object_shares_need_names() -> None:
    agent, base = reads_cells({("front", 2, 2): 1.0}), observation(12)
    ids = np.full((1, SIZE, SIZE), 3, np.uint16)
    ids[:, 2 * CELL : 3 * CELL, 2 * CELL : 3 * CELL] = 8
    scene = (SceneObject(3, "wall", Role.BACKGROUND), SceneObject(8, "mug", Role.TARGET))
    region = regions(base, slice(0, SIZE))
    shares = explain(agent, base, regions=region, objects={"front": ids}, scene=[scene])[0].nmr_by_object
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["mug"] > (ids == 8).mean()
    with pytest.raises(ConfigurationError, match="scenes that name"):
        explain(agent, base, regions=region, objects={"front": ids})
    with pytest.raises(ConfigurationError, match=r"object ids \[8\]"):
        explain(agent, base, regions=region, objects={"front": ids}, scene=[scene[:1]])


def test_evaluate_slices_blends_or_hands_over() -> None:
    base = observation(13)
    masked = MaskedBatch(base, bernoulli(0, ("front",), 10, P, GRID))
    plain = reads_cells({("front", 2, 2): 1.0}, max_batch=4)
    chunks = evaluate(plain, masked, np.zeros(10, np.uint64))
    assert plain.calls == [3, 3, 4]

    class Lazy(ToyAgent):
        def act(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> np.ndarray:
            assert isinstance(batch, MaskedBatch)
            return super().act(materialise(batch), noise_seeds)  # type: ignore[arg-type]

    lazy = Lazy(plain.readout, lazy=True, max_batch=4)
    assert np.array_equal(evaluate(lazy, masked, np.zeros(10, np.uint64)), chunks)


def test_bad_answers_and_settings_are_named() -> None:
    base = observation(14)
    with pytest.raises(ContractError, match="nan"):
        explain(ToyAgent(lambda images: np.full((len(images["front"]), 1), np.nan)), base)
    with pytest.raises(UnknownNameError, match="iss_published"):
        explain(reads_cells({("front", 0, 0): 1.0}), base, "iss_publishe")
    with pytest.raises(ConfigurationError, match="noise seeds"):
        explain(reads_cells({("front", 0, 0): 1.0}), base, noise_seeds=[1, 2])
