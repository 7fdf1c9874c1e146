"""Colours of a training frame: varied at least as widely as do-effects vary them, without giving the answer away.

Do-effects recolour distractors alone. A policy trained on such pictures alone would learn that whatever kept its usual
colour is the right thing. So objects that look alike take new colours whether right or not, and objects that are
told apart by colour keep the right one's and draw the others' from every colour in play.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hansgym.assets.materials import safe_rgba
from hansgym.envs.mujoco.counterfactual import colours_of, objects_of, paint_geoms, same_colour
from hansgym.envs.mujoco.sim import Sim
from hansgym.envs.spec import COLOURS, fill
from hansgym.errors import ConfigurationError
from hansgym.roles import Role

USUAL = 0.5
"""Share of objects that keep their usual colour in a frame."""


def recolour(sim: Sim, rng: np.random.Generator) -> None:
    """Draw the colours of every object that has a distractor of its kind in ``sim``."""
    task = sim.scene.task
    told_apart = {fill(name, sim.binding) for name in task.candidates.colours} if task.candidates else set()
    right = objects_of(sim, Role.TARGET)
    wrong = objects_of(sim, Role.DISTRACTOR)
    families = {family(sim, name) for name in wrong}
    taken = [rgb for name in right if name in told_apart for rgb in colours_of(sim, name)]
    table = [tuple(rgb) for rgb in (*COLOURS.values(), *task.palette.values())]
    for name in (*right, *wrong):
        draw, usual = rng.random(3), rng.random() < USUAL
        if usual or family(sim, name) not in families or (name in told_apart and name in right):
            continue
        free = [rgb for rgb in table if not any(same_colour(rgb, t) for t in taken)] if name in told_apart else table
        _paint(sim, name, free[int(draw[0] * len(free))])


def recolour_right(sim: Sim, rng: np.random.Generator) -> tuple[float, float, float]:
    """Draw a colour for the right candidate that no other object of the task has, paint it, and return it."""
    task = sim.scene.task
    if task.candidates is None:
        raise ConfigurationError(f"task {task.name!r} has no candidates; record it without any_right")
    right = fill(task.candidates.right, sim.binding)
    others = [n for n in (*objects_of(sim, Role.TARGET), *objects_of(sim, Role.DISTRACTOR)) if n != right]
    taken = [rgb for name in others for rgb in colours_of(sim, name)]
    free = [rgb for rgb in COLOURS.values() if not any(same_colour(rgb, t) for t in taken)]
    chosen = free[int(rng.integers(len(free)))]
    _paint(sim, right, chosen)
    return chosen


def family(sim: Sim, name: str) -> str:
    """What ``name`` is one of: the task's candidates, or objects that differ in their number."""
    candidates = sim.scene.task.candidates
    return "candidates" if candidates and name in candidates.props else name.rstrip("0123456789")


def _paint(sim: Sim, name: str, rgb: Sequence[float]) -> None:
    for geom in paint_geoms(sim, name):
        sim.model.geom_rgba[geom] = safe_rgba([*rgb, sim.model.geom_rgba[geom, 3]])
