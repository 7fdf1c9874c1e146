"""Tiny LeRobot policies with random weights, built without any hub, and saved as LeRobot saves checkpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lerobot.configs.types import FeatureType, PolicyFeature
from lerobot.policies.factory import get_policy_class, make_policy_config, make_pre_post_processors

SIZE = 64
CAMERAS = ("front", "wrist")


def features(cameras: tuple[str, ...] = CAMERAS, action: int = 8, state: int = 8) -> dict[str, Any]:
    images = {f"observation.images.{c}": PolicyFeature(type=FeatureType.VISUAL, shape=(3, SIZE, SIZE)) for c in cameras}
    return {
        "input_features": {
            **images,
            "observation.state": PolicyFeature(type=FeatureType.STATE, shape=(state,)),
        },
        "output_features": {"action": PolicyFeature(type=FeatureType.ACTION, shape=(action,))},
    }


def stats(cameras: tuple[str, ...], action: int = 8, state: int = 8) -> dict[str, dict[str, torch.Tensor]]:
    """Made-up statistics, as a dataset would have them."""
    rng = np.random.default_rng(0)

    def of(shape: tuple[int, ...]) -> dict[str, torch.Tensor]:
        mean = torch.tensor(rng.normal(0, 0.5, shape), dtype=torch.float32)
        low, high = mean - 1.5, mean + 1.5
        found = {"mean": mean, "std": torch.full(shape, 0.5), "min": low, "max": high}
        return {**found, "q01": low + 0.1, "q99": high - 0.1}

    return {
        "action": of((action,)),
        "observation.state": of((state,)),
        **{f"observation.images.{c}": of((3, 1, 1)) for c in cameras},
    }


def save(folder: Path, kind: str, seed: int = 0, more: dict[str, Any] | None = None, **config: Any) -> Path:
    """A random policy of ``kind`` with its processors in ``folder``; ``more``: see :func:`features`."""
    shape = more or {}
    torch.manual_seed(seed)
    made = make_policy_config(kind, **features(**shape), device="cpu", push_to_hub=False, **config)
    policy = get_policy_class(kind)(made)
    cameras = shape.get("cameras", CAMERAS)
    table = stats(cameras, shape.get("action", 8), shape.get("state", 8))
    before, after = make_pre_post_processors(made, dataset_stats=table)
    policy.save_pretrained(folder)
    before.save_pretrained(folder, config_filename="policy_preprocessor.json")
    after.save_pretrained(folder, config_filename="policy_postprocessor.json")
    return folder


def act(folder: Path, seed: int = 0, more: dict[str, Any] | None = None) -> Path:
    return save(
        folder,
        "act",
        seed,
        more,
        pretrained_backbone_weights=None,
        chunk_size=12,
        n_action_steps=12,
        dim_model=32,
        n_heads=2,
        dim_feedforward=32,
        n_encoder_layers=1,
        n_vae_encoder_layers=1,
        latent_dim=4,
    )


def diffusion(folder: Path, scheduler: str = "DDPM", n_obs_steps: int = 2) -> Path:
    return save(
        folder,
        "diffusion",
        down_dims=(16, 32),
        pretrained_backbone_weights=None,
        crop_shape=None,
        spatial_softmax_num_keypoints=4,
        diffusion_step_embed_dim=16,
        n_groups=4,
        num_inference_steps=3,
        noise_scheduler_type=scheduler,
        n_obs_steps=n_obs_steps,
        horizon=16,
        n_action_steps=8,
    )


def smolvla(folder: Path) -> Path:
    """With a vision-language model of a few thousand numbers and a tokenizer of a few words beside the checkpoint."""
    backbone = folder.with_name(f"{folder.name}-backbone")
    _backbone(backbone)
    return save(
        folder,
        "smolvla",
        vlm_model_name=str(backbone),
        load_vlm_weights=False,
        resize_imgs_with_padding=(32, 32),
        num_vlm_layers=2,
        chunk_size=10,
        n_action_steps=10,
        num_steps=3,
        tokenizer_max_length=12,
    )


def pi05(folder: Path, words: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With whatever sizes its modelling code has been given, and a tokenizer of a few words in ``words``."""
    import transformers

    _tokenizer().save_pretrained(words)
    real = transformers.AutoTokenizer.from_pretrained
    with monkeypatch.context() as patch:  # the processor names a tokenizer that only the hub has
        patch.setattr(transformers.AutoTokenizer, "from_pretrained", lambda name, **given: real(str(words), **given))
        return save(
            folder,
            "pi05",
            image_resolution=(28, 28),
            chunk_size=10,
            n_action_steps=10,
            num_inference_steps=2,
            tokenizer_max_length=24,
            dtype="float32",
        )


SPECIAL = {
    "fake_image_token": "<fake_token_around_image>",
    "image_token": "<image>",
    "global_image_token": "<global-img>",
    "end_of_utterance_token": "<end_of_utterance>",
}
WORDS = ["<pad>", "<unk>", "<s>", "</s>", "\n", "close", "the", "red", "jar", "push", "green", "button", "open"]


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = [*WORDS, *SPECIAL.values()]
    tokenizer = Tokenizer(models.WordLevel({w: k for k, w in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        extra_special_tokens=SPECIAL,
    )


def _backbone(folder: Path) -> None:
    from transformers import SmolVLMConfig, SmolVLMImageProcessor, SmolVLMProcessor, SmolVLMVideoProcessor

    words = [*WORDS, *SPECIAL.values()]
    text = {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "vocab_size": len(words),
        "pad_token_id": 0,
    }
    vision = {
        "hidden_size": 24,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
    }
    config = SmolVLMConfig(
        text_config={"model_type": "llama", **text},
        vision_config=vision,
        scale_factor=2,
        image_token_id=words.index("<image>"),
        pad_token_id=0,
    )
    config.save_pretrained(folder)
    images = SmolVLMImageProcessor(size={"longest_edge": 32}, max_image_size={"longest_edge": 32})
    SmolVLMProcessor(images, _tokenizer(), SmolVLMVideoProcessor()).save_pretrained(folder)


def edit(path: Path, change: Any) -> None:
    """Rewrite a JSON file by ``change(table)``."""
    table = json.loads(path.read_text())
    change(table)
    path.write_text(json.dumps(table))
