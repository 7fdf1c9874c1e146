"""openpi in process: batches, noise and input keys, on a stand-in of ours; ``test_openpi_real.py`` has theirs."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import openpi_double

from hansgym.agents._openpi_local import OpenpiLocalAgent, mapping_for
from hansgym.agents.check import check_agent, synthetic_batch
from hansgym.agents.noise import normal
from hansgym.agents.registry import make_agent
from hansgym.attribution.explain import explain
from hansgym.errors import AgentError, ConfigurationError, HansGymError, MissingExtraError
from hansgym.specs import check_chunk


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The stand-in as ``openpi``, whatever is installed; its ``models.model``."""
    monkeypatch.setattr(sys, "path", [str(openpi_double.install(tmp_path / "site")), *sys.path])
    for name in [m for m in sys.modules if m.split(".")[0] == "openpi"]:
        monkeypatch.delitem(sys.modules, name)
    importlib.invalidate_caches()
    yield importlib.import_module("openpi.models.model")
    for name in [m for m in sys.modules if m.split(".")[0] == "openpi"]:
        del sys.modules[name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return openpi_double.checkpoint(tmp_path / "pi05_droid")


def seeds(*values: int) -> np.ndarray:
    return np.array(values, np.uint64)


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(
    ("config", "mapping", "horizon", "mode"),
    [
        ("pi05_droid", "droid", 13, "joint_position"),
        ("pi05_libero", "libero", 10, "ee_delta"),
        ("pi0_rlbench", "rlbench", 10, "joint_position"),
    ],
)
def test_configurations_get_their_keys_and_pass_every_check(
    config: str, mapping: str, horizon: int, mode: str, folder: Path
) -> None:
    agent = make_agent(f"openpi:{config}@{folder},max_batch=4")
    assert mapping_for(config) == mapping
    assert (agent.spec.horizon, agent.spec.action.mode, agent.spec.noise_control) == (horizon, mode, "exact")
    assert agent.spec.details["mapping"]["name"] == mapping
    assert (agent.spec.details["framework"], len(agent.spec.details["weights_sha256"])) == ("torch", 64)
    report = check_agent(agent)
    assert report.ok, str(report)
    assert report.check("image").value > 0
    assert report.check("instruction").value > 0
    result = explain(agent, synthetic_batch(agent.spec, rows=1), n_masks=8)[0]
    assert result.noise_control == "exact"
    assert result.mean_effect > 0


@pytest.mark.usefixtures("stand_in")
def test_a_batch_is_what_infer_says_row_by_row_with_the_rows_own_noise(folder: Path) -> None:
    agent = make_agent(f"openpi:pi05_droid@{folder},max_batch=8")
    assert isinstance(agent, OpenpiLocalAgent)
    batch = synthetic_batch(agent.spec, rows=5)
    chunk = check_chunk(agent.act(batch, seeds(3, 1, 4, 1, 5)), 5, agent.spec)
    configs = importlib.import_module("openpi.training.config")
    policy = importlib.import_module("openpi.policies.policy_config").create_trained_policy(
        configs.get_config("pi05_droid"), folder
    )
    rows = agent._observations(batch)
    noise = normal(seeds(3, 1, 4, 1, 5), (10, 32))
    due = np.stack([policy.infer(row, noise=n)["actions"] for row, n in zip(rows, noise, strict=True)])
    np.testing.assert_allclose(chunk, agent.mapping.actions(due, batch), atol=1e-6)
    assert np.abs(chunk[1] - chunk[3]).max() > 0, "other pictures"
    same = batch.take([0, 0, 0])
    answers = agent.act(same, seeds(7, 8, 7))
    np.testing.assert_allclose(answers[0], answers[2], atol=1e-9)
    assert np.abs(answers[0] - answers[1]).max() > 1e-3, "other noise"


def test_rows_are_made_up_to_powers_of_two_and_halved_until_they_fit(stand_in: ModuleType, folder: Path) -> None:
    agent = make_agent(f"openpi:pi05_droid@{folder},max_batch=12")
    batch = synthetic_batch(agent.spec, rows=11)
    due = agent.act(batch, np.arange(11, dtype=np.uint64))
    stand_in.Flow.batches.clear()
    np.testing.assert_allclose(agent.act(batch, np.arange(11, dtype=np.uint64)), due, atol=1e-9)
    agent.act(batch.take(np.arange(5)), np.arange(5, dtype=np.uint64))
    assert stand_in.Flow.batches == [12, 8], "never more than max_batch"
    stand_in.Flow.batches.clear()
    stand_in.Flow.memory = 4
    np.testing.assert_allclose(agent.act(batch, np.arange(11, dtype=np.uint64)), due, atol=1e-6)
    assert stand_in.Flow.batches == [12, 5, 2, 2, 2, 2, 2, 1]
    stand_in.Flow.memory = 0
    with pytest.raises(AgentError, match=r"does not hold a single row .*RESOURCE_EXHAUSTED.*use a larger device"):
        agent.act(batch, np.arange(11, dtype=np.uint64))


@pytest.mark.usefixtures("stand_in")
def test_fast_takes_no_noise_and_is_found_deterministic(folder: Path) -> None:
    agent = make_agent(f"openpi:pi0_fast_droid@{folder}")
    assert agent.spec.noise_control == "deterministic"
    assert check_agent(agent).check("noise_seeds").status == "pass"


def test_a_model_that_samples_on_its_own_is_labelled(
    stand_in: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = np.random.default_rng(0)

    def sample(self: Any, device: Any, observation: Any, *, temperature: float = 1.0) -> Any:
        return observation.state[:, None, :].repeat(1, 10, 1) + drawn.normal()

    monkeypatch.setattr(stand_in.Fast, "sample_actions", sample)
    assert make_agent(f"openpi:pi0_fast_droid@{folder}").spec.noise_control == "none"


@pytest.mark.usefixtures("stand_in")
def test_options_reach_the_policy(folder: Path) -> None:
    fine, rough = (make_agent(f"openpi:pi05_droid@{folder},horizon=6,num_steps={n}") for n in (9, 2))
    assert fine.spec.horizon == 6
    assert fine.spec.details["sample_kwargs"] == {"num_steps": 9}
    batch = synthetic_batch(fine.spec, rows=2)
    assert fine.act(batch, seeds(1, 2)).shape == (2, 6, 8)
    assert rough._loaded.sample_kwargs == {"num_steps": 2}
    with pytest.raises(ConfigurationError, match=r"predicts 13 control steps, horizon=14 is more; choose 1 to 13"):
        make_agent(f"openpi:pi05_droid@{folder},horizon=14")


@pytest.mark.usefixtures("stand_in")
def test_a_users_own_configuration_and_fetched_checkpoints(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_pi_configs.py").write_text(
        "from openpi.training import config\nMINE = config.config('mine', 'torch', config.RLBENCH, 8)\nOTHER = 3\n"
    )
    monkeypatch.chdir(tmp_path)
    assert make_agent(f"openpi:my_pi_configs:MINE@{folder}").spec.details["mapping"]["name"] == "rlbench"
    with pytest.raises(ConfigurationError, match="'my_pi_configs:OTHER' is int; it must be an openpi TrainConfig"):
        make_agent(f"openpi:my_pi_configs:OTHER@{folder}")
    assert make_agent(f"openpi:pi05_droid@gs://{folder}").spec.noise_control == "exact"


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("pi05_drod@{folder}", r"configuration of openpi 'pi05_drod'\. Did you mean 'pi05_droid'"),
        ("pi05_droid@{folder},steps=3", r"option of agent 'openpi' 'steps'"),
        ("pi05_droid@{folder},max_batch=0", r"max_batch=0; give 1 or more"),
        ("pi0_fast_droid@{folder},num_steps=3", r"model of 'pi0_fast_droid' takes no num_steps; leave it out"),
        (
            "pi05_droid@{folder},mapping=libero",
            r"wants the input 'observation/exterior_image_1_left'; mapping 'libero'",
        ),
        ("pi0_rlbench@{folder},mapping=rlbench_ee_pose", None),
        ("pi05_droid@{folder}/nowhere", "is no folder; give a checkpoint"),
        ("pi05_droid@{folder}/assets", r"neither params/ \(JAX\) nor model\.safetensors \(PyTorch\), only \['droid'\]"),
    ],
)
def test_each_mistake_has_its_own_error(uri: str, message: str | None, folder: Path) -> None:
    if message is None:
        assert make_agent(f"openpi:{uri.format(folder=folder)}").spec.action.mode == "ee_pose"
        return
    with pytest.raises(HansGymError, match=message):
        make_agent(f"openpi:{uri.format(folder=folder)}")


