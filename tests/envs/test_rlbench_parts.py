"""Parts of the RLBench backend that need no simulator: randomness, fingers, poses, bindings, who owns a process."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys

import numpy as np
import pytest
from _rlbench import FakeSimulator, task_of
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from hansgym.envs.registration import index
from hansgym.envs.rlbench import process
from hansgym.envs.rlbench.binding import binding_of
from hansgym.envs.rlbench.gripper import SPEED, Gripper, finger_speeds, opening
from hansgym.envs.rlbench.randomness import UpstreamRandomness
from hansgym.envs.rlbench.reaching import PosePursuit, image_x, near, same_pose
from hansgym.envs.rlbench.simulator import CameraPose
from hansgym.envs.spec import fill
from hansgym.errors import ConfigurationError
from hansgym.seeds import stream

LIMITS = np.array([[0.0, 0.04], [0.0, 0.04]])


# ---------------------------------------------------------------- randomness


def _draws() -> tuple[float, float]:
    return float(np.random.uniform()), random.random()  # noqa: NPY002


def test_the_same_seed_gives_upstream_the_same_draws_and_nobody_else_any() -> None:
    np.random.seed(1)  # noqa: NPY002
    random.seed(2)
    outside = (np.random.get_state()[1].copy(), random.getstate())  # noqa: NPY002
    first, second = UpstreamRandomness(5), UpstreamRandomness(6)
    second.seed(5)
    with first.lent():
        mine = [_draws() for _ in range(3)]
    with second.lent():
        assert [_draws() for _ in range(3)] == mine
    np.testing.assert_array_equal(np.random.get_state()[1], outside[0])  # noqa: NPY002
    assert random.getstate() == outside[1]


def test_upstream_goes_on_where_it_stopped_whatever_happens_outside() -> None:
    whole, parts = UpstreamRandomness(9), UpstreamRandomness(9)
    with whole.lent():
        expected = [_draws() for _ in range(4)]
    got = []
    for _ in range(4):
        with parts.lent():
            got.append(_draws())
        _draws()
    assert got == expected


def test_states_are_put_back_when_upstream_raises() -> None:
    before = random.getstate()

    def trouble() -> None:
        with UpstreamRandomness(3).lent():
            random.random()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        trouble()
    assert random.getstate() == before


# ---------------------------------------------------------------- fingers


def test_fingers_move_until_they_arrive_or_are_stopped() -> None:
    goals = np.zeros(2)
    np.testing.assert_array_equal(finger_speeds(np.full(2, 0.04), None, goals), [-SPEED, -SPEED])
    np.testing.assert_array_equal(finger_speeds(np.array([0.02, 0.02]), np.array([0.03, 0.0205]), goals), [-SPEED, 0])
    np.testing.assert_array_equal(finger_speeds(np.array([0.0005, 0.01]), np.array([0.01, 0.02]), goals), [0, -SPEED])
    np.testing.assert_array_equal(finger_speeds(np.zeros(2), None, np.full(2, 0.04)), [SPEED, SPEED])


def test_a_close_command_grasps_once_and_an_open_one_releases_first() -> None:
    gripper, closed, wide = Gripper(LIMITS), np.zeros(2), np.full(2, 0.04)
    assert gripper.commanded(True, wide) is None
    assert gripper.commanded(False, wide) == "grasp"
    assert gripper.commanded(False, wide * 0.5) is None
    assert gripper.commanded(False, wide) == "grasp", "upstream tries again while the fingers stand open"
    assert gripper.commanded(True, closed) == "release"
    assert gripper.commanded(True, wide) is None


def test_a_command_that_turns_round_on_the_way_turns_the_fingers_round() -> None:
    gripper = Gripper(LIMITS)
    gripper.commanded(False, np.full(2, 0.04))
    assert (gripper.speeds(np.full(2, 0.04)) < 0).all()
    gripper.commanded(True, np.full(2, 0.03))
    assert (gripper.speeds(np.full(2, 0.03)) > 0).all()
    assert not gripper.speeds(np.full(2, 0.04)).any()
    assert not gripper.speeds(np.full(2, 0.03)).any(), "arrived is arrived until the next command"


@given(st.floats(0.0, 0.04))
def test_the_opening_is_a_share(position: float) -> None:
    np.testing.assert_allclose(opening(np.full(2, position), LIMITS), position / 0.04)


# ---------------------------------------------------------------- poses and pictures

HOME = np.array([0.3, 0.0, 1.2, 0.0, 1.0, 0.0, 0.0])


def test_a_near_pose_is_solved_and_a_far_one_planned_once_and_followed() -> None:
    simulator = FakeSimulator()
    pursuit = PosePursuit(simulator)
    joints, reached = pursuit.toward(HOME + 0.05 * np.eye(7)[0], np.zeros(7))
    assert reached
    np.testing.assert_array_equal(joints, np.full(7, 0.1))
    far = HOME + 0.3 * np.eye(7)[0]
    targets = [pursuit.toward(far * ([1] * 3 + [-1] * 4 if k else 1), np.zeros(7))[0][0] for k in range(4)]
    assert targets == [0.2, 0.3, 0.3, 0.3], "q and -q are the same goal, and the end of the path stays the target"
    assert simulator.calls == ["near_ik", "plan", "follow", "follow"]
    pursuit.toward(HOME, np.zeros(7))
    pursuit.toward(far, np.zeros(7))
    assert simulator.calls[4:] == ["near_ik", "plan", "follow"], "another goal in between needs another path"


def test_a_near_pose_that_the_jacobian_fails_is_planned_and_one_without_a_path_holds_the_arm() -> None:
    simulator = FakeSimulator()
    simulator.near_answer = None
    assert PosePursuit(simulator).toward(HOME, np.zeros(7))[1]
    simulator.path_answer = None
    joints, reached = PosePursuit(simulator).toward(HOME, np.full(7, 0.7))
    assert not reached
    np.testing.assert_array_equal(joints, np.full(7, 0.7))


def test_near_and_same() -> None:
    turned = np.concatenate([HOME[:3], (Rotation.from_rotvec([0, 0, 0.6]) * Rotation.from_quat(HOME[3:])).as_quat()])
    assert near(HOME, HOME)
    assert not near(HOME, turned)
    assert same_pose(HOME, HOME * ([1] * 3 + [-1] * 4))
    assert not same_pose(HOME, turned)


def test_points_lie_where_the_front_camera_sees_them() -> None:
    """The camera at the robot's front looks along -x: what is on the robot's left (+y) is on the picture's right."""
    matrix = np.array([[0.0, -0.422618, -0.906308, 1.35], [-1.0, 0.0, 0.0, 0.0], [0.0, 0.906308, -0.422618, 1.58]])
    camera = CameraPose(matrix, np.deg2rad(40.0))
    points = np.array([[0.25, 0.0, 0.75], [0.25, 0.3, 0.75], [0.25, -0.3, 0.75]])
    centre, left, right = image_x(camera, points)
    assert centre == pytest.approx(0.5)
    assert left == pytest.approx(1 - right)
    depth = (1.35 - 0.25) * 0.906308 + (1.58 - 0.75) * 0.422618
    assert left == pytest.approx(0.5 + 0.3 / depth / np.tan(np.deg2rad(20.0)) / 2, abs=1e-6)


