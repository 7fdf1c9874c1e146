"""Success means success: not by chance, not by another variation's deed; and nothing blows up on the way."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import mujoco
import numpy as np
import pytest

from hansgym.benchmarks.listing import task_names, task_spec
from hansgym.envs.env import HansGymEnv
from hansgym.envs.spec import TaskSpec, fill
from hansgym.seeds import stream

RANDOM_STEPS, STABLE_STEPS = 200, 1000
SEEDS = range(31, 51)
PAIRS = 4
"""Pairs of variations tried per task."""


def random_action(rng: np.random.Generator, low: np.ndarray, high: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Joint targets that wander from the last ones, fast enough to knock things about; the gripper now and then."""
    action = np.append(last[:7] + rng.normal(0.0, 0.15, 7), last[7] if rng.random() < 0.9 else rng.integers(2))
    return np.clip(action, low, high)


@pytest.mark.parametrize("task", task_names())
def test_wild_motion_neither_succeeds_nor_explodes(task: str, shared_env: Callable[..., HansGymEnv]) -> None:
    env = shared_env(task)
    env.observe_images = False
    for seed in SEEDS:
        seen, _ = env.reset(seed=seed)
        action = np.append(seen["joint_positions"], 1.0)
        rng = stream(seed, "wild")
        for step in range(STABLE_STEPS if seed == SEEDS[0] else RANDOM_STEPS):
            action = random_action(rng, env.action_space.low, env.action_space.high, action)
            _, _, _, _, info = env.step(action.astype(np.float32))
            if step < RANDOM_STEPS and not env.task_spec.chance:
                assert not info["success"], f"chance solved seed {seed} in {step + 1} steps"
        data: Any = env.backend.live.data  # type: ignore[attr-defined]
        warned = {mujoco.mjtWarning(k).name: w.number for k, w in enumerate(data.warning) if w.number}
        assert warned == {}
        assert np.isfinite(data.qpos).all()
        assert np.isfinite(data.qvel).all()


def filled(value: Any, binding: Mapping[str, str]) -> Any:
    """A condition with all its templates filled."""
    if isinstance(value, str):
        return fill(value, binding)
    if isinstance(value, tuple):
        return tuple(filled(v, binding) for v in value)
    if dataclasses.is_dataclass(value):
        return (type(value).__name__, *(filled(getattr(value, f.name), binding) for f in dataclasses.fields(value)))
    return value


def other_demands(task: TaskSpec, seed: int) -> list[tuple[int, int]]:
    """Pairs (done, asked) of variations: their conditions differ once filled, and doing one must not do the other."""
    bindings = [task.bind(k, stream(seed, "binding")) for k in range(len(task.variations))]
    asked = [filled(task.success, b) for b in bindings]
    return [
        (done, other)
        for done in range(len(asked))
        for other in range(len(asked))
        if asked[done] != asked[other] and not task.implies(bindings[done], bindings[other])
    ]


@pytest.mark.parametrize("task", [t for t in task_names() if other_demands(task_spec(t), 0)])
def test_another_variations_deed_is_no_success(task: str, shared_env: Callable[..., HansGymEnv]) -> None:
    env = shared_env(task)
    env.observe_images = False
    pairs = other_demands(env.task_spec, 0)
    chosen = [pairs[int(i)] for i in stream(0, "pairs", task).permutation(len(pairs))[:PAIRS]]
    for done, asked in chosen:
        _, info = env.reset(seed=5, options={"variation": done})
        over = False
        for _ in range(75):
            for action in env.expert_chunk(8):
                _, _, over, _, info = env.step(action)
                if over:
                    break
            if over:
                break
        assert info["success"], (task, done)
        sim: Any = env.backend.live  # type: ignore[attr-defined]
        mine = dict(sim.binding)
        sim.binding = {**mine, **env.task_spec.bind(asked, stream(0, "binding"))}
        assert not env.task_spec.success.met(sim.view), f"doing variation {done} also does variation {asked}"
        sim.binding = mine


def test_chance_and_confusion_would_be_noticed() -> None:
    """A condition that any variation meets has no pair; one that names its object has."""
    drawers = task_spec("open_drawer")
    assert set(other_demands(drawers, 0)) == {(a, b) for a in range(3) for b in range(3) if a != b}
    any_drawer = dataclasses.replace(drawers, success=dataclasses.replace(drawers.success, joint="drawer_joint_top"))
    assert other_demands(any_drawer, 0) == []
    buttons = task_spec("push_buttons")
    assert (0, 1) in other_demands(buttons, 0), "one button does not do two"
    assert (1, 0) not in other_demands(buttons, 0), "two buttons do one on the way"
