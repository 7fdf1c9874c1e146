"""What single kinds of LeRobot's policies want beyond what all of them do; docs/policies.md says which are tested."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any
from unittest import mock

from hansgym.errors import ConfigurationError
from hansgym.lookup import require

EXTRA = "lerobot"

TESTED: Mapping[str, str] = {
    **dict.fromkeys(("act", "diffusion", "smolvla", "vqbet", "xvla"), "0.4.4"),
    **dict.fromkeys(("pi0", "pi05", "pi0_fast", "groot", "multi_task_dit", "eo1", "evo1", "vla_jepa"), "0.6.1"),
}
"""Kind -> the oldest LeRobot with which tests/integrations asks it."""

REFUSED = {
    "tdmpc": "it plans from where its last plan ended, so no observation alone decides its answer",
    "gaussian_actor": "it has no chunks of actions, only single ones",
    "sac": "it has no chunks of actions, only single ones",
    "lingbot_va": "it remembers the film of its episode and what it did in it, so no observation alone decides",
}
"""Kinds that cannot be asked about one observation, and why."""

BASES: Mapping[str, tuple[str, ...]] = {
    "smolvla": ("vlm_model_name",),
    "groot": ("base_model_path",),
    "multi_task_dit": ("vision_encoder_name", "text_encoder_name"),
    "evo1": ("vlm_model_name",),
    "vla_jepa": ("qwen_model_name",),
}
"""Kind -> the settings that name the model it was made from."""

WORDS: Mapping[str, str] = {
    "tokenizer_processor": "tokenizer_name",
    "action_tokenizer_processor": "paligemma_tokenizer_name",
    "groot_n1_7_vlm_encode_v1": "model_name",
    "eo1_qwen_processor": "processor_name",
}
"""Processor -> its setting that names a tokenizer."""

EXTRAS: Mapping[str, str] = {
    **dict.fromkeys(("pi0", "pi05", "pi0_fast"), "pi"),
    **{"wall_x": "wallx", "act": "all", "vqbet": "all"},
}
"""Kind -> LeRobot's extra for it, where that has another name."""

ROTATION = "xvla_rotation_6d_to_axis_angle"
"""X-VLA's step from ten numbers to seven; it takes one control step at a time."""


def refuse(kind: str) -> None:
    """Raise :class:`ConfigurationError` for a ``kind`` that cannot be asked about one observation."""
    if kind in REFUSED:
        raise ConfigurationError(
            f"policy {kind!r} is not served: {REFUSED[kind]}. Use one that answers an observation with a chunk: "
            f"{', '.join(TESTED)}"
        )


def flags(kind: str, observations: int) -> list[str]:
    """What a reader of results must know of a policy of ``kind`` that looks at so many observations."""
    found, version = [], metadata.version("lerobot")
    if kind not in TESTED or _order(version) < _order(TESTED[kind]):
        found.append(f"policies of kind {kind!r} go the way of all others here; with LeRobot {version} none is tested")
    if observations > 1:
        found.append(
            f"the policy looks at {observations} observations, in training one control step apart; here they are those "
            "of its last decisions, which are one step apart only with --execute 1"
        )
    return found


def _order(version: str) -> tuple[int, ...]:
    """A version's leading numbers, to compare."""
    return tuple(int(part) for part in version.split(".")[:3] if part.isdigit())


def prepare(config: Any, folder: Path, device: str, tokenizer: str | None, base: str | None) -> None:
    """Set what a checkpoint's configuration cannot know: where it lies, where it works, what it was made from."""
    config.device = device
    config.pretrained_path = folder  # else EO-1 fetches the weights of the model it was made from
    if hasattr(config, "pretrained_backbone_weights"):
        config.pretrained_backbone_weights = None  # they would be downloaded, and overwritten by the checkpoint's
    if tokenizer is not None and hasattr(config, "text_tokenizer_name"):
        config.text_tokenizer_name = tokenizer
    if base is not None:
        if config.type not in BASES:
            raise ConfigurationError(
                f"base={base!r}, but {config.type!r} is made from nothing else; leave out base ({', '.join(BASES)} "
                "are made from another model)"
            )
        for name in BASES[config.type]:
            setattr(config, name, base)
    if getattr(config, "compile_model", False):
        with require("safetensors", EXTRA).safe_open(str(folder / "model.safetensors"), "pt") as file:
            # Compiling is slow for every new batch size and hides the policy's draws, but may be in the tensors' names.
            config.compile_model = any("_orig_mod." in name for name in file.keys())  # noqa: SIM118


