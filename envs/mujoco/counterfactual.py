"""do-effects in MuJoCo: the present physical state with one factor of the world drawn again, in a scratch world.

Factors: ``wall``, ``floor`` (one RGB shift each), ``light`` (one intensity factor and one turn for all lights),
``poster`` (look and place together), ``distractor:<name>`` (its colour), ``nuisance`` (all of these, each with the draw
it would have alone), ``task`` (the placement of the whole task, as a reset would draw it). The table top is never
resampled.

Every factor draws from ``stream(seed, factor)``, so that the draws of one never depend on which others were asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import mujoco
import numpy as np

from hansgym.assets.materials import safe_rgba
from hansgym.assets.room import FLOOR, LIGHTS, POSTER, WALLS
from hansgym.envs import cue
from hansgym.envs.mujoco.control import HOME
from hansgym.envs.mujoco.placement import place
from hansgym.envs.mujoco.sim import Sim, Snapshot
from hansgym.envs.spec import COLOURS, TaskSpec, fill
from hansgym.errors import SceneError
from hansgym.lookup import unknown
from hansgym.roles import Role
from hansgym.seeds import stream

RGB_SHIFT = 0.2
"""``wall`` and ``floor``: bound of the shift of each channel, at severity 1."""

LIGHT_SHARE = 0.2
"""``light``: bound of the relative change of intensity, at severity 1."""

LIGHT_TURN_RAD = np.deg2rad(15.0)
"""``light``: bound of the turn of its direction, at severity 1."""

ROOM_FACTORS = ("wall", "floor", "light")
DISTRACTOR = "distractor:"
SAME_COLOUR = 0.02
"""Colours nearer than this in every channel are the same one."""

Rgb = tuple[float, float, float]


def present_factors(sim: Sim) -> tuple[str, ...]:
    """What can be resampled in the episode that ``sim`` is in; the poster only while it hangs."""
    members = nuisance_factors(sim)
    return (*members, "nuisance", "task")


def nuisance_factors(sim: Sim) -> tuple[str, ...]:
    """The factors that ``nuisance`` stands for in this episode."""
    shown = ("poster",) if poster_shown(sim) else ()
    named = tuple(f"{DISTRACTOR}{name}" for name in objects_of(sim, Role.DISTRACTOR))
    return (*ROOM_FACTORS, *shown, *named)


@contextmanager
def resampled(scratch: Sim, state: Snapshot, factors: Sequence[str], seed: int, severity: float = 1.0) -> Iterator[Sim]:
    """``scratch`` in ``state`` with ``factors`` drawn again from ``seed``, ready to render; put back on leaving.

    ``severity`` scales the ranges of wall, floor and light (0: unchanged). An unknown factor raises.
    """
    scratch.load(state)
    present = present_factors(scratch)
    try:
        for factor in expanded(scratch, factors):
            if factor not in present:
                raise unknown("factor of this episode", factor, present)
            _resample(scratch, factor, stream(seed, factor), severity)
        scratch.refresh()
        yield scratch
    finally:
        scratch.load(state)


def expanded(sim: Sim, factors: Sequence[str]) -> tuple[str, ...]:
    """``factors`` with ``nuisance`` replaced by its members, each factor once, in order."""
    out: list[str] = []
    for factor in factors:
        out += nuisance_factors(sim) if factor == "nuisance" else (factor,)
    return tuple(dict.fromkeys(out))


def _resample(sim: Sim, factor: str, rng: np.random.Generator, severity: float) -> None:
    rules: Mapping[str, Callable[[], None]] = {
        "wall": lambda: _shift(sim, WALLS, rng, severity),
        "floor": lambda: _shift(sim, (FLOOR,), rng, severity),
        "light": lambda: _light(sim, rng, severity),
        "poster": lambda: _poster(sim, rng),
        "task": lambda: _task(sim, rng),
    }
    if factor in rules:
        rules[factor]()
    else:
        _recolour(sim, factor.removeprefix(DISTRACTOR), rng)


# ---------------------------------------------------------------- the room


def _shift(sim: Sim, bodies: Sequence[str], rng: np.random.Generator, severity: float) -> None:
    """One RGB shift for all geoms of ``bodies``, clipped to [0, 1]."""
    shift = severity * rng.uniform(-RGB_SHIFT, RGB_SHIFT, 3)
    if not shift.any():
        return
    for body in bodies:
        for geom in geoms_of(sim, body):
            rgba = sim.model.geom_rgba[geom]
            sim.model.geom_rgba[geom] = safe_rgba([*np.clip(rgba[:3] + shift, 0.0, 1.0), rgba[3]])


def _light(sim: Sim, rng: np.random.Generator, severity: float) -> None:
    """All lights, the ambient one included, become brighter or darker by one factor and turn by one rotation."""
    gain = 1.0 + severity * rng.uniform(-LIGHT_SHARE, LIGHT_SHARE)
    axis = rng.normal(size=3)
    angle = severity * rng.uniform(0.0, LIGHT_TURN_RAD)
    gain = max(gain, 0.0)
    turn, quaternion = np.zeros(9), np.zeros(4)
    mujoco.mju_axisAngle2Quat(quaternion, axis / np.linalg.norm(axis), angle)
    mujoco.mju_quat2Mat(turn, quaternion)
    model = sim.model
    for light in (model.light(name).id for name in LIGHTS):
        for level in (model.light_diffuse, model.light_ambient, model.light_specular):
            level[light] *= gain
        if angle:
            model.light_dir[light] = turn.reshape(3, 3) @ model.light_dir[light]
    model.vis.headlight.ambient[:] *= gain
    model.vis.headlight.diffuse[:] *= gain


# ---------------------------------------------------------------- the poster


def poster_shown(sim: Sim) -> bool:
    """Whether the poster hangs on the wall."""
    return bool((sim.model.geom_rgba[geoms_of(sim, POSTER), 3] > 0).any())


def show_poster(sim: Sim, rgb: Sequence[float] | None, centre: Sequence[float] | None) -> None:
    """Hang the poster up, plain ``rgb`` in [0, 1] with its centre at ``centre`` (m); None for both takes it down."""
    model = sim.model
    geoms = geoms_of(sim, POSTER)
    if rgb is None or centre is None:
        model.geom_rgba[geoms, 3] = 0.0
        return
    model.geom_rgba[geoms] = safe_rgba([*rgb, 1.0])
    sim.data.mocap_pos[int(model.body(POSTER).mocapid[0])] = centre
    sim.refresh()


def _poster(sim: Sim, rng: np.random.Generator) -> None:
    """Another look, out of those that stand for this scene's candidates, at another of this scene's slots."""
    task, binding = sim.scene.task, sim.binding
    look = sim.model.geom_rgba[geoms_of(sim, POSTER)[0], :3]
    y = float(sim.data.mocap_pos[int(sim.model.body(POSTER).mocapid[0])][1])
    others = [rgb for _, rgb in cue.looks(task, binding) if not same_colour(rgb, look)]
    places = [slot for slot in cue.slots(task) if abs(slot - y) > 1e-6]
    rgb = others[int(rng.integers(len(others)))]
    place_y = places[int(rng.integers(len(places)))]
    show_poster(sim, rgb, (cue.WALL_X, place_y, cue.CENTRE_Z))


# ---------------------------------------------------------------- the task


def _task(sim: Sim, rng: np.random.Generator) -> None:
    """The task placed anew, as a reset would, clear of the arm where it is now.

    Where the arm leaves no room for that, the arrangement is judged with the arm at home, as at a reset, and the arm
    then drawn where it is.
    """
    arm, present = sim.scene.arm_qpos, sim.data.qpos[sim.scene.arm_qpos].copy()
    try:
        place(sim, rng)
    except SceneError:
        sim.data.qpos[arm] = HOME
        place(sim, rng)
        sim.data.qpos[arm] = present


# ---------------------------------------------------------------- distractors


def _recolour(sim: Sim, name: str, rng: np.random.Generator) -> None:
    """A colour of the shared table for distractor ``name`` that confuses nothing with what the task is about.

    The geoms that variations paint take it; an object that nothing paints is tinted as a whole.
    """
    choices = recolourings(sim, name)
    colour = COLOURS[choices[int(rng.integers(len(choices)))]]
    for geom in paint_geoms(sim, name):
        sim.model.geom_rgba[geom] = safe_rgba([*colour, sim.model.geom_rgba[geom, 3]])


def recolourings(sim: Sim, name: str) -> tuple[str, ...]:
    """Colour names that ``name`` may take: not its own, nor a TARGET's or FIXTURE's, nor one the instruction names."""
    task, binding = sim.scene.task, sim.binding
    needed = [*objects_of(sim, Role.TARGET), *objects_of(sim, Role.FIXTURE), name]
    taken = np.array([rgb for item in needed for rgb in colours_of(sim, item)])
    apart = np.abs(np.array(list(COLOURS.values()))[:, None] - taken).max(axis=2).min(axis=1)
    spoken = spoken_colours(task, binding)
    return tuple(n for n, gap in zip(COLOURS, apart, strict=True) if n not in spoken and gap >= SAME_COLOUR)


def spoken_colours(task: TaskSpec, binding: Mapping[str, str]) -> frozenset[str]:
    """Colour names of the shared table that any of this episode's instructions uses as a word."""
    words = {w for text in task.instructions for w in re.findall(r"[a-z]+", fill(text, binding).lower())}
    return frozenset(words & set(COLOURS))


