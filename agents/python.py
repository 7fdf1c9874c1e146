"""``python:<module>:<Class>``: a policy of your own, found in the current directory or installed.

The class needs ``spec`` (:class:`hansgym.specs.AgentSpec`), ``reset(rows, seeds)`` and ``act(batch, noise_seeds)``; the
short way is to subclass :class:`hansgym.agents.base.SimpleAgent` and write ``predict``. Options given to
:func:`hansgym.agents.registry.make_agent` go to the constructor.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import os
import sys
from types import ModuleType
from typing import Any

from hansgym.agent import Agent
from hansgym.agents.base import SimpleAgent
from hansgym.errors import ConfigurationError
from hansgym.specs import AgentSpec

EXAMPLE = "python:my_policy:MyPolicy"

_HOW = (
    "An agent has spec (an AgentSpec), reset(rows, seeds) and act(batch, noise_seeds); "
    "or subclass hansgym.agents.base.SimpleAgent and write predict(images, state, instructions)"
)


def make(rest: str, **options: Any) -> Agent:
    """Import the module, instantiate the class with ``options``, and check that it is an agent."""
    module_name, _, class_name = rest.partition(":")
    if not module_name or not class_name:
        raise ConfigurationError(f"'python:{rest}' names no class; write python:<module>:<Class>, e.g. {EXAMPLE}")
    agent = users_object(module_name, class_name, options)
    _require_face(agent, f"{module_name}:{class_name}")
    return agent


def users_object(module_name: str, class_name: str, options: dict[str, Any]) -> Any:
    """An instance of the user's class, made with ``options``; what cannot be found or made raises, saying why."""
    module = users_module(module_name)
    if not hasattr(module, class_name):
        raise ConfigurationError(_no_such_class(module, class_name))
    factory = getattr(module, class_name)
    try:
        inspect.signature(factory).bind(**options)
    except TypeError as error:
        raise ConfigurationError(
            f"{module_name}:{class_name} cannot be made with options {options}: {error}; give what it takes"
        ) from None
    return factory(**options)


def users_module(name: str) -> ModuleType:
    """The module called ``name``, from the current directory or installed."""
    # As with `python -m`, the user's own folder comes first; it stays, for modules that the policy imports later.
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not name.startswith(error.name):
            raise
        raise ConfigurationError(
            f"no module named {error.name!r} in {os.getcwd()} or among the installed packages; "
            f"run from the folder that holds it, or install it"
        ) from None


def _no_such_class(module: ModuleType, name: str) -> str:
    classes = sorted(n for n, v in vars(module).items() if inspect.isclass(v) and v.__module__ == module.__name__)
    near = difflib.get_close_matches(name, classes, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"module {module.__name__!r} has no {name!r}.{hint} Its classes: {', '.join(classes) or 'none'}"


def _require_face(agent: Any, what: str) -> None:
    if isinstance(agent, SimpleAgent) and not callable(getattr(agent, "predict", None)):
        raise ConfigurationError(
            f"agent {what} subclasses SimpleAgent but has no predict(images, state, instructions); write it"
        )
    missing = [n for n in ("reset", "act") if not callable(getattr(agent, n, None))]
    if not isinstance(getattr(agent, "spec", None), AgentSpec):
        missing.insert(0, "spec")
    if missing:
        raise ConfigurationError(f"agent {what} lacks {', '.join(missing)}. {_HOW}")
