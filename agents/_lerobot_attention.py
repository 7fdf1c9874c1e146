"""Gemma's attention through Torch's fused kernel, for policies whose code asks for the plain one (π0, π0.5).

Plain attention writes its scores to memory and copies keys and values once for each query head that shares them, which
costs a fifth of π0.5's time in batches of a hundred (docs/cost.md). The fused kernel computes the same sums in another
order. Whoever uses it compares (:meth:`hansgym.agents._lerobot_precision.Precision.fuse`), and says how far the answers
differ.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

from hansgym.lookup import require

MODULE, NAME = "transformers.models.gemma.modeling_gemma", "eager_attention_forward"


@contextlib.contextmanager
def fused() -> Iterator[list[int]]:
    """Inside, Gemma attends through :func:`attend`; the list grows by one entry, the batch's size, at every call."""
    calls: list[int] = []

    def instead(module: Any, query: Any, key: Any, value: Any, attention_mask: Any, **given: Any) -> tuple[Any, None]:
        calls.append(len(query))
        return attend(query, key, value, attention_mask, given.get("scaling")), None

    try:
        gemma = importlib.import_module(MODULE)
    except ImportError:  # then no policy can use it
        yield calls
        return
    with mock.patch.object(gemma, NAME, instead):
        yield calls


def attend(query: Any, key: Any, value: Any, mask: Any, scale: float | None) -> Any:
    """Attention of ``query`` (B, H, Q, D) to ``key`` and ``value`` (B, G, K, D), whose heads are shared by H / G query
    heads each; ``mask`` (B, 1, Q, K or more) is added to the scores. Returns (B, Q, H, D).
    """
    functional = require("torch.nn.functional", "lerobot")
    heads, groups = query.shape[1], key.shape[1]
    shape = (len(key), groups, heads // groups, *key.shape[2:])
    # With a single shared head this is a view: nothing is copied.
    key, value = (t[:, :, None].expand(shape).reshape(len(t), heads, *t.shape[2:]) for t in (key, value))
    added = None if mask is None else mask[..., : key.shape[2]].to(query.dtype)
    out = functional.scaled_dot_product_attention(query, key, value, attn_mask=added, scale=scale)
    return out.transpose(1, 2).contiguous()
