"""LeRobot policies with random weights, built without any hub, and saved as LeRobot saves checkpoints."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from hansgym.lookup import require

EXTRA = "lerobot"
CAMERAS = ("front", "wrist", "overhead")
SIZE = 224
DIMENSIONS = 8
"""Of state and action: seven joints and the gripper."""

SMOLVLM_TEXT = {
    "hidden_size": 960,
    "intermediate_size": 2560,
    "num_hidden_layers": 32,
    "num_attention_heads": 15,
    "num_key_value_heads": 5,
    "head_dim": 64,
    "vocab_size": 49280,
}
SMOLVLM_VISION = {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "image_size": 512,
    "patch_size": 16,
}
"""Sizes of the language model that SmolVLA is built on, which has 500 million parameters."""

SPECIAL = {
    "fake_image_token": "<fake_token_around_image>",
    "image_token": "<image>",
    "global_image_token": "<global-img>",
    "end_of_utterance_token": "<end_of_utterance>",
}
WORDS = ["<pad>", "<unk>", "<s>", "</s>", "\n", "close", "the", "red", "jar", "push", "green", "button", "open"]


# ------------------------------------------------------------------------------------------------ of published size


def pi05(folder: Path, device: str = "cpu", seed: int = 0, code: Path | None = None) -> str:
    """π0.5: 3.6 billion parameters in bfloat16 (its vision in float32, as LeRobot keeps it), ten flow steps."""
    words = folder / "tokenizer"
    tokenizer().save_pretrained(words)
    with tokenizer_from(words):
        save(folder, "pi05", device, seed, dtype="bfloat16")
    return _uri(folder)


def smolvla(folder: Path, device: str = "cpu", seed: int = 0, code: Path | None = None) -> str:
    """SmolVLA: 450 million parameters in float32, ten flow steps."""
    backbone = smolvlm(folder / "backbone", SMOLVLM_TEXT, SMOLVLM_VISION, scale_factor=4)
    save(folder, "smolvla", device, seed, vlm_model_name=str(backbone), load_vlm_weights=False)
    return _uri(folder)


def _uri(folder: Path) -> str:
    return f"lerobot:{folder},control=joint_position"


# ------------------------------------------------------------------------------------------------ of any size


def features(cameras: Sequence[str], size: int, action: int, state: int) -> dict[str, Any]:
    """What a policy is told of its inputs and outputs: square pictures of ``size`` pixels and two vectors."""
    types = require("lerobot.configs.types", EXTRA)
    kinds = types.FeatureType
    seen = {f"observation.images.{c}": types.PolicyFeature(type=kinds.VISUAL, shape=(3, size, size)) for c in cameras}
    return {
        "input_features": {**seen, "observation.state": types.PolicyFeature(type=kinds.STATE, shape=(state,))},
        "output_features": {"action": types.PolicyFeature(type=kinds.ACTION, shape=(action,))},
    }


def stats(cameras: Sequence[str], action: int, state: int) -> dict[str, dict[str, Any]]:
    """Made-up statistics, as a dataset would have them."""
    torch, rng = require("torch", EXTRA), np.random.default_rng(0)

    def of(shape: tuple[int, ...]) -> dict[str, Any]:
        mean = torch.tensor(rng.normal(0, 0.5, shape), dtype=torch.float32)
        low, high = mean - 1.5, mean + 1.5
        found = {"mean": mean, "std": torch.full(shape, 0.5), "min": low, "max": high}
        return {**found, "q01": low + 0.1, "q99": high - 0.1}

    seen = {f"observation.images.{c}": of((3, 1, 1)) for c in cameras}
    return {"action": of((action,)), "observation.state": of((state,)), **seen}


def save(
    folder: Path,
    kind: str,
    device: str = "cpu",
    seed: int = 0,
    cameras: Sequence[str] = CAMERAS,
    size: int = SIZE,
    action: int = DIMENSIONS,
    state: int = DIMENSIONS,
    **config: Any,
) -> Path:
    """A random policy of ``kind`` with its processors in ``folder``; ``config``: LeRobot's settings of that kind."""
    torch, factory = require("torch", EXTRA), require("lerobot.policies.factory", EXTRA)
    torch.manual_seed(seed)
    shapes = features(cameras, size, action, state)
    with contextlib.redirect_stdout(sys.stderr):
        made = factory.make_policy_config(kind, **shapes, device=device, push_to_hub=False, **config)
        with torch.device(device):
            policy = factory.get_policy_class(kind)(made)
        before, after = factory.make_pre_post_processors(made, dataset_stats=stats(cameras, action, state))
        policy.save_pretrained(folder)
        before.save_pretrained(folder, config_filename="policy_preprocessor.json")
        after.save_pretrained(folder, config_filename="policy_postprocessor.json")
    return folder


# ------------------------------------------------------------------------------------------------ words


def tokenizer(special: Mapping[str, str] = SPECIAL) -> Any:
    """A tokenizer of a few words: policies pad what they are told to a fixed length."""
    tokenizers, transformers = require("tokenizers", EXTRA), require("transformers", EXTRA)
    words = [*WORDS, *special.values()]
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({w: k for k, w in enumerate(words)}, unk_token="<unk>"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        extra_special_tokens=dict(special),
    )


@contextlib.contextmanager
def tokenizer_from(words: Path) -> Iterator[None]:
    """Inside, whatever tokenizer is asked for by name is the one in ``words``; saved processors name that folder."""
    transformers = require("transformers", EXTRA)
    step = require("lerobot.processor", EXTRA).TokenizerProcessorStep
    real, config = transformers.AutoTokenizer.from_pretrained, step.get_config

    def named(self: Any) -> dict[str, Any]:
        return {**config(self), "tokenizer_name": str(words)}

    def found(name: str, **given: Any) -> Any:
        return real(str(words), **given)

    with (
        mock.patch.object(transformers.AutoTokenizer, "from_pretrained", found),
        mock.patch.object(step, "get_config", named),
    ):
        yield


def smolvlm(folder: Path, text: Mapping[str, int], vision: Mapping[str, int], scale_factor: int) -> Path:
    """The configuration, processor and tokenizer of a SmolVLM without weights, in ``folder``."""
    transformers = require("transformers", EXTRA)
    words = [*WORDS, *SPECIAL.values()]
    config = transformers.SmolVLMConfig(
        text_config={"model_type": "llama", "pad_token_id": 0, "vocab_size": len(words), **text},
        vision_config=dict(vision),
        scale_factor=scale_factor,
        image_token_id=words.index("<image>"),
        pad_token_id=0,
    )
    config.save_pretrained(folder)
    edge = {"longest_edge": vision["image_size"]}
    images = transformers.SmolVLMImageProcessor(size=edge, max_image_size=edge)
    transformers.SmolVLMProcessor(images, tokenizer(), transformers.SmolVLMVideoProcessor()).save_pretrained(folder)
    return folder
