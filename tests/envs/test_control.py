"""The servo: tracking, limits, what happens to an arm that is blocked, and the fingers."""

from __future__ import annotations

import numpy as np
import pytest
from _toy import toy

from hansgym.envs.expert import down
from hansgym.envs.mujoco import control, placement
from hansgym.envs.mujoco.scene import build_scene
from hansgym.envs.mujoco.sim import Sim

STEP = control.JOINT_SPEED * 0.05
TOLERANCE = 5e-3


@pytest.fixture(scope="module")
def sim() -> Sim:
    return Sim(build_scene(toy()))


@pytest.fixture
def free(sim: Sim) -> Sim:
    """The arm at home and nothing in its way."""
    sim.clear({"colour": "red"}, sim.scene.task.success)
    for i, name in enumerate(("block", "post", "gate")):
        placement.put(sim, name, (1.5, 0.4 * i, -0.5, 0.0))
    return sim


def worst_lag(sim: Sim, moves: np.ndarray) -> float:
    target, worst = control.HOME.copy(), 0.0
    for move in moves:
        target = np.clip(target + move * STEP, control.HOME - 0.4, control.HOME + 0.4)
        assert sim.step(target, 1.0) == {"speed_limited": 0}
        worst = max(worst, float(np.abs(sim.view.arm_joints - target).max()))
    return worst


def test_joints_are_on_target_after_every_legal_step(free: Sim) -> None:
    assert worst_lag(free, np.random.default_rng(0).uniform(-1, 1, (80, 7))) < TOLERANCE


def test_full_speed_reversals_stay_on_target(free: Sim) -> None:
    assert worst_lag(free, np.random.default_rng(1).choice([-1.0, 1.0], (80, 7))) < TOLERANCE


def test_a_step_takes_exactly_fifty_milliseconds(free: Sim) -> None:
    before = free.data.time
    free.step(control.HOME, 1.0)
    assert free.data.time - before == pytest.approx(0.05, abs=1e-12)


def test_a_far_target_is_approached_at_the_limits_counted_and_held(free: Sim) -> None:
    target = control.HOME + np.array([0.5, 0.0, 0.0, 0.0, 0.0, 0.0, -0.6])
    counts = [free.step(target, 1.0)["speed_limited"] for _ in range(2)]
    moved = free.view.arm_joints - control.HOME
    np.testing.assert_allclose(moved[[0, 6]], 2 * STEP[[0, 6]] * [1, -1], atol=TOLERANCE)
    counts += [free.step(target, 1.0)["speed_limited"] for _ in range(4)]
    assert counts == [1, 1, 1, 1, 0, 0]
    for _ in range(20):
        free.step(target, 1.0)
        assert np.abs(free.view.arm_joints - target).max() < TOLERANCE


def test_a_block_in_the_hand_does_not_pull_the_arm_off_target(free: Sim) -> None:
    placement.put(free, "block", (0.0, 0.0, 0.0, 0.0))
    free.refresh()
    reach, reached = free.scene.ik.solve(free.view.position("block") + np.array([0, 0, 0.02]), down(0.0), control.HOME)
    assert reached
    for _ in range(40):
        free.step(reach, 1.0)
    free.step(reach, 0.0)
    assert free.held == ("block",)
    for k in range(40):
        target = reach + np.array([0.4, -0.3, 0.0, 0.2, 0.0, 0.0, 0.0]) * min(1.0, k / 10)
        free.step(target, 0.0)
        assert np.abs(free.view.arm_joints - target).max() < TOLERANCE


def test_targets_beyond_the_joint_limits_stop_at_them(free: Sim) -> None:
    for _ in range(60):
        free.step(control.HOME + np.array([0, 0, 0, 2.0, 0, 0, 9.0]), 1.0)
    joints = free.view.arm_joints
    assert joints[3] <= control.JOINT_UPPER[3] + TOLERANCE
    assert abs(joints[6] - control.JOINT_UPPER[6]) < TOLERANCE


def test_an_arm_pressed_into_the_table_neither_sinks_nor_leaps_back(free: Sim) -> None:
    above, _ = free.scene.ik.solve(np.array([0.25, -0.2, 0.80]), down(0.0), control.HOME)
    below, _ = free.scene.ik.solve(np.array([0.25, -0.2, 0.65]), down(0.0), above)
    for target in (above, below):
        for _ in range(40):
            free.step(target, 1.0)
    assert free.view.tip_position[2] > 0.74
    bound = control.KP * control.LEAD_RAD + 1.0
    assert (np.abs(free.data.actuator_force[:7]) < 1.5 * bound).all()
    before = free.view.arm_joints
    free.step(above, 1.0)
    assert (np.abs(free.view.arm_joints - before) < 1.3 * STEP + 0.02).all()


def test_fingers_close_at_their_speed_and_open_again(free: Sim) -> None:
    openings = []
    for k in range(12):
        free.step(control.HOME, 0.0 if k < 6 else 1.0)
        openings.append(free.view.opening)
    assert openings[0] == pytest.approx(0.75, abs=0.05)
    assert openings[5] < 0.02
    assert openings[-1] > 0.98
