"""openpi in process with openpi's own files: its policies, transforms, checkpoints and jitted sampling; tiny weights.

openpi is in no package index: install it from its repository, or give ``OPENPI_SOURCE=<clone>`` in an environment that
has what it imports (jax, flax, orbax-checkpoint, …; versions in its pyproject.toml).
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from hansgym.agents.check import check_agent, synthetic_batch
from hansgym.agents.noise import normal
from hansgym.agents.registry import make_agent
from hansgym.attribution.explain import explain
from hansgym.specs import check_chunk

SOURCE = os.environ.get("OPENPI_SOURCE", "")
assert not SOURCE or (Path(SOURCE) / "src" / "openpi").is_dir(), f"OPENPI_SOURCE={SOURCE} has no src/openpi"
FOLDERS = [str(Path(SOURCE) / f) for f in ("src", "packages/openpi-client/src")] if SOURCE else []
MISSING = [m for m in ("jax", "flax", "orbax", "torch", "sentencepiece") if importlib.util.find_spec(m) is None]
THERE = bool(FOLDERS) or importlib.util.find_spec("openpi") is not None
pytestmark = pytest.mark.skipif(
    bool(MISSING) or not THERE,
    reason="NOT TESTED against openpi's own code: "
    + (f"{', '.join(MISSING)} not installed" if MISSING else "set OPENPI_SOURCE=<clone of the openpi repository>"),
)

CONFIGS = '''
import dataclasses
import flax.nnx as nnx
import jax
import jax.numpy as jnp
import numpy as np
from openpi import transforms
from openpi.models import model as models
from openpi.models import pi0_config
from openpi.policies import droid_policy, libero_policy
from openpi.training import config as configs


class TinyModel(models.BaseModel):
    """A flow to what a linear layer makes of all inputs."""

    def __init__(self, config, rngs):
        super().__init__(config.action_dim, config.action_horizon, config.max_token_len)
        self.layer = nnx.Linear(9 + 32 + config.max_token_len, 32, rngs=rngs)

    def compute_loss(self, rng, observation, actions, *, train=False):
        raise NotImplementedError

    def sample_actions(self, rng, observation, *, num_steps=10, noise=None):
        seen = models.preprocess_observation(None, observation, train=False)
        rows = len(seen.state)
        noise = jax.random.normal(rng, (rows, self.action_horizon, self.action_dim)) if noise is None else noise
        looks = [(i * seen.image_masks[k][:, None, None, None]).mean((1, 2)) for k, i in seen.images.items()]
        words = jnp.where(seen.tokenized_prompt_mask, seen.tokenized_prompt, 0) / 128
        target = jnp.tanh(self.layer(jnp.concatenate([*looks, seen.state, words], -1)))[:, None]
        step = lambda _, x: x + (target - x) / num_steps
        return jax.lax.fori_loop(0, num_steps, step, noise)


@dataclasses.dataclass(frozen=True)
class TinyConfig(models.BaseModelConfig):
    action_dim: int = 32
    action_horizon: int = 10
    max_token_len: int = 48

    @property
    def model_type(self):
        return models.ModelType.PI0

    def create(self, rng):
        return TinyModel(self, nnx.Rngs(rng))

    def inputs_spec(self, *, batch_size=1):
        raise NotImplementedError


class Letters:
    """In place of PaliGemma's tokenizer, which is fetched from the network."""

    def tokenize(self, prompt, state=None):
        ids = np.frombuffer(prompt.encode()[:48].ljust(48, b"\\0"), np.uint8).astype(np.int32)
        return ids, ids > 0


def made(name, inputs, outputs, model=TinyConfig()):
    return configs.TrainConfig(
        name=name,
        model=model,
        data=configs.SimpleDataConfig(
            repo_id=name,
            assets=configs.AssetsConfig(asset_id=name),
            data_transforms=lambda model: transforms.Group(
                inputs=[inputs(model_type=model.model_type)], outputs=[outputs()]
            ),
            model_transforms=lambda model: transforms.Group(
                inputs=[
                    transforms.ResizeImages(224, 224),
                    transforms.TokenizePrompt(Letters()),
                    transforms.PadStatesAndActions(model.action_dim),
                ]
            ),
        ),
        exp_name="tiny",
    )


