"""``lerobot:`` checkpoints that lack what they were made from, that are not served, or that would run code."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip(
    "lerobot.configs.policies", reason="LeRobot is not installed here: `make test-lerobot` runs these tests"
)

import lerobot_kinds as kinds
import lerobot_tiny as tiny
from lerobot_asked import LEROBOT, OLD, Made, agent, copied, small, step_of

from hansgym.agents import _lerobot_kinds as adapter
from hansgym.agents._lerobot_code import fast_tokens
from hansgym.agents.check import synthetic_batch
from hansgym.errors import ConfigurationError, MissingExtraError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("kinds"))


# ---------------------------------------------------------------- what a policy was made from


def test_a_base_that_cannot_be_had_is_asked_for(made: Made, tmp_path: Path) -> None:
    it = made("multi_task_dit")
    other = copied(it.checkpoint.folder, tmp_path)
    tiny.edit(other / "config.json", lambda t: t.update(vision_encoder_name="nobody/clip", text_encoder_name="a/clip"))
    with pytest.raises(ConfigurationError, match=r"(?s)make the 'multi_task_dit' policy.*base=<folder>"):
        agent(other)
    found = agent(other, base=it.checkpoint.config.vision_encoder_name)
    assert found.spec.horizon == it.spec.horizon
    with pytest.raises(ConfigurationError, match="'act' is made from nothing else; leave out base"):
        agent(tiny.act(tmp_path / "act"), base="somewhere")


@pytest.mark.parametrize("name", ["evo1", "vla_jepa"])
def test_a_base_may_lie_elsewhere(made: Made, tmp_path: Path, name: str) -> None:
    it = made(name)
    (setting,) = adapter.BASES[name]
    other = copied(it.checkpoint.folder, tmp_path)
    tiny.edit(other / "config.json", lambda t: t.update({setting: "nobody/nothing"}))
    with pytest.raises(ConfigurationError, match=rf"(?s)cannot make the '{name}' policy.*base=<folder>"):
        agent(other)
    found = agent(other, base=getattr(it.checkpoint.config, setting))
    shown, seeds = synthetic_batch(it.spec, rows=1), np.zeros(1, np.uint64)
    np.testing.assert_array_equal(found.act(shown, seeds), it.act(shown, seeds))


def test_a_base_of_smolvla_may_lie_elsewhere(tmp_path: Path) -> None:
    folder = tiny.smolvla(tmp_path / "smolvla")
    tiny.edit(folder / "config.json", lambda t: t.update(vlm_model_name="nobody/nothing"))
    with pytest.raises(ConfigurationError, match=r"(?s)cannot make the 'smolvla' policy.*base=<folder>"):
        agent(folder)
    base = tmp_path / "smolvla-backbone"
    assert agent(folder, base=str(base), tokenizer=str(base)).spec.horizon == 10


def test_words_of_eo1_may_lie_elsewhere(made: Made, tmp_path: Path) -> None:
    it = made("eo1")
    other = copied(it.checkpoint.folder, tmp_path)
    step_of(other, "eo1_qwen_processor", lambda c: c.update(processor_name="nobody/nothing"))
    with pytest.raises(ConfigurationError, match=r"(?s)cannot make the 'eo1' policy.*tokenizer=<folder>"):
        agent(other)
    found = agent(other, tokenizer=str(it.checkpoint.config.vlm_base))
    shown, seeds = synthetic_batch(it.spec, rows=1), np.zeros(1, np.uint64)
    np.testing.assert_array_equal(found.act(shown, seeds), it.act(shown, seeds))


# ---------------------------------------------------------------- kinds that are not served


@pytest.mark.parametrize("kind", adapter.REFUSED)
def test_kinds_that_no_observation_decides_are_refused(tmp_path: Path, kind: str) -> None:
    folder = tiny.act(tmp_path / "act")
    tiny.edit(folder / "config.json", lambda t: t.update(type=kind))
    with pytest.raises(ConfigurationError, match=f"policy '{kind}' is not served: it .*Use one that.*act, diff"):
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
    with pytest.raises(MissingExtraError, match=r"'act' policy needs a package.*abacus.*pip install.*lerobot\[all"):
        agent(folder)


# ---------------------------------------------------------------- code out of checkpoints


def test_the_fast_tokenizer_is_read_and_not_run(made: Made, tmp_path: Path) -> None:
    it = made("pi0_fast")
    folder = Path(it.checkpoint.config.action_tokenizer_name)
    assert (folder / "processing_action_tokenizer.py").is_file()
    assert not (folder / "ran").exists()
    words = fast_tokens(folder)
    assert (words.scale, words.min_token) == (10.0, -10)
    decoded = words.bpe_tokenizer.decode([0, 10, 20])
    assert [ord(c) + words.min_token for c in decoded] == [-10, 0, 10]
    broken = copied(folder, tmp_path)
    tiny.edit(broken / "processor_config.json", lambda t: t.pop("scale"))
    with pytest.raises(ConfigurationError, match=r"no whole FAST action tokenizer \(scale = None, min_token = -10"):
        fast_tokens(broken)


@pytest.mark.parametrize("named", ["lerobot.utils.constants.Path", "lerobot.policies.factory.make_policy", "os.system"])
def test_only_processors_are_run_as_processors(tmp_path: Path, named: str) -> None:
    """LeRobot calls whatever a file names, with the words of the file: also its own functions, and what they import."""
    folder = tiny.act(tmp_path / "act")
    step = {"class": named, "config": {}}
    tiny.edit(folder / "policy_preprocessor.json", lambda t: t["steps"].append(step))
    with pytest.raises(ConfigurationError, match=rf"asks for the processor '{named}', which is not LeRobot's own"):
        agent(folder)
    step["class"] = "lerobot.processor.batch_processor.AddBatchDimensionProcessorStep"
    tiny.edit(folder / "policy_preprocessor.json", lambda t: t["steps"].__setitem__(-1, step))
    assert agent(folder).spec.horizon == 12


@pytest.mark.parametrize("file", ["processor_config.json", "tokenizer_config.json"])
def test_code_that_a_checkpoint_names_is_not_run(made: Made, tmp_path: Path, file: str) -> None:
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


def test_code_beside_groots_words_is_not_run(made: Made, tmp_path: Path) -> None:
    """It asks for them when it is first asked, with ``trust_remote_code``."""
    it = made("groot")
    base = Path(it.checkpoint.config.base_model_path)
    evil = copied(base.with_name(base.name.replace("-base", "-qwen")), tmp_path)
    auto = {"AutoTokenizer": ["evil.Evil", None]}
    tiny.edit(evil / "tokenizer_config.json", lambda t: t.update(auto_map=auto, tokenizer_class="Evil"))
    (evil / "evil.py").write_text(f"from pathlib import Path\nPath({str(tmp_path / 'ran')!r}).touch()\n")
    folder = shutil.copytree(it.checkpoint.folder, tmp_path / "checkpoint")
    step_of(folder, "groot_n1_7_vlm_encode_v1", lambda c: c.update(model_name=str(evil)))
    with pytest.raises(ConfigurationError, match=r"asks to run the Python code 'evil.py' of .*not done"):
        agent(folder)
    assert not (tmp_path / "ran").exists()
