"""How exactly a LeRobot policy computes: as its checkpoint and LeRobot's own evaluation do, or as the user allows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hansgym.agents._lerobot_attention import fused
from hansgym.errors import ConfigurationError
from hansgym.lookup import require, unknown

AUTOCASTS = ("bfloat16", "float16")
TOLERANCE = 0.1
"""Fused answers may differ by this share of their spread: bfloat16 has eight bits, and ten flow steps add up."""


@dataclass
class Precision:
    """``tf32``: on a GPU, products and convolutions of float32 numbers are rounded to ten bits. ``autocast``: they are
    done in one of :data:`AUTOCASTS`; None: as the checkpoint was trained (``amp``). ``fused``: how far the answers of
    fused attention are from the plain ones, where it is used.
    """

    device: Any
    tf32: bool = True
    autocast: str | None = None
    amp: bool = False
    fused: dict[str, float] | None = None

    def __post_init__(self) -> None:
        self.tf32 = self.tf32 and self.device.type == "cuda"
        if self.autocast is not None and self.autocast not in AUTOCASTS:
            raise unknown("autocast", self.autocast, AUTOCASTS)

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Inside, the policy computes so; afterwards, whatever is everybody's is as it was."""
        torch = require("torch", "lerobot")
        dtype = getattr(torch, self.autocast) if self.autocast else None
        places = (torch.backends.cuda.matmul, torch.backends.cudnn)
        usual = [place.allow_tf32 for place in places]
        try:
            for place in places:
                place.allow_tf32 = self.tf32
            with contextlib.ExitStack() as inside:
                if self.amp or dtype is not None:
                    inside.enter_context(torch.autocast(self.device.type, dtype))
                if self.fused is not None:
                    inside.enter_context(fused())
                yield
        finally:
            for place, was in zip(places, usual, strict=True):
                place.allow_tf32 = was

    def fuse(self, ask: Callable[[], np.ndarray], kind: str) -> None:
        """Use fused attention, after comparing what ``ask()`` answers; a policy of ``kind`` that has no attention to
        fuse, or answers otherwise, raises.
        """
        plain = ask()
        with fused() as calls:
            other = ask()
        if not calls:
            raise ConfigurationError(f"fused=true, but {kind!r} has no plain attention of Gemma's; leave out fused")
        found = {"differs_by": float(np.abs(other - plain).max()), "spread": float(np.std(plain))}
        if not found["differs_by"] <= TOLERANCE * found["spread"]:
            raise ConfigurationError(
                f"fused=true, but the answers then differ by {found['differs_by']:.2g}, and their spread is "
                f"{found['spread']:.2g}; leave out fused"
            )
        self.fused = found

    def describe(self) -> dict[str, Any]:
        """Plain values for a run's record."""
        return {"tf32": self.tf32, "autocast": self.autocast, "fused": self.fused}