DROID = made("droid", droid_policy.DroidInputs, droid_policy.DroidOutputs)
LIBERO = made("libero", libero_policy.LiberoInputs, libero_policy.LiberoOutputs)
PI05 = pi0_config.Pi0Config(pi05=True, action_horizon=10, max_token_len=48, pytorch_compile_mode=None)
TORCH = made("torch", droid_policy.DroidInputs, droid_policy.DroidOutputs, PI05)
'''


@pytest.fixture(scope="module")
def configs(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The module with the two configurations, importable as ``tiny_pi``."""
    place = tmp_path_factory.mktemp("configs")
    (place / "tiny_pi.py").write_text(CONFIGS)
    before = list(sys.path)
    sys.path[:0] = [*FOLDERS, str(place)]
    if importlib.util.find_spec("lerobot") is None:  # its data loader imports it, for training only
        name = ""
        for part in ("lerobot", "common", "datasets", "lerobot_dataset"):
            name = f"{name}.{part}" if name else part
            sys.modules.setdefault(name, ModuleType(name))
            sys.modules[name].__path__ = []
    yield importlib.import_module("tiny_pi")
    sys.path[:] = before


def checkpoint(configs: Any, name: str, place: Path) -> Path:
    """A JAX checkpoint of random weights, written by what openpi writes its own with."""
    import flax.nnx as nnx
    import jax
    import orbax.checkpoint as ocp
    from openpi.shared import normalize

    model = getattr(configs, name).model.create(jax.random.key(0))
    with ocp.PyTreeCheckpointer() as writer:
        writer.save(place / "params", {"params": nnx.state(model).to_pure_dict()})
    states, actions = {"DROID": (8, 8), "LIBERO": (8, 7)}[name]
    rng = np.random.default_rng(0)
    numbers = {
        key: normalize.NormStats(mean=rng.normal(size=width), std=rng.uniform(0.1, 1.0, width))
        for key, width in (("state", states), ("actions", actions))
    }
    normalize.save(place / "assets" / name.lower(), numbers)
    return place


@pytest.mark.parametrize(
    ("name", "mapping", "mode"), [("DROID", "droid", "joint_position"), ("LIBERO", "libero", "ee_delta")]
)
def test_batches_are_what_their_infer_says_row_by_row(
    name: str, mapping: str, mode: str, configs: Any, tmp_path: Path
) -> None:
    folder = checkpoint(configs, name, tmp_path / "checkpoint")
    agent = make_agent(f"openpi:tiny_pi:{name}@{folder},max_batch=8")
    assert (agent.spec.action.mode, agent.spec.noise_control) == (mode, "exact")
    assert (agent.spec.details["mapping"]["name"], agent.spec.details["framework"]) == (mapping, "jax")
    from openpi.policies import policy_config

    policy = policy_config.create_trained_policy(getattr(configs, name), folder)
    batch, seeds = synthetic_batch(agent.spec, rows=5), np.array([3, 1, 4, 1, 5], np.uint64)
    chunk = check_chunk(agent.act(batch, seeds), 5, agent.spec)
    noise = normal(seeds, (10, 32))
    rows = agent._observations(batch)
    due = np.stack([policy.infer(row, noise=n)["actions"] for row, n in zip(rows, noise, strict=True)])
    np.testing.assert_allclose(chunk, agent.mapping.actions(due, batch), atol=1e-4)
    report = check_agent(agent)
    assert report.ok, str(report)
    assert report.check("image").value > 0
    assert report.check("instruction").value > 0
    assert explain(agent, batch.take([0]), n_masks=8)[0].mean_effect > 0


def test_weights_of_another_model_are_refused(configs: Any, tmp_path: Path) -> None:
    import orbax.checkpoint as ocp

    folder = checkpoint(configs, "DROID", tmp_path / "checkpoint")
    other = tmp_path / "other"
    with ocp.PyTreeCheckpointer() as writer:
        writer.save(other / "params", {"params": {"layer": {"bias": np.zeros(3, np.float32)}}})
    (folder / "assets").rename(other / "assets")
    with pytest.raises(Exception, match=r"openpi cannot load .* as 'tiny_pi:DROID'"):
        make_agent(f"openpi:tiny_pi:DROID@{other}")


@pytest.mark.slow
def test_pi05_itself_samples_batches_from_given_noise(configs: Any) -> None:
    """π0.5 as openpi builds it at its smallest, 429 million random numbers: a row alone is answered as in company."""
    import jax
    from openpi.models import model as models
    from openpi.shared import nnx_utils
    from openpi.training import config as openpi_configs

    from hansgym.agents._openpi_checkpoint import Loaded

    config = openpi_configs.get_config("debug_pi05").model
    model = config.create(jax.random.key(0))
    rng = np.random.default_rng(0)

    def inputs(rows: int) -> dict[str, Any]:
        rng = np.random.default_rng(1)
        looks = {k: rng.integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)[:rows] for k in models.IMAGE_KEYS}
        return {
            "image": looks,
            "image_mask": {k: np.ones(rows, bool) for k in looks},
            "state": np.zeros((rows, config.action_dim), np.float32),
            "tokenized_prompt": np.ones((rows, config.max_token_len), np.int32),
            "tokenized_prompt_mask": np.arange(config.max_token_len)[None].repeat(rows, 0) < 5,
        }

    shape = (config.action_horizon, config.action_dim)
    sample = nnx_utils.module_jit(model.sample_actions)
    loaded = Loaded("pi05", model, dict, dict, sample, {"num_steps": 2}, models.Observation, shape)
    noise = rng.normal(size=(2, *shape)).astype(np.float32)
    two, one = loaded.sample(inputs(2), noise), loaded.sample(inputs(1), noise[:1])
    assert two.shape == (2, *shape)
    np.testing.assert_allclose(two[:1], one, atol=0.05)  # its weights are bfloat16
    assert np.abs(two[0] - two[1]).max() > 0.1


@pytest.fixture
def small_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """openpi's PyTorch π0.5, with PaliGemma and Gemma of a few thousand numbers."""
    try:
        from transformers.models.siglip import check
    except ImportError:
        pytest.skip("NOT TESTED in PyTorch: copy openpi's transformers_replace/ over transformers, as its README says")
    assert check.check_whether_transformers_replace_is_installed_correctly()
    from openpi.models import gemma
    from openpi.models_pytorch import gemma_pytorch

    real, size = gemma_pytorch.PaliGemmaForConditionalGeneration, {"width": 32, "depth": 2, "mlp_dim": 48}

    def small(config: Any) -> Any:
        config.text_config.vocab_size = config._vocab_size = 160
        config.image_token_id = config.image_token_index = 159
        for name, value in (("hidden_size", 16), ("num_hidden_layers", 1), ("num_attention_heads", 2)):
            setattr(config.vision_config, name, value)
        config.vision_config.intermediate_size = 24
        config.vision_config.projection_dim = config.projection_dim = config.text_config.hidden_size
        return real(config=config)

    chosen = gemma.Config(**size, num_heads=8, num_kv_heads=1, head_dim=16)
    monkeypatch.setattr(gemma, "get_config", lambda variant: chosen)
    monkeypatch.setattr(gemma_pytorch, "PaliGemmaForConditionalGeneration", small)


@pytest.mark.usefixtures("small_torch")
def test_a_pytorch_checkpoint_is_answered_in_batches_as_by_its_infer(configs: Any, tmp_path: Path) -> None:
    import torch
    from openpi.models_pytorch.pi0_pytorch import PI0Pytorch
    from openpi.policies import policy_config
    from openpi.shared import normalize
    from safetensors.torch import save_model

    torch.manual_seed(0)
    folder, rng = tmp_path / "checkpoint", np.random.default_rng(0)
    numbers = {}
    for key in ("state", "actions"):
        low = rng.normal(size=8)
        numbers[key] = normalize.NormStats(mean=low + 1, std=np.ones(8), q01=low, q99=low + 2)
    normalize.save(folder / "assets" / "torch", numbers)
    save_model(PI0Pytorch(configs.TORCH.model), str(folder / "model.safetensors"))
    agent = make_agent(f"openpi:tiny_pi:TORCH@{folder},max_batch=4,num_steps=2,device=cpu,mapping=droid")
    assert (agent.spec.noise_control, agent.spec.details["framework"]) == ("exact", "torch")
    policy = policy_config.create_trained_policy(
        configs.TORCH, folder, sample_kwargs={"num_steps": 2}, pytorch_device="cpu"
    )
    batch, seeds = synthetic_batch(agent.spec, rows=3), np.array([3, 1, 4], np.uint64)
    chunk = check_chunk(agent.act(batch, seeds), 3, agent.spec)
    noise = normal(seeds, (10, 32))
    rows = agent._observations(batch)
    due = np.stack([policy.infer(row, noise=n)["actions"] for row, n in zip(rows, noise, strict=True)])
    np.testing.assert_allclose(chunk, agent.mapping.actions(due, batch), atol=0.02)  # its weights are bfloat16
    report = check_agent(agent, tolerance=0.02)
    assert report.ok, str(report)
    assert np.ptp(chunk, axis=0).max() > 0.1
