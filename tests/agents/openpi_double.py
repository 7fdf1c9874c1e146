"""A stand-in for openpi, put on disk: the same modules, names and signatures, with a model of a few numbers.

It is not openpi; ``test_openpi_real.py`` has the real files where they can be had. ``KIND`` in its configuration says
which: ``torch`` or ``jax`` flow models, which take their noise, or ``fast``, which takes none.
"""

from __future__ import annotations

import json
from pathlib import Path

FILES = {
    "shared/download.py": """
import pathlib

def maybe_download(url):
    assert "://" in url, "local folders need no openpi"
    return pathlib.Path(url.partition("://")[2])
""",
    "models/model.py": """
import dataclasses

@dataclasses.dataclass
class Observation:
    images: dict
    image_masks: dict
    state: object
    tokenized_prompt: object

    @classmethod
    def from_dict(cls, data):
        assert set(data) == {"image", "image_mask", "state", "tokenized_prompt"}, set(data)
        return cls(data["image"], data["image_mask"], data["state"], data["tokenized_prompt"])


def answer(observation, noise, num_steps):
    # A flow to a target that depends on pictures, words and state; arithmetic that arrays of any framework have.
    rows = len(observation.state)
    def mean(a):
        return (a * 1.0).reshape(rows, -1).mean(1)[:, None, None]
    seen = sum(mean(i) * mean(observation.image_masks[n]) / len(n) for n, i in observation.images.items())
    target = (seen / 255 + mean(observation.tokenized_prompt) / 500 + mean(observation.state)) * (noise * 0 + 1)
    x = noise
    for _ in range(num_steps):
        x = x + (target - x) / num_steps
    return x


class Flow:
    batches = []
    memory = None

    def sample_actions(self, rng_or_device, observation, *, num_steps=4, noise=None):
        self.batches.append(len(observation.state))
        if self.memory is not None and len(observation.state) > self.memory:
            raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 8 bytes")
        assert noise is not None, "the model would draw noise of its own"
        return answer(observation, noise, num_steps)


class Fast:
    batches = []

    def sample_actions(self, rng_or_device, observation, *, max_decoding_steps=256, temperature=0.0):
        self.batches.append(len(observation.state))
        state = observation.state * 1.0
        return answer(observation, state[:, None, :] * 0 + state[:, None, :].repeat(1, 10, 1) * 0 + 1.0, 3)
""",
    "training/config.py": """
import dataclasses, types

def config(name, kind, keys, dim):
    model = types.SimpleNamespace(action_horizon=10, action_dim=32, kind=kind)
    return types.SimpleNamespace(name=name, model=model, data=types.SimpleNamespace(keys=keys, dim=dim))

DROID = ("observation/exterior_image_1_left", "observation/wrist_image_left", "observation/joint_position",
         "observation/gripper_position")
LIBERO = ("observation/image", "observation/wrist_image", "observation/state")
RLBENCH = ("observation/front_image", "observation/wrist_image", "observation/state")
_CONFIGS_DICT = {c.name: c for c in (
    config("pi05_droid", "torch", DROID, 8), config("pi05_libero", "torch", LIBERO, 7),
    config("pi0_rlbench", "torch", RLBENCH, 8), config("pi0_fast_droid", "fast", DROID, 8),
    config("pi0_droid", "jax", DROID, 8),
)}

def get_config(name):
    if name not in _CONFIGS_DICT:
        raise ValueError(f"Config '{name}' not found.")
    return _CONFIGS_DICT[name]
""",
    "policies/policy_config.py": """
import json, pathlib
import numpy as np
from openpi.models import model as models

class Policy:
    def __init__(self, train_config, folder, sample_kwargs, device, default_prompt):
        self._model = models.Fast() if train_config.model.kind == "fast" else models.Flow()
        self._stats = json.loads(next(pathlib.Path(folder, "assets").rglob("norm_stats.json")).read_text())
        self._keys, self._dim, self._prompt = train_config.data.keys, train_config.data.dim, default_prompt
        self._sample_actions, self._sample_kwargs = self._model.sample_actions, sample_kwargs or {}
        self._is_pytorch_model = train_config.model.kind != "jax"
        self._pytorch_device = device or "cpu"

    def _input_transform(self, data):
        pictures = [data[k] for k in self._keys if "image" in k]
        state = np.concatenate([data[k] for k in self._keys if "image" not in k])
        assert all(p.shape == (224, 224, 3) and p.dtype == np.uint8 for p in pictures)
        assert isinstance(data["prompt"], str)
        pictures.append(np.zeros_like(pictures[0]))
        names = ("base_0_rgb", "left_wrist_0_rgb", "right_wrist_0_rgb")
        words = np.frombuffer(data["prompt"].encode()[:48].ljust(48), np.uint8).astype(np.int32)
        return {"image": dict(zip(names, pictures)), "image_mask": dict(zip(names, (np.True_, np.True_, np.False_))),
                "state": np.pad(state / self._stats["scale"], (0, 32 - len(state))), "tokenized_prompt": words}

    def _output_transform(self, data):
        assert set(data) == {"state", "actions"} and data["actions"].ndim == 2 and data["state"].shape == (32,)
        return {"actions": data["actions"][:, : self._dim] * self._stats["scale"]}

    def infer(self, observation, *, noise):
        # As openpi's: one observation, a batch of one.
        import torch
        inputs = self._input_transform(dict(observation))
        def one(tree):
            if isinstance(tree, dict):
                return {k: one(v) for k, v in tree.items()}
            return torch.from_numpy(np.array(tree))[None]
        seen = models.Observation.from_dict(one(inputs))
        extra = {} if isinstance(self._model, models.Fast) else {"noise": torch.from_numpy(noise)[None]}
        actions = self._sample_actions("cpu", seen, **self._sample_kwargs, **extra)
        return self._output_transform({"state": inputs["state"], "actions": actions[0].numpy()})


def create_trained_policy(train_config, checkpoint_dir, *, repack_transforms=None, sample_kwargs=None,
                          default_prompt=None, norm_stats=None, pytorch_device=None):
    return Policy(train_config, checkpoint_dir, sample_kwargs, pytorch_device, default_prompt)
""",
}


def install(place: Path) -> Path:
    """Write the package under ``place``, which belongs on the path then."""
    for name, text in FILES.items():
        file = place / "openpi" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return place


def checkpoint(place: Path, weights: str = "model.safetensors") -> Path:
    """A folder with what is looked for in one."""
    assets = place / "assets" / "droid"
    assets.mkdir(parents=True)
    (assets / "norm_stats.json").write_text(json.dumps({"scale": 2.0}))
    if weights == "params":
        (place / "params").mkdir()
        (place / "params" / "_METADATA").write_text("{}")
    else:
        (place / weights).write_bytes(b"weights")
    return place