def overrides(config: Any, steps: Sequence[Mapping[str, Any]], device: str, tokenizer: str | None) -> dict[str, Any]:
    """What the saved processors are to do otherwise: LeRobot refuses words about steps that are not there."""
    there = {str(s.get("registry_name")) for s in steps}
    wanted: dict[str, dict[str, Any]] = {
        name: {"device": device} for name in ("device_processor", "groot_n1_7_vlm_encode_v1") if name in there
    }
    if "action_tokenizer_processor" in there and hasattr(config, "text_tokenizer_name"):
        # LeRobot does not save it with the step, and would take PaliGemma's from the hub.
        wanted["action_tokenizer_processor"] = {"paligemma_tokenizer_name": config.text_tokenizer_name}
    if tokenizer is not None:
        if not there & WORDS.keys():
            raise ConfigurationError(
                f"tokenizer={tokenizer!r}, but the checkpoint's processors are {sorted(there)}; leave out tokenizer"
            )
        for name in there & WORDS.keys():
            wanted.setdefault(name, {})[WORDS[name]] = tokenizer
    return {"preprocessor_overrides": wanted}


def width(config: Any, steps: Sequence[Mapping[str, Any]]) -> int:
    """How many numbers of an action leave the processor whose ``steps`` come after the policy."""
    if any(s.get("registry_name") == ROTATION for s in steps):
        return 7
    return int(config.output_features["action"].shape[0])


class After:
    """The checkpoint's postprocessor for whole chunks (B, T, n), also where a step of it takes single actions (B, n).

    LeRobot's evaluation hands actions over one by one, its asynchronous clients whole chunks; most steps take either.
    Relative actions need the whole chunk, X-VLA's rotations single actions.
    """

    def __init__(self, after: Any, steps: Sequence[Mapping[str, Any]]) -> None:
        self._after = after
        self._singly = any(s.get("registry_name") == ROTATION for s in steps)

    def __call__(self, chunk: Any) -> Any:
        """The chunk in the units of the dataset."""
        if not self._singly or chunk.ndim != 3:
            return self._after(chunk)
        return require("torch", EXTRA).stack([self._after(chunk[:, step]) for step in range(chunk.shape[1])], 1)


def queues(policy: Any) -> set[str]:
    """The observations that the policy keeps queues of."""
    return {k for k in getattr(policy, "_queues", None) or {} if k != "action"}


def queued(policy: Any, config: Any, frames: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The last of ``frames``; policies that keep queues of observations find all of them in these."""
    wanted = queues(policy)
    for frame in frames:
        if "observation.images" in wanted:
            pictures = [frame[key] for key in config.image_features]
            frame["observation.images"] = require("torch", EXTRA).stack(pictures, dim=-4)
        for key in wanted:
            queue = policy._queues[key]
            queue.extend([frame[key]] * (1 if queue else queue.maxlen))
    return frames[-1]


@contextlib.contextmanager
def bare_groot() -> Iterator[None]:
    """Inside, GR00T is put together from the configuration of its base model, without that model's six gigabytes of
    weights: the checkpoint's replace them all, which is checked afterwards.
    """
    try:
        module = importlib.import_module("lerobot.policies.groot.groot_n1_7")
    except ImportError:  # LeRobot before 0.6 has GR00T N1.5, and some have none
        yield
        return

    def built(cls: Any, pretrained_model_name_or_path: str, **given: Any) -> Any:
        settings = {k: v for k, v in given.items() if not k.startswith("tune_") and k != "transformers_loading_kwargs"}
        config = cls.config_class.from_pretrained(pretrained_model_name_or_path, **settings)
        return cls._from_config(config, dtype=config.dtype, load_backbone_weights=False)

    with mock.patch.object(module.GR00TN17, "from_pretrained", classmethod(built)):
        yield
