"""Every task file keeps its word: names, roles, templates, candidates and placement agree with the scene it builds.

Each check is a function of a :class:`TaskSpec` that returns what is wrong, and each is shown a task that it must catch.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from hansgym.envs.conditions import All, Detected, JointMoved, JointNear
from hansgym.envs.mujoco.scene import Scene, build_scene
from hansgym.envs.spec import WORKSPACE_SIZE, Candidates, Draw, Prop, Protocol, Sensor, TaskSpec, fill
from hansgym.errors import ConfigurationError
from hansgym.lookup import choices, load
from hansgym.roles import Role
from hansgym.seeds import stream

TASKS = choices("hansgym.envs.tasks")
Check = Callable[[TaskSpec], list[str]]


def spec(name: str) -> TaskSpec:
    return load("hansgym.envs.tasks", name, "TASK", "task")


@cache
def scene(name: str) -> Scene:
    return build_scene(spec(name))


def objects_of(task: TaskSpec) -> list[str]:
    """Names of the objects that the props of ``task`` bring in."""
    built = scene(task.name)
    return [n for _, n in built.objects if built.fixed_role(n) is None]


def bindings(task: TaskSpec) -> list[dict[str, str]]:
    """One binding for each variation of each protocol."""
    return [
        task.bind(k, stream(k, "test"), protocol)
        for protocol in ("default", *task.protocols)
        for k in range(len(task.variations_under(protocol)))
    ]


def roles_missing(task: TaskSpec) -> list[str]:
    """Objects without a role, under any variation, and variations without a target."""
    wrong = []
    for binding in bindings(task):
        roles = {}
        for name in objects_of(task):
            try:
                roles[name] = task.role_of(name, binding)
            except ConfigurationError as error:
                wrong.append(str(error))
        if Role.TARGET not in roles.values():
            wrong.append(f"nothing is a target under {binding}")
    return wrong


def names_without_object(task: TaskSpec) -> list[str]:
    """Names in tables of roles, colours, candidates and sensors that fit no object of the scene."""
    known = set(objects_of(task))
    wrong = []
    for binding in bindings(task):
        cue = () if task.candidates is None else (*task.candidates.props, task.candidates.right)
        on = [s.on for s in task.sensors if s.on]
        for template in (*(t for t, _ in task.colours), *cue, *on):
            if fill(template, binding) not in known:
                wrong.append(f"{template!r} is {fill(template, binding)!r} under {binding}, which is no object")
    for template in (t for t, _ in task.roles if t != "*"):
        if not {fill(template, b) for b in bindings(task)} & known:
            wrong.append(f"no variation makes role template {template!r} an object")
    return wrong


def colours_unknown(task: TaskSpec) -> list[str]:
    """Colour names that the palette lacks, and painted objects without a painted geom."""
    wrong = []
    for binding in bindings(task):
        for name, colour in task.colours:
            if fill(colour, binding) not in task.palette:
                wrong.append(f"no colour {fill(colour, binding)!r} in the palette")
            elif not scene(task.name).painted(fill(name, binding)):
                wrong.append(f"nothing of {fill(name, binding)!r} takes paint")
    return wrong


def keys_without_effect(task: TaskSpec) -> list[str]:
    """Keys of variations and draws that nothing of the task mentions."""
    mute = dataclasses.replace(task, variations=task.variations, notes="", implied_by="", equal_variations="")
    fields = [f.name for f in dataclasses.fields(mute) if f.name not in ("variations", "protocols")]
    words = repr([getattr(mute, f) for f in fields])
    keys = {k for v in task.variations for k in v} | {k for d in task.draws for k in d.keys}
    return [f"key {k!r} changes nothing" for k in sorted(keys) if "{" + k + "}" not in words]


def twins(task: TaskSpec) -> list[str]:
    """Variations that are equal without being declared so."""
    seen = [tuple(sorted(v.items())) for v in task.variations]
    return [] if task.equal_variations or len(set(seen)) == len(seen) else ["two variations are equal"]


def candidates_wrong(task: TaskSpec) -> list[str]:
    """A right answer that is no candidate or no target; candidates said to differ in colour that do not."""
    if task.candidates is None:
        return []
    wrong = []
    for binding in bindings(task):
        right = fill(task.candidates.right, binding)
        if right not in task.candidates.props:
            wrong.append(f"the right one, {right!r}, is no candidate")
        elif task.role_of(right, binding) is not Role.TARGET:
            wrong.append(f"the right one, {right!r}, is no target under {binding}")
        colours = [fill(c, binding) for c in task.candidates.colours.values()]
        if len(set(colours)) != len(colours):
            wrong.append(f"candidates share a colour: {colours}")
    return wrong


def joints_unknown(task: TaskSpec) -> list[str]:
    """Joints that the success condition or the reset names and the scene lacks."""
    wanted = set()
    for binding in bindings(task):
        wanted |= {fill(j, binding) for j in task.joints_at_reset}
        for condition in (task.success, *(p.success for p in task.protocols.values() if p.success)):
            parts = getattr(condition, "parts", (condition,))
            wanted |= {fill(p.joint, binding) for p in parts if isinstance(p, JointMoved | JointNear)}
    known = {k.removeprefix("joint:") for k in scene(task.name).frames if k.startswith("joint:")}
    return [f"no joint {j!r}" for j in sorted(wanted - known)]


def no_room(task: TaskSpec) -> list[str]:
    """A footprint that fits into the workspace at no yaw."""
    _, _, width, depth = task.footprint
    for yaw in np.linspace(*task.yaw, 181):
        c, s = abs(math.cos(yaw)), abs(math.sin(yaw))
        if width * c + depth * s <= WORKSPACE_SIZE[0] and width * s + depth * c <= WORKSPACE_SIZE[1]:
            return []
    return [f"footprint {task.footprint} fits nowhere"]


CHECKS: tuple[Check, ...] = (
    roles_missing,
    names_without_object,
    colours_unknown,
    keys_without_effect,
    twins,
    candidates_wrong,
    joints_unknown,
    no_room,
)


SPLITS = {"agnostos-seen", "agnostos-level1", "agnostos-level2"}


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_the_task_keeps_its_word(name: str, check: Check) -> None:
    assert check(spec(name)) == []


@pytest.mark.parametrize("name", TASKS)
def test_the_file_is_named_after_the_task(name: str) -> None:
    task = spec(name)
    assert task.name == name
    assert "agnostos" in task.suites
    assert len(SPLITS & set(task.suites)) == 1, task.suites
    assert ("peract-18" in task.suites) == ("agnostos-seen" in task.suites)
    assert set(task.suites) - SPLITS - {"agnostos", "peract-18", "quickstart"}, "no suite of its mechanism"
    assert task.expert


@pytest.mark.parametrize("name", TASKS)
def test_agnostos_is_variation_zero(name: str) -> None:
    task = spec(name)
    (only,) = task.variations_under("agnostos")
    assert dict(only) == dict(task.variations[0])


@pytest.mark.parametrize("name", TASKS)
def test_canonical_instructions_are_plain_sentences(name: str) -> None:
    task = spec(name)
    for binding in bindings(task):
        text = fill(task.instructions[0], binding)
        assert text == text.lower().strip()
        assert "  " not in text
        assert "{" not in text
        assert len({fill(t, binding) for t in task.instructions}) == len(task.instructions)


BUTTONS, SLIDE, DRAWER = (spec(n) for n in ("push_buttons", "slide_block_to_color_target", "open_drawer"))
PLANTED: dict[str, tuple[Check, TaskSpec]] = {
    "no role": (roles_missing, dataclasses.replace(SLIDE, roles=(("block", Role.TARGET),))),
    "no target": (roles_missing, dataclasses.replace(SLIDE, roles=(("*", Role.DISTRACTOR),))),
    "paints a ghost": (names_without_object, dataclasses.replace(SLIDE, colours=(("target5", "green"),))),
    "role of a ghost": (
        names_without_object,
        dataclasses.replace(DRAWER, roles=(("shelf", Role.TARGET), *DRAWER.roles)),
    ),
    "colour unknown": (colours_unknown, dataclasses.replace(SLIDE, colours=(("target1", "teal"),))),
    "idle key": (
        keys_without_effect,
        dataclasses.replace(DRAWER, variations=({"option": "top", "mood": "sad"},), protocols={}),
    ),
    "idle draw": (keys_without_effect, dataclasses.replace(DRAWER, draws=(Draw(("mood",), ("sad", "gay")),))),
    "undeclared twins": (twins, dataclasses.replace(BUTTONS, equal_variations="")),
    "right one elsewhere": (
        candidates_wrong,
        dataclasses.replace(SLIDE, candidates=Candidates(("target1",), "target{square}")),
    ),
    "right one no target": (
        candidates_wrong,
        dataclasses.replace(BUTTONS, candidates=Candidates(BUTTONS.candidates.props, "push_buttons_target2")),
    ),
    "joint unknown": (joints_unknown, dataclasses.replace(DRAWER, success=All(JointMoved("door_{option}", 0.1)))),
    "too large": (no_room, dataclasses.replace(SLIDE, footprint=(0.0, 0.0, 0.7, 0.7))),
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_faults_are_caught(name: str) -> None:
    check, task = PLANTED[name]
    assert check(task)


def test_faults_that_the_constructor_catches() -> None:
    faults = {
        r"\{color\} target' wants \['color'\]": {"instructions": ("slide the block to {color} target",)},
        "names a prop twice": {"props": (*SLIDE.props, SLIDE.props[0])},
        r"places props in \['nowhere'\]": {"props": (*SLIDE.props, Prop("x", "block", placed_in="nowhere"))},
        r"wants \['square'\]": {"variations": ({"colour": "green"},), "protocols": {}},
        "no variation": {"variations": (), "protocols": {}},
        "no sensor 'success9'": {"success": Detected("block", "success9")},
        r"wants \['side'\]": {"sensors": (*SLIDE.sensors, Sensor("s", (0.1, 0.1, 0.1), on="target{side}"))},
    }
    for message, change in faults.items():
        with pytest.raises(ConfigurationError, match=message):
            dataclasses.replace(SLIDE, **change)
    with pytest.raises(ConfigurationError, match=r"wants \['square'\]"):
        dataclasses.replace(SLIDE, protocols={"odd": Protocol(variations=({"colour": "green"},))})


def test_draws_are_distinct_and_leave_the_variation_alone() -> None:
    draw = Draw(("a", "b"), ("red", "green", "blue", "teal"), exclude=("{main}",))
    for seed in range(40):
        free = draw.sample({"main": "red"}, stream(seed, "draw"))
        assert set(free) == {"a", "b"}
        assert len({*free.values(), "red"}) == 3
        half = draw.sample({"main": "red", "a": "teal"}, stream(seed, "draw"))
        assert set(half) == {"b"}
        assert half["b"] in ("green", "blue")
    assert draw.sample({"main": "red", "a": "teal", "b": "blue"}, stream(0, "draw")) == {}
