"""The task language: a task is one frozen constant, and these are its words.

Names in braces (``"{target}"``) are filled from the episode's *binding*: the chosen variation's entries first, then the
``draws``, in order. Lengths are metres, angles radians, positions relative to the task root, which stands at
(0.25, 0, 0.752) in the world before it is placed.
"""

from __future__ import annotations

import math
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hansgym.envs.colours import COLOURS as COLOURS
from hansgym.errors import ConfigurationError
from hansgym.roles import Role

if TYPE_CHECKING:
    from hansgym.envs.conditions import Condition
    from hansgym.envs.expert import Verb

Binding = dict[str, str]

TASK_ROOT = (0.25, 0.0, 0.752)
WORKSPACE_CENTRE = (0.25, 0.0)
WORKSPACE_SIZE = (0.65, 0.91)


def fill(template: str, binding: Mapping[str, str]) -> str:
    """``template`` with its braces filled; an unknown key raises and names the known ones."""
    try:
        return template.format_map(dict(binding))
    except KeyError as error:
        raise ConfigurationError(
            f"template {template!r} wants {error}, the binding has {', '.join(sorted(binding)) or 'nothing'}"
        ) from None


def fields_of(template: str) -> set[str]:
    """Names in braces of ``template``."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@dataclass(frozen=True)
class Prop:
    """One object: upstream's name, its shape, and where a reset puts it.

    ``asset`` names a builder module in ``assets.props`` (its ``build(spec, body, name, **params)`` fills the body that
    the scene has made) and ``params`` its keyword arguments. ``at`` is the pose in the task frame (x, y, z, yaw). With
    ``placed_in`` the x, y and yaw are drawn in that :class:`Area` instead; with ``slot``, a template, it stands at the
    pose of that name in the task's ``slots``; with ``rides``, the name of a prop drawn in an area, ``at`` is the pose
    relative to that one. ``free`` bodies have a free joint; ``graspable`` ones are attached by a closing gripper.
    ``inside`` names a body that carries this (free) prop along, hidden in it and touching nothing of it, until the
    task's ``spills`` is the case.
    """

    name: str
    asset: str
    params: Mapping[str, Any] = field(default_factory=dict)
    at: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    placed_in: str | None = None
    slot: str | None = None
    rides: str | None = None
    yaw: tuple[float, float] = (-math.pi, math.pi)
    free: bool = False
    graspable: bool = False
    inside: str | None = None


@dataclass(frozen=True)
class Area:
    """A rectangle in the task frame in which props are spread: centre, size, and the least distance between origins.

    Props elsewhere that ``clear_of`` names keep that distance, too. ``on``: a prop that the area is the top of, which
    what lies there touches.
    """

    name: str
    centre: tuple[float, float]
    size: tuple[float, float]
    min_distance: float = 0.0
    clear_of: tuple[str, ...] = ()
    on: str | None = None


@dataclass(frozen=True)
class Sensor:
    """An invisible detection volume: a box (full edge lengths) fixed to a prop or, with ``on=None``, to the task root.

    ``on`` may be a template. ``follow="xy"`` takes only x and y from the prop and keeps the task frame's height and
    yaw. ``est`` says that the volume is our estimate.
    """

    name: str
    size: tuple[float, float, float]
    on: str | None = None
    at: tuple[float, float, float] = (0.0, 0.0, 0.0)
    follow: str = "pose"
    est: bool = True


@dataclass(frozen=True)
class Draw:
    """``keys`` get distinct values out of ``values`` (minus those the templates in ``exclude`` fill to), at random.

    A key that the variation already gives keeps its value, and nobody else gets it.
    """

    keys: tuple[str, ...]
    values: tuple[str, ...]
    exclude: tuple[str, ...] = ()

    def sample(self, binding: Mapping[str, str], rng: np.random.Generator) -> Binding:
        """The drawn entries."""
        open_keys = [k for k in self.keys if k not in binding]
        taken = {fill(t, binding) for t in self.exclude} | {binding[k] for k in self.keys if k in binding}
        pool = [v for v in self.values if v not in taken]
        picks = rng.choice(len(pool), size=len(open_keys), replace=False)
        return {k: pool[int(i)] for k, i in zip(open_keys, picks, strict=True)}


@dataclass(frozen=True)
class Candidates:
    """The objects among which the right one must be found, for the ``cue`` perturbation.

    ``props`` are object names in index order and ``right`` a template that fills to one of them. ``colours`` maps a
    candidate (templates allowed) to a template of its colour's name (empty: candidates look alike, and red, green, blue
    stand for them).
    ``ordered``: "image" sorts place slots left to right in the front image, "index" keeps the listed order.
    """

    props: tuple[str, ...]
    right: str
    colours: Mapping[str, str] = field(default_factory=dict)
    ordered: str = "image"


@dataclass(frozen=True)
class Protocol:
    """What a protocol changes: which variations it keeps, and other words, success or draws where they differ."""

    variations: tuple[Mapping[str, str], ...] | None = None
    success: Condition | None = None
    draws: tuple[Draw, ...] | None = None
    note: str = ""


@dataclass(frozen=True)
class TaskSpec:
    """A whole task.

    ``roles`` and ``colours`` are ordered tables of (object-name template, value); the first match wins, ``"*"`` matches
    every object, and every object needs a role. An object is a named body of a prop: one prop (a cabinet) may hold
    several (its frame and drawers). ``instructions[0]`` is the canonical one, the others are paraphrases. ``footprint``
    is the rectangle (centre x, y, size x, y) in the task frame that must fit into the workspace after the yaw; ``yaw``
    is the range of the task root's yaw. ``slots`` are named poses (x, y, z, yaw) in the task frame for props whose
    place the binding decides. ``expert`` is the ordered tuple of waypoint verbs. ``failure``: what ends the episode
    without success, once and for all, as soon as it is the case at the end of a control step; ``spills``: what sets
    free, once and for all, the props that are ``inside`` others. ``counts`` names the binding's entry, if any, that
    says how many parts are asked for: asking for more implies asking for fewer, and ``implied_by`` says so in words.
    ``chance`` says why random motion may solve the task honestly, where it may. ``equal_variations`` says that some
    variations are the same episode family. ``suites`` are the lists of tasks that it is on: the benchmark's, its
    split's, its mechanism's.
    """

    name: str
    props: tuple[Prop, ...]
    variations: tuple[Mapping[str, str], ...]
    instructions: tuple[str, ...]
    roles: tuple[tuple[str, Role], ...]
    success: Condition
    expert: tuple[Verb, ...]
    footprint: tuple[float, float, float, float]
    yaw: tuple[float, float] = (-math.pi, math.pi)
    areas: tuple[Area, ...] = ()
    slots: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict)
    sensors: tuple[Sensor, ...] = ()
    draws: tuple[Draw, ...] = ()
    colours: tuple[tuple[str, str], ...] = ()
    palette: Mapping[str, tuple[float, float, float]] = field(default_factory=lambda: COLOURS)
    candidates: Candidates | None = None
    protocols: Mapping[str, Protocol] = field(default_factory=dict)
    joints_at_reset: Mapping[str, float] = field(default_factory=dict)
    suites: tuple[str, ...] = ("agnostos",)
    failure: Condition | None = None
    spills: Condition | None = None
    counts: str | None = None
    chance: str = ""
    implied_by: str = ""
    equal_variations: str = ""
    notes: str = ""

    def __post_init__(self) -> None:
        names = [p.name for p in self.props]
        if len(set(names)) != len(names):
            raise ConfigurationError(f"task {self.name!r} names a prop twice: {names}; give each a name of its own")
        areas = {a.name for a in self.areas}
        lost = [p.placed_in for p in self.props if p.placed_in and p.placed_in not in areas]
        if lost:
            raise ConfigurationError(f"task {self.name!r} places props in {lost}; choose one of {sorted(areas)}")
        drawn = {p.name for p in self.props if p.placed_in}
        lost = [p.rides for p in self.props if p.rides and p.rides not in drawn]
        if lost:
            raise ConfigurationError(
                f"task {self.name!r} lets props ride on {lost}; choose props that an area places: {sorted(drawn)}"
            )
        known = self._known_keys()
        for template in self._templates():
            missing = fields_of(template) - known
            if missing:
                raise ConfigurationError(
                    f"task {self.name!r}: template {template!r} wants {sorted(missing)}, "
                    f"variations and draws give {sorted(known)}"
                )
        self.success.check(self)
        for event in (self.failure, self.spills):
            if event is not None:
                event.check(self)

    def _known_keys(self) -> set[str]:
        """Keys that every episode's binding has, whatever its variation and protocol."""
        drawn = {k for d in self.draws for k in d.keys}
        given = [*self.variations, *(v for p in self.protocols.values() for v in p.variations or ())]
        if not given:
            raise ConfigurationError(f"task {self.name!r} has no variation; give it at least one (it may be empty)")
        return set.intersection(*map(set, given)) | drawn

    def _templates(self) -> tuple[str, ...]:
        """All templates that this class itself fills."""
        tables = (*(t for t, _ in self.roles), *(t for pair in self.colours for t in pair))
        cue = () if self.candidates is None else (self.candidates.right, *self.candidates.colours.values())
        slots = (p.slot for p in self.props if p.slot)
        return (*self.instructions, *tables, *(s.on for s in self.sensors if s.on), *self.joints_at_reset, *cue, *slots)

    def pose_of(self, prop: Prop, binding: Mapping[str, str]) -> tuple[float, float, float, float]:
        """Where ``prop`` stands in the task frame (x, y, z, yaw) under ``binding``, unless an area decides.

        The height of a slot is added to the prop's own.
        """
        if prop.slot is None:
            return prop.at
        name = fill(prop.slot, binding)
        if name not in self.slots:
            raise ConfigurationError(
                f"task {self.name!r} has no slot {name!r} for {prop.name!r}; it has {', '.join(sorted(self.slots))}"
            )
        x, y, z, yaw = self.slots[name]
        return (x, y, prop.at[2] + z, yaw)

    def variations_under(self, protocol: str) -> tuple[Mapping[str, str], ...]:
        """The variations that ``protocol`` keeps."""
        chosen = self.protocols.get(protocol)
        return self.variations if chosen is None or chosen.variations is None else chosen.variations

    def bind(self, variation: int, rng: np.random.Generator, protocol: str = "default") -> Binding:
        """The episode's binding: variation entries, then draws from ``rng`` in order."""
        binding: Binding = dict(self.variations_under(protocol)[variation])
        chosen = self.protocols.get(protocol)
        for draw in self.draws if chosen is None or chosen.draws is None else chosen.draws:
            binding.update(draw.sample(binding, rng))
        return binding

    def implies(self, done: Mapping[str, str], asked: Mapping[str, str]) -> bool:
        """Whether succeeding under binding ``done`` honestly succeeds under ``asked``: at least as many parts."""
        return self.counts is not None and int(done[self.counts]) >= int(asked[self.counts])

    def role_of(self, name: str, binding: Mapping[str, str]) -> Role:
        """The role of object ``name`` under ``binding``."""
        for template, role in self.roles:
            if template == "*" or fill(template, binding) == name:
                return role
        raise ConfigurationError(f"task {self.name!r} gives no role to {name!r} under {dict(binding)}; add one, or '*'")

    def colour_of(self, name: str, binding: Mapping[str, str]) -> tuple[float, float, float] | None:
        """RGB in [0, 1] that ``name`` is painted with under ``binding``, or None when it keeps its own look."""
        for template, colour in self.colours:
            if fill(template, binding) == name:
                return self.palette[fill(colour, binding)]
        return None
