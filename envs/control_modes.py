"""Control modes: what the numbers of an action become before a backend moves the arm, and the way back.

A backend follows absolute joint angles; every mode is turned into those here, once per 50 ms step, from the measured
state. The bounds of each action space live here too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from gymnasium.spaces import Box
from scipy.spatial.transform import Rotation

from hansgym.errors import InvalidActionError
from hansgym.specs import ActionSpec

JOINT_LOW = np.array([-2.8973, -1.7628, -2.8973, -3.002, -2.8973, -0.0175, -2.8973])
"""Lower joint limits in rad, RLBench's (its own zero for joint 4)."""

JOINT_HIGH = np.array([2.8973, 1.7628, 2.8973, 0.0, 2.8973, 3.7525, 2.8973])
"""Upper joint limits in rad."""

JOINT_DELTA_RAD = 0.2
"""Bound of one step of ``joint_delta``: more than the velocity limits (0.109 and 0.131 rad per step) let through."""

REACH_LOW = (-1.25, -1.0, 0.6)
REACH_HIGH = (0.75, 1.0, 2.1)
"""Box of tip positions in metres (world) that ``ee_pose`` takes: about what the arm can reach from its base."""

EE_DELTA_M = 0.08
"""Bound of one step of ``ee_delta`` per axis in metres."""

EE_DELTA_RAD = 0.25
"""Bound of one step of ``ee_delta`` per component of the rotation vector in rad."""

CLIP_TOLERANCE = 1e-6
"""A float32 copy of a bound may lie this far outside; that is not counted as clipping."""

SolveIK = Callable[[np.ndarray, np.ndarray], "tuple[np.ndarray, bool]"]
ForwardKinematics = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Command:
    """One step for the backend: joint angles (7) rad, gripper 1 open / 0 closed, and what had to be bent to get them.

    ``clipped`` counts action dimensions that were out of range; ``ik_unreached`` says that the pose could not be
    reached and the nearest one was taken.
    """

    joints: np.ndarray
    gripper: float
    clipped: int
    ik_unreached: bool


def bounds(mode: str) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest action of ``mode``, float64 (dim,), units as in :class:`hansgym.specs.ActionSpec`."""
    ActionSpec.of(mode)
    low, high = {
        "joint_position": (JOINT_LOW, JOINT_HIGH),
        "joint_delta": (np.full(7, -JOINT_DELTA_RAD), np.full(7, JOINT_DELTA_RAD)),
        "ee_pose": (np.array([*REACH_LOW, -1, -1, -1, -1], float), np.array([*REACH_HIGH, 1, 1, 1, 1], float)),
        "ee_delta": (
            np.repeat([-EE_DELTA_M, -EE_DELTA_RAD], 3),
            np.repeat([EE_DELTA_M, EE_DELTA_RAD], 3),
        ),
    }[mode]
    return np.append(low, 0.0), np.append(high, 1.0)


def action_space(mode: str) -> Box:
    """The float32 box of ``mode``."""
    low, high = bounds(mode)
    return Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)


def action_table(mode: str) -> str:
    """Index, name, unit and range of every action dimension of ``mode``, one line each."""
    spec, (low, high) = ActionSpec.of(mode), bounds(mode)
    rows = [
        f"{i}  {name:8s} {unit:4s} [{a:g}, {b:g}]"
        for i, (name, unit, a, b) in enumerate(zip(spec.names, spec.units, low, high, strict=True))
    ]
    return "\n".join([f"{mode} (frame: {spec.frame}, rotation: {spec.rotation}, gripper: {spec.gripper})", *rows])


def checked(action: np.ndarray, spec: ActionSpec) -> np.ndarray:
    """``action`` as float64 (dim,); a wrong shape, a non-number or NaN raises :class:`InvalidActionError`."""
    try:
        array = np.array(action, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidActionError(f"an action of {spec.mode!r} must be {spec.dim} numbers, got {action!r}") from error
    if array.shape != (spec.dim,):
        raise InvalidActionError(
            f"action has shape {array.shape}, {spec.mode!r} wants ({spec.dim},): {', '.join(spec.names)}"
        )
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        raise InvalidActionError(
            f"action[{bad[0]}] ({spec.names[bad[0]]}) is {array[bad[0]]}; every number must be finite"
        )
    return array


def _turned(pose: np.ndarray, delta: np.ndarray) -> np.ndarray:
    # The base is not turned against the world, so base-frame steps add up in world axes.
    turn = Rotation.from_rotvec(delta[3:6]) * Rotation.from_quat(pose[3:7])
    return np.concatenate([pose[:3] + delta[:3], turn.as_quat()])


def _unit_quaternion(pose: np.ndarray) -> np.ndarray:
    norm = float(np.linalg.norm(pose[3:7]))
    if norm < 1e-6:
        raise InvalidActionError(
            f"the quaternion {pose[3:7].tolist()} of an ee_pose action is zero; give x, y, z, w of a rotation"
        )
    return np.concatenate([pose[:3], pose[3:7] / norm])


def to_command(
    action: np.ndarray, spec: ActionSpec, joints: np.ndarray, tip_pose: np.ndarray, solve_ik: SolveIK
) -> Command:
    """What the arm has to do for ``action``, given measured ``joints`` (7) rad and ``tip_pose`` (7).

    Out-of-range numbers are clipped and counted; so are joint angles that a delta pushes past the joint limits.
    """
    raw = checked(action, spec)
    low, high = bounds(spec.mode)
    inside = np.clip(raw, low, high)
    beyond = np.abs(inside - raw) > CLIP_TOLERANCE
    reached = True
    if spec.mode == "joint_position":
        target = inside[:7]
    elif spec.mode == "joint_delta":
        target = np.clip(joints + inside[:7], JOINT_LOW, JOINT_HIGH)
        beyond[:7] |= np.abs(target - joints - inside[:7]) > CLIP_TOLERANCE
    else:
        pose = _unit_quaternion(inside) if spec.mode == "ee_pose" else _turned(tip_pose, inside)
        target, reached = solve_ik(pose, joints)
    return Command(np.array(target, float), float(inside[-1]), int(beyond.sum()), not reached)


def from_joint_targets(
    chunk: np.ndarray, spec: ActionSpec, joints: np.ndarray, forward: ForwardKinematics
) -> np.ndarray:
    """Rewrite a chunk of joint targets (horizon, 8) as actions (horizon, dim) of ``spec``'s mode.

    Deltas assume that each target is reached before the next step, as it is at legal speeds.
    """
    chunk = np.asarray(chunk, float)
    if spec.mode == "joint_position":
        return chunk.copy()
    path = np.vstack([joints, chunk[:, :7]])
    if spec.mode == "joint_delta":
        arm = np.diff(path, axis=0)
    elif spec.mode == "ee_pose":
        arm = forward(path[1:])
    else:
        poses = forward(path)
        turns = Rotation.from_quat(poses[1:, 3:]) * Rotation.from_quat(poses[:-1, 3:]).inv()
        arm = np.hstack([np.diff(poses[:, :3], axis=0), turns.as_rotvec()])
    low, high = bounds(spec.mode)
    return np.clip(np.hstack([arm, chunk[:, 7:]]), low, high)
