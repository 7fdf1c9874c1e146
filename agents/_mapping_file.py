"""Read mapping files safely: plain values only, of bounded size, each setting checked against a dataclass."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar

from hansgym.errors import ConfigurationError
from hansgym.lookup import require, unknown

MOST_BYTES = 100_000
KINDS = (".toml", ".json", ".yaml", ".yml")
T = TypeVar("T")


def mapping_files() -> dict[str, Path]:
    """Name -> file of every ready mapping."""
    return {p.stem: p for p in sorted((Path(__file__).parent / "mappings").glob("*.toml"))}


def read(path: Path) -> dict[str, Any]:
    """The plain values of a file; its ending says the language."""
    if path.suffix not in KINDS:
        raise ConfigurationError(f"mapping file {path.name!r} ends in {path.suffix!r}; use {', '.join(KINDS)}")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ConfigurationError(f"mapping file {path} has {size} bytes; a mapping takes at most {MOST_BYTES}")
    try:
        table = _parse(path.read_text(encoding="utf-8"), path.suffix)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"mapping file {path} cannot be read: {error}; write it as {path.suffix}") from None
    if not isinstance(table, dict):
        raise ConfigurationError(f"mapping file {path} holds a {type(table).__name__}; it must be a table of settings")
    return table


def _parse(text: str, suffix: str) -> Any:
    if suffix == ".toml":
        return tomllib.loads(text)
    if suffix == ".json":
        return json.loads(text)
    yaml = require("yaml", "yaml")
    if "&" in text and "*" in text:  # aliases of aliases unfold to any size
        tokens = (yaml.AnchorToken, yaml.AliasToken)
        if any(isinstance(t, tokens) for t in yaml.scan(text)):
            raise ValueError("anchors and aliases are not taken")
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def settings(value: Any, name: str, section: str) -> Mapping[str, Any]:
    """``value`` if it is a table, else an error."""
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"mapping {name!r}: {section} = {value!r} is no table; write [{section}] and settings")
    return value


def rows(kind: type[T], value: Any, name: str, section: str) -> tuple[T, ...]:
    """One ``kind`` (a dataclass of plain fields) for each table of the list ``value``."""
    if not isinstance(value, list):
        raise ConfigurationError(f"mapping {name!r}: {section} = {value!r} is no list; write [[{section}]] before each")
    return tuple(_row(kind, settings(v, name, section), f"[[{section}]] of mapping {name!r}") for v in value)


def _row(kind: type[T], table: Mapping[str, Any], what: str) -> T:
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type] # every kind is a dataclass
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            raise unknown(f"setting of {what}", key, known)
        values[key] = _value(key, value, str(known[key].type), what)
    missing = [n for n, f in known.items() if n not in values and f.default is MISSING]
    if missing:
        raise ConfigurationError(f"{what} with {sorted(values)} lacks {', '.join(missing)}; write {missing[0]} = …")
    return kind(**values)


_KINDS: dict[str, tuple[type, ...]] = {"str": (str,), "bool": (bool,), "float": (int, float), "int": (int,)}


def _value(key: str, value: Any, kind: str, what: str) -> Any:
    """``value`` as the field's annotation ``kind`` asks: a plain one, or a list of them as a tuple."""
    inner = kind.removeprefix("tuple[").split(",")[0].split(" ")[0].rstrip("]")
    listed = kind.startswith("tuple")
    items = value if isinstance(value, list) and listed else [value]
    good = all(isinstance(v, _KINDS[inner]) and (inner == "bool" or not isinstance(v, bool)) for v in items)
    if not good or listed is not isinstance(value, list):
        raise ConfigurationError(f"{what}: {key} = {value!r} cannot be read; write {key} = <{kind}>")
    return tuple(value) if listed else value
