"""How the arm moves in CoppeliaSim itself: tracking, poses, grasping, demonstrations. ``make test-rlbench``."""

from __future__ import annotations

import _rlbench_live as live
import _rlbench_moving as moving
import numpy as np
import pytest

pytestmark = live.MARKS
DEMONSTRATED = ("close_jar", "open_drawer", "push_buttons", "take_lid_off_saucepan", "lamp_on")
TRACKING_MRAD, TIP_M, REACH_M, REACH_RAD = 5.0, 5e-3, 5e-3, 0.02


@pytest.fixture(autouse=True, scope="module")
def complete() -> None:
    live.need_whole_simulator()


def test_the_arm_tracks_the_tip_agrees_and_the_fingers_close() -> None:
    found = live.apart(moving.tracking, "velocity")
    assert max(found["along"]) < TRACKING_MRAD, found
    assert max(found["rest"]) < TRACKING_MRAD / 2, found
    assert found["limited"][0] == 1, "a target beyond the joints' speed is said to be"
    assert found["limited"][-1] == 0
    assert found["left"] < TRACKING_MRAD
    assert found["tip_m"] < TIP_M
    assert found["open"] == 0.0


def test_upstreams_position_control_lags_behind_and_arrives() -> None:
    found = live.apart(moving.tracking, "position")
    assert min(found["along"]) > TRACKING_MRAD, "if this fails the default servo is not needed any more"
    assert max(found["rest"]) < TRACKING_MRAD


def test_both_worlds_say_the_same_at_the_same_angles() -> None:
    found = live.apart(moving.both_worlds)
    assert found["spaces"][0] == found["spaces"][1]
    assert found["infos"][0] == found["infos"][1]
    for ours, theirs in found["rows"]:
        assert {k: (v.dtype, v.shape) for k, v in ours.items()} == {k: (v.dtype, v.shape) for k, v in theirs.items()}
        np.testing.assert_allclose(ours["joint_positions"], theirs["joint_positions"], atol=5e-3)
        np.testing.assert_allclose(ours["gripper_pose"][:3], theirs["gripper_pose"][:3], atol=TIP_M)
        turned = abs(float(ours["gripper_pose"][3:] @ theirs["gripper_pose"][3:]))
        assert 2 * np.arccos(min(turned, 1.0)) < REACH_RAD, "x, y, z, w in both"
        assert ours["gripper_open"] == theirs["gripper_open"] == 1.0


@pytest.mark.parametrize("step_m", [(0.03, 0.03, -0.03), (0.05, 0.15, -0.25)], ids=["near", "far"])
def test_a_pose_is_reached(step_m: tuple[float, float, float]) -> None:
    error_m, error_rad, lost = live.apart(moving.reaching, step_m)
    assert error_m < REACH_M
    assert error_rad < REACH_RAD
    assert lost == 0


def test_a_pose_out_of_reach_is_counted_and_the_arm_stays() -> None:
    found = live.apart(moving.nowhere)
    assert found["unreached"] == 1
    assert found["moved"] < 5e-3


def test_closing_attaches_and_opening_lets_go() -> None:
    found = live.apart(moving.holding)
    before, at, closed, lifted = found["stages"]
    assert before["held"] == at["held"] == ()
    assert at["open"] == 1.0
    assert closed["held"] == lifted["held"] != ()
    assert closed["open"] == 0.0
    np.testing.assert_allclose(lifted["lid"] - closed["lid"], (0.0, 0.0, 0.1), atol=5e-3)
    assert found["after"] == ()


@pytest.mark.parametrize("task", DEMONSTRATED)
def test_upstreams_demonstrations_succeed_here(task: str) -> None:
    steps, error_rad = live.apart(moving.demonstration, task)
    assert steps > 10
    assert error_rad < 5e-3, "our servo is back in charge"
