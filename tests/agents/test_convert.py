"""Conversions between action contracts: closed forms, round trips over conventions, and what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hansgym.agents import rotations
from hansgym.agents.contract import (
    BASE_POSITION_M,
    FRANKA_JOINT4_RAD,
    ActionContract,
    from_settings,
    ours,
    require_reachable,
    require_same,
)
from hansgym.agents.convert import convert, horizon
from hansgym.errors import AgentError, ConfigurationError, ContractError, UnknownNameError
from hansgym.specs import CONTROL_MODES, ActionSpec

HOME = np.array([0.0, 0.1752, 0.0, -0.8732, 0.0, 1.2216, 0.7854])
TIP = np.array([0.2785, -0.0082, 1.4719, 0.0, 0.9927, 0.0, 0.1209])


def state(rows: int = 2) -> dict[str, np.ndarray]:
    pose = np.tile(TIP, (rows, 1))
    pose[:, 3:] /= np.linalg.norm(pose[:, 3:], axis=1, keepdims=True)
    return {"joint_positions": np.tile(HOME, (rows, 1)), "gripper_pose": pose}


def sample(contract: ActionContract, rows: int = 2, steps: int = 6, seed: int = 0) -> np.ndarray:
    """A small motion in our absolute mode of the contract's space, written in ``contract``."""
    rng = np.random.default_rng(seed)
    control = "joint_position" if contract.space == "joint" else "ee_pose"
    chunk = np.zeros((rows, steps, ours(control).dim))
    chunk[..., -1] = rng.integers(2, size=(rows, steps))
    now = state(rows)
    walk = np.cumsum(rng.normal(0, 0.02, (rows, steps, 7)), axis=1)
    if contract.space == "joint":
        chunk[..., :7] = now["joint_positions"][:, None] + walk
    else:
        chunk[..., :3] = now["gripper_pose"][:, None, :3] + walk[..., :3]
        turn = rotations.to_matrix(walk[..., 3:6], "rotation_vector")
        base = rotations.to_matrix(now["gripper_pose"][:, None, 3:], "quaternion_xyzw")
        chunk[..., 3:7] = rotations.from_matrix(turn @ base, "quaternion_xyzw")
    return convert(chunk, ours(control), contract, now)


JOINT = [
    ActionContract("joint", kind, angles=angles, scale=scale, gripper_open=o, gripper_closed=c)
    for kind, angles, (o, c), scale in itertools.product(
        ("absolute", "step_delta", "chunk_delta", "velocity"),
        ("rad", "deg"),
        ((1.0, 0.0), (0.0, 1.0), (-1.0, 1.0)),
        ((1.0,), (-2.0,)),
    )
]
FORMS = (
    "quaternion_xyzw",
    "quaternion_wxyz",
    "rotation_vector",
    "euler_xyz",
    "euler_ZYX",
    "rot6d_columns",
    "rot6d_rows",
)
TOOL = {"tool_rotation": (0.0, 0.0, 1.0, 0.0), "tool_offset_m": (0.01, 0.0, 0.1)}
EE = [
    ActionContract("ee", kind, frame, form, **tool)
    for kind, frame, form, tool in itertools.product(
        ("absolute", "step_delta", "chunk_delta"), ("world", "base", "tool"), FORMS, ({}, TOOL)
    )
    if (kind, frame) != ("absolute", "tool")
]
VELOCITY = [ActionContract("ee", "velocity", frame, "rotation_vector", rate_hz=20) for frame in ("base", "tool")]
OTHERS = [
    ActionContract("joint", offset=(0, 0, 0, 0.0692, 0, 0, 0)),
    ActionContract("joint", arm=(1, 2, 3, 4, 5, 6, 7), gripper=0, dim=10),
    ActionContract("ee", "step_delta", "base", "rotation_vector", scale=(0.05,) * 3 + (0.5,) * 3),
    ActionContract("ee", "absolute", "base", "euler_xyz", angles="deg"),
]


