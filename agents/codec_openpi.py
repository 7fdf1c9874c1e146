"""How openpi writes messages: MessagePack, with arrays as maps whose keys are *bytes*.

``{b"__ndarray__": True, b"data": bytes, b"dtype": "<f4", b"shape": [T, A]}``, and NumPy scalars as
``{b"__npgeneric__": True, b"data": 1.5, b"dtype": "<f8"}``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hansgym.agents._arrays import KINDS, array_of, dtype_of
from hansgym.errors import AgentError
from hansgym.lookup import require

EXTRA = "remote"


def pack(message: Any) -> bytes:
    """Bytes of ``message``: maps, lists, text, numbers and arrays of plain numbers."""
    packed: bytes = require("msgpack", EXTRA).packb(message, default=_encode)
    return packed


def unpack(data: bytes) -> Any:
    """The message in ``data``, arrays as copies; what cannot be read raises :class:`AgentError`."""
    try:
        return require("msgpack", EXTRA).unpackb(data, object_hook=_decode)
    except AgentError:
        raise
    except Exception as error:
        raise AgentError(
            f"{len(data)} bytes beginning {data[:16]!r} are not MessagePack ({error}); take an openpi server"
        ) from error


def _encode(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind not in KINDS + "U":
        raise AgentError(f"an array of dtype {value.dtype} cannot be sent; give plain numbers")
    if isinstance(value, np.ndarray):
        return {b"__ndarray__": True, b"data": value.tobytes(), b"dtype": value.dtype.str, b"shape": value.shape}
    if isinstance(value, np.generic):
        return {b"__npgeneric__": True, b"data": value.item(), b"dtype": value.dtype.str}
    raise AgentError(f"a {type(value).__name__} cannot be sent; give maps, lists, text, numbers or arrays")


def _decode(found: dict[Any, Any]) -> Any:
    if b"__ndarray__" in found:
        return array_of(found.get(b"data"), found.get(b"dtype"), found.get(b"shape"))
    if b"__npgeneric__" in found:
        value = found.get(b"data")
        if not isinstance(value, bool | int | float):
            raise AgentError(f"a NumPy scalar arrived as {type(value).__name__}; it must be a number")
        return dtype_of(found.get(b"dtype")).type(value)
    return found
