"""Inverse kinematics against forward kinematics."""

from __future__ import annotations

import numpy as np
import pytest

from hansgym.envs.expert import down
from hansgym.envs.mujoco import control
from hansgym.envs.mujoco.ik import ELBOW, InverseKinematics


@pytest.fixture(scope="module")
def ik() -> InverseKinematics:
    return InverseKinematics()


def rotation_error(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.arccos(np.clip((np.trace(first.T @ second) - 1) / 2, -1, 1)))


def test_home_is_where_rlbench_has_it(ik: InverseKinematics) -> None:
    position, _ = ik.forward(control.HOME)
    np.testing.assert_allclose(position, [0.2785, -0.0082, 1.4719], atol=2e-3)


def test_poses_over_the_table_are_reached_within_limits(ik: InverseKinematics) -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        goal = np.array([rng.uniform(0.0, 0.45), rng.uniform(-0.35, 0.35), rng.uniform(0.77, 1.0)])
        turn = down(np.pi / 2 + rng.uniform(-1.2, 1.2))
        joints, reached = ik.solve(goal, turn, control.HOME)
        assert reached
        position, rotation = ik.forward(joints)
        assert np.linalg.norm(position - goal) < 1e-3
        assert rotation_error(rotation, turn) < 0.01
        assert (joints >= control.JOINT_LOWER).all()
        assert (joints <= control.JOINT_UPPER).all()
        assert joints[3] <= ELBOW


def test_what_cannot_be_reached_is_said_and_stays_within_limits(ik: InverseKinematics) -> None:
    joints, reached = ik.solve(np.array([2.0, 0.0, 1.0]), down(0.0), control.HOME)
    assert not reached
    assert (joints >= control.JOINT_LOWER).all()
    assert (joints <= control.JOINT_UPPER).all()


def test_following_a_line_step_by_step_keeps_to_it(ik: InverseKinematics) -> None:
    start, _ = ik.solve(np.array([0.2, -0.2, 1.0]), down(0.0), control.HOME)
    position, rotation = ik.forward(start)
    joints = start
    for k in range(1, 21):
        goal = position + np.array([0.01, 0.015, -0.005]) * k
        joints = ik.follow(goal, rotation, joints)
        reached, _ = ik.forward(joints)
        assert np.linalg.norm(reached - goal) < 1e-3


def test_an_arm_with_a_straight_elbow_can_follow_and_bends_again(ik: InverseKinematics) -> None:
    joints = control.HOME.copy()
    joints[3] = ELBOW + 0.3
    position, rotation = ik.forward(joints)
    for k in range(1, 31):
        goal = position + np.array([0.002, 0.0, -0.015]) * k
        joints = ik.follow(goal, rotation, joints)
    assert np.linalg.norm(ik.forward(joints)[0] - goal) < 2e-3
    assert joints[3] < ELBOW


def test_equal_questions_have_equal_answers(ik: InverseKinematics) -> None:
    ask = (np.array([0.3, 0.1, 0.9]), down(0.4), control.HOME)
    first, _ = ik.solve(*ask)
    ik.solve(np.array([0.1, -0.3, 1.1]), down(-1.0), control.HOME)
    second, _ = ik.solve(*ask)
    assert first.tobytes() == second.tobytes()
