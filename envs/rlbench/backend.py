"""The RLBench backend: the original task in CoppeliaSim behind :class:`hansgym.envs.backend.Backend`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from hansgym.assets.room import POSTER, POSTER_SIZE
from hansgym.envs.backend import Episode, Frame, Proprioception, ResetRequest, Verdict, perturb
from hansgym.envs.mujoco.control import JOINT_LOWER, JOINT_SPEED, JOINT_UPPER, limited
from hansgym.envs.mujoco.scene import Scene, build_scene
from hansgym.envs.rlbench import counterfactual, process, reaching
from hansgym.envs.rlbench.binding import binding_of
from hansgym.envs.rlbench.census import Census
from hansgym.envs.rlbench.display import VirtualDisplay
from hansgym.envs.rlbench.gripper import Gripper, opening
from hansgym.envs.rlbench.pyrep_simulator import PyRepSimulator
from hansgym.envs.rlbench.randomness import UpstreamRandomness
from hansgym.envs.rlbench.simulator import Simulator, Unplaceable
from hansgym.envs.spec import Binding, TaskSpec
from hansgym.errors import ConfigurationError, SceneError
from hansgym.roles import Role, SceneObject
from hansgym.seeds import seed_of
from hansgym.specs import CONTROL_DT_S

PLACINGS = 5
"""How many seeds are tried, each up to 40 times by upstream itself, before a reset gives up."""

REACHED_RAD = 5e-3
WINDUP_RAD = 0.1
"""Farthest that the commanded angles run ahead of the measured ones: a blocked arm does not wind up."""


class RlbenchBackend:
    """One task of RLBench. Nothing is started before the first :meth:`reset`, and then once per process.

    ``renderer``: ``"opengl3"``, upstream's default, or ``"opengl"``, without shadows and much faster where there
    is no graphics card. ``servo``: ``"velocity"`` turns each joint at the one speed that brings it to its target within
    the step; ``"position"`` leaves that to CoppeliaSim's position control, as upstream's ``JointPosition`` does, which
    covers about two thirds of the way. ``simulator`` makes the seam's other side; with ``strict`` a shape that nobody
    knows raises.
    """

    def __init__(
        self,
        task: TaskSpec,
        renderer: str = "opengl3",
        servo: str = "velocity",
        simulator: Callable[[str], Simulator] = PyRepSimulator,
        strict: bool = False,
    ) -> None:
        self.task = task
        self._renderer, self._servo, self._make, self._strict = renderer, servo, simulator, strict
        self._display = VirtualDisplay()
        self._random = UpstreamRandomness()
        self._built: tuple[Simulator, Scene] | None = None
        self._objects: tuple[SceneObject, ...] = ()
        self._poster: tuple[counterfactual.Rgb, counterfactual.Rgb] | None = None

    @property
    def simulator(self) -> Simulator:
        """The running simulator."""
        return self._build()[0]

    @property
    def objects(self) -> tuple[SceneObject, ...]:
        """The objects of the present episode with their roles."""
        return self._objects

    def _build(self) -> tuple[Simulator, Scene]:
        if self._built is None:
            process.claim(self, self.close)
            try:
                scene = build_scene(self.task)  # for its table of objects and the arm's kinematics; nothing runs there
                if self._make is PyRepSimulator:
                    self._display.open()
                    os.environ.setdefault("QT_QPA_PLATFORM_PLUGIN_PATH", os.environ.get("COPPELIASIM_ROOT", ""))
                simulator = self._make(self._renderer)
                self._built = (simulator, scene)
                simulator.load(self.task.name)
            except BaseException:
                with contextlib.suppress(Exception):  # what went wrong first is what the user has to know
                    self.close()
                self._abandon()
                raise
        return self._built

    # -- the life cycle of an episode --------------------------------------------------------------------------------

    def reset(self, request: ResetRequest) -> Episode:
        """Arrange the episode of ``request`` with upstream's own reset; see :mod:`.randomness` for what has no seed."""
        simulator, scene = self._build()
        variation = self._variation(request, simulator)
        self.show_poster(None, None)
        words = self._arranged(simulator, request)
        self._gripper = Gripper(simulator.finger_limits())
        self._reference = simulator.joints()
        self._ee = reaching.PosePursuit(simulator)
        ids = {name: number for number, name in scene.objects}
        self.census = Census(simulator, self.task.name, ids, self._strict)
        self._binding = self._drawn(simulator, scene, variation)
        report = perturb(self, self.task, self._binding, request)
        self._objects = scene.scene_objects(self._binding)
        return Episode(self._binding, self._objects, words, {"perturbations": report})

    def _variation(self, request: ResetRequest, simulator: Simulator) -> Mapping[str, str]:
        ours = self.task.variations_under(request.protocol)
        if request.protocol not in ("default", "agnostos"):
            raise ConfigurationError(
                f"protocol {request.protocol!r} is not RLBench's; on backend 'rlbench' use 'default' or 'agnostos'"
            )
        count = min(len(ours), simulator.variation_count())
        if not 0 <= request.variation < count:
            raise ConfigurationError(
                f"task {self.task.name!r} has no variation {request.variation} on backend 'rlbench'; "
                f"choose 0 to {count - 1}"
            )
        return ours[request.variation]

    def _arranged(self, simulator: Simulator, request: ResetRequest) -> tuple[str, ...]:
        """Upstream's descriptions of the scene that the seed gives, or the first of those that come after it."""
        reason = ""
        for attempt in range(PLACINGS):
            self._random.seed(seed_of(request.seed, "rlbench", attempt))
            try:
                with self._random.lent():
                    return tuple(simulator.arrange(request.variation))
            except Unplaceable as error:
                reason = str(error)
        raise SceneError(
            f"RLBench found no place for task {self.task.name!r}, variation {request.variation}, seed {request.seed}, "
            f"in {PLACINGS} attempts ({reason}); use another seed"
        )

    def _drawn(self, simulator: Simulator, scene: Scene, variation: Mapping[str, str]) -> Binding:
        """What the episode drew, by the colours of its objects."""
        named = self.census.named
        return binding_of(self.task, variation, {n: simulator.colour(named[n]) for _, n in scene.objects if n in named})

    # -- acting and feeling ------------------------------------------------------------------------------------------

    def step(self, joint_target: np.ndarray, gripper_target: float) -> Mapping[str, int]:
        """Advance 50 ms to joint angles (7,) rad and gripper 1 open / 0 closed; counts ``speed_limited``."""
        simulator = self.simulator
        target = np.clip(np.asarray(joint_target, float), JOINT_LOWER, JOINT_UPPER)
        measured = simulator.joints()
        start = np.clip(self._reference, measured - WINDUP_RAD, measured + WINDUP_RAD)
        self._reference = limited(start, target, CONTROL_DT_S)
        fingers = simulator.fingers()
        action = self._gripper.commanded(gripper_target > 0.5, fingers)
        if action == "grasp":
            simulator.grasp()
        elif action == "release":
            simulator.release()
        simulator.drive_fingers(self._gripper.speeds(fingers))
        if self._servo == "velocity":
            simulator.drive(np.clip((self._reference - measured) / CONTROL_DT_S, -JOINT_SPEED, JOINT_SPEED))
        else:
            simulator.aim(self._reference)
        with self._random.lent():  # some tasks draw while they run
            simulator.step()
        return {"speed_limited": int(np.abs(target - self._reference).max() > REACHED_RAD)}

    def solve_ik(self, pose: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, bool]:
        """Joint angles (7,) on the way to the tip ``pose`` (7: xyz, quaternion xyzw), by upstream's solver or planner.

        A pose close by is answered with the angles that reach it; for one farther away a path is planned once and
        followed from call to call, at upstream's speed, for as long as the same pose is asked for.
        """
        return self._ee.toward(_unit(np.asarray(pose, float)), np.asarray(start, float))

    def forward_kinematics(self, joints: np.ndarray) -> np.ndarray:
        """(N, 7) tip poses (xyz m, quaternion xyzw, world) at joint angles (N, 7) rad, by our model of the same arm."""
        ik = self._build()[1].ik
        poses = [ik.forward(row) for row in np.asarray(joints, float).reshape(-1, 7)]
        return np.stack([np.concatenate([p, Rotation.from_matrix(turn).as_quat()]) for p, turn in poses])

    def proprioception(self) -> Proprioception:
        """The present feel of the robot. The opening is the first finger's, as upstream has it."""
        simulator = self.simulator
        return Proprioception(
            joint_positions=simulator.joints(),
            joint_velocities=simulator.joint_velocities(),
            opening=float(opening(simulator.fingers(), simulator.finger_limits())[0]),
            gripper_pose=simulator.tip(),
        )

    def render(self, cameras: Sequence[str], size: int, objects: bool = True) -> dict[str, Frame]:
        """Images of the present instant; the placement planes that only masks show are left out of those."""
        return {name: Frame(self.simulator.rgb(name, size), self._seen(name, size, objects)) for name in cameras}

    def _seen(self, camera: str, size: int, wanted: bool) -> np.ndarray:
        if not wanted:
            return np.zeros((size, size), np.uint16)
        return self.census.objects(self.simulator.codes(camera, size, self.census.helpers))

    # -- judging -----------------------------------------------------------------------------------------------------

    def verdict(self) -> Verdict:
        """Upstream's success, and its failure where a task has one; upstream has no margins."""
        success, terminate = self.simulator.verdict()
        return Verdict(success, None, {}, terminate and not success)

    def expert_chunk(self, horizon: int) -> np.ndarray:
        """Upstream's expert plays whole demonstrations only: always raises :class:`ConfigurationError`."""
        raise ConfigurationError(
            f"backend 'rlbench' has no expert that could be asked for {horizon} steps; its demonstrations are whole: "
            "call env.unwrapped.backend.demonstrate(), or use backend='mujoco' for the expert agent"
        )

    def demonstrate(self, watch: Callable[[], None] | None = None) -> int:
        """Play upstream's own demonstration from the reset; its length in steps, or a :class:`SceneError`.

        Steps in which only the fingers move are not counted. ``watch`` is called after each counted one.
        """
        try:
            with self._random.lent():
                return self.simulator.demonstrate(watch)
        except Unplaceable as error:
            raise SceneError(
                f"RLBench's demonstration of {self.task.name!r} failed ({error}); use another seed"
            ) from error

    def task_contact(self) -> bool:
        """Whether an object is held or the robot touches a TARGET or FIXTURE."""
        needed = {o.name for o in self._objects if o.role in (Role.TARGET, Role.FIXTURE)}
        handles = [h for name, parts in self.census.handles.items() if name in needed for h in parts]
        return bool(self.simulator.held()) or self.simulator.touching(handles)

    # -- the stage of scene perturbations, and what-if ----------------------------------------------------------------

    def show_poster(self, rgb: Sequence[float] | None, centre: Sequence[float] | None) -> None:
        """Show the wall poster, plain ``rgb`` in [0, 1], its centre at ``centre`` (3,) m; None for both hides it."""
        handle = self.simulator.poster(rgb, centre, POSTER_SIZE)
        shown = rgb is not None and centre is not None
        self._poster = (tuple(rgb), tuple(centre)) if shown else None  # type: ignore[arg-type, assignment]
        if handle is not None:
            self.census.add(handle, POSTER)

    def image_x(self, names: Sequence[str]) -> np.ndarray:
        """(N,) horizontal image coordinate of each object's origin in the front camera, 0 left edge to 1 right edge."""
        points = np.stack([self.simulator.position(self.census.handle_of(name)) for name in names])
        return reaching.image_x(self.simulator.camera("front"), points)

    def _world(self) -> counterfactual.World:
        roles = {o.name: o.role for o in self._objects}
        handles = self.census.handles
        return counterfactual.World(self.simulator, self.task, self._binding, handles, roles, self._poster)

    def present_factors(self) -> tuple[str, ...]:
        """Factors that :meth:`counterfactual` can resample in this episode."""
        return counterfactual.present_factors(self._world())

    def counterfactual(
        self, factors: Sequence[str], seed: int, cameras: Sequence[str], size: int, severity: float = 1.0
    ) -> dict[str, Frame]:
        """The present physical state seen again with ``factors`` of the world resampled; nothing live changes."""
        with counterfactual.resampled(self._world(), factors, seed, severity):
            return self.render(cameras, size)

    def close(self) -> None:
        """Stop the simulator and the display that was made for it; safe to call twice."""
        built, self._built = self._built, None
        try:
            if built is not None:
                built[0].close()
        finally:
            self._abandon()

    def _abandon(self) -> None:
        self._display.close()
        process.free(self)


def _unit(pose: np.ndarray) -> np.ndarray:
    norm = float(np.linalg.norm(pose[3:]))
    if norm < 1e-6:
        raise ConfigurationError(f"quaternion {pose[3:].tolist()} has no length; give a rotation (x, y, z, w)")
    return np.concatenate([pose[:3], pose[3:] / norm])
