"""Running the scripted expert: verbs name goals, this moves the tip towards them, in a scratch world."""

from __future__ import annotations

import numpy as np

from hansgym.envs.expert import Goal, Verb, current
from hansgym.envs.mujoco import control
from hansgym.envs.mujoco.ik import InverseKinematics
from hansgym.envs.mujoco.sim import Sim, Snapshot
from hansgym.envs.state import WorldState
from hansgym.specs import CONTROL_DT_S


def expert_step(view: WorldState, verbs: tuple[Verb, ...], ik: InverseKinematics) -> np.ndarray:
    """(8,) joint target in rad and gripper: the tip moved from where it is towards the current verb's goal.

    At most ``speed_m`` and ``turn_rad`` of the goal, and no faster than the joints' velocity limits.
    """
    goal = current(verbs, view).goal(view)
    position, rotation = approach(view, goal)
    joints = view.arm_joints
    target = ik.follow(position, rotation, joints)
    step = target - joints
    reach = control.JOINT_SPEED * CONTROL_DT_S
    # All joints slowed alike, so that the tip stays on its line.
    step = step / max(1.0, float(np.max(np.abs(step) / reach)))
    return np.append(joints + step, float(goal.gripper > 0.5))


def approach(view: WorldState, goal: Goal) -> tuple[np.ndarray, np.ndarray]:
    """Tip position (3,) and rotation (3, 3) one control step nearer to ``goal``."""
    offset = np.asarray(goal.position, float) - view.tip_position
    distance = float(np.linalg.norm(offset))
    position = view.tip_position + offset * min(1.0, goal.speed_m / max(distance, 1e-9))
    start = view.tip_rotation
    axis, angle = axis_angle(np.asarray(goal.rotation, float) @ start.T)
    return position, rotation_about(axis, min(angle, goal.turn_rad)) @ start


def axis_angle(rotation: np.ndarray) -> tuple[np.ndarray, float]:
    """Axis (3,) and angle in [0, pi] rad of ``rotation`` (3, 3); near pi the axis is read from the symmetric part."""
    twice = np.array(
        [rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]]
    )
    sine, cosine = float(np.linalg.norm(twice)) / 2, (float(np.trace(rotation)) - 1) / 2
    angle = float(np.arctan2(sine, cosine))
    if sine > 1e-6:
        return twice / (2 * sine), angle
    if cosine > 0:
        return np.array([0.0, 0.0, 1.0]), 0.0
    column = (rotation + np.eye(3))[:, int(np.argmax(np.diag(rotation)))]
    return column / np.linalg.norm(column), angle


def rotation_about(axis: np.ndarray, angle: float) -> np.ndarray:
    """Rotation (3, 3) by ``angle`` rad about the unit ``axis`` (3,) (Rodrigues)."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def expert_chunk(scratch: Sim, state: Snapshot, horizon: int) -> np.ndarray:
    """(horizon, 8) actions that the expert would take from ``state``, found by acting them out in ``scratch``."""
    scratch.load(state)
    scene = scratch.scene
    actions = np.empty((horizon, 8))
    for row in actions:
        row[:] = expert_step(scratch.view, scene.task.expert, scene.ik)
        scratch.step(row[:7], row[7])
    return actions
