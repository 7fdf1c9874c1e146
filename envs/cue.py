"""The ``cue``: a poster on the back wall whose look or place tells, or seems to tell, which candidate is the right one.

It is BACKGROUND by role and touches nothing. What it says:

* ``code="colour"``: it hangs at the middle slot in the colour of a candidate (its own colour where candidates differ in
  colour, else red, green, blue by index);
* ``code="place"``: it is grey and hangs at the slot of a candidate; slots go from left to right in the front image in
  the order in which the candidates appear there at reset, or in index order where the task says so.

Which candidate: ``aligned`` the right one; ``misleading`` a wrong one of this scene, uniformly; ``random`` any of them,
uniformly; ``absent``: there is no poster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from hansgym.envs.backend import Stage
from hansgym.envs.spec import COLOURS, Candidates, TaskSpec, fill
from hansgym.errors import ConfigurationError
from hansgym.lookup import unknown
from hansgym.seeds import stream

CODES = ("colour", "place")
SETTINGS = ("aligned", "misleading", "random", "absent")

GREY = (0.7, 0.7, 0.7)
"""Look of the poster whose place is the message."""

STAND_IN_COLOURS = ("red", "green", "blue")
"""Colours by index for candidates that look alike."""

WALL_X, CENTRE_Z = -2.48, 0.85
"""Where posters hang: just before the back wall (its face is at x = -2.5), above what the objects hide of it."""

SLOT_Y: Mapping[int, tuple[float, ...]] = {
    2: (-0.58, 0.58),
    3: (-1.06, -0.58, 0.58),
    4: (-1.06, -0.58, 0.58, 1.06),
}
"""Slots in metres, left to right in the front image, by number of candidates; the arm hides the wall between them."""

MIDDLE_Y = -0.58
"""The middle of the three slots, where the colour-coded poster hangs whatever the number of candidates."""


@dataclass(frozen=True)
class Poster:
    """What the poster shows: the colour's name, ``rgb`` in [0, 1], slot number (left to right), ``y`` in metres."""

    colour: str
    rgb: tuple[float, float, float]
    slot: int
    y: float

    @property
    def centre(self) -> tuple[float, float, float]:
        """Its centre in the world, in metres."""
        return (WALL_X, self.y, CENTRE_Z)


def candidates_of(task: TaskSpec) -> Candidates:
    """The task's candidates; a task without any raises :class:`ConfigurationError`."""
    if task.candidates is None:
        raise ConfigurationError(
            f"task {task.name!r} has no candidates to choose from, so a cue has nothing to say; use another task"
        )
    return task.candidates


def looks(task: TaskSpec, binding: Mapping[str, str]) -> tuple[tuple[str, tuple[float, float, float]], ...]:
    """(colour name, rgb) that stands for each candidate under ``binding``, in index order."""
    found = candidates_of(task)
    if not found.colours:
        names = STAND_IN_COLOURS[: len(found.props)]
        return tuple((name, COLOURS[name]) for name in names)
    colours = {fill(prop, binding): fill(colour, binding) for prop, colour in found.colours.items()}
    names = tuple(colours[prop] for prop in found.props)
    return tuple((name, tuple(task.palette[name])) for name in names)  # type: ignore[misc]


def slots(task: TaskSpec) -> tuple[float, ...]:
    """The y positions in metres of the slots for this task's candidates, left to right."""
    return SLOT_Y[len(candidates_of(task).props)]


def right_index(task: TaskSpec, binding: Mapping[str, str]) -> int:
    """Index of the right candidate under ``binding``."""
    found = candidates_of(task)
    return found.props.index(fill(found.right, binding))


def ranks(task: TaskSpec, stage: Stage) -> np.ndarray:
    """(N,) the slot number of each candidate: its place from left to right, or its index where the task says so."""
    found = candidates_of(task)
    if found.ordered == "index":
        return np.arange(len(found.props))
    order = np.argsort(np.asarray(stage.image_x(found.props)), kind="stable")
    return np.argsort(order, kind="stable")


def said(setting: str, count: int, right: int, rng: np.random.Generator) -> int | None:
    """Index of the candidate that the poster stands for, None without a poster."""
    if setting == "absent":
        return None
    if setting == "aligned":
        return right
    if setting == "random":
        return int(rng.integers(count))
    wrong = [i for i in range(count) if i != right]
    return wrong[int(rng.integers(len(wrong)))]


@dataclass(frozen=True)
class Cue:
    """The scene perturbation; add it with ``env.get_wrapper_attr("add_perturbation")(Cue(...))`` before a reset."""

    code: str = "colour"
    setting: str = "aligned"
    name: ClassVar[str] = "cue"

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise unknown("cue code", self.code, CODES)
        if self.setting not in SETTINGS:
            raise unknown("cue setting", self.setting, SETTINGS)

    def check(self, task: TaskSpec) -> None:
        """A task without candidates raises :class:`ConfigurationError`."""
        candidates_of(task)

    def apply(self, stage: Stage, task: TaskSpec, binding: Mapping[str, str], seed: int) -> dict[str, Any]:
        """Hang the poster up (or take it down) and say what it shows.

        Reports ``code``, ``setting``, ``says`` and ``right`` (candidate names), ``slot`` and ``colour``; without a
        poster ``says`` and ``colour`` are empty and ``slot`` is -1.
        """
        props, right = candidates_of(task).props, right_index(task, binding)
        index = said(self.setting, len(props), right, stream(seed, "cue"))
        report = {"code": self.code, "setting": self.setting, "right": props[right]}
        if index is None:
            stage.show_poster(None, None)
            return {**report, "says": "", "slot": -1, "colour": ""}
        poster = self.poster(task, binding, index, ranks(task, stage))
        stage.show_poster(poster.rgb, poster.centre)
        return {**report, "says": props[index], "slot": poster.slot, "colour": poster.colour}

    def poster(self, task: TaskSpec, binding: Mapping[str, str], index: int, ranked: np.ndarray) -> Poster:
        """The poster that stands for candidate ``index``, given the slot number of each candidate."""
        if self.code == "place":
            slot = int(ranked[index])
            return Poster("grey", GREY, slot, slots(task)[slot])
        colour, rgb = looks(task, binding)[index]
        return Poster(colour, rgb, slots(task).index(MIDDLE_Y), MIDDLE_Y)
