"""Tiny random checkpoints of the kinds of LeRobot's policies that need more than a few settings; see lerobot_tiny."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import lerobot_tiny as tiny

from hansgym.benchmarks import _random_lerobot as made

QWEN = {
    "image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
    "vision_bos_token": "<|vision_start|>",
    "vision_eos_token": "<|vision_end|>",
}
TEMPLATE = (
    "{% for m in messages %}<s>{% for c in m['content'] %}{% if c['type'] == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c['text'] }}{% endif %}{% endfor %}</s>{% endfor %}"
)
"""How Qwen3-VL's conversations look, without roles."""


def lively(folder: Path, seed: int = 0) -> Path:
    """The checkpoint in ``folder`` with matrices that pass on what they are given: many begin as zeros, or tiny."""
    import torch
    from safetensors import safe_open
    from safetensors.torch import save_file

    path, draw = folder / "model.safetensors", torch.Generator().manual_seed(seed)
    with safe_open(path, "pt") as file:
        tensors, about = {key: file.get_tensor(key) for key in file.keys()}, file.metadata()  # noqa: SIM118
    for key, tensor in tensors.items():
        if key.endswith(("weight", "W")) and tensor.ndim > 1 and tensor.is_floating_point():
            tensor.copy_(torch.randn(tensor.shape, generator=draw) / tensor[0].numel() ** 0.5)
    save_file(tensors, path, about)
    return folder


def words(folder: Path) -> Path:
    """A tokenizer of a few words in ``folder``."""
    made.tokenizer().save_pretrained(folder)
    return folder


def vqbet(folder: Path) -> Path:
    return tiny.save(
        folder,
        "vqbet",
        more={"cameras": ("front",)},
        pretrained_backbone_weights=None,
        crop_shape=None,
        n_obs_steps=2,
        n_action_pred_token=3,
        action_chunk_size=4,
        vqvae_n_embed=4,
        vqvae_embedding_dim=8,
        vqvae_enc_hidden_dim=8,
        gpt_input_dim=16,
        gpt_output_dim=16,
        gpt_n_layer=1,
        gpt_n_head=2,
        gpt_hidden_dim=16,
        spatial_softmax_num_keypoints=4,
    )


def tdmpc(folder: Path) -> Path:
    return tiny.save(folder, "tdmpc", more={"cameras": ("front",)}, latent_dim=8, mlp_dim=16, horizon=5)


def gaussian_actor(folder: Path) -> Path:
    return tiny.save(folder, "gaussian_actor")


def xvla(folder: Path, **config: Any) -> Path:
    """X-VLA on a Florence-2 of a few thousand numbers."""
    vision = {
        "embed_dim": [8, 16, 16, 16],
        "num_heads": [1, 2, 2, 2],
        "num_groups": [1, 2, 2, 2],
        "depths": [1, 1, 1, 1],
        "window_size": 2,
        "projection_dim": 16,
        "max_temporal_embeddings": 4,
        "max_position_embeddings": 8,
    }
    text = {
        "model_type": "bart",
        "vocab_size": 40,
        "d_model": 16,
        **dict.fromkeys(("encoder_layers", "decoder_layers"), 1),
        **dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 2),
        **dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim"), 24),
        "max_position_embeddings": 128,
        **{"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3},
    }
    sizes = {
        "hidden_size": 16,
        "depth": 2,
        "num_heads": 2,
        "num_domains": 3,
        "len_soft_prompts": 2,
        "dim_time": 8,
        "max_len_seq": 256,
        "chunk_size": 6,
        "n_action_steps": 6,
        "num_denoising_steps": 3,
        "max_state_dim": 12,
        "max_action_dim": 10,
        "action_mode": "auto",
        "tokenizer_max_length": 12,
    }
    florence = {"vision_config": vision, "text_config": text, "image_token_id": len(made.WORDS)}
    more = config.pop("more", None)
    with made.tokenizer_from(words(folder.with_name(f"{folder.name}-words"))):
        return tiny.save(folder, "xvla", more=more, florence_config=florence, **{**sizes, **config})


