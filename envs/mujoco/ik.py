"""Inverse kinematics of the arm: mink's differential IK on a model of the robot alone, solved with daqp.

The posture is drawn weakly towards home, joint limits are hard, and joint 4 stays below :data:`ELBOW` so that the elbow
keeps bent, unless a pose cannot be reached that way.
"""

from __future__ import annotations

import mink
import mujoco
import numpy as np

from hansgym.assets.panda import add_panda
from hansgym.envs.mujoco.control import HOME, JOINT_LOWER, JOINT_UPPER

POSITION_TOLERANCE_M = 1e-3
ROTATION_TOLERANCE_RAD = 0.01
ELBOW = -0.6
POSTURE_COST = 1e-3
MAX_ITERATIONS = 30
STALLED_RAD = 1e-5
MAX_STEP_RAD = 0.5
"""No joint moves farther in one iteration: full Gauss-Newton steps across the workspace can end in another branch."""


class InverseKinematics:
    """Solves tip poses for joint angles; keeps scratch data only, so equal calls give equal answers."""

    def __init__(self) -> None:
        spec = mujoco.MjSpec()
        spec.compiler.degree = False
        add_panda(spec)
        self._model = spec.compile()
        self._data = mujoco.MjData(self._model)
        self._arm = np.array([self._model.joint(f"Panda_joint{i}").qposadr[0] for i in range(1, 8)])
        self._site = self._model.site("Panda_tip").id
        self._configuration = mink.Configuration(self._model)
        self._tip = mink.FrameTask("Panda_tip", "site", position_cost=1.0, orientation_cost=0.3)
        posture = mink.PostureTask(self._model, cost=POSTURE_COST)
        posture.set_target(self._full(HOME))
        self._tasks = [self._tip, posture]
        self._bent = self._limits(ELBOW)
        self._free = self._limits(float(JOINT_UPPER[3]))

    def solve(self, position: np.ndarray, rotation: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, bool]:
        """Joint angles (7,) rad for the tip at ``position`` (3,) m with ``rotation`` (3, 3), from ``start`` (7,).

        The second value says whether it was reached (within 1 mm and 0.01 rad); if not, the angles are the last tried.
        """
        self._aim(position, rotation)
        joints = np.asarray(start, float)
        for limits in (self._bent, self._free):
            joints = self._inside(start, limits)
            for _ in range(MAX_ITERATIONS):
                before, joints = joints, self._tick(joints, limits)
                if self._reached(joints):
                    return self._tick(joints, limits), True  # one more: from a millimetre to microns
                if np.abs(joints - before).max() < STALLED_RAD:
                    break
        return joints, False

    def follow(self, position: np.ndarray, rotation: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Joint angles (7,) after one iteration from ``start``: enough where the pose is a control step away.

        An arm whose elbow is too straight is solved for anew: past the straight line small steps never bend it back.
        """
        self._aim(position, rotation)
        joints = self._tick(self._inside(start, self._bent), self._bent)
        if start[3] <= ELBOW and joints[3] < self._bent.upper[self._arm[3]]:
            return joints
        joints, reached = self.solve(position, rotation, start)
        return joints if reached else self._tick(self._inside(start, self._free), self._free)

    def forward(self, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Tip position (3,) and rotation (3, 3) at ``joints`` (7,)."""
        self._data.qpos[self._arm] = joints
        mujoco.mj_kinematics(self._model, self._data)
        return self._data.site_xpos[self._site].copy(), self._data.site_xmat[self._site].reshape(3, 3).copy()

    def _aim(self, position: np.ndarray, rotation: np.ndarray) -> None:
        quaternion = np.zeros(4)
        mujoco.mju_mat2Quat(quaternion, np.ascontiguousarray(rotation, float).ravel())
        self._tip.set_target(mink.SE3(np.concatenate([quaternion, np.asarray(position, float)])))

    def _tick(self, joints: np.ndarray, limits: mink.ConfigurationLimit) -> np.ndarray:
        """One iteration from ``joints``, which lie inside ``limits``; no joint moves more than :data:`MAX_STEP_RAD`."""
        self._configuration.update(self._full(joints))
        try:
            motion = mink.solve_ik(self._configuration, self._tasks, 1.0, "daqp", damping=1e-6, limits=[limits])
        except mink.NoSolutionFound:
            return joints
        step = motion[self._arm]
        return self._inside(joints + step * min(1.0, MAX_STEP_RAD / max(float(np.abs(step).max()), 1e-9)), limits)

    def _reached(self, joints: np.ndarray) -> bool:
        self._configuration.update(self._full(joints))
        error = self._tip.compute_error(self._configuration)
        return bool(
            np.linalg.norm(error[:3]) < POSITION_TOLERANCE_M and np.linalg.norm(error[3:]) < ROTATION_TOLERANCE_RAD
        )

    def _inside(self, joints: np.ndarray, limits: mink.ConfigurationLimit) -> np.ndarray:
        return np.clip(joints, limits.lower[self._arm], limits.upper[self._arm])

    def _limits(self, elbow: float) -> mink.ConfigurationLimit:
        limits = mink.ConfigurationLimit(self._model, gain=1.0)
        # A little inside RLBench's limits, so that rounding never leaves them.
        limits.lower[self._arm] = JOINT_LOWER + 1e-3
        limits.upper[self._arm] = JOINT_UPPER - 1e-3
        limits.upper[self._arm[3]] = elbow - 1e-3
        return limits

    def _full(self, joints: np.ndarray) -> np.ndarray:
        q = self._model.qpos0.copy()
        q[self._arm] = joints
        return q
