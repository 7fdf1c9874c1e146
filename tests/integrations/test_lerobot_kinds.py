"""``lerobot:`` agents of every kind of LeRobot's policies that can be built here, tiny and random."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip(
    "lerobot.configs.policies", reason="LeRobot is not installed here: `make test-lerobot` runs these tests"
)

import lerobot_kinds as kinds
import lerobot_tiny as tiny
import torch
from lerobot_asked import KINDS, OLD, Made, agent, copied, needs, small, step_of

from hansgym.agents import _lerobot_kinds as adapter
from hansgym.agents._lerobot_sampling import Sampling, mixes_words, together
from hansgym.agents.check import check_agent, synthetic_batch
from hansgym.attribution.explain import explain
from hansgym.batch import Batch
from hansgym.errors import AgentError, ConfigurationError, ContractError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("kinds"))


REMEMBER = ("diffusion", "vqbet", "multi_task_dit", "dit flow")
"""They look at two observations."""

# ---------------------------------------------------------------- every kind


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_what_it_declares(made: Made, name: str) -> None:
    spec, kind = made(name).spec, KINDS[name]
    assert (spec.noise_control, spec.details["noise"]["way"], spec.horizon) == kind.says
    assert spec.details["policy"] == (kind.of or name)
    assert bool(spec.details["flags"]) == (name in REMEMBER)
    assert spec.details["batches"] == ("of rows told the same" if name == "groot" else "of any rows")
    json.dumps(spec.details)


@pytest.mark.parametrize("name", KINDS)
def test_conformance(made: Made, name: str) -> None:
    found = check_agent(made(name), tolerance=KINDS[name].tolerance)
    assert found.ok, str(found)


@pytest.mark.parametrize("name", KINDS)
def test_pictures_state_and_words_reach_the_policy(made: Made, name: str) -> None:
    it = made(name)
    shown, seeds = synthetic_batch(it.spec, rows=1), np.array([3], np.uint64)

    def asked(batch: Batch) -> np.ndarray:
        it.reset([int(batch.rows[0])], [0])
        return it.act(batch, seeds)

    clean = asked(shown)
    others = {c: shown.with_images({**shown.images, c: 255 - shown.images[c]}) for c in it.spec.cameras}
    others["state"] = Batch(shown.images, {k: v + 0.5 for k, v in shown.state.items()}, shown.instructions, shown.rows)
    if KINDS[name].words:
        others["words"] = Batch(shown.images, shown.state, ("open the green jar",), shown.rows)
    for what, batch in others.items():
        assert np.abs(asked(batch) - clean).max() > 1e-3, what


@pytest.mark.parametrize("name", KINDS)
def test_explanations(made: Made, name: str) -> None:
    it = made(name)
    shown = synthetic_batch(it.spec, rows=1)
    it.reset([int(shown.rows[0])], [0])
    found = explain(it, shown, n_masks=6, grid=3)[0]
    assert set(found.cells) == set(it.spec.cameras)
    assert all(np.isfinite(cells).all() for cells in found.cells.values())
    assert max(np.abs(cells).max() for cells in found.cells.values()) > 0


def test_every_kind_is_tested_or_refused_or_flagged() -> None:
    """What docs/policies.md says of LeRobot's kinds is what this LeRobot has."""
    from lerobot.configs.policies import PreTrainedConfig
    from lerobot.policies import factory  # registers them

    there = set(PreTrainedConfig.get_known_choices())
    assert factory
    if not OLD:
        assert set(adapter.TESTED) <= there
        assert there - set(adapter.TESTED) - set(adapter.REFUSED) == {"fastwam", "molmoact2", "wall_x"}
    assert not adapter.flags("act", 1)
    assert "with LeRobot" in adapter.flags("wall_x", 1)[0]


# ---------------------------------------------------------------- what single kinds want


