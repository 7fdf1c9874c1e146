"""The MuJoCo backend: one task's world behind :class:`hansgym.envs.backend.Backend`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import mujoco
import numpy as np

from hansgym.assets.materials import safe_rgba
from hansgym.envs.backend import Episode, Frame, Proprioception, ResetRequest, Verdict, perturb
from hansgym.envs.conditions import All, Condition, InOrder, JointMoved, JointNear
from hansgym.envs.mujoco import control, counterfactual, expert_engine, grasp, placement
from hansgym.envs.mujoco.render import ROBOT, SceneRenderer
from hansgym.envs.mujoco.scene import Scene, build_scene
from hansgym.envs.mujoco.sim import Sim
from hansgym.envs.spec import Binding, TaskSpec, fields_of, fill
from hansgym.errors import ConfigurationError
from hansgym.roles import Role, SceneObject
from hansgym.seeds import stream

SETTLE_STEPS = 10
TASK_ROLES = (Role.TARGET, Role.FIXTURE)


class MujocoBackend:
    """One task in MuJoCo. Nothing heavy is built before the first :meth:`reset`.

    ``live`` is the world, ``scratch`` a second one of the same scene for looking ahead and for what-if pictures:
    ``scratch.load(live.snapshot())`` makes it equal, and nothing done to it reaches ``live``.
    """

    def __init__(self, task: TaskSpec) -> None:
        self.task = task
        self._built: tuple[Scene, Sim, Sim] | None = None
        self._renderer: SceneRenderer | None = None
        self._objects: tuple[SceneObject, ...] = ()
        self.request: ResetRequest | None = None

    @property
    def scene(self) -> Scene:
        """The compiled scene."""
        return self._build()[0]

    @property
    def live(self) -> Sim:
        """The world."""
        return self._build()[1]

    @property
    def scratch(self) -> Sim:
        """The world's double."""
        return self._build()[2]

    @property
    def objects(self) -> tuple[SceneObject, ...]:
        """The objects of the present episode with their roles."""
        return self._objects

    def _build(self) -> tuple[Scene, Sim, Sim]:
        if self._built is None:
            scene = build_scene(self.task)
            _check_joints(scene)
            self._built = (scene, Sim(scene), Sim(scene))
        return self._built

    # -- the life cycle of an episode, in this order: sample, build, place, settle, perturb -------------------------

    def reset(self, request: ResetRequest) -> Episode:
        """Arrange the episode of ``request``; equal requests arrange byte-equal worlds in any process."""
        self.request = request
        binding = self._sample(request)
        self._build()
        self._place(request, binding)
        self._settle()
        report = perturb(self, self.task, binding, request)
        self._objects = self.scene.scene_objects(binding)
        words = tuple(fill(t, binding) for t in self.task.instructions)
        return Episode(binding, self._objects, words, {"perturbations": report})

    def _sample(self, request: ResetRequest) -> Binding:
        count = len(self.task.variations_under(request.protocol))
        if not 0 <= request.variation < count:
            raise ConfigurationError(
                f"task {self.task.name!r} has no variation {request.variation} under protocol {request.protocol!r}; "
                f"choose 0 to {count - 1}"
            )
        return self.task.bind(request.variation, stream(request.seed, "binding"), request.protocol)

    def _place(self, request: ResetRequest, binding: Binding) -> None:
        protocol = self.task.protocols.get(request.protocol)
        success = self.task.success if protocol is None or protocol.success is None else protocol.success
        live = self.live
        live.clear(binding, success)
        for name, value in self.task.joints_at_reset.items():
            live.data.qpos[self.scene.joint_qpos(fill(name, binding))] = value
        self._paint(live)
        live.qpos_at_reset = live.data.qpos.copy()
        placement.place(live, stream(request.seed, "placement"))
        grasp.cage(live)

    def _paint(self, sim: Sim) -> None:
        model = sim.model
        for _, name in self.scene.objects:
            colour = None if self.scene.fixed_role(name) else self.task.colour_of(name, sim.binding)
            if colour is not None:
                for geom in self.scene.painted(name):
                    model.geom_rgba[geom] = safe_rgba((*colour, float(model.geom_rgba[geom, 3])))

    def _settle(self) -> None:
        live = self.live
        for _ in range(SETTLE_STEPS):
            live.step(control.HOME, 1.0)
        live.progress, live.failed = 0, False
        live.data.time = 0.0
        live.qpos_at_reset = live.data.qpos.copy()
        placement.record_rest(live)

    # -- acting and feeling --------------------------------------------------------------------------------------

    def step(self, joint_target: np.ndarray, gripper_target: float) -> Mapping[str, int]:
        """Advance 50 ms to joint angles (7,) rad and gripper 1 open / 0 closed; counts ``speed_limited``."""
        return self.live.step(np.asarray(joint_target, float), float(gripper_target))

    def solve_ik(self, pose: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, bool]:
        """Joint angles (7,) for the tip ``pose`` (7: xyz, quaternion xyzw) from ``start``; whether it was reached."""
        rotation = np.zeros(9)
        mujoco.mju_quat2Mat(rotation, _unit(np.asarray(pose, float)[[6, 3, 4, 5]]))
        return self.scene.ik.solve(np.asarray(pose[:3], float), rotation.reshape(3, 3), np.asarray(start, float))

    def forward_kinematics(self, joints: np.ndarray) -> np.ndarray:
        """(N, 7) tip poses (xyz m, quaternion xyzw, world) at joint angles (N, 7) rad."""
        return np.stack([_pose7(*self.scene.ik.forward(row)) for row in np.asarray(joints, float).reshape(-1, 7)])

    def proprioception(self) -> Proprioception:
        """The present feel of the robot."""
        live = self.live
        view = live.view
        return Proprioception(
            joint_positions=view.arm_joints,
            joint_velocities=np.array(live.data.qvel[self.scene.arm_dof]),
            opening=view.opening,
            gripper_pose=_pose7(view.tip_position, view.tip_rotation),
        )

    def render(self, cameras: Sequence[str], size: int, objects: bool = True) -> dict[str, Frame]:
        """Images of the present instant."""
        return self.render_sim(self.live, cameras, size, objects)

    def render_sim(self, sim: Sim, cameras: Sequence[str], size: int, objects: bool = True) -> dict[str, Frame]:
        """Images of ``sim``, the live one or the scratch."""
        if self._renderer is None:
            self._renderer = SceneRenderer(self.scene.model)
        ids = self.scene.geom_objects if objects else None
        return self._renderer.render(sim.model, sim.data, cameras, size, ids)

    # -- judging -------------------------------------------------------------------------------------------------

    def verdict(self) -> Verdict:
        """Success of the present state, its margin, and the margins of its parts."""
        live = self.live
        terms = {label: float(part.margin(live.view)) for label, part in _parts(live.success, "")}
        success = live.success.met(live.view) and not live.failed
        return Verdict(success, float(live.success.margin(live.view)), terms, live.failed)

    def expert_chunk(self, horizon: int) -> np.ndarray:
        """(horizon, 8) joint targets and gripper that the expert would take from here on; nothing live changes."""
        return expert_engine.expert_chunk(self.scratch, self.live.snapshot(), horizon)

    def task_contact(self) -> bool:
        """Whether an object is held or the robot touches a TARGET or FIXTURE."""
        if self.live.held:
            return True
        self.scratch.load(self.live.snapshot())
        mujoco.mj_collision(self.scratch.model, self.scratch.data)
        needed = {o.name for o in self._objects if o.role in TASK_ROLES}
        return any(ROBOT in pair and needed.intersection(pair) for pair in self.scratch.contacts())

    # -- the stage of scene perturbations ------------------------------------------------------------------------

    def show_poster(self, rgb: Sequence[float] | None, centre: Sequence[float] | None) -> None:
        """Show the wall poster, plain ``rgb`` in [0, 1], its centre at ``centre`` (3,) m; None for both hides it."""
        counterfactual.show_poster(self.live, rgb, centre)

    def image_x(self, names: Sequence[str]) -> np.ndarray:
        """(N,) horizontal image coordinate of each object's origin in the front camera, 0 left edge to 1 right edge."""
        data, camera = self.live.data, self.scene.model.camera("front")
        axes = data.cam_xmat[camera.id].reshape(3, 3)
        local = np.stack([axes.T @ (self.live.view.position(n) - data.cam_xpos[camera.id]) for n in names])
        half = np.tan(np.deg2rad(float(camera.fovy[0])) / 2)
        return 0.5 + local[:, 0] / -local[:, 2] / half / 2

    # -- what-if -------------------------------------------------------------------------------------------------

    def present_factors(self) -> tuple[str, ...]:
        """Factors that :meth:`counterfactual` can resample in this episode."""
        return counterfactual.present_factors(self.live)

    def counterfactual(
        self, factors: Sequence[str], seed: int, cameras: Sequence[str], size: int, severity: float = 1.0
    ) -> dict[str, Frame]:
        """The present physical state seen again with ``factors`` of the world resampled; nothing live changes."""
        state = self.live.snapshot()
        with counterfactual.resampled(self.scratch, state, factors, seed, severity) as sim:
            return self.render_sim(sim, cameras, size)

    def close(self) -> None:
        """Free the simulator and its graphics; safe to call twice."""
        if self._renderer is not None:
            self._renderer.close()
        self._renderer = None
        self._built = None


