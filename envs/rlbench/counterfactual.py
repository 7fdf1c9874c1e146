"""do-effects on handles: shapes painted another colour, seen, and painted back, without a step of the world.

Factors: ``wall``, ``floor`` (one RGB shift each), ``poster`` while it hangs (look and place), ``distractor:<name>`` for
objects whose shapes can be painted and put back, and ``nuisance`` (all of these). ``light`` is not among them, since
CoppeliaSim gives its lights no exact way back through PyRep, and ``task`` is not, since placing a task anew disturbs
what the physics engine remembers: so there is no ``e_task`` and no NER on this backend. The draws are those of the
MuJoCo backend: each factor has a stream of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from hansgym.assets.room import FLOOR, POSTER, POSTER_SIZE, WALLS
from hansgym.envs import cue
from hansgym.envs.mujoco.counterfactual import DISTRACTOR, RGB_SHIFT, SAME_COLOUR, same_colour, spoken_colours
from hansgym.envs.rlbench.simulator import Coat, Rgb, Simulator
from hansgym.envs.spec import COLOURS, TaskSpec
from hansgym.lookup import unknown
from hansgym.roles import Role
from hansgym.seeds import stream


@dataclass(frozen=True)
class World:
    """What can be painted in an episode: object -> handles of its shapes, the roles, and the poster where it hangs."""

    simulator: Simulator
    task: TaskSpec
    binding: Mapping[str, str]
    handles: Mapping[str, tuple[int, ...]]
    roles: Mapping[str, Role]
    poster: tuple[Rgb, Rgb] | None = None
    """Its colour and its centre in m."""


def present_factors(world: World) -> tuple[str, ...]:
    """What can be resampled in this episode, ``nuisance`` last; nothing where nothing can be put back exactly."""
    members = nuisance_factors(world)
    return (*members, "nuisance") if members else ()


def nuisance_factors(world: World) -> tuple[str, ...]:
    """The factors that ``nuisance`` stands for."""
    found = [name for name, bodies in (("wall", WALLS), ("floor", (FLOOR,))) if _paintable(world, bodies)]
    found += ["poster"] if world.poster is not None and world.task.candidates is not None else []
    for name, role in world.roles.items():
        if role is Role.DISTRACTOR and _paintable(world, (name,)) and recolourings(world, name):
            found.append(f"{DISTRACTOR}{name}")
    return tuple(found)


def _paintable(world: World, names: Sequence[str]) -> list[Coat]:
    """What of ``names`` can be painted; nothing at all when one of their shapes could not be put back exactly."""
    found = [world.simulator.coats(h) for name in names for h in world.handles.get(name, ())]
    return [] if None in found else [coat for coats in found for coat in coats or ()]


@contextmanager
def resampled(world: World, factors: Sequence[str], seed: int, severity: float = 1.0) -> Iterator[None]:
    """The scene with ``factors`` drawn again from ``seed``, ready to be seen; put back on leaving."""
    present = present_factors(world)
    for factor in factors:
        if factor not in present:
            raise unknown("factor of this episode", factor, present)
    members = nuisance_factors(world)
    wanted = dict.fromkeys(f for factor in factors for f in (members if factor == "nuisance" else (factor,)))
    changes = [_changes(world, factor, stream(seed, factor), severity) for factor in wanted]
    try:
        for change in changes:
            for coat, rgb in change.items():
                world.simulator.paint(coat, rgb)
        if "poster" in wanted:
            _hang_anew(world, stream(seed, "poster"))
        yield
    finally:
        for coat in (c for change in changes for c in change):
            world.simulator.paint(coat, coat.rgb)
        if world.poster is not None and "poster" in wanted:
            world.simulator.poster(*world.poster, POSTER_SIZE)


def _changes(world: World, factor: str, rng: np.random.Generator, severity: float) -> dict[Coat, Rgb]:
    """Coat -> colour under ``factor``; the poster changes its place, too, and goes its own way."""
    if factor == POSTER:
        return {}
    if factor in ("wall", "floor"):
        shift = severity * rng.uniform(-RGB_SHIFT, RGB_SHIFT, 3)
        bodies = WALLS if factor == "wall" else (FLOOR,)
        return {coat: _rgb(np.clip(coat.rgb + shift, 0.0, 1.0)) for coat in _paintable(world, bodies)}
    name = factor.removeprefix(DISTRACTOR)
    choices = recolourings(world, name)
    colour = COLOURS[choices[int(rng.integers(len(choices)))]]
    return dict.fromkeys(_paintable(world, (name,)), colour)


def recolourings(world: World, name: str) -> tuple[str, ...]:
    """Colour names that ``name`` may take: not its own, nor a TARGET's or FIXTURE's, nor one the instruction names."""
    needed = [n for n, role in world.roles.items() if role in (Role.TARGET, Role.FIXTURE)]
    taken = [world.simulator.colour(h) for n in (*needed, name) for h in world.handles.get(n, ())]
    spoken = spoken_colours(world.task, world.binding)
    far = {n for n, rgb in COLOURS.items() if all(np.abs(np.subtract(rgb, t)).max() >= SAME_COLOUR for t in taken)}
    return tuple(n for n in COLOURS if n in far and n not in spoken)


def _hang_anew(world: World, rng: np.random.Generator) -> None:
    """Another look, out of those that stand for this scene's candidates, at another of this scene's slots."""
    assert world.poster is not None
    look, (_, y, _) = world.poster
    others = [rgb for _, rgb in cue.looks(world.task, world.binding) if not same_colour(rgb, look)]
    places = [slot for slot in cue.slots(world.task) if abs(slot - y) > 1e-6]
    rgb = others[int(rng.integers(len(others)))]
    place_y = places[int(rng.integers(len(places)))]
    world.simulator.poster(rgb, (cue.WALL_X, place_y, cue.CENTRE_Z), POSTER_SIZE)


def _rgb(values: np.ndarray) -> Rgb:
    return (float(values[0]), float(values[1]), float(values[2]))