def test_x_vla_is_told_its_domain_by_its_own_processor(made: Made, tmp_path: Path) -> None:
    it = made("xvla")
    other = copied(it.checkpoint.folder, tmp_path)
    step_of(other, "xvla_add_domain_id", lambda c: c.update(domain_id=2))
    shown, seeds = synthetic_batch(it.spec, rows=2), np.array([1, 2], np.uint64)
    assert np.abs(it.act(shown, seeds) - agent(other).act(shown, seeds)).max() > 1e-3


def test_x_vla_turns_every_control_step(made: Made, tmp_path: Path) -> None:
    """Its step from six-dimensional rotations takes one control step at a time; a chunk would be cut along time."""
    needs("xvla")
    from lerobot.policies.xvla.processor_xvla import XVLARotation6DToAxisAngleProcessorStep as Turn

    plain = kinds.xvla(tmp_path / "ee6d", action_mode="ee6d", max_state_dim=20, more={"action": 20})
    with pytest.raises(ContractError, match="gives 20 numbers a step"):
        agent(plain)
    turning = {"registry_name": adapter.ROTATION, "config": {"expected_action_dim": 10}}
    tiny.edit(plain / "policy_postprocessor.json", lambda t: t["steps"].append(turning))
    it = agent(plain, control="ee_delta")
    assert (it.spec.action.dim, it.spec.horizon) == (7, 6)
    given: list[torch.Tensor] = []
    real = it.checkpoint.policy.predict_action_chunk
    it.checkpoint.policy.predict_action_chunk = lambda batch: given.append(real(batch)) or given[-1]
    chunk = it.act(synthetic_batch(it.spec, rows=3), np.arange(3, dtype=np.uint64))
    turn = Turn()
    due = [turn({"action": given[-1][:, k].clone()})["action"].numpy() for k in range(6)]
    np.testing.assert_allclose(chunk, np.stack(due, 1), atol=1e-6)


def test_a_chunk_of_another_width_is_no_answer(tmp_path: Path) -> None:
    """The features promise eight numbers a step, the action space gives twenty."""
    needs("xvla")
    with pytest.raises(AgentError, match=r"shape \(2, 6, 20\).*\(2, steps, 8\) was due"):
        agent(kinds.xvla(tmp_path / "xvla", action_mode="ee6d", max_state_dim=20))


def test_pi0_acts_relative_to_the_state_of_its_own_row(made: Made, tmp_path: Path) -> None:
    made("pi0")
    with small("pi0"):
        kinds.pi0(tmp_path / "relative", use_relative_actions=True, relative_exclude_joints=[])
        relative = agent(tmp_path / "relative", max_batch=2)
    shown, seeds = synthetic_batch(relative.spec, rows=3), np.arange(3, dtype=np.uint64)
    states = np.concatenate([shown.state["joint_positions"], shown.state["gripper_open"]], 1)
    moved = relative.act(shown, seeds) - made("pi0").act(shown, seeds)
    np.testing.assert_allclose(moved, np.repeat(states[:, None], 10, 1), atol=1e-5)


@pytest.mark.parametrize("name", ["pi0", "xvla"])
def test_cameras_that_a_policy_fills_itself_are_not_asked_for(made: Made, tmp_path: Path, name: str) -> None:
    made(name)
    with small(name):
        getattr(kinds, name)(tmp_path / name, empty_cameras=1)
        it = agent(tmp_path / name)
    assert any("empty_camera" in key for key in it.checkpoint.config.input_features)
    assert it.spec.cameras == tiny.CAMERAS
    found = check_agent(it, tolerance=1e-4)
    assert found.ok, str(found)


def test_pi0s_attention_may_be_fused(made: Made) -> None:
    it = made("pi0")
    with small("pi0"):
        quick = agent(it.checkpoint.folder, fused=True)
    shown, seeds = synthetic_batch(it.spec, rows=3), np.arange(3, dtype=np.uint64)
    first, second = it.act(shown, seeds), quick.act(shown, seeds)
    assert 0 < np.abs(first - second).max() < 1e-4 * np.std(first)


