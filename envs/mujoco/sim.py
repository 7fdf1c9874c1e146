"""One live world: model, data and every other thing that is state.

Two sims of one scene, a live one and a scratch one, exchange :class:`Snapshot`; a loaded scratch steps bit for bit like
the sim that the snapshot was taken from. Expert rollouts and counterfactual pictures happen in the scratch.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field

import mujoco
import numpy as np

from hansgym.envs.conditions import All, Condition, InOrder
from hansgym.envs.mujoco import control, grasp
from hansgym.envs.mujoco.scene import SUBSTEPS, Scene, SensorIndex
from hansgym.envs.mujoco.view import SimView
from hansgym.envs.spec import TASK_ROOT, Binding, fields_of, fill
from hansgym.errors import SceneError

PHYSICS = int(mujoco.mjtState.mjSTATE_INTEGRATION)
MODEL_STATE = (
    "eq_data",
    "geom_rgba",
    "geom_matid",
    "mat_rgba",
    "mat_texid",
    "mat_texrepeat",
    "light_dir",
    "light_diffuse",
    "light_ambient",
    "light_specular",
)
"""Fields of the model that resets, grasps and perturbations write; all others never change."""


@dataclass(frozen=True)
class Snapshot:
    """A whole state. ``physics`` is MuJoCo's integration state, ``model`` the written fields of the model."""

    physics: np.ndarray
    model: Mapping[str, np.ndarray]
    headlight: np.ndarray
    reference: np.ndarray
    finger_reference: float
    closing: bool
    held: tuple[str, ...]
    progress: int
    failed: bool
    binding: Mapping[str, str]
    success: Condition
    qpos_at_reset: np.ndarray
    root: np.ndarray
    placed: Mapping[str, tuple[float, float, float, float]]
    rest: Mapping[str, np.ndarray] = field(default_factory=dict)


