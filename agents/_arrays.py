"""Arrays out of messages: what a peer says about its bytes is checked before it is believed."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from hansgym.errors import AgentError

KINDS = "biuf"
"""Kinds of numbers that may arrive: bool, signed, unsigned, float. No objects, no structures, no text."""

_DTYPE = re.compile(rf"[<>|=]?[{KINDS}][0-9]{{1,2}}")
_MOST_AXES = 8


def dtype_of(text: Any) -> np.dtype[Any]:
    """The dtype that ``text`` (such as ``"<f4"``) names; anything but plain numbers raises :class:`AgentError`."""
    if isinstance(text, str) and _DTYPE.fullmatch(text):
        try:
            return np.dtype(text)
        except TypeError:
            pass
    raise AgentError(f"an array of dtype {text!r:.80} arrived; it must be of plain numbers such as '<f4' or '|u1'")


def array_of(data: Any, dtype: Any, shape: Any) -> np.ndarray:
    """The array with these bytes, ``dtype`` and ``shape``, as a copy of one's own; raises :class:`AgentError`."""
    kind = dtype_of(dtype)
    if not isinstance(data, bytes | bytearray | memoryview):
        raise AgentError(f"an array's data arrived as {type(data).__name__}; they must be bytes")
    axes = shape if isinstance(shape, list | tuple) else None
    if axes is None or len(axes) > _MOST_AXES or any(type(n) is not int or n < 0 for n in axes):
        raise AgentError(f"an array of shape {shape!r:.80} arrived; it must be a list of at most {_MOST_AXES} sizes")
    due = math.prod(axes) * kind.itemsize
    if due != len(data):
        raise AgentError(
            f"an array of shape {tuple(axes)} and dtype {kind} arrived with {len(data)} bytes; it needs {due}"
        )
    return np.frombuffer(data, kind).reshape(axes).copy()


def actions_of(value: Any, what: str) -> np.ndarray:
    """``value`` as (T, dim) or (dim,) float64 actions; anything but finite real numbers raises :class:`AgentError`."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise AgentError(f"{what} sent actions of unequal lengths; they must be an array (T, dim)") from None
    if array.dtype.kind not in "fiu":
        raise AgentError(f"{what} sent actions of dtype {array.dtype}; they must be real numbers")
    if array.ndim not in (1, 2) or 0 in array.shape:
        raise AgentError(f"{what} sent actions of shape {array.shape}; (T, dim) or (dim,) was due")
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise AgentError(f"{what} sent {array[where]} at index {where} of its actions; every number must be finite")
    return array.astype(np.float64)
