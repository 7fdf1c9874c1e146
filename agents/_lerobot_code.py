"""No code out of a checkpoint: some of LeRobot's policies ask Transformers to run whatever Python a repository holds.

π0-FAST does so for its action tokenizer, GR00T for its words and pictures. The names of those repositories are in the
checkpoint's own files, so whoever wrote these would choose what runs here. Inside :func:`no_foreign_code` such code is
refused, and the FAST action tokenizer, whose code decoding does not need, is read as the data that it is.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

from hansgym.agents._weights import read_json
from hansgym.errors import ConfigurationError

FAST_CODE = "UniversalActionProcessor"
"""The class of the FAST action tokenizer, as its repository names it."""

_TABLE, _WORDS = "processor_config.json", "tokenizer.json"


@dataclass(frozen=True)
class FastTokens:
    """What decoding needs of a FAST action tokenizer: its words, and how they become cosine coefficients. It encodes
    nothing, for a policy that is asked has no actions yet.
    """

    bpe_tokenizer: Any
    scale: float
    min_token: int


@contextlib.contextmanager
def no_foreign_code() -> Iterator[None]:
    """Inside, Transformers runs no Python of a repository or folder: :class:`ConfigurationError` says what asked."""
    try:
        dynamic = importlib.import_module("transformers.dynamic_module_utils")
        processor = importlib.import_module("transformers").AutoProcessor
    except ImportError:  # then nothing can ask for it
        yield
        return
    real = processor.from_pretrained

    def refuse(where: Any, name: Any = "", *_: Any, **__: Any) -> NoReturn:
        raise ConfigurationError(
            f"the checkpoint asks to run the Python code {str(name)!r} of {str(where)!r}, which is not done; "
            "use one whose tokenizer and processors come without code of their own"
        )

    def from_pretrained(where: Any, *args: Any, **given: Any) -> Any:
        return fast_tokens(where) if given.get("trust_remote_code") and is_fast(where) else real(where, *args, **given)

    with (
        mock.patch.object(dynamic, "get_cached_module_file", refuse),
        mock.patch.object(dynamic, "get_class_in_module", refuse),
        mock.patch.object(processor, "from_pretrained", from_pretrained),
    ):
        yield


def is_fast(where: Any) -> bool:
    """Whether ``where``, a folder or repository, holds a FAST action tokenizer."""
    path = _file(where, _TABLE)
    return path is not None and read_json(path).get("processor_class") == FAST_CODE


def fast_tokens(where: Any) -> FastTokens:
    """The FAST action tokenizer in ``where``, of its data alone."""
    transformers = importlib.import_module("transformers")
    about, words = _file(where, _TABLE), _file(where, _WORDS)
    table = read_json(about) if about else {}
    scale, least = table.get("scale"), table.get("min_token")
    if words is None or not isinstance(scale, int | float) or isinstance(least, bool) or not isinstance(least, int):
        raise ConfigurationError(
            f"{where} is no whole FAST action tokenizer (scale = {scale!r}, min_token = {least!r}, "
            f"{_WORDS} {'is' if words else 'is not'} there); give one with all of its files"
        )
    # Tidying spaces would change the characters that stand for coefficients.
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(words), clean_up_tokenization_spaces=False)
    return FastTokens(tokenizer, float(scale), least)


def _file(where: Any, name: str) -> Path | None:
    """The file ``name`` of a folder or of a repository of the hub, or None where there is none."""
    folder = Path(str(where)).expanduser()
    if folder.is_dir():
        return folder / name if (folder / name).is_file() else None
    found = importlib.import_module("transformers.utils.hub").cached_file(
        str(where), name, _raise_exceptions_for_missing_entries=False, _raise_exceptions_for_connection_errors=False
    )
    return Path(found) if found else None
