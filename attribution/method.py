"""What an attribution method is: a name and one function from a question to cell scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from hansgym import lookup
from hansgym.agent import Agent
from hansgym.batch import Batch
from hansgym.errors import ConfigurationError

PACKAGE = "hansgym.attribution.methods"


@dataclass(frozen=True)
class Question:
    """One decision to explain: what ``agent`` saw (``base``, one row), answered (``clean_chunk``, (horizon, dim)
    float64; None: it is yet to be asked), and which sampling noise it used (``noise_seed``). Masks are drawn from
    ``seed``.
    """

    agent: Agent
    base: Batch
    clean_chunk: np.ndarray | None
    noise_seed: int
    seed: int
    n_masks: int
    keep_probability: float
    grid: int
    blur_sigma_px: float


@dataclass(frozen=True)
class CellScores:
    """The answer: camera -> (G, G) float64 scores and standard errors, with what says how far to trust them.

    Scores, errors and ``mean_effect`` are in squared scaled action units; those of ``iss_logp`` in nat^2.
    ``clean_chunk``: (horizon, dim) float64, the answer to the unmasked observation. ``evaluations`` counts that one,
    whoever made it.
    ``mean_effect``, ``effect_cv``: mean of the masks' effects and their coefficient of variation (None without effect).
    ``gripper_share``: None without effect, or where the gripper has no part of its own. ``no_effect``: why the map
    means nothing, else None.
    """

    cells: Mapping[str, np.ndarray]
    stderr: Mapping[str, np.ndarray]
    clean_chunk: np.ndarray
    evaluations: int
    mean_effect: float
    effect_cv: float | None
    split_half: float | None
    gripper_share: float | None
    no_effect: str | None


@dataclass(frozen=True)
class Method:
    """A saliency method: ``name`` (the file's), ``estimator`` (printed with every result), the function, in words the
    quantity it estimates without bias, and the protocol of the agents that it ``needs``.
    """

    name: str
    estimator: str
    explain: Callable[[Question], CellScores]
    exact_for: str
    needs: type = Agent

    def check(self, agent: Agent) -> None:
        """Raise :class:`ConfigurationError` if ``agent`` cannot be asked: what it lacks, and which methods work."""
        if isinstance(agent, self.needs):
            return
        lacks = [n for n in dir(self.needs) if not n.startswith("_") and not hasattr(agent, n)]
        work = [n for n in methods() if isinstance(agent, method(n).needs)]
        raise ConfigurationError(
            f"attribution method {self.name!r} needs {self.needs.__module__}.{self.needs.__name__}, and agent "
            f"{agent.spec.name!r} lacks its {' and '.join(lacks)}; choose one of the methods that work with it: "
            f"{', '.join(work)}"
        )


def methods() -> tuple[str, ...]:
    """Names of all methods."""
    return lookup.choices(PACKAGE)


def method(name: str) -> Method:
    """The method called ``name``; an unknown name raises and lists the valid ones."""
    found: Method = lookup.load(PACKAGE, name, "METHOD", "attribution method")
    return found