def multi_task_dit(folder: Path, **config: Any) -> Path:
    """With a CLIP of a few thousand numbers beside the checkpoint."""
    import transformers

    clip = folder.with_name(f"{folder.name}-clip")
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = transformers.CLIPTextConfig(vocab_size=40, max_position_embeddings=16, eos_token_id=3, **sizes)
    vision = transformers.CLIPVisionConfig(image_size=tiny.SIZE, patch_size=16, **sizes)
    joined = transformers.CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=8)
    transformers.CLIPModel(joined).save_pretrained(clip)
    made.tokenizer().save_pretrained(clip)
    settings = {
        "vision_encoder_name": str(clip),
        "text_encoder_name": str(clip),
        "tokenizer_max_length": 12,
        "image_crop_shape": None,
        "hidden_dim": 16,
        "num_layers": 1,
        "num_heads": 2,
        "timestep_embed_dim": 8,
        "horizon": 8,
        "n_action_steps": 6,
        "num_inference_steps": 3,
        "num_integration_steps": 3,
    }
    return lively(tiny.save(folder, "multi_task_dit", **{**settings, **config}))


# ------------------------------------------------------------------------------------------------ GR00T


def qwen(folder: Path) -> Path:
    """The configuration, tokenizer and picture processors of a Qwen3-VL without weights, in ``folder``."""
    import transformers

    tokenizer = made.tokenizer(QWEN)
    tokenizer.chat_template = TEMPLATE
    ids = {name: tokenizer.convert_tokens_to_ids(word) for name, word in QWEN.items()}
    transformers.Qwen3VLConfig(
        image_token_id=ids["image_token"],
        video_token_id=ids["video_token"],
        vision_start_token_id=ids["vision_bos_token"],
        vision_end_token_id=ids["vision_eos_token"],
        tie_word_embeddings=True,
        text_config={
            "hidden_size": 16,
            "intermediate_size": 24,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 16,
            "vocab_size": len(tokenizer),
            "pad_token_id": 0,
            "rope_scaling": {"mrope_interleaved": True, "mrope_section": [2, 3, 3], "rope_type": "default"},
            "tie_word_embeddings": True,
        },
        vision_config={
            "depth": 2,
            "hidden_size": 16,
            "intermediate_size": 24,
            "num_heads": 2,
            "num_position_embeddings": 16,
            "out_hidden_size": 16,
            "patch_size": 16,
            "deepstack_visual_indexes": [0],
        },
    ).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    edges = {"shortest_edge": 32 * 32, "longest_edge": 64 * 64}
    sizes = {"patch_size": 16, "merge_size": 2, "temporal_patch_size": 2}
    transformers.Qwen2VLImageProcessor(size=edges, **sizes).save_pretrained(folder)
    transformers.Qwen3VLVideoProcessor(size=edges, **sizes).save_pretrained(folder)
    return folder


def groot(folder: Path, **config: Any) -> Path:
    """GR00T N1.7: beside the checkpoint its backbone and the base model that it was trained from, without weights."""
    from lerobot.policies.groot import groot_n1_7, processor_groot

    backbone, base = qwen(folder.with_name(f"{folder.name}-qwen")), folder.with_name(f"{folder.name}-base")
    layers = {"num_layers": 2, "num_attention_heads": 2, "attention_head_dim": 8, "dropout": 0.0, "final_dropout": True}
    bare = groot_n1_7.GR00TN17Config(
        model_name=str(backbone),
        backbone_embedding_dim=16,
        hidden_size=16,
        input_embedding_dim=16,
        select_layer=1,
        action_horizon=10,
        max_state_dim=12,
        max_action_dim=12,
        max_num_embodiments=32,
        diffusion_model_cfg={**layers, "norm_type": "ada_norm", "output_dim": 16, "interleave_self_attention": True},
        vl_self_attention_cfg=layers,
    )
    torch = made.require("torch", "lerobot")
    torch.manual_seed(0)
    groot_n1_7.GR00TN17(bare, load_backbone_weights=False).save_pretrained(base)
    sizes = {"max_state_dim": 12, "max_action_dim": 12, "chunk_size": 10, "n_action_steps": 10, "use_bf16": False}
    with mock.patch.object(processor_groot, "GROOT_N1_7_BACKBONE_MODEL", str(backbone)):
        return lively(tiny.save(folder, "groot", base_model_path=str(base), **{**sizes, **config}))
