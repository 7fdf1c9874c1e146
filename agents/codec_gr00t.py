"""How GR00T writes messages: MessagePack with arrays as NumPy's own file format, never pickled.

``{"__ndarray_class__": true, "as_npy": bytes}`` for arrays; ``{"__ModalityConfig_class__": true, "as_json": ...}`` for
what a server says about its inputs, read as plain JSON.
"""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np

from hansgym.agents._arrays import KINDS, array_of
from hansgym.errors import AgentError
from hansgym.lookup import require

EXTRA = "gr00t"


def pack(message: Any) -> bytes:
    """Bytes of ``message``: maps, lists, text, numbers and arrays of plain numbers."""
    packed: bytes = require("msgpack", EXTRA).packb(message, default=_encode)
    return packed


def unpack(data: bytes) -> Any:
    """The message in ``data``; what cannot be read raises :class:`AgentError`."""
    try:
        return require("msgpack", EXTRA).unpackb(data, object_hook=_decode, raw=False)
    except AgentError:
        raise
    except Exception as error:
        raise AgentError(
            f"{len(data)} bytes beginning {data[:16]!r} are not MessagePack ({error}); take a GR00T server"
        ) from error


def _encode(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in KINDS:
        file = io.BytesIO()
        np.save(file, value, allow_pickle=False)
        return {"__ndarray_class__": True, "as_npy": file.getvalue()}
    if isinstance(value, np.generic) and value.dtype.kind in KINDS:
        return value.item()
    raise AgentError(f"a {type(value).__name__} cannot be sent; give maps, lists, text, numbers or numeric arrays")


def _decode(found: dict[Any, Any]) -> Any:
    if "__ndarray_class__" in found:
        return _npy(found.get("as_npy"))
    if "__ModalityConfig_class__" in found:
        text = found.get("as_json")
        try:
            return json.loads(text) if isinstance(text, str | bytes) else text
        except ValueError as error:
            raise AgentError(f"a modality configuration is not JSON ({error}): {text!r:.80}; it must be") from error
    return found


def _npy(data: Any) -> np.ndarray:
    """The array in a ``.npy`` file; its header is held against the number of bytes before anything is allocated."""
    if not isinstance(data, bytes):
        raise AgentError(f"an array arrived as {type(data).__name__}; it must be the bytes of a .npy file")
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, fortran, dtype = read(file)
    except (ValueError, KeyError) as error:
        raise AgentError(f"{len(data)} bytes are not a .npy file ({error}); they must be one") from error
    flat = array_of(data[file.tell() :], dtype.str, list(shape)[::-1] if fortran else list(shape))
    return flat.T.copy() if fortran else flat
