"""How vla-eval writes messages: one MessagePack map ``{type, payload, seq, timestamp}`` per frame.

Arrays are maps with *text* keys, ``{"__ndarray__": true, "data": bytes, "dtype": "<f4", "shape": [T, A]}``. Images
(H, W, 1, 3 or 4) uint8 may instead come as ``{"__image__": true, "format": "png", "data": bytes, "shape": [...]}``;
both are read, and the plain kind is written, which every vla-eval peer reads and which is forty times faster.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from hansgym.agents._arrays import KINDS, array_of
from hansgym.errors import AgentError
from hansgym.lookup import require

EXTRA = "remote"
VERSION = 1
"""Protocol version named in the first message."""

TYPES = ("hello", "observation", "action", "episode_start", "episode_end", "error")

_LARGEST_IMAGE_PX = 4096


@dataclass(frozen=True)
class Message:
    """One frame: what it is, what it carries, and the number that a reply repeats."""

    type: str
    payload: dict[str, Any]
    seq: int = 0


def pack(message: Message, timestamp: float | None = None) -> bytes:
    """Bytes of ``message``; ``timestamp`` (seconds since 1970) is the present by default."""
    when = time.time() if timestamp is None else timestamp
    raw = {"type": message.type, "payload": message.payload, "seq": message.seq, "timestamp": when}
    packed: bytes = require("msgpack", EXTRA).packb(raw, default=_encode, use_bin_type=True)
    return packed


def unpack(data: bytes) -> Message:
    """The message in ``data``; what cannot be read raises :class:`AgentError`."""
    try:
        raw = require("msgpack", EXTRA).unpackb(data, object_hook=_decode, raw=False)
    except AgentError:
        raise
    except Exception as error:
        raise AgentError(
            f"{len(data)} bytes beginning {data[:16]!r} are not MessagePack ({error}); take a vla-eval server"
        ) from error
    if not isinstance(raw, dict) or not {"type", "payload", "seq"} <= set(raw):
        raise AgentError(f"a message without type, payload and seq arrived: {raw!r:.200}; take a vla-eval peer")
    if raw["type"] not in TYPES or not isinstance(raw["payload"], dict) or type(raw["seq"]) is not int:
        raise AgentError(
            f"a message of type {raw['type']!r:.40} with seq {raw['seq']!r:.40} arrived; "
            f"it must be one of {', '.join(TYPES)} with a map as payload and a number as seq"
        )
    return Message(raw["type"], raw["payload"], raw["seq"])


def _encode(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in KINDS:
        return {"__ndarray__": True, "data": value.tobytes(), "dtype": value.dtype.str, "shape": list(value.shape)}
    if isinstance(value, np.generic) and value.dtype.kind in KINDS:
        return value.item()
    raise AgentError(f"a {type(value).__name__} cannot be sent; give maps, lists, text, numbers or numeric arrays")


def _decode(found: dict[Any, Any]) -> Any:
    if "__image__" in found:
        return _image(found)
    if "__ndarray__" in found:
        return array_of(found.get("data"), found.get("dtype"), found.get("shape"))
    return found


def _image(found: dict[Any, Any]) -> np.ndarray:
    """(H, W, C) uint8 of an encoded image; its size is compared with what was said before anything is unpacked."""
    kind, data, shape = found.get("format"), found.get("data"), found.get("shape")
    if kind == "raw":
        return array_of(data, found.get("dtype"), shape)
    if kind not in ("png", "jpeg") or not isinstance(data, bytes):
        raise AgentError(f"an image of format {kind!r:.40} arrived; it must be raw, png or jpeg with bytes as data")
    if not isinstance(shape, list) or len(shape) != 3 or any(type(n) is not int for n in shape):
        raise AgentError(f"an image of shape {shape!r:.80} arrived; (height, width, channels) was due")
    from PIL import Image

    try:
        picture = Image.open(io.BytesIO(data), formats=[kind])
        if picture.size != (shape[1], shape[0]) or max(picture.size) > _LARGEST_IMAGE_PX:
            raise AgentError(
                f"an image said to be of shape {shape} is {picture.size[0]} x {picture.size[1]} pixels; "
                f"both must agree and be at most {_LARGEST_IMAGE_PX}"
            )
        array = np.asarray(picture)
    except AgentError:
        raise
    except Exception as error:
        raise AgentError(f"{len(data)} bytes are not a {kind} image ({error}); take a vla-eval peer") from error
    if array.dtype != np.uint8 or array.reshape(*array.shape, *(1,) * (3 - array.ndim)).shape != tuple(shape):
        raise AgentError(f"an image said to be of shape {shape} is {array.shape} {array.dtype}; they must agree")
    return array.reshape(shape).copy()
