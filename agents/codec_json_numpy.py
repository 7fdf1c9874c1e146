"""How OpenVLA's servers write arrays in JSON: ``{"__numpy__": base64, "dtype": "|u1", "shape": [224, 224, 3]}``."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

import numpy as np

from hansgym.agents._arrays import KINDS, array_of
from hansgym.errors import AgentError


def dumps(value: Any) -> str:
    """JSON of ``value``: maps, lists, text, numbers and arrays of plain numbers."""
    return json.dumps(value, default=_encode)


def loads(text: str | bytes) -> Any:
    """The value in ``text``, arrays decoded; what cannot be read raises :class:`AgentError`."""
    try:
        return json.loads(text, object_hook=_decode)
    except (ValueError, RecursionError) as error:
        raise AgentError(f"the answer is not JSON ({error}): {text[:80]!r}; take an OpenVLA server") from error


def _encode(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in KINDS:
        data = base64.b64encode(value.tobytes()).decode("ascii")
        return {"__numpy__": data, "dtype": value.dtype.str, "shape": list(value.shape)}
    if isinstance(value, np.generic) and value.dtype.kind in KINDS:
        return value.item()
    raise AgentError(f"a {type(value).__name__} cannot be sent; give maps, lists, text, numbers or numeric arrays")


def _decode(found: dict[str, Any]) -> Any:
    if "__numpy__" not in found:
        return found
    text = found["__numpy__"]
    try:
        data = base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise AgentError(f"an array's data are not base64 ({error}): {text!r:.40}; they must be") from error
    return array_of(data, found.get("dtype"), found.get("shape"))