# ---------------------------------------------------------------- bindings


@pytest.mark.parametrize("name", [row["task"] for row in index()])
def test_what_was_drawn_is_read_back_from_the_colours(name: str) -> None:
    task = task_of(name)
    for variation in (0, len(task.variations) - 1):
        truth = task.bind(variation, stream(variation, "test", name))
        names = [fill(template, truth) for template, _ in task.colours]
        colours = {
            name: task.palette[fill(colour, truth)] for name, (_, colour) in zip(names, task.colours, strict=True)
        }
        found = binding_of(task, task.variations[variation], colours)
        assert {name: task.colour_of(name, found) for name in names} == colours
        assert task.variations[variation].items() <= found.items()
        missing = set(truth) - set(found)
        used = " ".join(t for pair in task.colours for t in pair)
        assert not [k for k in missing if f"{{{k}}}" in used]
        for prop in task.props:
            assert task.role_of(prop.name, found) is task.role_of(prop.name, truth)


def test_colours_that_no_draw_gives_are_explained_as_well_as_possible() -> None:
    """Upstream's two other cups may have one colour; which of them the target is, is known all the same."""
    task = task_of("insert_onto_square_peg")
    truth = task.bind(0, stream(7, "t"))
    off = {truth["target"]: (0.98, 0.01, 0.02), truth["other0"]: (0.3, 0.3, 0.3), truth["other1"]: (0.3, 0.3, 0.3)}
    assert binding_of(task, task.variations[0], off)["target"] == truth["target"]


# ---------------------------------------------------------------- one simulator per process


def test_a_second_owner_is_told_whose_turn_it_is() -> None:
    first, second = object(), object()
    process.claim(first, lambda: None)
    process.claim(first, lambda: None)
    try:
        with pytest.raises(ConfigurationError, match=r"one per process.*close\(\)"):
            process.claim(second, lambda: None)
        process.free(second)
        with pytest.raises(ConfigurationError, match="one per process"):
            process.claim(second, lambda: None)
    finally:
        process.free(first)
    process.claim(second, lambda: None)
    process.free(second)


def test_a_fork_of_a_process_with_a_simulator_is_told_to_spawn() -> None:
    owner = object()
    process.claim(owner, lambda: None)
    child = os.fork()
    if child == 0:  # no assertion here: whatever happens, this process must end at once
        try:
            process.claim(object(), lambda: None)
            os._exit(1)
        except ConfigurationError as error:
            os._exit(0 if "'spawn'" in str(error) else 2)
        finally:
            os._exit(3)
    try:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        process.free(owner)


@pytest.mark.parametrize("end", ["pass", "raise RuntimeError", "import sys; sys.exit(3)"])
def test_a_simulator_left_open_is_closed_when_python_ends(end: str) -> None:
    code = f"from hansgym.envs.rlbench import process\nprocess.claim(1, lambda: print('closed'))\n{end}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "closed"


def test_signals_are_pythons_again_after_a_library_took_them() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with process.own_signals():
        for number in before:
            signal.signal(number, signal.SIG_IGN)
    assert {number: signal.getsignal(number) for number in before} == before
