"""Variations are real: each is reachable, each changes the scene or the words, every declared key changes something."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hansgym.envs.env import HansGymEnv
from hansgym.envs.registration import index
from hansgym.envs.spec import fields_of, fill
from hansgym.lookup import load

ROWS = index()
TASKS = [row["task"] for row in ROWS]


def scene_of(env: HansGymEnv) -> dict[str, object]:
    """What an episode is about: who has which role and which paint, and what is said."""
    sim = env.backend.live
    named = {o.name: o.role for o in sim.scene.scene_objects(sim.binding)}
    paint = {n: sim.model.geom_rgba[sim.scene.painted(n)].tobytes() for n in named}
    return {"roles": named, "paint": paint, "instruction": env.instruction}


@pytest.mark.parametrize("task", TASKS)
def test_every_variation_is_reachable_and_unlike_the_others(task: str, shared_env: Callable[..., HansGymEnv]) -> None:
    env = shared_env(task)
    env.observe_images = False
    seen: list[str] = []
    for variation in range(env.variations):
        info = env.reset(seed=1, options={"variation": variation})[1]
        assert info["variation"] == variation
        assert "{" not in info["instruction"]
        seen.append(repr(scene_of(env)))
    if not env.task_spec.equal_variations:
        assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("task", TASKS)
def test_every_variation_key_is_used(task: str) -> None:
    """A key that no template, condition, sensor or expert mentions would be a promise without a scene."""
    spec = load("hansgym.envs.tasks", task, "TASK", "task")
    words = " ".join([*spec.instructions, *(t for t, _ in spec.roles), *(t for pair in spec.colours for t in pair)])
    words += repr((spec.success, spec.sensors, spec.expert, spec.candidates, spec.draws, dict(spec.joints_at_reset)))
    for key in {k for variation in spec.variations for k in variation}:
        assert "{" + key + "}" in words, f"variation key {key!r} of {task!r} changes nothing"
    # What a variation leaves open, a draw must fill.
    drawn = {k for d in spec.draws for k in d.keys}
    assert len({frozenset(drawn | set(v)) for v in spec.variations}) == 1


@pytest.mark.parametrize("task", TASKS)
def test_canonical_instructions_fill_from_variations_and_draws(task: str) -> None:
    spec = load("hansgym.envs.tasks", task, "TASK", "task")
    known = set(spec.variations[0]) | {k for d in spec.draws for k in d.keys}
    for template in spec.instructions:
        assert fields_of(template) <= known
        text = fill(template, dict.fromkeys(known, "x"))
        assert text == text.strip() != ""


@pytest.mark.parametrize("task", TASKS)
def test_the_seed_decides_the_variation_when_nobody_else_does(task: str, shared_env: Callable[..., HansGymEnv]) -> None:
    env = shared_env(task)
    env.observe_images = False
    drawn = [env.reset(seed=s)[1]["variation"] for s in range(6)]
    assert drawn == [env.reset(seed=s)[1]["variation"] for s in range(6)]
    assert len(set(drawn)) > 1 or env.variations == 1


def test_agnostos_keeps_only_variation_zero(shared_env: Callable[..., HansGymEnv]) -> None:
    env = shared_env("close_jar", protocol="agnostos")
    assert env.variations == 1
    env.observe_images = False
    assert {env.reset(seed=s)[1]["variation"] for s in range(3)} == {0}


def test_balanced_buttons_are_one_press_of_any_colour(shared_env: Callable[..., HansGymEnv]) -> None:
    env = shared_env("push_buttons", protocol="balanced")
    env.observe_images = False
    said = {env.reset(seed=s)[1]["instruction"] for s in range(12)}
    assert env.variations == 18
    assert len(said) > 5
    np.testing.assert_equal(len(env.candidates()), 3)