class Sim:
    """A world that steps. ``root`` is the task root's pose (x, y, z, yaw) in the world."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.model = copy.copy(scene.model)
        self.data = mujoco.MjData(self.model)
        self.view = SimView(self)
        self.clear({}, scene.task.success)

    def clear(self, binding: Binding, success: Condition) -> None:
        """Everything back to how the scene was built, the arm at home with open fingers."""
        for name in MODEL_STATE:
            getattr(self.model, name)[...] = getattr(self.scene.model, name)
        for name in ("ambient", "diffuse"):
            getattr(self.model.vis.headlight, name)[:] = getattr(self.scene.model.vis.headlight, name)
        self.binding: Mapping[str, str] = dict(binding)
        self.success = success
        self.progress = 0
        self.failed = False
        self.held: tuple[str, ...] = ()
        self.closing = False
        self.reference = control.HOME.copy()
        self.finger_reference = control.FINGER_OPEN_M
        self.root = np.array([*TASK_ROOT, 0.0])
        self.placed: dict[str, tuple[float, float, float, float]] = {}
        self.rest: dict[str, np.ndarray] = {}
        mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[self.scene.arm_qpos] = control.HOME
        self.data.qpos[self.scene.finger_qpos] = control.FINGER_OPEN_M
        self.data.ctrl[:7], self.data.ctrl[7:9] = control.HOME, control.FINGER_OPEN_M
        self.qpos_at_reset = self.data.qpos.copy()
        self.refresh()

    def step(self, joint_target: np.ndarray, gripper: float) -> dict[str, int]:
        """Advance 50 ms towards joint angles (7,) rad and gripper 1 open / 0 closed; returns counts.

        Grasps happen first; an ordered success condition is advanced and failure is looked for at the end. Raises
        :class:`SceneError` when the simulation is no longer finite.
        """
        grasp.command(self, gripper)
        counts = control.drive(self, joint_target, gripper, SUBSTEPS)
        self.check()
        self.refresh()
        for ordered in ordered_parts(self.success):
            self.progress = ordered.advance(self.view)
        failure, spills = self.scene.task.failure, self.scene.task.spills
        if spills is not None and spills.met(self.view):
            grasp.spill(self)
        self.failed = self.failed or (failure is not None and failure.met(self.view))
        return counts

    def check(self) -> None:
        """Raise :class:`SceneError` if the physics has blown up."""
        data = self.data
        bad = (mujoco.mjtWarning.mjWARN_BADQPOS, mujoco.mjtWarning.mjWARN_BADQVEL, mujoco.mjtWarning.mjWARN_BADQACC)
        if any(data.warning[w].number for w in bad) or not np.isfinite(data.qpos).all():
            raise SceneError(
                f"the simulation of {self.scene.task.name!r} became unstable at {data.time:.3f} s: "
                "reset the environment, and if it comes back report the task, the seed and the actions"
            )

    def refresh(self) -> None:
        """Recompute poses from the state, without touching it; detection volumes follow what they are fixed to."""
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)
        mujoco.mj_camlight(self.model, self.data)
        for index in self.scene.sensors.values():
            self._pose_sensor(index)

    def _pose_sensor(self, index: SensorIndex) -> None:
        data, sensor = self.data, index.sensor
        frame = yaw_matrix(self.root[3])
        origin = self.root[:3]
        if sensor.on is not None:
            if fields_of(sensor.on) - set(self.binding):
                return  # no episode yet: nobody knows what it is fixed to
            name = fill(sensor.on, self.binding)
            where = self.view.position(name)
            if sensor.follow == "xy":
                origin = np.array([where[0], where[1], self.root[2]])
            else:
                origin, frame = where, self.view.rotation(name)
        position = origin + frame @ np.asarray(sensor.at)
        quaternion = np.zeros(4)
        mujoco.mju_mat2Quat(quaternion, frame.ravel())
        data.mocap_pos[index.mocap], data.mocap_quat[index.mocap] = position, quaternion
        data.xpos[index.body] = data.geom_xpos[index.geom] = position
        data.xmat[index.body] = data.geom_xmat[index.geom] = frame.ravel()

    def contacts(self) -> list[tuple[str, str]]:
        """Names of the objects of each touching pair of geoms that the last collision pass found."""
        names = dict(self.scene.objects)
        owner = self.scene.geom_objects
        pairs = []
        for contact in self.data.contact[: self.data.ncon]:
            if contact.dist <= 0.0:
                first, second = (names.get(int(owner[g]), "") for g in contact.geom)
                pairs.append((first, second))
        return pairs

    def snapshot(self) -> Snapshot:
        """A copy of the whole state."""
        physics = np.zeros(mujoco.mj_stateSize(self.model, PHYSICS))
        mujoco.mj_getState(self.model, self.data, physics, PHYSICS)
        return Snapshot(
            physics=physics,
            model={name: getattr(self.model, name).copy() for name in MODEL_STATE},
            headlight=np.array([self.model.vis.headlight.ambient, self.model.vis.headlight.diffuse]),
            reference=self.reference.copy(),
            finger_reference=self.finger_reference,
            closing=self.closing,
            held=self.held,
            progress=self.progress,
            failed=self.failed,
            binding=dict(self.binding),
            success=self.success,
            qpos_at_reset=self.qpos_at_reset.copy(),
            root=self.root.copy(),
            placed=dict(self.placed),
            rest=dict(self.rest),
        )

    def load(self, state: Snapshot) -> None:
        """Become ``state``."""
        for name, value in state.model.items():
            getattr(self.model, name)[...] = value
        self.model.vis.headlight.ambient[:], self.model.vis.headlight.diffuse[:] = state.headlight
        mujoco.mj_setState(self.model, self.data, state.physics, PHYSICS)
        self.reference = state.reference.copy()
        self.finger_reference = state.finger_reference
        self.closing, self.held = state.closing, state.held
        self.progress, self.failed = state.progress, state.failed
        self.binding, self.success = dict(state.binding), state.success
        self.qpos_at_reset, self.root = state.qpos_at_reset.copy(), state.root.copy()
        self.placed, self.rest = dict(state.placed), dict(state.rest)
        for warning in self.data.warning:
            warning.number = 0
        self.refresh()


def ordered_parts(condition: Condition) -> list[InOrder]:
    """The ordered condition in ``condition``, in a list of at most one: progress is one number."""
    if isinstance(condition, InOrder):
        return [condition]
    return [o for part in condition.parts for o in ordered_parts(part)] if isinstance(condition, All) else []


def yaw_matrix(yaw: float) -> np.ndarray:
    """Rotation (3, 3) by ``yaw`` rad about z."""
    c, s = np.cos(yaw), np.sin(yaw)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
