"""What the live tests do with a real simulator, each call in a process of its own: CoppeliaSim wants it so."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import gymnasium as gym
import numpy as np

LIMIT_S = 900


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
    """One reset and a few steps: what must hold of every task."""
    env = made(task, segmentation=True)
    try:
        seen, info = env.reset(seed=11)
        space = env.observation_space
        inside = [space.contains(seen)]
        for _ in range(3):
            action = np.append(seen["joint_positions"], 1.0)
            seen, reward, *_ = env.step(action)
            inside.append(space.contains(seen) and reward == 0.0)
        names = {o.id: (o.name, o.role.value) for o in info["objects"]}
        shown = {names[int(i)][1] for c in ("front", "overhead") for i in np.unique(seen[f"{c}_objects"]) if int(i)}
        empty = max(float((seen[f"{c}_objects"] == 0).mean()) for c in ("front", "overhead", "wrist"))
        return {
            "inside": all(inside),
            "roles": shown,
            "empty": empty,
            "instruction": info["instruction"],
            "black": [c for c in ("front", "overhead", "wrist") if not seen[f"{c}_rgb"].any()],
        }
    finally:
        env.close()


def episode(task: str, seed: int) -> tuple[np.ndarray, ...]:
    """The first observation's state and front picture of a seed."""
    env = made(task)
    try:
        seen, _ = env.reset(seed=seed)
        return seen["joint_positions"], seen["gripper_pose"], seen["front_rgb"], seen["front_mask"]
    finally:
        env.close()


def tracking() -> dict[str, Any]:
    """How exactly the arm follows a slow target, where the tip is by its and by our kinematics, what the fingers do."""
    env = made("close_jar", cameras=())
    try:
        seen, _ = env.reset(seed=1)
        start = seen["joint_positions"].astype(float)
        for k in range(20):
            seen, *_, info = env.step(np.append(start + np.array([0.01, 0, 0, 0, 0, 0, 0.01]) * (k + 1), 1.0))
        target = start + np.array([0.2, 0, 0, 0, 0, 0, 0.2])
        for _ in range(5):
            seen, *_, info = env.step(np.append(target, 0.0))
        backend = env.unwrapped.backend
        ours = backend.forward_kinematics(seen["joint_positions"].astype(float)[None])[0]
        return {
            "error_rad": float(np.abs(seen["joint_positions"] - target).max()),
            "tip_m": float(np.linalg.norm(seen["gripper_pose"][:3] - ours[:3])),
            "open": float(seen["gripper_open"][0]),
            "limited": int(info["speed_limited"]),
        }
    finally:
        env.close()


def reaching() -> float:
    """How near (m) the tip comes to a far pose that is asked for again and again."""
    env = made("close_jar", cameras=(), control="ee_pose")
    try:
        seen, _ = env.reset(seed=1)
        goal = np.append(seen["gripper_pose"], 1.0)
        goal[:3] += (0.05, 0.15, -0.25)
        for _ in range(120):
            seen, *_ = env.step(goal)
        return float(np.linalg.norm(seen["gripper_pose"][:3] - goal[:3]))
    finally:
        env.close()


def looking() -> dict[str, Any]:
    """What-if pictures change pixels, and the live scene is byte-equal afterwards."""
    env = made("close_jar", cameras=("front",))
    try:
        _seen, _ = env.reset(seed=3, options={"variation": 0})
        factors = env.unwrapped.present_factors()
        before = env.unwrapped.observe()
        changed = {}
        for factor in factors:
            other = env.unwrapped.counterfactual(factor, 5)
            changed[factor] = int((other["front_rgb"] != before["front_rgb"]).any(-1).sum())
        after = env.unwrapped.observe()
        return {"factors": factors, "changed": changed, "same": bool((after["front_rgb"] == before["front_rgb"]).all())}
    finally:
        env.close()


def demonstration(task: str) -> int:
    """Steps of upstream's own demonstration; it ends in success or raises."""
    env = made(task, cameras=())
    try:
        env.reset(seed=21, options={"variation": 0})
        steps = env.unwrapped.backend.demonstrate()
        assert env.unwrapped.backend.verdict().success
        return steps
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
