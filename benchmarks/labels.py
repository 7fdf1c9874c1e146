"""What a reader must know about an agent before comparing its numbers, in words, from the header of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOISE = {
    "none": "sampling noise cannot be paired: differences between two answers contain it",
    "rng": "sampling noise is paired only through a shared generator",
}
"""Noise control -> its label; the others need none."""


def labels(header: Mapping[str, Any]) -> list[str]:
    """The labels of the agent in ``run.json``'s ``header``: how its noise is paired where that is not exact, then what
    it said about itself when it was made (a policy server that hides its chunks, made-up past frames).

    A header of another make or forged ones yield the labels that can be read: what is no text is left out.
    """
    agent = header.get("agent")
    if not isinstance(agent, Mapping):
        return []
    noise = agent.get("noise_control")
    found = [NOISE[noise]] if isinstance(noise, str) and noise in NOISE else []
    details = agent.get("details")
    flags = details.get("flags") if isinstance(details, Mapping) else None
    return found + [flag for flag in (flags if isinstance(flags, list) else []) if isinstance(flag, str) and flag]
