"""Past observations for policies that look at several: kept per lane, advanced by decisions and by nothing else.

A decision is known by its noise seed, which the N masked or counterfactual views of an observation share. The first
observation that comes with a new seed is the one that happened, and is what later decisions of the lane will remember.
Every other question with that seed is answered with the same past, so asking leaves no trace.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np

Frame = Mapping[str, np.ndarray]
"""What was shown at one decision of one lane, key -> array without a row axis."""

REMEMBERED = 64
"""Decisions of a lane that can still be asked about."""


class History:
    """The last ``length - 1`` observations before each decision of each lane."""

    def __init__(self, length: int) -> None:
        self.length = length
        self._lanes: dict[int, deque[tuple[int, Frame]]] = {}

    def forget(self, lanes: Sequence[int]) -> None:
        """Lanes begin new episodes."""
        for lane in lanes:
            self._lanes.pop(int(lane), None)

    def see(self, lane: int, seed: int, frame: Frame) -> None:
        """Remember ``frame`` if ``seed`` begins a decision of ``lane``; it is copied."""
        past = self._lanes.setdefault(lane, deque(maxlen=REMEMBERED + self.length))
        if all(known != seed for known, _ in past):
            past.append((seed, {key: np.array(value) for key, value in frame.items()}))

    def before(self, lane: int, seed: int) -> list[Frame]:
        """The ``length - 1`` frames before the decision of ``seed``, oldest first.

        At the beginning of an episode the oldest one there is, the decision's own if it is the first, is repeated.
        """
        past = self._lanes[lane]
        here = next(k for k, (known, _) in enumerate(past) if known == seed)
        return [past[max(here - back, 0)][1] for back in range(self.length - 1, 0, -1)]

    def has(self, lane: int, seed: int) -> bool:
        """Whether ``seed`` is a decision of ``lane`` that is known."""
        return any(known == seed for known, _ in self._lanes.get(lane, ()))
