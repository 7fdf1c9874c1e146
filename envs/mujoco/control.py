"""The joint servo: from a joint target and a gripper command to 50 ms of motion.

The reference moves in a straight line from where it was towards the target, no faster than the joints' velocity limits,
and strong position actuators with velocity feedforward (``ctrl = reference + kv / kp * reference velocity``) follow it.
A blocked arm neither winds up nor presses without bound: the reference is seen at most :data:`LEAD_RAD` ahead of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import mujoco
import numpy as np

from hansgym.assets import panda

if TYPE_CHECKING:
    from hansgym.envs.mujoco.sim import Sim

JOINT_LOWER = np.array(panda.JOINT_LOWER)
JOINT_UPPER = np.array(panda.JOINT_UPPER)
JOINT_SPEED = np.array(panda.JOINT_VELOCITY)
HOME = np.array(panda.HOME)
"""RLBench's home pose (rad, its zero for joint 4)."""

KP = np.array([30000.0, 60000.0, 20000.0, 30000.0, 6000.0, 6000.0, 4000.0])
KV = np.array([420.0, 1000.0, 250.0, 500.0, 60.0, 60.0, 45.0])
ARMATURE = 0.1
LEAD_RAD = np.array([0.02, 0.01, 0.025, 0.012, 0.02, 0.02, 0.02])
"""Farthest that the servos see the reference ahead of the joints: a blocked arm presses with KP times this, no more.

Force limits of the actuators would not do: they clip the damping too, which the integrator treats implicitly.
"""

BLOCKED_RAD = 2 * LEAD_RAD
REACHED_RAD = 5e-3

FINGER_OPEN_M = panda.FINGER_TRAVEL
FINGER_SPEED = 0.2
FINGER_KP, FINGER_KV, FINGER_ARMATURE = 2000.0, 20.0, 0.05
GRIP_N = 40.0
HOLD_N = 4.0
"""Squeeze on an attached object: the weld carries it, so the fingers only rest on it and do not fight the weld."""


def add_actuators(spec: mujoco.MjSpec) -> None:
    """Give the seven joints and two fingers their servos; joint friction and damping are the servos' business."""
    for i, joint in enumerate(panda.JOINTS):
        _servo(spec, joint, KP[i], KV[i], ARMATURE)
    for joint in panda.FINGER_JOINTS:
        _servo(spec, joint, FINGER_KP, FINGER_KV, FINGER_ARMATURE)


def _servo(spec: mujoco.MjSpec, joint: str, kp: float, kv: float, armature: float) -> None:
    found = spec.joint(joint)
    found.armature = armature
    found.damping[:] = 0.0
    found.frictionloss = 0.0
    actuator = spec.add_actuator(name=joint, target=joint, trntype=mujoco.mjtTrn.mjTRN_JOINT)
    actuator.gaintype = mujoco.mjtGain.mjGAIN_FIXED
    actuator.biastype = mujoco.mjtBias.mjBIAS_AFFINE
    actuator.gainprm[0] = kp
    actuator.biasprm[:3] = (0.0, -kp, -kv)


def limited(start: np.ndarray, target: np.ndarray, dt_s: float) -> np.ndarray:
    """``target`` (7,) brought within what the velocity limits allow from ``start`` in ``dt_s``, joint by joint."""
    reach = JOINT_SPEED * dt_s
    return start + np.clip(target - start, -reach, reach)


def drive(sim: Sim, joint_target: np.ndarray, gripper: float, substeps: int) -> dict[str, int]:
    """Advance ``sim`` by ``substeps`` towards ``joint_target`` (7,) rad and ``gripper`` (1 open, 0 closed).

    Returns ``{"speed_limited": 0 or 1}``: whether the target lay farther away than the velocity limits allow.
    """
    model, data, scene = sim.model, sim.data, sim.scene
    dt = model.opt.timestep
    target = np.clip(joint_target, JOINT_LOWER, JOINT_UPPER)
    measured = data.qpos[scene.arm_qpos]
    start = np.clip(sim.reference, measured - LEAD_RAD, measured + LEAD_RAD)
    end = limited(start, target, substeps * dt)
    feedforward = KV / KP * (end - start) / (substeps * dt)
    path = start + np.arange(substeps)[:, None] / substeps * (end - start)
    goal = FINGER_OPEN_M if gripper > 0.5 else 0.0
    qpos, ctrl = data.qpos, data.ctrl  # views: they follow the simulation
    servos = ctrl[:7]
    joints, ahead = np.empty(7), np.empty(7)
    for row in path:
        np.take(qpos, scene.arm_qpos, out=joints, mode="clip")
        np.subtract(row, joints, out=ahead)
        # A joint that lags as far as no free motion makes it is blocked, and not urged to move on either.
        urge = feedforward * (np.abs(ahead) < BLOCKED_RAD)
        np.maximum(ahead, -LEAD_RAD, out=ahead)
        np.minimum(ahead, LEAD_RAD, out=ahead)
        np.add(joints, ahead, out=servos)
        servos += urge
        _drive_fingers(sim, qpos, ctrl, goal, dt)
        mujoco.mj_step(model, data)
    sim.reference = end
    return {"speed_limited": int(np.max(np.abs(target - end)) > REACHED_RAD)}


def _drive_fingers(sim: Sim, qpos: np.ndarray, ctrl: np.ndarray, goal: float, dt: float) -> None:
    """One substep of the fingers' reference towards ``goal`` (m of each finger), at their speed and bounded squeeze.

    Plain floats and comparisons: this runs at every substep, where NumPy would cost more than the physics.
    """
    left, right = sim.scene.finger_qpos.tolist()
    first, second = qpos.item(left), qpos.item(right)
    squeeze = (HOLD_N if sim.held else GRIP_N) / FINGER_KP
    reach = FINGER_SPEED * dt
    old = sim.finger_reference
    new = old + _within(goal - old, -reach, reach)
    low, high = (first, second) if first < second else (second, first)
    new = _within(new, low - squeeze, high + squeeze)
    lead = FINGER_KV / FINGER_KP * (new - old) / dt
    ctrl[7] = _within(new, first - squeeze, first + squeeze) + lead
    ctrl[8] = _within(new, second - squeeze, second + squeeze) + lead
    sim.finger_reference = new


def _within(value: float, low: float, high: float) -> float:
    return low if value < low else high if value > high else value
