"""Agents by URI: ``scheme`` or ``scheme:rest``. A scheme is a file of this folder, or an installed entry point.

A file is a scheme when it defines ``make(rest, **options) -> Agent`` and ``EXAMPLE``, one URI to show; ``vla_eval.py``
is ``vla-eval``. Third parties add schemes with an entry point in the group ``hansgym.agents`` whose name is the scheme
and whose value is such a module, or the ``make`` function itself. Nothing is imported before its scheme is asked for.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from hansgym.agent import Agent
from hansgym.errors import ConfigurationError
from hansgym.lookup import choices, unknown

PACKAGE = "hansgym.agents"
GROUP = "hansgym.agents"


def make_agent(uri: str, **options: Any) -> Agent:
    """The agent that ``uri`` names, e.g. ``expert``, ``reference:pfungst`` or ``python:my_policy:MyPolicy``.

    ``options`` go to the scheme's ``make``. An unknown scheme raises :class:`hansgym.errors.UnknownNameError` with an
    example of each known one, an option that the scheme does not take :class:`hansgym.errors.ConfigurationError`.
    """
    scheme, _, rest = uri.partition(":")
    make = _maker(scheme)
    _check_options(make, rest, options, scheme)
    return make(rest, **options)


def schemes() -> dict[str, str]:
    """Scheme -> an example URI, ours first, then installed ones; imports none of them."""
    found = dict(_own_schemes())
    for point in metadata.entry_points(group=GROUP):
        found.setdefault(point.name, f"{point.name}:… (from {point.value})")
    return found


def _maker(scheme: str) -> Callable[..., Agent]:
    if scheme in _own_schemes():
        return importlib.import_module(f"{PACKAGE}.{scheme.replace('-', '_')}").make
    for point in metadata.entry_points(group=GROUP):
        if point.name == scheme:
            loaded = point.load()
            make = getattr(loaded, "make", loaded)
            if not callable(make):
                raise ConfigurationError(f"entry point {point.name} = {point.value} is not a make(rest, **options)")
            return make
    error = unknown("agent scheme", scheme, schemes())
    raise type(error)(f"{error}. Examples: {', '.join(sorted(schemes().values()))}")


@cache
def _own_schemes() -> dict[str, str]:
    examples = {}
    for name in choices(PACKAGE):
        example = _example(name)
        if example is not None:
            examples[name.replace("_", "-")] = example
    return examples


def _example(name: str) -> str | None:
    """``EXAMPLE`` of the module if it is a scheme, read from the source: helpers may import heavy packages."""
    spec = importlib.util.find_spec(f"{PACKAGE}.{name}")
    if spec is None or spec.origin is None or spec.submodule_search_locations is not None:
        return None
    body = ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body
    if not any(isinstance(node, ast.FunctionDef) and node.name == "make" for node in body):
        return None
    for node in body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "EXAMPLE":
            return str(ast.literal_eval(node.value))
    return name


def _check_options(make: Callable[..., Agent], rest: str, options: dict[str, Any], scheme: str) -> None:
    try:
        inspect.signature(make).bind(rest, **options)
    except TypeError as error:
        raise ConfigurationError(f"agent scheme {scheme!r} does not take these options: {error}") from None
