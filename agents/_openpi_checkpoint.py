"""Load a policy with openpi's own functions, after everything that can be checked beforehand was."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from hansgym.agents._weights import fingerprint
from hansgym.agents.python import users_module
from hansgym.errors import ConfigurationError, MissingExtraError
from hansgym.lookup import unknown

_HOW = (
    "openpi is installed from its repository (github.com/Physical-Intelligence/openpi), where uv makes an environment; "
    "install HansGym into that one. The package of this name on PyPI is empty. A server in its own environment is "
    "reached with openpi:ws://HOST:PORT"
)
_TOKENIZER = "big_vision/paligemma_tokenizer.model"


@dataclass(frozen=True)
class Loaded:
    """The parts of one of openpi's policies. ``noise_shape``: (T, A) that its model starts from, normalised, padded."""

    name: str
    model: Any
    input_transform: Callable[[dict[str, Any]], dict[str, Any]]
    output_transform: Callable[[dict[str, Any]], dict[str, Any]]
    sample_actions: Callable[..., Any]
    sample_kwargs: dict[str, Any]
    observation: Any
    noise_shape: tuple[int, int]
    device: str | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def framework(self) -> str:
        """``jax`` or ``torch``."""
        return "jax" if self.device is None else "torch"

    def sample(self, inputs: dict[str, Any], noise: np.ndarray | None) -> np.ndarray:
        """(B, T, A) of the model, from a tree of arrays (B, …) and (B, T, A) float32 noise, or its own where None."""
        return self._sample_jax(inputs, noise) if self.device is None else self._sample_torch(inputs, noise)

    def _sample_jax(self, inputs: dict[str, Any], noise: np.ndarray | None) -> np.ndarray:
        jax = importlib.import_module("jax")
        given = jax.tree.map(jax.numpy.asarray, inputs)
        extra = {} if noise is None else {"noise": jax.numpy.asarray(noise)}
        # One key for every call: a policy's own is split from call to call, and answers would depend on their order.
        seen = self.observation.from_dict(given)
        return np.asarray(self.sample_actions(jax.random.key(0), seen, **self.sample_kwargs, **extra))

    def _sample_torch(self, inputs: dict[str, Any], noise: np.ndarray | None) -> np.ndarray:
        torch = importlib.import_module("torch")

        def placed(tree: Any) -> Any:
            if isinstance(tree, dict):
                return {key: placed(value) for key, value in tree.items()}
            return torch.from_numpy(np.array(tree)).to(self.device)

        extra = {} if noise is None else {"noise": torch.from_numpy(noise).to(self.device)}
        with torch.inference_mode():
            seen = self.observation.from_dict(placed(inputs))
            out = self.sample_actions(self.device, seen, **self.sample_kwargs, **extra)
        array: np.ndarray = out.detach().float().cpu().numpy()
        return array

    def free(self) -> None:
        """Give memory back that PyTorch keeps for later."""
        if self.device is not None and self.device.startswith("cuda"):
            importlib.import_module("torch").cuda.empty_cache()


def checkpoint_folder(folder: str) -> Path:
    """The folder with weights and statistics; one that lacks them raises. What lies at gs://… is fetched first."""
    place = Path(_module("openpi.shared.download").maybe_download(folder)) if "://" in folder else Path(folder)
    place = place.expanduser().resolve()
    if not place.is_dir():
        raise ConfigurationError(f"{folder!r} is no folder; give a checkpoint of openpi's, e.g. …/pi05_droid")
    if not (place / "model.safetensors").is_file() and not (place / "params").is_dir():
        inside = sorted(p.name for p in place.iterdir())[:8]
        steps = [p for p in inside if p.isdigit()]
        hint = f"; there are steps of a training inside, such as {folder}/{steps[-1]}" if steps else ""
        raise ConfigurationError(
            f"{folder} has neither params/ (JAX) nor model.safetensors (PyTorch), only {inside}; give the folder that "
            f"has one of them{hint}"
        )
    if not list((place / "assets").rglob("norm_stats.json")):
        raise ConfigurationError(
            f"{folder} has no assets/…/norm_stats.json, without which actions mean nothing; give the whole checkpoint"
        )
    return place


def training_config(name: str) -> Any:
    """openpi's training configuration called ``name``, or one of the user's: ``my_module:CONFIG``."""
    configs = _module("openpi.training.config")
    module, colon, attribute = name.rpartition(":")
    if colon:
        found = getattr(users_module(module), attribute, None)
        if not hasattr(found, "model") or not hasattr(found, "data"):
            raise ConfigurationError(f"{name!r} is {type(found).__name__}; it must be an openpi TrainConfig")
        return found
    try:
        return configs.get_config(name)
    except ValueError as error:
        known = getattr(configs, "_CONFIGS_DICT", None)
        if known:
            raise unknown("configuration of openpi", name, known) from None
        raise ConfigurationError(f"openpi knows no configuration {name!r} ({error}); give one of its own") from None


def create(
    name: str,
    config: Any,
    folder: Path,
    *,
    sample_kwargs: dict[str, Any] | None = None,
    device: str | None = None,
) -> Loaded:
    """The policy that openpi itself makes of ``config`` and ``folder``, in parts."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.relative_to(folder).parts[0] != "train_state")
    maker = _module("openpi.policies.policy_config")
    try:
        policy = maker.create_trained_policy(config, folder, sample_kwargs=sample_kwargs, pytorch_device=device)
    except Exception as error:  # whatever orbax, safetensors, a hub or a missing file raise
        raise ConfigurationError(
            f"openpi cannot load {folder} as {name!r}: {type(error).__name__}: {str(error)[:400]}. Give the folder's "
            f"own configuration; without a network, put {_TOKENIZER} under $OPENPI_DATA_HOME (~/.cache/openpi)"
        ) from error
    parts = {p: getattr(policy, f"_{p}", None) for p in ("model", "input_transform", "output_transform")}
    sample = getattr(policy, "_sample_actions", None)
    torch = bool(getattr(policy, "_is_pytorch_model", False))
    lacking = [p for p, value in {**parts, "sample_actions": sample}.items() if value is None]
    if lacking:
        raise ConfigurationError(f"this openpi's policies have no {', '.join(lacking)}; use its main branch of 2026")
    return Loaded(
        name=name,
        **parts,  # type: ignore[arg-type] # none of them is None
        sample_actions=sample,  # type: ignore[arg-type]
        sample_kwargs=dict(getattr(policy, "_sample_kwargs", None) or {}),
        observation=_module("openpi.models.model").Observation,
        noise_shape=(int(config.model.action_horizon), int(config.model.action_dim)),
        device=str(getattr(policy, "_pytorch_device", None) or "cpu") if torch else None,
        details={"config": name, "weights_sha256": fingerprint(files), "sample_kwargs": sample_kwargs or {}},
    )


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(
            f"this needs {name!r}, which cannot be imported ({error}). Install it: {_HOW}"
        ) from error
