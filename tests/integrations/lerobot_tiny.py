"""Tiny LeRobot policies with random weights, built without any hub, and saved as LeRobot saves checkpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hansgym.benchmarks import _random_lerobot as made

SIZE = 64
CAMERAS = ("front", "wrist")


def features(**changes: Any) -> dict[str, Any]:
    """As :func:`hansgym.benchmarks._random_lerobot.features`, of our sizes."""
    return made.features(**{"cameras": CAMERAS, "size": SIZE, "action": 8, "state": 8, **changes})


def save(folder: Path, kind: str, seed: int = 0, more: dict[str, Any] | None = None, **config: Any) -> Path:
    """A random policy of ``kind`` with its processors in ``folder``; ``more``: other cameras, or widths."""
    return made.save(folder, kind, seed=seed, **{"cameras": CAMERAS, "size": SIZE, **(more or {})}, **config)


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
    text = {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "vocab_size": len(made.WORDS) + len(made.SPECIAL),
    }
    vision = {
        "hidden_size": 24,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
    }
    backbone = made.smolvlm(folder.with_name(f"{folder.name}-backbone"), text, vision, scale_factor=2)
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


def pi05(folder: Path, words: Path) -> Path:
    """With whatever sizes its modelling code has been given, and a tokenizer of a few words in ``words``."""
    made.tokenizer().save_pretrained(words)
    with made.tokenizer_from(words):
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


def edit(path: Path, change: Any) -> None:
    """Rewrite a JSON file by ``change(table)``."""
    table = json.loads(path.read_text())
    change(table)
    path.write_text(json.dumps(table))