def colours_of(sim: Sim, name: str) -> tuple[Rgb, ...]:
    """The colours that object ``name`` shows: those of its painted geoms."""
    return tuple(_shown_colour(sim.model, g) for g in paint_geoms(sim, name))


def _shown_colour(model: mujoco.MjModel, geom: int) -> Rgb:
    # Exact mid grey is MuJoCo's word for "not set": the material's colour shows then.
    unset = model.geom_matid[geom] >= 0 and np.array_equal(model.geom_rgba[geom], (0.5, 0.5, 0.5, 1.0))
    rgba = model.mat_rgba[model.geom_matid[geom]] if unset else model.geom_rgba[geom]
    return (float(rgba[0]), float(rgba[1]), float(rgba[2]))


def same_colour(first: Sequence[float], second: Sequence[float]) -> bool:
    """Whether two RGB colours are the same for all that a picture tells."""
    return bool(np.abs(np.subtract(first, second)).max() < SAME_COLOUR)


# ---------------------------------------------------------------- who is who


def objects_of(sim: Sim, role: Role) -> tuple[str, ...]:
    """Names of the objects with ``role`` in this episode, in the order of the object table."""
    return tuple(o.name for o in sim.scene.scene_objects(sim.binding) if o.role is role)


def geoms_of(sim: Sim, name: str) -> list[int]:
    """Ids of all geoms of object ``name``."""
    number = next(i for i, known in sim.scene.objects if known == name)
    return [int(g) for g in np.flatnonzero(sim.scene.geom_objects == number)]


def paint_geoms(sim: Sim, name: str) -> list[int]:
    """Ids of the geoms of ``name`` that variations paint, or all of an object that nothing paints."""
    return sim.scene.painted(name) or geoms_of(sim, name)
