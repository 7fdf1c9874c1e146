"""The expert's engine: bounded steps, honest look-ahead, and a whole episode."""

from __future__ import annotations

import numpy as np
import pytest
from _toy import toy

from hansgym.envs.backend import ResetRequest
from hansgym.envs.expert import Goal, current
from hansgym.envs.mujoco import control
from hansgym.envs.mujoco.backend import MujocoBackend
from hansgym.envs.mujoco.expert_engine import approach, axis_angle, rotation_about


@pytest.fixture(scope="module")
def backend() -> MujocoBackend:
    return MujocoBackend(toy())


def test_axis_and_angle_come_back() -> None:
    rng = np.random.default_rng(0)
    for angle in (0.0, 1e-9, 1e-3, 1.0, 3.0, np.pi - 1e-7, np.pi):
        axis = rng.normal(size=3)
        axis /= np.linalg.norm(axis)
        rotation = rotation_about(axis, angle)
        found_axis, found = axis_angle(rotation)
        assert found == pytest.approx(angle, abs=1e-6)
        np.testing.assert_allclose(rotation_about(found_axis, found), rotation, atol=1e-5)


def test_one_step_moves_the_tip_no_farther_than_the_goal_allows(backend: MujocoBackend) -> None:
    backend.reset(ResetRequest(4, 0))
    view = backend.live.view
    turned = rotation_about(np.array([0.0, 0.0, 1.0]), 2.0) @ view.tip_rotation
    goal = Goal(view.tip_position + np.array([0.1, 0.1, 0.1]), turned, 1.0, speed_m=0.01, turn_rad=0.05)
    position, rotation = approach(view, goal)
    assert np.linalg.norm(position - view.tip_position) == pytest.approx(0.01)
    assert axis_angle(rotation @ view.tip_rotation.T)[1] == pytest.approx(0.05)
    near = Goal(view.tip_position + np.array([0.0, 0.001, 0.0]), view.tip_rotation, 1.0)
    np.testing.assert_allclose(approach(view, near)[0], near.position)


def test_a_chunk_is_what_the_feedback_expert_does(backend: MujocoBackend) -> None:
    backend.reset(ResetRequest(4, 0))
    chunk = backend.expert_chunk(10)
    assert chunk.shape == (10, 8)
    for row in chunk:
        one = backend.expert_chunk(1)[0]
        assert one.tobytes() == row.tobytes()
        backend.step(row[:7], row[7])


def test_actions_are_legal_and_the_tip_keeps_its_speed(backend: MujocoBackend) -> None:
    backend.reset(ResetRequest(4, 0))
    for _ in range(70):
        before = backend.live.view.tip_position
        speed = current(backend.task.expert, backend.live.view).goal(backend.live.view).speed_m
        joints, row = backend.live.view.arm_joints, backend.expert_chunk(1)[0]
        assert (np.abs(row[:7] - joints) <= control.JOINT_SPEED * 0.05 + 1e-9).all()
        assert (row[:7] >= control.JOINT_LOWER).all()
        assert (row[:7] <= control.JOINT_UPPER).all()
        assert row[7] in (0.0, 1.0)
        assert backend.step(row[:7], row[7]) == {"speed_limited": 0}
        assert np.linalg.norm(backend.live.view.tip_position - before) < speed + 0.004


@pytest.mark.parametrize("seed", range(4))
def test_the_toy_is_solved(backend: MujocoBackend, seed: int) -> None:
    backend.reset(ResetRequest(seed, seed % 2))
    for _ in range(150):
        row = backend.expert_chunk(1)[0]
        backend.step(row[:7], row[7])
        if backend.verdict().success:
            return
    pytest.fail(f"not solved: {backend.verdict()}")


def test_the_expert_recovers_from_a_displaced_arm(backend: MujocoBackend) -> None:
    backend.reset(ResetRequest(2, 0))
    away = control.HOME + np.array([0.6, -0.3, 0.2, -0.4, 0.3, 0.3, -0.5])
    for _ in range(12):
        backend.step(away, 0.0)
    for _ in range(200):
        row = backend.expert_chunk(1)[0]
        backend.step(row[:7], row[7])
        if backend.verdict().success:
            return
    pytest.fail(f"not solved: {backend.verdict()}")
