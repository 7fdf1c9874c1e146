"""Gymnasium wrappers: chunked execution, perturbations, attribution. Each is loaded when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hansgym.wrappers.attribution import AttributionWrapper
    from hansgym.wrappers.chunk import ChunkedExecution
    from hansgym.wrappers.perturbations import perturb

__all__ = ["AttributionWrapper", "ChunkedExecution", "perturb"]

_HOME = {"AttributionWrapper": "attribution", "ChunkedExecution": "chunk", "perturb": "perturbations"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
