"""Upstream's randomness: the global ``numpy.random`` and ``random``, lent to it from a seed and put back.

RLBench draws placements and colours from both. Each environment keeps states of its own, which are in force while
upstream runs and at no other time, so that neither side ever sees the other's draws. Three things have no seed that
Python could set: the order in which upstream walks through a ``set`` (the spare colours of ``push_buttons``; fixed by
``PYTHONHASHSEED``), the sampling planner of CoppeliaSim, and what the physics engine keeps from earlier episodes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


class UpstreamRandomness:
    """The states of both global generators that upstream sees."""

    def __init__(self, seed: int = 0) -> None:
        self.seed(seed)

    def seed(self, seed: int) -> None:
        """Start both anew from ``seed`` (any non-negative whole number)."""
        # States are made on generators of our own: nothing global changes here.
        self._states: tuple[Any, Any] = (
            np.random.RandomState(seed & 0xFFFFFFFF).get_state(),  # the kind that upstream uses
            random.Random(seed).getstate(),
        )

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Within, the global generators are upstream's; afterwards they are as before, also when the body raises."""
        outside = (np.random.get_state(), random.getstate())  # noqa: NPY002
        _install(self._states)
        try:
            yield
        finally:
            self._states = (np.random.get_state(), random.getstate())  # noqa: NPY002
            _install(outside)


def _install(states: tuple[Any, Any]) -> None:
    np.random.set_state(states[0])  # noqa: NPY002
    random.setstate(states[1])
