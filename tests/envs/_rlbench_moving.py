"""How the arm and the fingers move in the real simulator; see :mod:`_rlbench_live`."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from _rlbench_live import made

from hansgym.envs.mujoco.control import HOME, JOINT_SPEED

ACCELERATION = np.array([15.0, 7.5, 10.0, 12.5, 15.0, 20.0, 20.0])
"""The hardware's limits in rad/s^2, by its maker's data sheet."""


def tracking(servo: str) -> dict[str, Any]:
    """Errors (mrad) of each joint along a trapezoid at half its speed and a quarter of its acceleration, and at rest.

    Besides: where the tip is by its and by our kinematics, what a target beyond all speeds does, and the fingers.
    """
    env = made("close_jar", cameras=(), backend_options={"renderer": "opengl", "servo": servo})
    try:
        along, rest = [], []
        for joint in range(7):
            seen, _ = env.reset(seed=1)
            target = seen["joint_positions"].astype(float)
            start, errors = target[joint], []
            for way in _trapezoid(0.4, JOINT_SPEED[joint] / 2, ACCELERATION[joint] / 4):
                target[joint] = start + (-way if joint == 3 else way)  # the elbow is near its limit
                seen, *_ = env.step(np.append(target, 1.0))
                errors.append(float(np.abs(seen["joint_positions"] - target).max()) * 1e3)
            along.append(max(errors))
            for _ in range(5):
                seen, *_ = env.step(np.append(target, 0.0))
            rest.append(float(np.abs(seen["joint_positions"] - target).max()) * 1e3)
        ours = env.unwrapped.backend.forward_kinematics(seen["joint_positions"].astype(float)[None])[0]
        tip = float(np.linalg.norm(seen["gripper_pose"][:3] - ours[:3]))
        target[0] += 1.0
        limited = [int(env.step(np.append(target, 0.0))[-1]["speed_limited"]) for _ in range(30)]
        seen = env.unwrapped.observe()
        left = float(np.abs(seen["joint_positions"] - target).max()) * 1e3
        said = {"limited": limited, "left": left, "tip_m": tip, "open": float(seen["gripper_open"][0])}
        return {"along": along, "rest": rest, **said}
    finally:
        env.close()


def _trapezoid(distance: float, speed: float, acceleration: float, dt: float = 0.05) -> np.ndarray:
    """Way (N,) after each step of a rest-to-rest movement."""
    ramp = min(speed / acceleration, np.sqrt(distance / acceleration))
    top = acceleration * ramp
    whole = ramp + distance / top
    times = np.minimum(np.arange(1, int(np.ceil(whole / dt)) + 1) * dt, whole)
    up = acceleration * np.minimum(times, ramp) ** 2 / 2
    cruise = top * np.clip(times - ramp, 0.0, whole - 2 * ramp)
    late = np.clip(times - (whole - ramp), 0.0, ramp)
    return up + cruise + top * late - acceleration * late**2 / 2


def reaching(step_m: tuple[float, float, float]) -> tuple[float, float, int]:
    """Error in m and rad of the tip at a pose ``step_m`` away, asked for again and again; how often it had no way."""
    env = made("close_jar", cameras=(), control="ee_pose")
    try:
        seen, _ = env.reset(seed=1)
        goal = np.append(seen["gripper_pose"], 1.0).astype(np.float32)
        goal[:3] += step_m
        lost = 0
        for _ in range(120):
            seen, *_, info = env.step(goal)
            lost += int(info["ik_unreached"])
        turn = 2 * np.arccos(np.clip(abs(float(seen["gripper_pose"][3:] @ goal[3:7])), 0.0, 1.0))
        return float(np.linalg.norm(seen["gripper_pose"][:3] - goal[:3])), float(turn), lost
    finally:
        env.close()


def nowhere() -> dict[str, Any]:
    """What an unreachable pose does: counted, and the arm stays."""
    env = made("close_jar", cameras=(), control="ee_pose")
    try:
        seen, _ = env.reset(seed=1)
        start = seen["joint_positions"]
        goal = np.append(seen["gripper_pose"], 1.0).astype(np.float32)
        goal[:3] = (3.0, 0.0, 1.0)
        for _ in range(2):
            seen, *_, info = env.step(goal)
        moved = float(np.abs(seen["joint_positions"] - start).max())
        return {"moved": moved, "unreached": int(info["ik_unreached"])}
    finally:
        env.close()


def both_worlds() -> dict[str, Any]:
    """The observations of both backends after the same actions: spaces, keys, and proprioception at several angles."""
    options: dict[str, Any] = {"image_size": 64, "segmentation": True}
    envs = [gym.make("hansgym/close_jar-v0", disable_env_checker=True, **options), made("close_jar", **options)]
    try:
        for env in envs:
            env.reset(seed=0, options={"variation": 0})
        rng, rows = np.random.default_rng(0), []
        for _ in range(4):
            action = np.append(HOME + rng.uniform(-0.15, 0.15, 7), 1.0).astype(np.float32)
            for _ in range(30):
                ends = [env.step(action) for env in envs]
            rows.append([end[0] for end in ends])
        spaces = [(env.observation_space, env.action_space) for env in envs]
        infos = [{k: type(v).__name__ for k, v in end[-1].items()} for end in ends]
        return {"spaces": spaces, "infos": infos, "rows": rows}
    finally:
        for env in envs:
            env.close()


def holding() -> dict[str, Any]:
    """Upstream's own way to the saucepan's lid by ``ee_pose``; then close, lift, and open."""
    env = made("take_lid_off_saucepan", cameras=(), control="ee_pose")
    try:
        env.reset(seed=2, options={"variation": 0})
        backend = env.unwrapped.backend
        simulator, lid = backend.simulator, backend.census.handle_of("saucepan_lid_visual")
        way = [np.array(point._waypoint.get_pose()) for point in simulator._scene.task.get_waypoints()]
        lifted = way[1] + np.array([0.0, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0])
        found = []
        for pose, grip, steps in ((way[0], 1.0, 70), (way[1], 1.0, 20), (way[1], 0.0, 6), (lifted, 0.0, 20)):
            for _ in range(steps):
                seen, *_ = env.step(np.append(pose, grip).astype(np.float32))
            found.append(
                {"held": simulator.held(), "lid": simulator.position(lid), "open": float(seen["gripper_open"][0])}
            )
        env.step(np.append(lifted, 1.0).astype(np.float32))
        return {"stages": found, "contact": backend.task_contact(), "after": simulator.held()}
    finally:
        env.close()


def demonstration(task: str) -> tuple[int, float]:
    """Steps of upstream's own demonstration, which ends in success or raises, and the arm's error (rad) afterwards."""
    env = made(task, cameras=())
    try:
        env.reset(seed=21, options={"variation": 0})
        steps = env.unwrapped.backend.demonstrate()
        assert env.unwrapped.backend.verdict().success
        seen, _ = env.reset(seed=22, options={"variation": 0})
        target = seen["joint_positions"]
        for _ in range(6):
            target = target + 0.02 * np.eye(7)[0]
            seen, *_ = env.step(np.append(target, 1.0))
        return steps, float(np.abs(seen["joint_positions"] - target).max())
    finally:
        env.close()