def test_groot_is_not_told_more_than_its_own_words(made: Made) -> None:
    """Padding leaks into its sums: a row beside one that is told more would answer otherwise."""
    it = made("groot")
    shown = synthetic_batch(it.spec, rows=3)
    words = ("open", "close the red jar and push the green button", "open")
    shown, seeds = Batch(shown.images, shown.state, words, shown.rows), np.arange(3, dtype=np.uint64)
    alone = np.concatenate([it.act(shown.take([k]), seeds[k : k + 1]) for k in range(3)])
    np.testing.assert_allclose(it.act(shown, seeds), alone, atol=1e-5)
    it._apart = False
    try:
        assert np.abs(it.act(shown, seeds) - alone)[[0, 2]].max() > 1e-3, "the padding no longer leaks"
    finally:
        it._apart = True


def test_groot_needs_no_weights_of_its_base(made: Made, tmp_path: Path) -> None:
    it = made("groot")
    base = Path(it.checkpoint.config.base_model_path)
    assert not list(base.glob("*.safetensors"))
    other = copied(it.checkpoint.folder, tmp_path)
    tiny.edit(other / "config.json", lambda t: t.update(base_model_path="nobody/nothing"))
    step_of(other, "groot_n1_7_vlm_encode_v1", lambda c: c.update(model_name="nobody/nothing"))
    with pytest.raises(ConfigurationError, match=r"(?s)cannot make the 'groot' policy.*base=<folder>"):
        agent(other)
    with pytest.raises(ConfigurationError, match=r"(?s)cannot ask the 'groot' policy.*tokenizer=<folder>"):
        agent(other, base=str(base))
    words = base.with_name(base.name.replace("-base", "-qwen"))
    found = agent(other, base=str(base), tokenizer=str(words))
    shown, seeds = synthetic_batch(it.spec, rows=1), np.zeros(1, np.uint64)
    np.testing.assert_array_equal(found.act(shown, seeds), it.act(shown, seeds))


def test_groot_is_told_its_embodiment_by_its_own_processor(made: Made, tmp_path: Path) -> None:
    it = made("groot")
    other = copied(it.checkpoint.folder, tmp_path)
    step_of(other, "groot_n1_7_pack_inputs_v1", lambda c: c.update(embodiment_tag="libero_sim"))
    shown, seeds = synthetic_batch(it.spec, rows=2), np.array([1, 2], np.uint64)
    assert np.abs(it.act(shown, seeds) - agent(other).act(shown, seeds)).max() > 1e-3


# ---------------------------------------------------------------- words of different lengths


def test_rows_are_asked_apart_where_padding_leaks() -> None:
    def asks(leak: float, rounding: float) -> list[Any]:
        def ask(seeds: np.ndarray, sampling: Sampling, padded: float) -> np.ndarray:
            beside = (padded + rounding) * (len(seeds) > 1)
            return np.sin(seeds)[:, None, None] + np.arange(8.0) + np.array([beside, 0.0])[: len(seeds), None, None]

        return [lambda seeds, sampling, p=p: ask(seeds, sampling, p) for p in (leak, 0.0)]

    exact = Sampling("exact", "inside")
    assert mixes_words(*asks(0.1, 1e-7), exact)
    assert not mixes_words(*asks(0.0, 1e-7), exact)
    assert not mixes_words(*asks(0.0, 1e-2), exact), "rounding is not padding"
    assert mixes_words(*asks(0.1, 1e-2), exact)
    assert not mixes_words(*asks(0.1, 0.0), Sampling("none"))
    rows = together(("a", "b", "a"), apart=True)
    assert [r.tolist() for r in rows] == [[0, 2], [1]]
    assert [r.tolist() for r in together(("a", "b", "a"), apart=False)] == [[0, 1, 2]]
