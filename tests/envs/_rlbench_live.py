"""What the live tests do with a real simulator, each call in a process of its own: CoppeliaSim wants it so."""

from __future__ import annotations

import multiprocessing
import os
import random
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from hansgym.envs.rlbench import installation, masks
from hansgym.errors import ConfigurationError, SceneError
from hansgym.specs import CAMERAS

LIMIT_S = 900

MARKS = [
    pytest.mark.rlbench,
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.environ.get(installation.ROOT),
        reason="SKIPPED: the RLBench backend was not run in CoppeliaSim, COPPELIASIM_ROOT is not set (docs/rlbench.md)",
    ),
]
"""Of all tests that need the simulator."""


def need_whole_simulator() -> None:
    """A simulator that was asked for and is not whole is a failure, not a reason to skip."""
    lacking = installation.missing()
    assert not lacking, f"{[(s.name, s.found, s.fix) for s in lacking]}: run hansgym doctor --backend rlbench"


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """``function(*arguments)`` in a fresh process; a crash of the simulator fails the test and nothing else."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result(LIMIT_S)


def made(task: str, **arguments: Any) -> Any:
    import hansgym  # noqa: F401

    env = gym.make(
        f"hansgym/{task}-v0",
        backend="rlbench",
        disable_env_checker=True,
        **{"image_size": 128, "backend_options": {"renderer": "opengl"}, **arguments},
    )
    base: Any = env.unwrapped
    create = base._new_backend

    def strict() -> Any:
        backend = create()
        backend._strict = True
        return backend

    base._new_backend = strict
    return env


def contract(task: str) -> dict[str, Any]:
    """Two seeds in each of several variations, one reset and a few steps: what must hold of every task.

    A shape that no object covers raises, here and in :func:`made` generally.
    """
    env = made(task, segmentation=True)
    outside = (np.random.get_state()[1].tobytes(), random.getstate())  # noqa: NPY002  (as upstream draws)
    found: dict[str, Any] = {"inside": [], "roles": [], "empty": [], "instructions": [], "black": [], "regions": []}
    try:
        for variation in _some(env.unwrapped.variations):
            for seed in (11, 12):
                _judge(env, found, seed, variation)
        found["factors"], found["put_back"] = _looked(env.unwrapped)
        found["variations"] = (env.unwrapped.variations, env.unwrapped.backend.simulator.variation_count())
    finally:
        env.close()
    inside = (np.random.get_state()[1].tobytes(), random.getstate())  # noqa: NPY002
    return found | {"generators": outside == inside}


def _judge(env: Any, found: dict[str, Any], seed: int, variation: int) -> None:
    seen, info = env.reset(seed=seed, options={"variation": variation})
    space = env.observation_space
    inside = [space.contains(seen)]
    for _ in range(3):
        seen, reward, *_ = env.step(np.append(seen["joint_positions"], 1.0))
        inside.append(space.contains(seen) and reward == 0.0)
    names = {o.id: (o.name, o.role.value) for o in info["objects"]}
    shown = {names[int(i)][1] for c in ("front", "overhead") for i in np.unique(seen[f"{c}_objects"]) if int(i)}
    found["inside"].append(all(inside))
    found["roles"].append(shown)
    found["empty"].append(max(float((seen[f"{c}_objects"] == 0).mean()) for c in CAMERAS))
    found["instructions"].append((variation, info["instruction"]))
    found["black"] += [c for c in CAMERAS if not seen[f"{c}_rgb"].any()]
    found["regions"].append({int(v) for c in CAMERAS for v in np.unique(seen[f"{c}_mask"])})


def _looked(base: Any) -> tuple[tuple[str, ...], bool]:
    """The factors of the present episode, and whether all is as it was after they were seen drawn anew."""
    before = base.observe()
    base.counterfactual("nuisance", 5)
    after = base.observe()
    return base.present_factors(), all((before[key] == after[key]).all() for key in before)


def _some(count: int) -> list[int]:
    """The first, the middle and the last of ``count`` variations."""
    return sorted({0, count // 2, count - 1})


def episode(task: str, seed: int, earlier: tuple[int, ...] = ()) -> tuple[dict[str, np.ndarray], ...]:
    """The whole observation of a seed and the one five steps on, after episodes of the seeds ``earlier``."""
    env = made(task)
    try:
        for other in (*earlier, seed):
            first, _ = env.reset(seed=other)
            last = first
            for _ in range(5):
                last, *_ = env.step(np.append(first["joint_positions"], 0.0))
        return first, last
    finally:
        env.close()


def looking(task: str, renderer: str) -> dict[str, Any]:
    """What-if pictures change pixels of their own object and no other's; the live scene is byte-equal afterwards."""
    env = made(task, segmentation=True, backend_options={"renderer": renderer})
    base = env.unwrapped
    try:
        _, info = env.reset(seed=3, options={"variation": 0})
        names = np.array([""] + [o.name for o in sorted(info["objects"], key=lambda o: o.id)], object)
        before, found = base.observe(), {}
        for factor in base.present_factors():
            other, again = (base.counterfactual(factor, 5) for _ in range(2))
            touched: set[str] = set()
            for camera in CAMERAS:
                differs = (other[f"{camera}_rgb"] != before[f"{camera}_rgb"]).any(-1)
                touched |= set(names[before[f"{camera}_objects"][differs]])
            after = base.observe()
            same = all((after[key] == before[key]).all() for key in before)
            repeats = all((other[key] == again[key]).all() for key in before)
            found[factor] = {"touched": touched, "same": same, "repeats": repeats}
        return found
    finally:
        env.close()


