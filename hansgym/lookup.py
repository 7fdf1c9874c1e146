"""Find things by name: a file in a folder is a choice, and it is loaded only when somebody asks for it."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hansgym.errors import ConfigurationError, MissingExtraError, UnknownNameError


def choices(package: str) -> tuple[str, ...]:
    """Names of the public modules in ``package``, sorted, without importing any of them."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        raise ValueError(f"{package} is not a package")
    found = {m.name for m in pkgutil.iter_modules(list(spec.submodule_search_locations)) if not m.name.startswith("_")}
    return tuple(sorted(found))


def unknown(kind: str, name: str, valid: Iterable[str]) -> UnknownNameError:
    """The error for an unknown name: what was given, the nearest valid name, all valid names."""
    valid = sorted(valid)
    near = difflib.get_close_matches(name, valid, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return UnknownNameError(f"unknown {kind} {name!r}.{hint} Choose one of: {', '.join(valid)}")


def load(package: str, name: str, attribute: str, kind: str) -> Any:
    """Value of ``attribute`` in module ``package.name``; an unknown name raises with the choices."""
    if name not in choices(package):
        raise unknown(kind, name, choices(package))
    return getattr(importlib.import_module(f"{package}.{name}"), attribute)


def require(module: str, extra: str) -> Any:
    """Import an optional ``module`` or raise an error that names the extra to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"this needs {module!r}, which is not installed ({error}). Install it with: pip install 'hansgym[{extra}]'"
        ) from error


def yes(text: str) -> bool:
    """``true`` or ``false`` in a URI."""
    if text.lower() not in ("true", "false"):
        raise ValueError("it is true or false")
    return text.lower() == "true"


def parse_options(text: str, kinds: Mapping[str, Callable[[str], Any]], what: str) -> dict[str, Any]:
    """``"horizon=8,control=ee_pose"`` -> ``{"horizon": 8, "control": "ee_pose"}``.

    ``kinds`` maps each known key to its converter; an unknown key or an unreadable value raises, naming ``what``.
    """
    options: dict[str, Any] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        key, equals, value = part.partition("=")
        if not equals:
            raise ConfigurationError(f"{what} takes key=value options ({', '.join(sorted(kinds))}), got {part!r}")
        if key not in kinds:
            raise unknown(f"option of {what}", key, kinds)
        try:
            options[key] = kinds[key](value)
        except ValueError as error:
            kind = getattr(kinds[key], "__name__", "value")
            raise ConfigurationError(
                f"{what}: {key}={value!r} cannot be read ({error}); write {key}=<{kind}>"
            ) from None
    return options
