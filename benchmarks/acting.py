"""The scripted expert's episode, step by step, for everything that watches it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

EXECUTE = 8
"""Control steps between two plans. A longer plan begins with the same steps, so no longer one is asked for."""


def acted_out(env: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Let the expert act in ``env``, which has been reset: observation and info after each step, until the end."""
    done = False
    while not done:
        for action in env.get_wrapper_attr("expert_chunk")(EXECUTE):
            seen, _, terminated, truncated, info = env.step(action)
            yield seen, info
            done = terminated or truncated
            if done:
                break