def _parts(condition: Condition, prefix: str) -> list[tuple[str, Condition]]:
    """The leaves of ``condition`` with labels such as ``0.Detected``."""
    if not isinstance(condition, All | InOrder):
        return [(f"{prefix}{type(condition).__name__}", condition)]
    return [leaf for i, part in enumerate(condition.parts) for leaf in _parts(part, f"{prefix}{i}.")]


def _check_joints(scene: Scene) -> None:
    """Every joint that the task's conditions and its reset name exists, in all variations that spell it out."""
    task = scene.task
    conditions = (task.success, *(p.success for p in task.protocols.values() if p.success is not None))
    leaves = (leaf for condition in conditions for _, leaf in _parts(condition, ""))
    templates = [leaf.joint for leaf in leaves if isinstance(leaf, JointMoved | JointNear)]
    for template in (*templates, *task.joints_at_reset):
        for variation in task.variations:
            if fields_of(template) <= set(variation):
                scene.joint_qpos(fill(template, variation))


def _unit(quaternion: np.ndarray) -> np.ndarray:
    norm = float(np.linalg.norm(quaternion))
    if norm < 1e-6:
        raise ConfigurationError(f"quaternion {quaternion.tolist()} has no length; give a rotation (x, y, z, w)")
    return quaternion / norm


def _pose7(position: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """(7,) xyz and quaternion xyzw."""
    q = np.zeros(4)
    mujoco.mju_mat2Quat(q, np.ascontiguousarray(rotation).ravel())
    return np.concatenate([position, q[[1, 2, 3, 0]]])