def sizes(renderer: str) -> dict[str, Any]:
    """Pictures of one instant in several sizes, taken in turn."""
    env = made("close_jar", backend_options={"renderer": renderer}, image_size=128)
    try:
        env.reset(seed=1, options={"variation": 0})
        backend = env.unwrapped.backend
        turns = [(n, backend.render(("front", "wrist"), n)) for n in (128, 224, 128, 64, 224, 128)]
        return {
            "pictures": {n: {c: frame.rgb for c, frame in frames.items()} for n, frames in reversed(turns)},
            "robot": {n: float((frames["front"].objects == 1).mean()) for n, frames in turns},
            "all": [(n, {c: frame.rgb for c, frame in frames.items()}) for n, frames in turns],
        }
    finally:
        env.close()


def planes() -> dict[str, Any]:
    """How much of the pictures the placing planes cover in a mask that they are left in, and in ours."""
    env = made("close_jar", cameras=("overhead",))
    try:
        env.reset(seed=1)
        backend = env.unwrapped.backend
        helpers = backend.census.helpers
        shares = []
        for hidden in ((), helpers):
            handles = masks.handles_of(backend.simulator.codes("overhead", 128, hidden))
            shares.append(float(np.isin(handles, helpers).mean()))
        return {"raw": shares[0], "ours": shares[1], "still_there": backend.simulator.shape(helpers[0]) is not None}
    finally:
        env.close()


def crowded() -> dict[str, Any]:
    """A reset where nothing can be placed, since upstream's own boundary has become a stamp; and one after that."""
    from pyrep.const import PrimitiveShape
    from pyrep.objects.shape import Shape
    from rlbench.backend.spawn_boundary import SpawnBoundary

    env = made("close_jar", cameras=())
    try:
        env.reset(seed=0)
        scene = env.unwrapped.backend.simulator._scene
        stamp = Shape.create(PrimitiveShape.CUBOID, [0.02, 0.02, 0.001], static=True, respondable=False)
        usual, scene._workspace_boundary = scene._workspace_boundary, SpawnBoundary([stamp])
        outside = np.random.get_state()[1].tobytes()  # noqa: NPY002
        try:
            env.reset(seed=1)
            said = ""
        except SceneError as error:
            said = str(error)
        scene._workspace_boundary = usual
        stamp.remove()
        same = np.random.get_state()[1].tobytes() == outside  # noqa: NPY002
        env.reset(seed=1)
        return {"said": said, "generators": same}
    finally:
        env.close()


def twice() -> str:
    """What a second environment in one process is told, and whether the first goes on."""
    first, second = made("close_jar", cameras=()), made("open_drawer", cameras=())
    try:
        first.reset(seed=0)
        try:
            second.reset(seed=0)
        except Exception as error:
            first.step(first.action_space.sample())
            return str(error)
        return ""
    finally:
        first.close()
        second.close()


def one_after_another() -> dict[str, Any]:
    """Two environments in one process, the second after the first has closed; then another size of picture."""
    means = []
    for task in ("close_jar", "open_drawer"):
        env = made(task, cameras=("front",))
        seen, _ = env.reset(seed=0)
        means.append(float(seen["front_rgb"].std()))
        try:
            env.unwrapped.backend.render(("front",), 64)
            said = ""
        except ConfigurationError as error:
            said = str(error)
        env.close()
    return {"spread": means, "said": said, "display": os.environ.get("DISPLAY")}


def dressed(perturbation: str) -> dict[str, Any]:
    """Clean and perturbed pictures of one seed, and the report."""
    from hansgym.wrappers.perturbations import perturb

    env = made("close_jar", cameras=("front",), segmentation=True)
    try:
        clean, _ = env.reset(seed=4, options={"variation": 0})
        changed, info = perturb(env, perturbation).reset(seed=4, options={"variation": 0})
        return {"clean": clean, "changed": changed, "info": info, "factors": env.unwrapped.present_factors()}
    finally:
        env.close()


def explained() -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The observation and what the attribution wrapper says beside it after two decisions of a policy of ours."""
    from hansgym.wrappers.attribution import AttributionWrapper
    from hansgym.wrappers.chunk import ChunkedExecution

    chunked = ChunkedExecution(made("push_buttons", image_size=64), 16, 8)
    env = AttributionWrapper(chunked, "reference:pfungst", n_masks=8, do={"stride": 1, "draws": 2})
    try:
        _, info = env.reset(seed=0, options={"variation": 0})
        seen, *_, info = env.step(info["clean_chunk"])
        return seen, {k: info[k] for k in ("decision", "clean_chunk", "maps", "nmr", "ner", "ner_reason")}
    finally:
        env.close()