FOLDERS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no statistics": (lambda f: (f / "assets/droid/norm_stats.json").unlink(), "without which actions mean nothing"),
    "unreadable": (
        lambda f: (f / "assets/droid/norm_stats.json").write_text("<"),
        r"openpi cannot load .* as 'pi05_droid': JSONDecodeError.*paligemma_tokenizer\.model",
    ),
    "a training": (
        lambda f: ((f / "model.safetensors").unlink(), (f / "29999").mkdir()),
        r"there are steps of a training inside, such as .*/29999",
    ),
}


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize("name", FOLDERS)
def test_folders_without_what_is_needed(name: str, folder: Path) -> None:
    spoil, message = FOLDERS[name]
    spoil(folder)
    with pytest.raises(ConfigurationError, match=f"(?s){message}"):
        make_agent(f"openpi:pi05_droid@{folder}")


def test_another_openpi_is_told_from_ours(stand_in: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policies = importlib.import_module("openpi.policies.policy_config")
    monkeypatch.delattr(policies.Policy, "_output_transform")
    with pytest.raises(ConfigurationError, match="policies have no output_transform; use its main branch"):
        make_agent(f"openpi:pi05_droid@{folder}")


@pytest.mark.skipif(importlib.util.find_spec("openpi") is not None, reason="openpi is installed here")
def test_without_openpi_the_error_says_how_to_get_it(folder: Path) -> None:
    with pytest.raises(
        MissingExtraError, match=r"installed from its repository .*PyPI is empty.*openpi:ws://HOST:PORT"
    ):
        make_agent(f"openpi:pi05_droid@{folder}")


@pytest.mark.usefixtures("stand_in")
@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="NOT TESTED with JAX arrays: pip install 'hansgym[jax]'"
)
def test_jax_models_are_asked_with_jax_arrays_and_one_key(tmp_path: Path) -> None:
    folder = openpi_double.checkpoint(tmp_path / "jax", "params")
    agent = make_agent(f"openpi:pi0_droid@{folder},max_batch=4")
    assert agent.spec.details["framework"] == "jax"
    report = check_agent(agent)
    assert report.ok, str(report)
