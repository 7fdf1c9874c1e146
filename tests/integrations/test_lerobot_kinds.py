"""``lerobot:`` agents of every kind of LeRobot's policies that can be built here, tiny and random; and of none that
cannot be served, or that would run code out of a checkpoint.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip(
    "lerobot.configs.policies", reason="LeRobot is not installed here: `make test-lerobot` runs these tests"
)

import lerobot_kinds as kinds
import lerobot_kinds_more as more
import lerobot_tiny as tiny
import torch

from hansgym.agents import _lerobot_kinds as adapter
from hansgym.agents._lerobot_code import fast_tokens
from hansgym.agents._lerobot_sampling import Sampling, mixes_words, together
from hansgym.agents.check import check_agent, synthetic_batch
from hansgym.agents.lerobot import LeRobotAgent
from hansgym.agents.registry import make_agent
from hansgym.attribution.explain import explain
from hansgym.batch import Batch
from hansgym.errors import AgentError, ConfigurationError, ContractError, MissingExtraError

LEROBOT = metadata.version("lerobot")
OLD = LEROBOT.startswith("0.4")


@dataclass(frozen=True)
class Kind:
    """``build(folder)``; ``says``: noise control, how it gets in, chunk length. ``gemma``: the words of its PaliGemma.
    ``tolerance``: some round to eight bits whatever they are told. ``words``: whether it is told any.
    """

    build: Callable[[Path], Path]
    says: tuple[str, str, int]
    of: str = ""
    gemma: int = 0
    tolerance: float = 1e-4
    words: bool = True


KINDS = {
    "vqbet": Kind(kinds.vqbet, ("rng", "generator", 4), words=False),
    "xvla": Kind(kinds.xvla, ("exact", "inside", 6)),
    "pi0": Kind(kinds.pi0, ("exact", "argument", 10), gemma=64),
    "pi0_fast": Kind(kinds.pi0_fast, ("deterministic", "untouched", 5), gemma=kinds.FAST_WORDS),
    "multi_task_dit": Kind(kinds.multi_task_dit, ("exact", "inside", 6)),
    "dit flow": Kind(
        lambda f: kinds.multi_task_dit(f, objective="flow_matching"), ("exact", "inside", 6), "multi_task_dit"
    ),
    "groot": Kind(more.groot, ("exact", "inside", 10)),
    "eo1": Kind(more.eo1, ("exact", "inside", 6)),
    "evo1": Kind(more.evo1, ("exact", "inside", 6)),
    "vla_jepa": Kind(more.vla_jepa, ("exact", "inside", 4), tolerance=0.05),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kinds")


@pytest.fixture(scope="module")
def made(root: Path) -> Callable[[str], LeRobotAgent]:
    """The agent of a kind, made when it is first asked for; a LeRobot that has none of the kind skips."""
    known: dict[str, LeRobotAgent] = {}

    def get(name: str) -> LeRobotAgent:
        if name not in known:
            kind = KINDS[name]
            needs(kind.of or name)
            with small(kind.of or name):
                kind.build(root / name)
                known[name] = agent(root / name)
        return known[name]

    return get


def needs(kind: str) -> None:
    if OLD and adapter.TESTED[kind] != LEROBOT:
        pytest.skip(f"{kind}: LeRobot {LEROBOT} has another, or none that its own packages run; 0.6.1 runs this test")
    if kind == "groot":
        pytest.importorskip("tree", reason="GR00T needs dm-tree, which `make test-lerobot` installs")


def small(name: str) -> contextlib.AbstractContextManager[Any]:
    gemma = KINDS[name].gemma if name in KINDS else 0
    return kinds.small_gemma(name, gemma) if gemma else contextlib.nullcontext()


def agent(folder: Path, **options: Any) -> LeRobotAgent:
    chosen = {} if "mapping" in options else {"control": "joint_position"}
    found = make_agent(f"lerobot:{folder}", **{**chosen, "device": "cpu", "max_batch": 8, **options})
    assert isinstance(found, LeRobotAgent)
    return found


def copied(folder: Path, to: Path) -> Path:
    return shutil.copytree(folder, to / "copy")


def step_of(folder: Path, name: str, change: Callable[[dict[str, Any]], Any], where: str = "pre") -> None:
    """Change the settings of the processor ``name`` of a checkpoint."""

    def edit(table: dict[str, Any]) -> None:
        change(next(s for s in table["steps"] if s.get("registry_name") == name)["config"])

    tiny.edit(folder / f"policy_{where}processor.json", edit)


# ---------------------------------------------------------------- every kind


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_what_it_declares(made: Any, name: str) -> None:
    spec, kind = made(name).spec, KINDS[name]
    assert (spec.noise_control, spec.details["noise"]["way"], spec.horizon) == kind.says
    assert spec.details["policy"] == (kind.of or name)
    assert bool(spec.details["flags"]) == (name in ("vqbet", "multi_task_dit", "dit flow")), "those remember"
    assert spec.details["batches"] == ("of rows told the same" if name == "groot" else "of any rows")
    json.dumps(spec.details)


@pytest.mark.parametrize("name", KINDS)
def test_conformance(made: Any, name: str) -> None:
    found = check_agent(made(name), tolerance=KINDS[name].tolerance)
    assert found.ok, str(found)


@pytest.mark.parametrize("name", KINDS)
def test_pictures_state_and_words_reach_the_policy(made: Any, name: str) -> None:
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
def test_explanations(made: Any, name: str) -> None:
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


def test_x_vla_is_told_its_domain_by_its_own_processor(made: Any, tmp_path: Path) -> None:
    it = made("xvla")
    other = copied(it.checkpoint.folder, tmp_path)
    step_of(other, "xvla_add_domain_id", lambda c: c.update(domain_id=2))
    shown, seeds = synthetic_batch(it.spec, rows=2), np.array([1, 2], np.uint64)
    assert np.abs(it.act(shown, seeds) - agent(other).act(shown, seeds)).max() > 1e-3


def test_x_vla_turns_every_control_step(made: Any, tmp_path: Path) -> None:
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


def test_pi0_acts_relative_to_the_state_of_its_own_row(made: Any, root: Path) -> None:
    made("pi0")
    with small("pi0"):
        kinds.pi0(root / "relative", use_relative_actions=True, relative_exclude_joints=[])
        relative = agent(root / "relative", max_batch=2)
    shown, seeds = synthetic_batch(relative.spec, rows=3), np.arange(3, dtype=np.uint64)
    states = np.concatenate([shown.state["joint_positions"], shown.state["gripper_open"]], 1)
    moved = relative.act(shown, seeds) - made("pi0").act(shown, seeds)
    np.testing.assert_allclose(moved, np.repeat(states[:, None], 10, 1), atol=1e-5)


def test_groot_is_not_told_more_than_its_own_words(made: Any) -> None:
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


def test_groot_needs_no_weights_of_its_base(made: Any, tmp_path: Path) -> None:
    it = made("groot")
    base = Path(it.checkpoint.config.base_model_path)
    assert not list(base.glob("*.safetensors"))
    other = copied(it.checkpoint.folder, tmp_path)
    tiny.edit(other / "config.json", lambda t: t.update(base_model_path="nobody/nothing"))
    step_of(other, "groot_n1_7_vlm_encode_v1", lambda c: c.update(model_name="nobody/nothing"))
    with pytest.raises(ConfigurationError, match="(?s)cannot make the 'groot' policy.*base=<folder>"):
        agent(other)
    with pytest.raises(ConfigurationError, match="(?s)cannot ask the 'groot' policy.*tokenizer=<folder>"):
        agent(other, base=str(base))
    words = base.with_name(base.name.replace("-base", "-qwen"))
    found = agent(other, base=str(base), tokenizer=str(words))
    shown, seeds = synthetic_batch(it.spec, rows=1), np.zeros(1, np.uint64)
    np.testing.assert_array_equal(found.act(shown, seeds), it.act(shown, seeds))


def test_groot_is_told_its_embodiment_by_its_own_processor(made: Any, tmp_path: Path) -> None:
    it = made("groot")
    other = copied(it.checkpoint.folder, tmp_path)
    step_of(other, "groot_n1_7_pack_inputs_v1", lambda c: c.update(embodiment_tag="libero_sim"))
    shown, seeds = synthetic_batch(it.spec, rows=2), np.array([1, 2], np.uint64)
    assert np.abs(it.act(shown, seeds) - agent(other).act(shown, seeds)).max() > 1e-3


def test_a_base_that_cannot_be_had_is_asked_for(made: Any, tmp_path: Path) -> None:
    it = made("multi_task_dit")
    other = copied(it.checkpoint.folder, tmp_path)
    tiny.edit(other / "config.json", lambda t: t.update(vision_encoder_name="nobody/clip", text_encoder_name="a/clip"))
    with pytest.raises(ConfigurationError, match="(?s)make the 'multi_task_dit' policy.*base=<folder>"):
        agent(other)
    found = agent(other, base=it.checkpoint.config.vision_encoder_name)
    assert found.spec.horizon == it.spec.horizon
    with pytest.raises(ConfigurationError, match="'act' is made from nothing else; leave out base"):
        agent(tiny.act(tmp_path / "act"), base="somewhere")


# ---------------------------------------------------------------- kinds that are not served


@pytest.mark.parametrize("kind", adapter.REFUSED)
def test_kinds_that_no_observation_decides_are_refused(tmp_path: Path, kind: str) -> None:
    folder = tiny.act(tmp_path / "act")
    tiny.edit(folder / "config.json", lambda t: t.update(type=kind))
    with pytest.raises(ConfigurationError, match=f"policy '{kind}' is not served: it .*Use one that answers.*act, diff"):
        agent(folder)


@pytest.mark.parametrize("kind", ["tdmpc", "gaussian_actor"])
def test_real_checkpoints_of_refused_kinds(tmp_path: Path, kind: str) -> None:
    if OLD and kind == "gaussian_actor":
        pytest.skip(f"LeRobot {LEROBOT} calls it sac, which needs more packages; 0.6.1 runs this test")
    with pytest.raises(ConfigurationError, match=f"policy '{kind}' is not served"):
        agent(getattr(kinds, kind)(tmp_path / kind))


def test_a_policy_that_raises_when_asked_is_a_wrong_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lerobot.policies.act.modeling_act import ACTPolicy

    def absent(self: Any, batch: Any) -> None:
        raise ImportError("No module named 'abacus'")

    folder = tiny.act(tmp_path / "act")
    monkeypatch.setattr(ACTPolicy, "predict_action_chunk", absent)
    with pytest.raises(MissingExtraError, match=r"'act' policy needs a package.*abacus.*pip install"):
        agent(folder)


# ---------------------------------------------------------------- code out of checkpoints


def test_the_fast_tokenizer_is_read_and_not_run(made: Any, tmp_path: Path) -> None:
    it = made("pi0_fast")
    folder = Path(it.checkpoint.config.action_tokenizer_name)
    assert (folder / "processing_action_tokenizer.py").is_file()
    assert not (folder / "ran").exists()
    words = fast_tokens(folder)
    assert (words.scale, words.min_token) == (10.0, -10)
    decoded = words.bpe_tokenizer.decode([0, 10, 20])
    assert [ord(c) + words.min_token for c in decoded] == [-10, 0, 10]
    with pytest.raises(ConfigurationError, match="only decodes here"):
        words(np.zeros((1, 5, 8)))
    broken = copied(folder, tmp_path)
    tiny.edit(broken / "processor_config.json", lambda t: t.pop("scale"))
    with pytest.raises(ConfigurationError, match=r"no whole FAST action tokenizer \(scale = None, min_token = -10"):
        fast_tokens(broken)


@pytest.mark.parametrize("file", ["processor_config.json", "tokenizer_config.json"])
def test_code_that_a_checkpoint_names_is_not_run(made: Any, tmp_path: Path, file: str) -> None:
    """π0-FAST asks for its tokenizers with ``trust_remote_code``; their names are in the checkpoint."""
    it = made("pi0_fast")
    config = it.checkpoint.config
    name = "action_tokenizer_name" if file.startswith("processor") else "text_tokenizer_name"
    evil = copied(Path(getattr(config, name)), tmp_path)
    auto = {"AutoProcessor": "evil.Evil"} if file.startswith("processor") else {"AutoTokenizer": ["evil.Evil", None]}
    tiny.edit(evil / file, lambda t: t.update(auto_map=auto, processor_class="Evil", tokenizer_class="Evil"))
    (evil / "evil.py").write_text(f"from pathlib import Path\nPath({str(tmp_path / 'ran')!r}).touch()\n")
    folder = shutil.copytree(it.checkpoint.folder, tmp_path / "checkpoint")
    tiny.edit(folder / "config.json", lambda t: t.update({name: str(evil)}))
    with small("pi0_fast"), pytest.raises(ConfigurationError, match=r"asks to run the Python code .*not done"):
        agent(folder)
    assert not (tmp_path / "ran").exists()


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
