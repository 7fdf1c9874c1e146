"""Run agents over tasks, keep what happened, and compare: the command line and its Python face."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hansgym.benchmarks.runner import evaluate

__all__ = ["evaluate"]


def __getattr__(name: str) -> Any:
    """Load :func:`evaluate` when it is asked for: the command line should answer ``--help`` at once."""
    if name == "evaluate":
        from hansgym.benchmarks.runner import evaluate

        return evaluate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
