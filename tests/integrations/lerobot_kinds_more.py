"""Tiny random checkpoints of those of LeRobot's policies that are built on a Qwen-VL or an InternVL."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import lerobot_tiny as tiny
import torch
import transformers
from lerobot_kinds import lively

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
"""How Qwen's conversations look, without roles."""

INTERN = {"start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>"}
TEXT = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
    "pad_token_id": 0,
}


def _qwen_words(folder: Path, version: int) -> dict[str, int]:
    """Tokenizer and picture processors of Qwen-VL's ``version`` (2 or 3) in ``folder``; the numbers of its words."""
    tokenizer = made.tokenizer(QWEN)
    tokenizer.chat_template = TEMPLATE
    patch = 16 if version == 3 else 14
    edges = {"shortest_edge": (2 * patch) ** 2, "longest_edge": (4 * patch) ** 2}
    sizes = {"size": edges, "patch_size": patch, "merge_size": 2, "temporal_patch_size": 2}
    video = transformers.Qwen3VLVideoProcessor if version == 3 else transformers.Qwen2VLVideoProcessor
    whole = transformers.Qwen3VLProcessor if version == 3 else transformers.Qwen2_5_VLProcessor
    pictures = transformers.Qwen2VLImageProcessor(**sizes)
    whole(pictures, tokenizer, video(**sizes), chat_template=TEMPLATE).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    pictures.save_pretrained(folder)
    video(**sizes).save_pretrained(folder)
    ids = {name: tokenizer.convert_tokens_to_ids(word) for name, word in QWEN.items()}
    return {
        "image_token_id": ids["image_token"],
        "video_token_id": ids["video_token"],
        "vision_start_token_id": ids["vision_bos_token"],
        "vision_end_token_id": ids["vision_eos_token"],
    }


def qwen3(folder: Path) -> Any:
    """The configuration of a Qwen3-VL, saved in ``folder`` with its words."""
    rope = {"mrope_interleaved": True, "mrope_section": [2, 3, 3], "rope_type": "default"}
    vision = {
        "depth": 2,
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_heads": 2,
        "num_position_embeddings": 16,
        "out_hidden_size": 16,
        "patch_size": 16,
        "deepstack_visual_indexes": [0],
    }
    text = {**TEXT, "vocab_size": 64, "rope_scaling": rope, "tie_word_embeddings": True}
    words = _qwen_words(folder, 3)
    config = transformers.Qwen3VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=True, **words)
    config.save_pretrained(folder)
    return config


def groot(folder: Path, **config: Any) -> Path:
    """GR00T N1.7; beside the checkpoint its backbone and the base model that it was trained from, without weights."""
    from lerobot.policies.groot import groot_n1_7, processor_groot

    backbone, base = folder.with_name(f"{folder.name}-qwen"), folder.with_name(f"{folder.name}-base")
    qwen3(backbone)
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
        diffusion_model_cfg={**layers, "norm_type": "ada_norm", "output_dim": 16, "interleave_self_attention": True},
        vl_self_attention_cfg=layers,
    )
    torch.manual_seed(0)
    groot_n1_7.GR00TN17(bare, load_backbone_weights=False).save_pretrained(base)
    sizes = {"max_state_dim": 12, "max_action_dim": 12, "chunk_size": 10, "n_action_steps": 10, "use_bf16": False}
    with mock.patch.object(processor_groot, "GROOT_N1_7_BACKBONE_MODEL", str(backbone)):
        made_here = tiny.save(folder, "groot", base_model_path=str(base), **{**sizes, **config})
    (base / "model.safetensors").unlink()  # the checkpoint has them all
    return lively(made_here)


def eo1(folder: Path, **config: Any) -> Path:
    """EO-1 on a Qwen2.5-VL, whose words lie beside the checkpoint and whose weights nowhere else."""
    base = folder.with_name(f"{folder.name}-qwen")
    words = _qwen_words(base, 2)
    vision = {
        "depth": 2,
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_heads": 2,
        "out_hidden_size": 16,
        "patch_size": 14,
        "fullatt_block_indexes": [1],
        "window_size": 56,
    }
    text = {
        **TEXT,
        "head_dim": 8,
        "vocab_size": 64,
        "rope_scaling": {"mrope_section": [1, 1, 2], "rope_type": "default"},
    }
    whole = transformers.Qwen2_5_VLConfig(text_config=text, vision_config=vision, **words)
    sizes = {
        "vlm_base": str(base),
        "vlm_config": whole.to_dict(),
        "pretrained_path": str(folder),  # else it fetches the weights of its base
        "image_min_pixels": 28 * 28,
        "image_max_pixels": 56 * 56,
        "chunk_size": 6,
        "n_action_steps": 6,
        "max_state_dim": 12,
        "max_action_dim": 12,
        "num_denoise_steps": 3,
        "dtype": "float32",
    }
    return lively(tiny.save(folder, "eo1", **{**sizes, **config}))


def evo1(folder: Path, **config: Any) -> Path:
    """Evo-1 on an InternVL3, which lies beside the checkpoint."""
    base = folder.with_name(f"{folder.name}-intern")
    tokenizer = made.tokenizer(INTERN)
    tokenizer.save_pretrained(base)
    vision = {
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": [28, 28],
        "patch_size": [14, 14],
    }
    whole = transformers.InternVLConfig(
        text_config={**TEXT, "model_type": "qwen2", "vocab_size": 64},
        vision_config=vision,
        image_token_id=tokenizer.convert_tokens_to_ids(INTERN["context_image_token"]),
        image_seq_length=1,
    )
    torch.manual_seed(0)
    transformers.InternVLModel(whole).save_pretrained(base)
    sizes = {
        "vlm_model_name": str(base),
        "vlm_num_layers": 1,
        "vlm_dtype": "float32",
        "use_amp": False,  # else it rounds to eight bits
        "image_resolution": (28, 28),
        "max_text_length": 64,
        "chunk_size": 6,
        "n_action_steps": 6,
        "max_state_dim": 12,
        "max_action_dim": 12,
        "embed_dim": 16,
        "hidden_dim": 16,
        "state_hidden_dim": 16,
        "num_heads": 2,
        "num_layers": 2,
        "num_inference_timesteps": 3,
    }
    return lively(tiny.save(folder, "evo1", **{**sizes, **config}))


def vla_jepa(folder: Path, **config: Any) -> Path:
    """VLA-JEPA on a Qwen3-VL, which lies beside the checkpoint; without the world model, which only trains it."""
    base = folder.with_name(f"{folder.name}-qwen")
    torch.manual_seed(0)
    transformers.Qwen3VLForConditionalGeneration(qwen3(base)).save_pretrained(base)
    sizes = {
        "qwen_model_name": str(base),
        "enable_world_model": False,
        "torch_dtype": "float32",
        "chunk_size": 4,
        "n_action_steps": 4,
        "action_hidden_size": 16,
        "action_num_layers": 2,
        "action_num_heads": 2,
        "action_attention_head_dim": 8,
        "action_dropout": 0.0,
        "num_embodied_action_tokens_per_instruction": 3,
        "num_action_tokens_per_timestep": 2,
        "num_target_vision_tokens": 4,
        "gripper_dim": 7,
    }
    return lively(tiny.save(folder, "vla_jepa", **{**sizes, **config}))
