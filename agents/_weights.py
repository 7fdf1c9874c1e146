"""Checkpoint folders: what must be in them, and which weights exactly were used."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hansgym.errors import ConfigurationError

MOST_JSON_BYTES = 64 * 1024 * 1024


def read_json(path: Path) -> dict[str, Any]:
    """The table in a JSON file of a checkpoint; a missing or unreadable one raises."""
    if not path.is_file():
        raise ConfigurationError(f"{path.parent} has no {path.name}; give the whole checkpoint folder")
    if path.stat().st_size > MOST_JSON_BYTES:
        raise ConfigurationError(f"{path} has {path.stat().st_size} bytes; it must have at most {MOST_JSON_BYTES}")
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path} is not JSON ({error}); take the checkpoint's own file again") from None
    if not isinstance(table, dict):
        raise ConfigurationError(f"{path} holds a {type(table).__name__}; it must be a table")
    return table


def safetensors_of(folder: Path) -> list[Path]:
    """The weight files of a Hugging Face folder, all of them there; anything else raises. Pickled ones are not read."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        named = read_json(index).get("weight_map")
        names = {str(n) for n in named.values()} if isinstance(named, dict) else set()
        if not names or any(Path(n).name != n for n in names):
            raise ConfigurationError(f"{index} names the weight files {sorted(names)[:3]}; they must lie beside it")
        files = [folder / n for n in sorted(names)]
    else:
        files = [folder / "model.safetensors"]
    lost = [f.name for f in files if not f.is_file()]
    if lost:
        pickled = sorted(p.name for p in folder.glob("*.bin"))
        hint = f". {pickled[0]} is a pickle, which is not opened: save the model as safetensors" if pickled else ""
        raise ConfigurationError(f"{folder} lacks {', '.join(lost)}; give a folder with all its weights{hint}")
    return files


def fingerprint(files: Iterable[Path]) -> str:
    """SHA-256 over the files' names and contents, in order: which weights a result was made with."""
    digest, named = hashlib.sha256(), list(files)
    with ThreadPoolExecutor(os.cpu_count()) as beside:  # gigabytes each, and the interpreter does not wait for them
        for file, content in zip(named, beside.map(_sha256, named), strict=True):
            digest.update(file.name.encode())
            digest.update(content)
    return digest.hexdigest()


def _sha256(file: Path) -> bytes:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()
