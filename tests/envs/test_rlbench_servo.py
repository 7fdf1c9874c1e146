"""How the RLBench backend moves the arm, over a test double: speeds, limits, and a blocked arm."""

from __future__ import annotations

import numpy as np
import pytest
from _rlbench import FakeSimulator, fake_backend

from hansgym.envs.backend import ResetRequest
from hansgym.envs.mujoco.control import JOINT_SPEED

SEED = ResetRequest(0, 0)


def test_far_targets_are_approached_at_the_joints_speed_and_counted() -> None:
    simulator = FakeSimulator()
    backend = fake_backend("close_jar", simulator)
    backend.reset(SEED)
    start = simulator.joints()
    target = start + 0.3
    target[3] = start[3]
    assert backend.step(target, 1.0) == {"speed_limited": 1}
    np.testing.assert_allclose(simulator.joints()[:3] - start[:3], JOINT_SPEED[:3] * 0.05)
    assert [backend.step(target, 1.0)["speed_limited"] for _ in range(3)] == [1, 0, 0]
    np.testing.assert_allclose(simulator.joints(), target)
    backend.close()


@pytest.mark.parametrize(("servo", "call"), [("velocity", "drive"), ("position", "aim")])
def test_the_servo_is_a_choice(servo: str, call: str) -> None:
    simulator = FakeSimulator()
    backend = fake_backend("close_jar", simulator, servo=servo)
    backend.reset(SEED)
    target = simulator.joints() + 0.05
    assert backend.step(target, 1.0) == {"speed_limited": 0}
    np.testing.assert_allclose(simulator.joints(), target)
    assert simulator.servo_calls == [call]
    backend.close()


def test_no_joint_is_driven_faster_than_it_may() -> None:
    simulator = FakeSimulator()
    backend = fake_backend("close_jar", simulator)
    backend.reset(SEED)
    target = simulator.joints()
    simulator.q = target - 1.0  # something has pushed it far away
    start = simulator.joints()
    backend.step(target, 1.0)
    assert (simulator.joints() - start <= JOINT_SPEED * 0.05 + 1e-9).all()
    backend.close()


@pytest.mark.parametrize("servo", ["velocity", "position"])
def test_a_blocked_arm_does_not_wind_up(servo: str) -> None:
    simulator = FakeSimulator()
    backend = fake_backend("close_jar", simulator, servo=servo)
    backend.reset(SEED)
    stuck = simulator.joints()
    for _ in range(50):
        backend.step(stuck + np.eye(7)[0], 1.0)
        simulator.q = np.array(stuck)
    assert simulator.target[0] - stuck[0] <= 0.1 + JOINT_SPEED[0] * 0.05 + 1e-9
    backend.close()
