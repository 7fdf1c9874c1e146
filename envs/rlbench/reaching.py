"""Poses of the tip and points in pictures: which way upstream is asked, and a little geometry."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from hansgym.envs.rlbench.simulator import CameraPose, Simulator

NEAR_M = 0.15
NEAR_RAD = 0.5
"""A pose within both is solved for at once; the Jacobian's straight line does not carry farther."""

SAME_POSE = 1e-6


class PosePursuit:
    """Joint targets for tip poses, step by step: solved where a pose is near, planned and followed where it is not."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._goal: np.ndarray | None = None
        self._target: np.ndarray | None = None
        """The last point of a path that has been walked to its end."""

    def toward(self, pose: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, bool]:
        """Joint targets (7,) of the next step to ``pose`` (7) from angles ``start`` (7), and whether there is a way.

        Without one the arm is to stay where it is.
        """
        if self._goal is not None and same_pose(pose, self._goal):
            return self._follow(), True
        self._goal = self._target = None
        if near(pose, self._simulator.tip()):
            joints = self._simulator.near_ik(pose)
            if joints is not None:
                return joints, True
        if not self._simulator.plan(pose):
            return np.array(start, float), False
        self._goal = np.array(pose, float)
        return self._follow(), True

    def _follow(self) -> np.ndarray:
        if self._target is not None:
            return self._target
        joints, done = self._simulator.follow()
        if done:
            self._target = joints
        return joints


def same_pose(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two poses (7,) are equal; q and -q are the same rotation."""
    turned = min(np.abs(first[3:] - second[3:]).max(), np.abs(first[3:] + second[3:]).max())
    return bool(np.abs(first[:3] - second[:3]).max() < SAME_POSE and turned < SAME_POSE)


def near(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two poses (7,) lie within :data:`NEAR_M` and :data:`NEAR_RAD`."""
    angle = (Rotation.from_quat(first[3:]) * Rotation.from_quat(second[3:]).inv()).magnitude()
    return bool(np.linalg.norm(first[:3] - second[:3]) <= NEAR_M and angle <= NEAR_RAD)


def image_x(camera: CameraPose, points: np.ndarray) -> np.ndarray:
    """(N,) horizontal image coordinate, 0 left to 1 right, of world ``points`` (N, 3) m in a square picture.

    The camera's +x axis points to the left of its picture.
    """
    local = (np.asarray(points, float) - camera.matrix[:, 3]) @ camera.matrix[:, :3]
    return 0.5 - local[:, 0] / local[:, 2] / np.tan(camera.angle_rad / 2) / 2
