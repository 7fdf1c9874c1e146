"""What an episode drew: read back from the colours that upstream has given its objects."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import numpy as np

from hansgym.envs.rlbench.simulator import Rgb
from hansgym.envs.spec import Binding, Draw, TaskSpec, fields_of, fill


def binding_of(task: TaskSpec, variation: Mapping[str, str], colours: Mapping[str, Rgb]) -> Binding:
    """``variation`` and the draws of ``task`` that explain ``colours`` (object -> RGB in [0, 1]) best.

    Upstream draws for itself which pillar is meant and which colours the others have; only its objects tell. Draws
    that no colour depends on cannot be seen and are left out.
    """
    draws = [d for d in task.draws if _seen(task, d)]
    options = itertools.product(*(tuple(_samples(d, variation)) for d in draws))
    bindings = (dict(variation) | {k: v for part in option for k, v in part.items()} for option in options)
    return min(bindings, key=lambda b: _distance(task, b, colours))


def _seen(task: TaskSpec, draw: Draw) -> bool:
    used = {key for pair in task.colours for template in pair for key in fields_of(template)}
    return bool(used & set(draw.keys))


def _samples(draw: Draw, variation: Mapping[str, str]) -> Iterator[Binding]:
    """Everything that ``draw`` could give under ``variation``."""
    keys = [k for k in draw.keys if k not in variation]
    taken = {fill(t, variation) for t in draw.exclude} | {variation[k] for k in draw.keys if k in variation}
    pool = [v for v in draw.values if v not in taken]
    return (dict(zip(keys, picks, strict=True)) for picks in itertools.permutations(pool, len(keys)))


def _distance(task: TaskSpec, binding: Mapping[str, str], colours: Mapping[str, Rgb]) -> float:
    """Sum of squared differences between the colours that ``binding`` gives and those that are there."""
    total = 0.0
    for template, colour in task.colours:
        name = fill(template, binding)
        if name in colours:
            difference = np.subtract(task.palette[fill(colour, binding)], colours[name])
            total += float(difference @ difference)
    return total
