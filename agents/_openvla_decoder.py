"""OpenVLA's model in batches: greedy action tokens, and what the model says at the place of given ones.

The published ``generate`` takes one observation. Its forward pass takes any number, and so does its language model when
it is asked to go on from a cache; both together decode a batch token by token without computing anything twice.

All that is used of the model: ``model(input_ids=, attention_mask=, pixel_values=, use_cache=)`` and
``model.language_model(input_ids=, past_key_values=, use_cache=)``, which return ``logits`` and ``past_key_values``.
"""

from __future__ import annotations

from typing import Any

from hansgym.lookup import require

EMPTY_TOKEN = 29871
"""Llama's token of an empty word. It stood before the action in training; a tokenizer does not put it there."""


def with_empty_token(ids: list[int]) -> list[int]:
    """A prompt's ids as in training: with :data:`EMPTY_TOKEN` at the end."""
    return ids if ids and ids[-1] == EMPTY_TOKEN else [*ids, EMPTY_TOKEN]


class Decoder:
    """``model`` answers ``length`` tokens per row; every prompt of one call has the same number of ids."""

    def __init__(self, model: Any, length: int) -> None:
        self._torch = require("torch", "openvla")
        self.model, self.length = model, length

    def greedy(self, prompt: Any, pixels: Any) -> Any:
        """(B, ``length``) int64: the most probable token after the prompt, the next after it, and so on.

        ``prompt`` (B, L) int64 ids, ``pixels`` (B, C, H, W), on the model's device.
        """
        out = self._forward(prompt, pixels, use_cache=True)
        tokens = [out.logits[:, -1].argmax(dim=-1, keepdim=True)]
        for _ in range(self.length - 1):
            past = out.past_key_values
            out = self.model.language_model(input_ids=tokens[-1], past_key_values=past, use_cache=True)
            tokens.append(out.logits[:, -1].argmax(dim=-1, keepdim=True))
        return self._torch.cat(tokens, dim=1)

    def logits(self, prompt: Any, pixels: Any, tokens: Any) -> Any:
        """(B, ``length``, V): what is said at the place of each of ``tokens`` (B, ``length``) if those before it stand.

        One forward pass. The picture's patches go after the first id, so places are counted from the end; the last
        token predicts nothing that is asked for and is left out.
        """
        given = self._torch.cat([prompt, tokens[:, :-1]], dim=1)
        return self._forward(given, pixels, use_cache=False).logits[:, -self.length :]

    def _forward(self, ids: Any, pixels: Any, use_cache: bool) -> Any:
        mask = self._torch.ones_like(ids)
        return self.model(input_ids=ids, attention_mask=mask, pixel_values=pixels, use_cache=use_cache)
