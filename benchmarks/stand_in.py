"""Policies with the parts and the sizes of a VLA and random weights: what an explanation costs depends on no more.

``torch:hansgym.benchmarks.stand_in:Tiny`` (``Nano``, ``Small``, ``Base``): a vision transformer over the 16-pixel
patches of every camera, the instruction's bytes and the state as further tokens that all attend to each other, and a
smaller transformer that attends to them and turns noise into a chunk in ten flow steps. Their answers mean nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hansgym.agents.kernels.torch import once_if_shared
from hansgym.agents.noise import normal

PATCH, FLOW_STEPS, MOST_WORDS = 16, 10, 48
STATE = ("joint_positions", "gripper_open")


class Attention(nn.Module):
    """Multi-head attention of ``x`` (B, T, width) to itself, or to ``memory`` (B, M, memory_width)."""

    def __init__(self, width: int, heads: int, memory_width: int | None = None) -> None:
        super().__init__()
        self.heads, self.ask = heads, nn.Linear(width, width)
        self.known, self.out = nn.Linear(memory_width or width, 2 * width), nn.Linear(width, width)

    def keys(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of ``memory``, (B, heads, M, width / heads) each."""
        k, v = (self._split(t) for t in self.known(memory).chunk(2, dim=-1))
        return k, v

    def forward(self, x: Tensor, keys: tuple[Tensor, Tensor]) -> Tensor:
        seen = functional.scaled_dot_product_attention(self._split(self.ask(x)), *keys)
        found: Tensor = self.out(seen.transpose(1, 2).flatten(2))
        return found

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Block(nn.Module):
    """A transformer's layer; with ``memory_width`` it attends to what it is given the keys of."""

    def __init__(self, width: int, heads: int, memory_width: int | None = None) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, memory_width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor, keys: tuple[Tensor, Tensor] | None = None) -> Tensor:
        normed = self.first(x)
        x = x + self.attention(normed, self.attention.keys(normed) if keys is None else keys)
        found: Tensor = x + self.mlp(self.second(x))
        return found


class Tiny(nn.Module):
    """Width 192, 12 layers: the size of ViT-Ti/16."""

    control: ClassVar[str] = "joint_position"
    horizon: ClassVar[int] = 16
    image_size: ClassVar[int] = 224
    noise_control: ClassVar[str] = "exact"
    max_batch: ClassVar[int] = 32
    width: ClassVar[int] = 192
    depth: ClassVar[int] = 12
    cameras: ClassVar[tuple[str, ...]] = ("front", "overhead", "wrist")

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        width, small, heads = self.width, self.width // 2, self.width // 64
        self.patches = nn.Conv2d(3, width, PATCH, PATCH)
        self.places = nn.Parameter(0.02 * torch.randn(1, (self.image_size // PATCH) ** 2, width))
        self.words, self.feel = nn.Embedding(256, width), nn.Linear(8, width)
        self.sees = nn.ModuleList(Block(width, heads) for _ in range(self.depth))
        self.enters, self.leaves = nn.Linear(9, small), nn.Linear(small, 8)
        self.acts = nn.ModuleList(Block(small, heads, width) for _ in range(self.depth // 3))

    def predict(
        self,
        images: Mapping[str, Tensor],
        state: Mapping[str, Tensor],
        instructions: tuple[str, ...],
        seeds: np.ndarray,
    ) -> Tensor:
        """(B, 16, 8)."""
        rows, device = len(instructions), self.places.device
        tokens = [once_if_shared(self._patches, images[c]) for c in self.cameras]
        # The instruction is the same for masked copies: embedded once.
        told = {text: self._told(text, device) for text in dict.fromkeys(instructions)}
        tokens += [torch.cat([told[text] for text in instructions]) if len(told) > 1 else told[instructions[0]]]
        tokens += [self.feel(torch.cat([state[k] for k in STATE], -1))[:, None]]
        seen = torch.cat([t.expand(rows, *t.shape[1:]) for t in tokens], 1)
        for block in self.sees:
            seen = block(seen)
        return self._flow(seen, torch.as_tensor(normal(seeds, (self.horizon, 8)), device=device))

    def _patches(self, pictures: Tensor) -> Tensor:
        found = self.patches(pictures.permute(0, 3, 1, 2).to(self.places.dtype) / 127.5 - 1)
        return found.flatten(2).transpose(1, 2) + self.places

    def _told(self, text: str, device: torch.device) -> Tensor:
        codes = list(text.encode()[:MOST_WORDS].ljust(MOST_WORDS))
        found: Tensor = self.words(torch.tensor([codes], device=device))
        return found

    def _flow(self, seen: Tensor, chunk: Tensor) -> Tensor:
        blocks = cast("list[Block]", list(self.acts))
        keys = [block.attention.keys(seen) for block in blocks]  # of the observation: the same in every flow step
        for step in range(FLOW_STEPS):
            time = torch.full_like(chunk[..., :1], step / FLOW_STEPS)
            x = self.enters(torch.cat([chunk, time], -1))
            for block, known in zip(blocks, keys, strict=True):
                x = block(x, known)
            chunk = chunk + self.leaves(x) / FLOW_STEPS
        return chunk


class Nano(Tiny):
    """Width 128, 4 layers, 96-pixel pictures: something that a processor answers at once."""

    image_size: ClassVar[int] = 96
    width: ClassVar[int] = 128
    depth: ClassVar[int] = 4


class Small(Tiny):
    """Width 384, 12 layers: the size of ViT-S/16."""

    width: ClassVar[int] = 384


class Base(Tiny):
    """Width 768, 12 layers: the size of ViT-B/16."""

    width: ClassVar[int] = 768
