"""Control modes as plain arithmetic: what an action asks of the joints, what is clipped, what raises."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hansgym.envs import control_modes as modes
from hansgym.errors import InvalidActionError
from hansgym.seeds import stream
from hansgym.specs import CONTROL_MODES, ActionSpec

HOME = np.array([0.0, 0.1752, 0.0, -0.8732, 0.0, 1.2216, 0.7854])
TIP = np.array([0.28, -0.01, 1.47, 0.0, 0.9927, 0.0, 0.1209])


class RecordingIK:
    """Takes any pose for solved and remembers it."""

    def __init__(self, reached: bool = True) -> None:
        self.reached, self.pose, self.start = reached, np.zeros(7), np.zeros(7)

    def __call__(self, pose: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, bool]:
        self.pose, self.start = pose, start
        return start + 0.01, self.reached


def command(mode: str, action: np.ndarray, ik: RecordingIK | None = None) -> modes.Command:
    return modes.to_command(action, ActionSpec.of(mode), HOME, TIP, ik or RecordingIK())


@pytest.mark.parametrize("mode", CONTROL_MODES)
def test_spaces_and_table_follow_the_action_contract(mode: str) -> None:
    spec, space = ActionSpec.of(mode), modes.action_space(mode)
    assert space.shape == (spec.dim,)
    assert space.dtype == np.float32
    table = modes.action_table(mode)
    assert all(name in table and unit in table for name, unit in zip(spec.names, spec.units, strict=True))


@pytest.mark.parametrize("mode", CONTROL_MODES)
@pytest.mark.parametrize("corner", ["low", "high"])
def test_float32_corners_of_the_space_do_not_count_as_clipped(mode: str, corner: str) -> None:
    action = getattr(modes.action_space(mode), corner)
    assert command(mode, action).clipped == 0


def test_joint_position_is_taken_as_it_is() -> None:
    got = command("joint_position", np.append(HOME + 0.1, 0.0))
    np.testing.assert_array_equal(got.joints, HOME + 0.1)
    assert (got.gripper, got.clipped, got.ik_unreached) == (0.0, 0, False)


def test_out_of_range_dimensions_are_clipped_and_counted() -> None:
    action = np.append(HOME, 1.0)
    action[[0, 3, 7]] = 9.0, 1.0, 2.0
    got = command("joint_position", action)
    assert got.clipped == 3
    assert got.joints[0] == modes.JOINT_HIGH[0]
    assert got.joints[3] == 0.0
    assert got.gripper == 1.0


def test_joint_delta_starts_from_the_measured_joints_and_respects_the_limits() -> None:
    got = command("joint_delta", np.append(np.full(7, 0.05), 1.0))
    np.testing.assert_allclose(got.joints, HOME + 0.05)
    near = modes.to_command(
        np.append(np.full(7, 0.1), 1.0), ActionSpec.of("joint_delta"), modes.JOINT_HIGH - 0.02, TIP, RecordingIK()
    )
    np.testing.assert_allclose(near.joints, modes.JOINT_HIGH)
    assert near.clipped == 7


def test_ee_pose_normalises_its_quaternion_and_starts_from_the_measured_joints() -> None:
    ik = RecordingIK()
    command("ee_pose", np.array([0.3, 0.1, 1.0, 0.0, 0.5, 0.0, 0.0, 1.0]), ik)
    np.testing.assert_allclose(ik.pose, [0.3, 0.1, 1.0, 0, 1, 0, 0])
    np.testing.assert_array_equal(ik.start, HOME)


def test_ee_delta_moves_and_turns_in_the_axes_of_the_base() -> None:
    ik = RecordingIK()
    command("ee_delta", np.array([0.01, -0.02, 0.03, 0.0, 0.0, 0.2, 1.0]), ik)
    np.testing.assert_allclose(ik.pose[:3], np.add(TIP[:3], (0.01, -0.02, 0.03)))
    want = Rotation.from_euler("z", 0.2) * Rotation.from_quat(TIP[3:])
    assert (want.inv() * Rotation.from_quat(ik.pose[3:])).magnitude() < 1e-9


def test_an_unreachable_pose_is_told() -> None:
    assert command("ee_pose", np.append(TIP, 1.0), RecordingIK(reached=False)).ik_unreached


@pytest.mark.parametrize(
    ("action", "says"),
    [
        (np.zeros(7), r"shape \(7,\).*\(8,\)"),
        (np.zeros((1, 8)), r"shape \(1, 8\)"),
        (np.append(HOME, np.nan), r"action\[7\] \(gripper\) is nan"),
        (np.append(np.inf, np.zeros(7)), "joint1.*finite"),
        ("up", "8 numbers"),
        (None, "shape|numbers"),
    ],
)
def test_what_is_no_action_raises(action: object, says: str) -> None:
    with pytest.raises(InvalidActionError, match=says):
        command("joint_position", action)  # type: ignore[arg-type]


def test_a_zero_quaternion_raises() -> None:
    with pytest.raises(InvalidActionError, match="quaternion"):
        command("ee_pose", np.array([0.3, 0, 1, 0, 0, 0, 0, 1.0]))


def planar_arm(joints: np.ndarray) -> np.ndarray:
    """A made-up arm: joints 1 to 3 are a position, 4 to 6 a rotation vector."""
    return np.hstack([joints[:, :3], Rotation.from_rotvec(joints[:, 3:6]).as_quat()])


@pytest.mark.parametrize("mode", ["joint_delta", "ee_pose", "ee_delta"])
def test_a_converted_chunk_leads_along_the_same_targets(mode: str) -> None:
    rng, spec = stream(0, "chunk"), ActionSpec.of(mode)
    start = np.array([0.1, 0.0, 1.0, -0.5, 0.1, 0.2, 0.3])
    chunk = np.hstack([start + np.cumsum(rng.uniform(-0.03, 0.03, (6, 7)), axis=0), np.ones((6, 1))])
    actions = modes.from_joint_targets(chunk, spec, start, planar_arm)
    assert actions.shape == (6, spec.dim)

    def inverse(pose: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, bool]:
        return np.concatenate([pose[:3], Rotation.from_quat(pose[3:]).as_rotvec(), at[6:]]), True

    joints = start
    for action, target in zip(actions, chunk, strict=True):
        pose = planar_arm(joints[None])[0]
        got = modes.to_command(action, spec, joints, pose, inverse)
        used = slice(0, 7) if mode == "joint_delta" else slice(0, 6)
        np.testing.assert_allclose(got.joints[used], target[used], atol=1e-9)
        joints = got.joints