@pytest.mark.parametrize(
    "contract", [*JOINT, *EE, *VELOCITY, *OTHERS], ids=lambda c: f"{c.kind}-{c.frame}-{c.rotation}"
)
def test_round_trip(contract: ActionContract) -> None:
    control = "joint_position" if contract.space == "joint" else "ee_pose"
    own = sample(ours(control))
    theirs = convert(own, ours(control), contract, state())
    assert theirs.shape == (2, 6, contract.dim)
    back = convert(theirs, contract, ours(control), state())
    if control == "ee_pose":  # q and -q are one rotation
        own, back = ((rotations.to_matrix(x[..., 3:7], "quaternion_xyzw"), x[..., [0, 1, 2, 7]]) for x in (own, back))
        np.testing.assert_allclose(back[0], own[0], atol=1e-9)
        own, back = own[1], back[1]
    np.testing.assert_allclose(back, own, atol=1e-9)


@pytest.mark.parametrize("control", CONTROL_MODES)
def test_our_own_contract_is_the_identity(control: str) -> None:
    chunk = sample(ours(control))
    np.testing.assert_array_equal(convert(chunk, ours(control), ours(control), state()), chunk)
    require_same(ours(control), ActionSpec.of(control))


def test_ours_say_what_the_environment_says() -> None:
    from hansgym.assets import panda

    assert BASE_POSITION_M == panda.BASE_POSITION
    assert abs(panda.JOINT4_ZERO) == FRANKA_JOINT4_RAD
    franka_upper = -0.0698  # Franka's data sheet; the environment's limit is 0
    assert franka_upper + FRANKA_JOINT4_RAD == pytest.approx(panda.JOINT_UPPER[3], abs=1e-3)


def test_velocities_at_another_rate_in_closed_form() -> None:
    droid = ActionContract("joint", "velocity", rate_hz=15, scale=(3.0,), clip=1.0, gripper_open=0, gripper_closed=1)
    chunk = np.zeros((1, 15, 8))
    chunk[..., 0] = 2.0  # clipped to 1: 0.2 rad a step of 1/15 s
    chunk[0, 9:, 7] = 1.0  # close after 0.6 s
    out = convert(chunk, droid, ours("joint_position"), state(1))
    assert out.shape == (1, 20, 8)
    np.testing.assert_allclose(out[0, :, 0], 0.15 * np.arange(1, 21), atol=1e-12)
    np.testing.assert_array_equal(out[0, :, 1:7], np.tile(HOME[1:], (20, 1)))
    np.testing.assert_array_equal(out[0, :, 7], np.arange(20) < 12)
    delta = convert(chunk, droid, ours("joint_delta"), state(1))
    np.testing.assert_allclose(delta[0, :, 0], 0.15, atol=1e-12)


def test_a_slow_single_step_is_spread_over_the_control_steps() -> None:
    bridge = ActionContract("ee", "step_delta", "base", "euler_xyz", rate_hz=5)
    chunk = np.array([[[0.04, 0.0, -0.02, 0.0, 0.0, 0.2, 1.0]]])
    out = convert(chunk, bridge, ours("ee_delta"), state(1))
    np.testing.assert_allclose(out, np.tile([0.01, 0, -0.005, 0, 0, 0.05, 1.0], (1, 4, 1)), atol=1e-12)


def test_tool_frame_deltas_turn_with_the_tool() -> None:
    contract = ActionContract("ee", "step_delta", "tool", "rotation_vector")
    now = {"gripper_pose": np.array([[0.0, 0, 1.0, 0, 0, np.sin(np.pi / 4), np.cos(np.pi / 4)]])}  # 90 degrees about z
    chunk = np.array([[[0.1, 0, 0, 0, 0, np.pi / 2, 1.0], [0.1, 0, 0, 0, 0, 0, 1.0]]])
    out = convert(chunk, contract, ours("ee_pose"), now)
    np.testing.assert_allclose(out[0, :, :3], [[0, 0.1, 1.0], [-0.1, 0.1, 1.0]], atol=1e-12)
    swung = ActionContract("ee", "absolute", "world", "quaternion_xyzw", tool_offset_m=(0.1, 0, 0))
    told = convert(out, ours("ee_pose"), swung, now)
    np.testing.assert_allclose(told[0, 0, :3], [-0.1, 0.1, 1.0], atol=1e-12)  # the tip now points along -x


def test_grippers_and_degrees() -> None:
    contract = from_settings(
        {"space": "joint", "angles": "deg", "gripper_open": -1, "gripper_closed": 1, "gripper_binary": True}
    )
    chunk = np.full((1, 3, 8), 90.0)
    chunk[0, :, 7] = (-1.3, -0.2, 0.2)
    out = convert(chunk, contract, ours("joint_position"), state(1))
    np.testing.assert_allclose(out[..., :7], np.pi / 2)
    assert out[0, :, 7].tolist() == [1.0, 1.0, 0.0]


