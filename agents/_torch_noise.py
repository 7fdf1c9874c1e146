"""Random numbers of a Torch policy that depend on a row's noise seed alone, wherever in the policy they are drawn.

A policy that denoises draws its numbers inside, for the whole batch at once, from a generator that all rows share.
Under :class:`RowNoise` every draw with one entry per row of the batch is answered row by row instead, each row from a
stream of its own. So a row's numbers do not depend on its neighbours, and rows with equal seeds get equal numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from hansgym.agents.noise import NAME
from hansgym.seeds import stream

_NORMAL = (torch.randn, torch.randn_like, torch.normal, torch.Tensor.normal_)
_UNIFORM = (torch.rand, torch.rand_like, torch.Tensor.uniform_)
_OTHER = (
    torch.randint,
    torch.randint_like,
    torch.randperm,
    torch.multinomial,
    torch.bernoulli,
    torch.Tensor.bernoulli_,
    torch.Tensor.random_,
    torch.Tensor.exponential_,
)


class RowNoise(TorchFunctionMode):
    """Within this context, normal and uniform draws of shape (rows, …) come from ``seeds``, one uint64 per row.

    ``shapes`` lists what was drawn so; ``loose`` counts the draws that could not be given to rows (another leading
    size, another distribution, a generator that the policy brings) and are left alone: they tie a row to its batch.
    """

    def __init__(self, seeds: Sequence[int] | np.ndarray) -> None:
        super().__init__()
        self._streams = [stream(int(s), NAME) for s in np.asarray(seeds, np.uint64)]
        self.shapes: list[tuple[int, ...]] = []
        self.loose = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Answer the draws, pass everything else on."""
        given = dict(kwargs or {})
        if func in _NORMAL or func in _UNIFORM:
            drawn = None if given.get("generator") is not None else self._drawn(func, args, given)
            if drawn is not None:
                return drawn
            self.loose += 1
        elif func in _OTHER:
            self.loose += 1
        return func(*args, **given)

    def _drawn(self, func: Callable[..., Any], args: Sequence[Any], given: Mapping[str, Any]) -> torch.Tensor | None:
        """The answer to a draw of the rows' own, or None when it is none of theirs."""
        if func in (torch.Tensor.normal_, torch.Tensor.uniform_):
            target, low, high = args[0], *_parameters(func, args[1:], given)
            values = self._values(func, tuple(target.shape), low, high)
            return None if values is None else target.copy_(values)
        shape, like = _shape(func, args, given)
        low, high = _parameters(func, args, given)
        values = None if shape is None else self._values(func, shape, low, high)
        if values is None:
            return None
        dtype = given.get("dtype") or (like.dtype if like is not None else torch.get_default_dtype())
        device = given.get("device") or (like.device if like is not None else torch.get_default_device())
        return values.to(device=device, dtype=dtype)

    def _values(self, func: Callable[..., Any], shape: tuple[int, ...], low: float, high: float) -> torch.Tensor | None:
        if not shape or shape[0] != len(self._streams) or math.prod(shape) == 0:
            return None
        self.shapes.append(shape)
        if func in _NORMAL:
            rows = [low + high * s.standard_normal(shape[1:]) for s in self._streams]
        else:
            rows = [low + (high - low) * s.random(shape[1:]) for s in self._streams]
        return torch.from_numpy(np.stack(rows).astype(np.float32))


def _shape(
    func: Callable[..., Any], args: Sequence[Any], given: Mapping[str, Any]
) -> tuple[tuple[int, ...] | None, torch.Tensor | None]:
    """(shape, tensor to be like) of a draw; shape None where mean and spread are tensors."""
    if func in (torch.randn_like, torch.rand_like):
        return tuple(args[0].shape), args[0]
    if func is torch.normal:
        size = given.get("size", args[2] if len(args) > 2 else None)
        plain = all(not isinstance(a, torch.Tensor) for a in (*args, *given.values()))
        return (tuple(size), None) if plain and size is not None else (None, None)
    size = given.get("size", args[0] if len(args) == 1 and not isinstance(args[0], int) else args)
    return tuple(int(n) for n in size), None


def _parameters(func: Callable[..., Any], args: Sequence[Any], given: Mapping[str, Any]) -> tuple[float, float]:
    """Mean and spread, or lowest and highest."""
    if func is torch.normal and any(isinstance(a, torch.Tensor) for a in (*args, *given.values())):
        return 0.0, 1.0  # not answered here: see _shape
    names = ("from", "to") if func is torch.Tensor.uniform_ else ("mean", "std")
    if func not in (torch.normal, torch.Tensor.normal_, torch.Tensor.uniform_):
        return 0.0, 1.0
    first = given.get(names[0], args[0] if args else 0.0)
    second = given.get(names[1], args[1] if len(args) > 1 else 1.0)
    return float(first), float(second)
