"""A tiny model of ours with OpenVLA's interface: random weights, real attention, a real cache; and a folder of one."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from hansgym.agents._action_tokens import ActionVocabulary, Statistics
from hansgym.agents._openvla_checkpoint import CODE, Checkpoint

WIDTH, HEADS, VOCABULARY = 24, 2, 32064
Past = list[tuple[torch.Tensor, torch.Tensor]]
STATISTICS = {
    "bridge_orig": {
        "action": {
            "q01": [-0.02, -0.04, -0.03, -0.08, -0.09, -0.2, 0.0],
            "q99": [0.03, 0.04, 0.05, 0.08, 0.07, 0.2, 1.0],
            "mask": [True] * 6 + [False],
        }
    },
    "other_data": {"action": {"q01": [-1.0] * 7, "q99": [1.0] * 7}},
}


def seeds(rows: int) -> np.ndarray:
    return np.arange(rows, dtype=np.uint64)


@dataclass
class Output:
    logits: torch.Tensor
    past_key_values: Past | None


class Layer(nn.Module):
    """Causal attention with a cache, and what follows."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH))

    def forward(self, x: torch.Tensor, past: tuple[torch.Tensor, torch.Tensor] | None) -> tuple[torch.Tensor, Any]:
        q, k, v = (t.unflatten(-1, (HEADS, -1)).transpose(1, 2) for t in self.qkv(x).chunk(3, -1))
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        seen = torch.arange(k.shape[2])[None] <= torch.arange(k.shape[2] - q.shape[2], k.shape[2])[:, None]
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=seen)
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        return x + self.mlp(x), (k, v)


class Language(nn.Module):
    """Embeds ids unless it is given embeddings; places are counted on from the cache."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.place = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(200, WIDTH)
        self.layers = nn.ModuleList([Layer(), Layer()])
        self.head = nn.Linear(WIDTH, VOCABULARY)

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        past_key_values: Past | None = None,
        use_cache: bool = False,
        inputs_embeds: torch.Tensor | None = None,
    ) -> Output:
        x = self.embed(input_ids) if inputs_embeds is None else inputs_embeds
        past = past_key_values or [None, None]
        start = 0 if past[0] is None else past[0][0].shape[2]
        x = x + self.place(torch.arange(start, start + x.shape[1]))
        kept = []
        for layer, before in zip(self.layers, past, strict=True):
            x, now = layer(x, before)
            kept.append(now)
        return Output(self.head(x), kept if use_cache else None)


class TinyOpenvla(nn.Module):
    """Patches go in after the first id, as in the published model; it refuses what that refuses."""

    def __init__(self, seed: int = 0, memory: int | None = None) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.patches = nn.Conv2d(6, WIDTH, 56, 56)
        self.language_model = Language()
        self.memory, self.batches = memory, []
        with torch.no_grad():  # actions are likely, and pictures and words matter
            self.language_model.head.bias[: VOCABULARY - 320] -= 12.0
            self.language_model.head.bias[VOCABULARY - 64 :] -= 12.0
            self.language_model.head.weight.mul_(3.0)
            self.language_model.embed.weight.mul_(2.0)
            self.patches.weight.mul_(40.0)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, pixel_values: torch.Tensor, use_cache: bool
    ) -> Output:
        assert input_ids.shape[1] > 1
        assert input_ids.shape == attention_mask.shape
        assert len(input_ids) == len(pixel_values)
        self.batches.append(len(input_ids))
        if self.memory is not None and len(input_ids) > self.memory:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        words, seen = self.language_model.embed(input_ids), self.patches(pixel_values).flatten(2).transpose(1, 2)
        both = torch.cat([words[:, :1], seen, words[:, 1:]], 1)
        return self.language_model(inputs_embeds=both, use_cache=use_cache)


class Tokenizer:
    """Begins with BOS, as Llama's; every letter is a word."""

    def __call__(self, text: str) -> dict[str, list[int]]:
        return {"input_ids": [1, *(3 + b for b in text.encode()[-60:])]}


class Processor:
    """Two backbones with normalisations of their own, one picture after the other."""

    input_sizes = ((3, 224, 224), (3, 224, 224))
    means, stds = ((0.485, 0.456, 0.406), (0.5, 0.5, 0.5)), ((0.229, 0.224, 0.225), (0.5, 0.5, 0.5))

    def __init__(self, faithful: bool = True) -> None:
        self.faithful, self.calls = faithful, 0

    def __call__(self, pictures: list[Any], return_tensors: str) -> dict[str, torch.Tensor]:
        self.calls += 1
        unit = torch.tensor(np.stack([np.asarray(p) for p in pictures])).permute(0, 3, 1, 2).float().div(255)
        if not self.faithful:
            unit = unit.square()
        both = [
            (unit - torch.tensor(m)[:, None, None]) / torch.tensor(s)[:, None, None]
            for m, s in zip(self.means, self.stds, strict=True)
        ]
        return {"pixel_values": torch.cat(both, 1)}


def checkpoint(key: str = "bridge_orig", **changes: Any) -> Checkpoint:
    entry = STATISTICS[key]["action"]
    numbers = Statistics(
        key, np.array(entry["q01"]), np.array(entry["q99"]), np.array(entry.get("mask", [True] * len(entry["q01"])))
    )
    parts: dict[str, Any] = {
        "name": "tiny",
        "model": TinyOpenvla().eval(),
        "tokenizer": Tokenizer(),
        "image_processor": Processor(),
        "vocabulary": ActionVocabulary(),
        "statistics": numbers,
    }
    return Checkpoint(**{**parts, **changes})


def folder_of_one(where: Path) -> Path:
    """A folder with everything that is looked at before a checkpoint's program runs; its program must not run."""
    where.mkdir(parents=True, exist_ok=True)
    config = {
        "model_type": "openvla",
        "norm_stats": STATISTICS,
        "text_config": {"vocab_size": VOCABULARY},
        "pad_to_multiple_of": 64,
        "n_action_bins": 256,
    }
    (where / "config.json").write_text(json.dumps(config))
    for name in ("preprocessor_config.json", "tokenizer_config.json"):
        (where / name).write_text("{}")
    header = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    (where / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"\0\0\0\0")
    for name in CODE:
        (where / name).write_text("raise SystemExit('this ran')\n")
    return where
