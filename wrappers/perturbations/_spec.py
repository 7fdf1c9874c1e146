"""From text to perturbed environment: ``name`` or ``name:key=value,key=value``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym

from hansgym import lookup
from hansgym.wrappers.perturbations._base import ImagePerturbation, ScenePerturbation, checked_options
from hansgym.wrappers.perturbations._image import ImagePerturbed
from hansgym.wrappers.perturbations._scene import ScenePerturbed

PACKAGE = "hansgym.wrappers.perturbations"


@dataclass(frozen=True)
class Request:
    """A perturbation asked for, with every option filled in."""

    name: str
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """The text that :func:`parse` reads back to an equal request."""
        return f"{self.name}:{','.join(f'{k}={v}' for k, v in self.options.items())}" if self.options else self.name


def load(name: str) -> ImagePerturbation | ScenePerturbation:
    """The perturbation called ``name``; an unknown name raises with the names there are."""
    return lookup.load(PACKAGE, name, "PERTURBATION", "perturbation")


def parse(text: str) -> Request:
    """Read ``"gaussian_noise:severity=4,region=nuisance"``; unknown names, options and values raise and list."""
    name, _, rest = text.partition(":")
    perturbation = load(name.strip())
    kinds: dict[str, Callable[[str], Any]] = {k: type(v[0]) for k, v in perturbation.options.items()}
    given = lookup.parse_options(rest, kinds, f"perturbation {name.strip()!r}")
    return Request(perturbation.name, perturbation.kind, checked_options(perturbation, given))


def perturb(env: gym.Env, request: str | Request) -> gym.Env:
    """``env`` with one perturbation added; call it again to stack another, the order changes no random stream.

    Add it before the chunk wrapper: then it is applied to what is observed, once per chunk.
    """
    asked = parse(request) if isinstance(request, str) else request
    wrapper: Any = ImagePerturbed if asked.kind == "image" else ScenePerturbed
    return wrapper(env, asked.name, **asked.options)


def listing() -> list[dict[str, Any]]:
    """One row per perturbation: ``name``, ``kind``, ``summary``, ``options`` (allowed values, the default first).

    Image perturbations add ``parameter`` and ``strengths`` (at severities 1 to 5).
    """
    rows = []
    for name in lookup.choices(PACKAGE):
        item = load(name)
        row: dict[str, Any] = {"name": item.name, "kind": item.kind, "summary": item.summary}
        row["options"] = {k: list(v) for k, v in item.options.items()}
        if isinstance(item, ImagePerturbation):
            row |= {"parameter": item.parameter, "strengths": list(item.strengths)}
        rows.append(row)
    return rows
