"""Between inference steps: attributions exist only where the policy was asked, videos need one for every step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hansgym.attribution.pixels import maps_of
from hansgym.attributions import Attribution
from hansgym.errors import ConfigurationError


def _between(steps: Sequence[int], at: float) -> tuple[int, int, float]:
    """The known steps around ``at`` (indices) and how far it lies towards the second; ends are held."""
    if len(steps) == 0 or (np.diff(steps) <= 0).any():
        raise ConfigurationError(f"inference steps must be given and grow strictly, got {list(steps)}")
    position = float(np.interp(at, steps, np.arange(len(steps))))
    first = min(int(position), len(steps) - 1)
    return first, min(first + 1, len(steps) - 1), position - first


def series(steps: Sequence[int], values: Sequence[float | None], at: Sequence[float]) -> list[float | None]:
    """Values known at ``steps``, linearly interpolated at the steps ``at``; before the first and after the last, held.

    Where a neighbour that counts is None (a map without effect), so is the value: it is not made up.
    """
    result: list[float | None] = []
    for step in at:
        first, second, part = _between(steps, step)
        a, b = values[first], values[second] if part > 0 else values[first]
        result.append(None if a is None or b is None else a + part * (b - a))
    return result


def maps(steps: Sequence[int], attributions: Sequence[Attribution], at: float) -> dict[str, np.ndarray]:
    """Camera -> (H, W) float64 pixel map at step ``at``, linearly interpolated between the inference ``steps``."""
    first, second, part = _between(steps, at)
    start = maps_of(attributions[first])
    if part == 0:
        return start
    end = maps_of(attributions[second])
    return {camera: (1 - part) * start[camera] + part * end[camera] for camera in start}