def test_horizon_counts_whole_steps() -> None:
    slow, fast = ActionContract("joint", rate_hz=15), ours("joint_position")
    assert [horizon(n, slow, fast) for n in (1, 3, 10, 15)] == [1, 4, 13, 20]
    assert horizon(2, ActionContract("joint", rate_hz=50), fast) == 1


# ---------------------------------------------------------------- mistakes


def test_a_mismatch_says_what_to_convert() -> None:
    theirs = from_settings(
        {
            "space": "ee",
            "frame": "tool",
            "kind": "step_delta",
            "rotation": "euler_xyz",
            "gripper_open": -1.0,
            "rate_hz": 5,
        }
    )
    with pytest.raises(ContractError) as caught:
        require_same(theirs, ActionSpec.of("ee_delta"))
    for said in ("frame 'tool' -> 'base'", "rotation 'euler_xyz' -> 'rotation_vector'", "resample", "gripper's sign"):
        assert said in str(caught.value)
    with pytest.raises(ContractError, match=r"Make the environment with control='ee_pose' or 'ee_delta'"):
        require_reachable(theirs, "joint_position")


def test_the_base_frame_of_a_delta_is_the_worlds() -> None:
    require_same(ActionContract("ee", "step_delta", "world", "rotation_vector"), ActionSpec.of("ee_delta"))
    with pytest.raises(ContractError, match="frame 'base' -> 'world'"):
        require_same(ActionContract("ee", "absolute", "base", "quaternion_xyzw"), ActionSpec.of("ee_pose"))


@pytest.mark.parametrize(
    ("chunk", "says"),
    [
        (np.zeros((2, 6, 9)), r"shape \(2, 6, 9\); \(rows, steps, 8\) was due"),
        (np.zeros((2, 8)), "was due by its action contract"),
        (np.full((1, 2, 8), np.nan), r"nan at \(row, step, dimension\) \(0, 0, 0\)"),
        (np.zeros((1, 2, 8), "U3"), "dtype <U3"),
    ],
)
def test_bad_chunks_are_refused(chunk: np.ndarray, says: str) -> None:
    with pytest.raises(AgentError, match=says):
        convert(chunk, ActionContract("joint", "velocity"), ours("joint_position"), state())


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({}, ConfigurationError, "names no space"),
        ({"space": "torque"}, UnknownNameError, "'torque'.*ee, joint"),
        ({"space": "joint", "kind": "delta"}, UnknownNameError, "chunk_delta"),
        ({"space": "joint", "frame": "base"}, ConfigurationError, "leave out frame and rotation"),
        ({"space": "ee", "frame": "tool"}, ConfigurationError, "cannot be given in the 'tool' frame"),
        ({"space": "ee", "rotation": "rpy"}, UnknownNameError, "rotation format 'rpy'"),
        ({"space": "joint", "rate": 5}, UnknownNameError, "Did you mean 'rate_hz'"),
        ({"space": "joint", "rate_hz": "5"}, ConfigurationError, "rate_hz = '5' cannot be read"),
        ({"space": "joint", "rate_hz": float("nan")}, ConfigurationError, "must be finite"),
        ({"space": "joint", "scale": [1, 2]}, ConfigurationError, "scale has 2 entries; it needs 7"),
        ({"space": "joint", "gripper": 3}, ConfigurationError, "must be different"),
        ({"space": "joint", "gripper_closed": 1.0}, ConfigurationError, "both open and closed"),
        ({"space": "ee", "rotation": "rot6d_rows", "scale": [2.0]}, ConfigurationError, "scale must be 1"),
        (
            {"space": "ee", "kind": "velocity", "rotation": "euler_xyz"},
            ConfigurationError,
            "'rotation_vector' a second",
        ),
        ({"space": "joint", "kind": "velocity", "offset": [1.0]}, ConfigurationError, "absolute joint angles only"),
        ({"space": "ee", "tool_rotation": [0, 0, 0, 2]}, ConfigurationError, "not a unit quaternion"),
    ],
)
def test_bad_contracts_are_refused(settings: dict, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        from_settings(settings)
