"""Tiny random checkpoints of the kinds of LeRobot's policies that need more than a few settings; see lerobot_tiny."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import lerobot_tiny as tiny
import pytest

from hansgym.agents._lerobot_code import FAST_CODE, no_foreign_code
from hansgym.benchmarks import _random_lerobot as made


def lively(folder: Path, but: str = "none") -> Path:
    """The checkpoint in ``folder`` with matrices that pass on what they are given, for many begin as zeros, or tiny;
    those whose names hold ``but`` stay.
    """
    import torch
    from safetensors import safe_open
    from safetensors.torch import save_file

    path, draw = folder / "model.safetensors", torch.Generator().manual_seed(0)
    with safe_open(path, "pt") as file:
        tensors, about = {key: file.get_tensor(key) for key in file.keys()}, file.metadata()  # noqa: SIM118
    for key, tensor in tensors.items():
        if (
            but not in key
            and key.endswith(("weight", "W", "image_projection"))
            and tensor.ndim > 1
            and tensor.is_floating_point()
        ):
            tensor.copy_(torch.randn(tensor.shape, generator=draw) / tensor[0].numel() ** 0.5)
    save_file(tensors, path, about)
    return folder


def words(folder: Path) -> Path:
    """A tokenizer of a few words in ``folder``."""
    made.tokenizer().save_pretrained(folder)
    return folder


def vqbet(folder: Path) -> Path:
    made_here = tiny.save(
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
        bet_softmax_temperature=1.0,
        spatial_softmax_num_keypoints=4,
    )
    return lively(made_here, but="preds_bin")  # the choice among codes, which stays open


def tdmpc(folder: Path) -> Path:
    return tiny.save(folder, "tdmpc", more={"cameras": ("front",)}, latent_dim=8, mlp_dim=16, horizon=5)


def gaussian_actor(folder: Path) -> Path:
    return tiny.save(folder, "gaussian_actor")


FLORENCE_VISION = {
    "model_type": "davit",
    "dim_embed": [8, 16, 16, 16],
    "num_heads": [1, 2, 2, 2],
    "num_groups": [1, 2, 2, 2],
    "depths": [1, 1, 1, 1],
    "window_size": 2,
    "projection_dim": 16,
    "image_pos_embed": {"type": "learned_abs_2d", "max_pos_embeddings": 8},
    "visual_temporal_embedding": {"type": "COSINE", "max_temporal_embeddings": 4},
    "image_feature_source": ["spatial_avg_pool", "temporal_avg_pool"],
}
FLORENCE_TEXT = {
    "model_type": "florence2_language",
    "vocab_size": 40,
    "d_model": 16,
    **dict.fromkeys(("encoder_layers", "decoder_layers"), 1),
    **dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 2),
    **dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim"), 24),
    "max_position_embeddings": 128,
    **{"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3},
}
"""In the words of the checkpoints that are published, which newer versions of LeRobot translate."""


def xvla(folder: Path, **config: Any) -> Path:
    """X-VLA on a Florence-2 of a few thousand numbers."""
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
    florence = {"vision_config": FLORENCE_VISION, "text_config": FLORENCE_TEXT, "projection_dim": 16}
    florence["image_token_id"] = len(made.WORDS)
    more = config.pop("more", None)
    with made.tokenizer_from(words(folder.with_name(f"{folder.name}-words"))):
        return lively(tiny.save(folder, "xvla", more=more, florence_config=florence, **{**sizes, **config}))


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


# ------------------------------------------------------------------------------------------------ π0, π0.5, π0-FAST


@contextmanager
def small_gemma(kind: str, vocabulary: int = 64) -> Iterator[None]:
    """Inside, the code of ``kind`` (pi0, pi05, pi0_fast) uses a PaliGemma and a Gemma of a few thousand numbers."""
    modelling = pytest.importorskip(f"lerobot.policies.{kind}.modeling_{kind}")
    if not hasattr(modelling, "PaliGemmaForConditionalGenerationWithPiGemma"):
        pytest.skip(f"{kind} of this LeRobot needs a patched transformers; LeRobot 0.6 runs this test")
    real = modelling.PaliGemmaForConditionalGenerationWithPiGemma

    def small(config: Any) -> Any:
        config.text_config.vocab_size = config._vocab_size = vocabulary
        config.image_token_id = config.image_token_index = vocabulary - 1
        for name, value in (("hidden_size", 16), ("num_hidden_layers", 1), ("num_attention_heads", 2)):
            setattr(config.vision_config, name, value)
        config.vision_config.intermediate_size = 24
        if kind == "pi0_fast":  # its code leaves this as it is
            config.vision_config.image_size = 28
        config.vision_config.projection_dim = config.projection_dim = config.text_config.hidden_size
        return real(config=config)

    size = modelling.GemmaConfig(width=32, depth=2, mlp_dim=48, num_heads=2, num_kv_heads=1, head_dim=16)
    with (
        mock.patch.object(modelling, "get_gemma_config", return_value=size),
        mock.patch.object(modelling, "PaliGemmaForConditionalGenerationWithPiGemma", small),
    ):
        yield


def pi0(folder: Path, **config: Any) -> Path:
    """With whatever sizes its modelling code has been given; see :func:`small_gemma`."""
    sizes = {"image_resolution": (28, 28), "chunk_size": 10, "n_action_steps": 10, "num_inference_steps": 2}
    with made.tokenizer_from(words(folder.with_name(f"{folder.name}-words"))):
        return tiny.save(folder, "pi0", tokenizer_max_length=12, **{**sizes, **config})


NUMERALS = 300
"""Words of a tokenizer that knows the numerals to 255, in which π0.5 is told its state."""


def pi05(folder: Path) -> Path:
    """With whatever sizes its modelling code has been given; see :func:`small_gemma`."""
    there = folder.with_name(f"{folder.name}-words")
    made.tokenizer({f"numeral{k}": str(k) for k in range(256)}).save_pretrained(there)
    sizes = {"image_resolution": (28, 28), "chunk_size": 10, "n_action_steps": 10, "num_inference_steps": 2}
    with made.tokenizer_from(there):
        return tiny.save(folder, "pi05", tokenizer_max_length=48, dtype="float32", **sizes)


FAST_TOKENS, FAST_WORDS = 21, 45
"""Of the action tokenizer, and of the one that its tokens are the last words of."""


def fast(folder: Path) -> Path:
    """A FAST action tokenizer in ``folder``: every character is a token, and -10 to 10 the cosine coefficients."""
    import tokenizers

    characters = {chr(k): k for k in range(FAST_TOKENS)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(characters, []))
    tokenizer.decoder = tokenizers.decoders.Fuse()
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    code = "processing_action_tokenizer"
    table = {"auto_map": {"AutoProcessor": f"{code}.{FAST_CODE}"}, "processor_class": FAST_CODE}
    (folder / "processor_config.json").write_text(json.dumps({**table, "scale": 10, "min_token": -10}))
    # As in its repository: code, which is not to be run.
    (folder / f"{code}.py").write_text(f"from pathlib import Path\nPath({str(folder / 'ran')!r}).touch()\n")
    return folder


def pi0_fast(folder: Path, **config: Any) -> Path:
    """π0-FAST, whose words end in :data:`FAST_TOKENS` for actions; see :func:`small_gemma`."""
    marks = ["Action", ":", "|"]
    spoken = [*marks, *(f"w{k}" for k in range(FAST_WORDS - len(made.WORDS) - len(marks)))]
    tokenizer = made.tokenizer({f"extra{k}": word for k, word in enumerate(spoken)})
    there = folder.with_name(f"{folder.name}-words")
    tokenizer.save_pretrained(there)
    settings = {
        "image_resolution": (28, 28),
        "chunk_size": 5,
        "n_action_steps": 5,
        "tokenizer_max_length": 24,
        "max_decoding_steps": 12,
        "fast_skip_tokens": 2,
        "text_tokenizer_name": str(there),
        "action_tokenizer_name": str(fast(folder.with_name(f"{folder.name}-fast"))),
        "validate_action_token_prefix": False,
        "dtype": "float32",
    }
    with small_gemma("pi0_fast", FAST_WORDS), no_foreign_code():
        return lively(tiny.save(folder, "pi0_fast", **{**settings, **config}))
