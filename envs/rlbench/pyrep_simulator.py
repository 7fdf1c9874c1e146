"""RLBench itself, through PyRep: the one file that talks to them, and it decides nothing.

Written against stepjam's RLBench 1.2 and PerAct's fork of it, PyRep 4.1 and CoppeliaSim 4.1. Upstream's own step, mask
and reset code is not used where it would render all five cameras each time; its scene, tasks, robot and conditions are.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hansgym.envs.rlbench import articulation, demonstration, process
from hansgym.envs.rlbench.outlines import Outlines, drawn
from hansgym.envs.rlbench.paint import Palette
from hansgym.envs.rlbench.simulator import CameraPose, Coat, Rgb, ShapeRecord, Unplaceable
from hansgym.envs.rlbench.vision import Vision, vision_config

PLACING_ATTEMPTS = 40
"""How often upstream's own reset tries to place a task before it gives up."""

_PLANNER = {"trials": 100, "max_configs": 10, "max_time_ms": 10, "trials_per_goal": 5}
"""Upstream's settings of EndEffectorPoseViaPlanning, collisions ignored as AGNOSTOS' agents ask."""

_ACTION_MODES = ("action_mode", "arm_action_modes", "gripper_action_modes")


def _module(name: str) -> Any:
    return importlib.import_module(name)


class PyRepSimulator:
    """See :class:`hansgym.envs.rlbench.simulator.Simulator`. ``renderer``: ``opengl3`` or ``opengl``."""

    _launches = 0
    """How often this process has started the simulator."""

    def __init__(self, renderer: str = "opengl3") -> None:
        self._renderer = renderer
        self._environment: Any = None
        self._poster: Any = None
        self._path: Any = None
        self._outlines = Outlines()

    # -- life --------------------------------------------------------------------------------------------------------

    def load(self, task: str) -> None:
        """Launch the simulator headless and load upstream's class for ``task``."""
        action, arm, gripper = (f"rlbench.action_modes.{n}" for n in _ACTION_MODES)
        mode = _module(action).MoveArmThenGripper(_module(arm).JointPosition(True), _module(gripper).Discrete())
        environment = _module("rlbench.environment").Environment(
            action_mode=mode, obs_config=vision_config(self._renderer), headless=True
        )
        self._environment = environment  # from here on close() has something to stop
        with process.own_signals():
            environment.launch()
        name = "".join(word.capitalize() for word in task.split("_"))
        self._task_environment = environment.get_task(getattr(_module(f"rlbench.tasks.{task}"), name))
        self._scene: Any = self._task_environment._scene
        self._arm: Any = self._scene.robot.arm
        self._gripper: Any = self._scene.robot.gripper
        self._robot = frozenset(s.get_handle() for part in (self._arm, self._gripper) for s in self._parts_of(part))
        PyRepSimulator._launches += 1
        self._vision = Vision(sizes=self._renderer == "opengl3" or PyRepSimulator._launches == 1)
        self._palette = Palette()

    def _parts_of(self, component: Any) -> list[Any]:
        shapes = _module("pyrep.const").ObjectType.SHAPE
        return component.get_objects_in_tree(object_type=shapes, exclude_base=False)

    def close(self) -> None:
        """Shut CoppeliaSim down; harmless when done twice."""
        environment, self._environment = self._environment, None
        self._poster = self._path = None
        if environment is not None:
            environment.shutdown()

    # -- episodes ----------------------------------------------------------------------------------------------------

    def variation_count(self) -> int:
        """How many variations upstream's task has."""
        return int(self._task_environment.variation_count())

    def arrange(self, variation: int) -> list[str]:
        """Upstream's reset without its pictures: the robot at home, the task placed, ten steps to come to rest."""
        exceptions = _module("rlbench.backend.exceptions")
        self._path = None
        self._arm.set_control_loop_enabled(True)
        self._scene.reset()
        try:
            return list(self._scene.init_episode(variation, randomly_place=True, max_attempts=PLACING_ATTEMPTS))
        except (exceptions.BoundaryError, exceptions.WaypointError) as error:
            raise Unplaceable(str(error)) from error

    def step(self) -> None:
        """One step of 50 ms of the world and of the task's own logic."""
        self._scene.step()

    def verdict(self) -> tuple[bool, bool]:
        """Upstream's (success, terminate)."""
        success, terminate = self._scene.task.success()
        return bool(success), bool(terminate)

    def demonstrate(self, watch: Callable[[], None] | None = None) -> int:
        """Play upstream's own demonstration and count its steps."""
        self._arm.set_control_loop_enabled(True)
        return demonstration.played(self._scene, watch)

    # -- shapes ------------------------------------------------------------------------------------------------------

    def shapes(self) -> tuple[ShapeRecord, ...]:
        """All shapes of the scene."""
        kind = _module("pyrep.const").ObjectType.SHAPE
        return tuple(self._record(s) for s in self._scene.pyrep.get_objects_in_tree(object_type=kind))

    def shape(self, handle: int) -> ShapeRecord | None:
        """The shape with ``handle``, or None."""
        try:
            return self._record(self._shape(handle))
        except Exception:  # PyRep raises whatever its call ran into for a handle that no shape has
            return None

    def _record(self, shape: Any) -> ShapeRecord:
        parents: list[str] = []
        with contextlib.suppress(NotImplementedError):  # a parent of a kind that PyRep has no class for
            parent = shape.get_parent()
            while parent is not None:
                parents.append(parent.get_name())
                parent = parent.get_parent()
        handle = int(shape.get_handle())
        return ShapeRecord(handle, shape.get_name(), tuple(parents), handle in self._robot)

    def _shape(self, handle: int) -> Any:
        return _module("pyrep.objects.shape").Shape(int(handle))

    def colour(self, handle: int) -> Rgb:
        """RGB in [0, 1] of a shape; of one of several colours, the last one's."""
        return self._palette.components(handle)[-1]

    def coats(self, handle: int) -> tuple[Coat, ...] | None:
        """What of a shape can be painted and put back exactly."""
        return self._palette.coats(handle)

    def paint(self, coat: Coat, rgb: Sequence[float]) -> None:
        """Paint what ``coat`` means."""
        self._palette.paint(coat.handle, rgb, coat.name)

    def outline(self, handle: int) -> np.ndarray:
        """(N, 3) m, world: corners of the convex hull of all parts of a shape."""
        return self._outlines.of(self._shape(handle))

    def drawn(self, handle: int) -> bool:
        """Whether cameras show a shape."""
        return drawn(self._shape(handle))

    def position(self, handle: int) -> np.ndarray:
        """(3,) m, world."""
        return np.asarray(self._shape(handle).get_position(), float)

    def task_joints(self) -> dict[str, float]:
        """Joint of the task -> position."""
        return articulation.positions(self._scene.task)

    def put_task_joints(self, wanted: dict[str, float]) -> None:
        """Put joints of the task somewhere at once."""
        articulation.put(self._scene.task, wanted)

    def poster(self, rgb: Sequence[float] | None, centre: Sequence[float] | None, edge_m: float) -> int | None:
        """Hang a square up, or take it down; it takes no part in the physics."""
        if rgb is None or centre is None:
            if self._poster is not None:
                self._poster.remove()
            self._poster = None
            return None
        if self._poster is None:
            kind = _module("pyrep.const").PrimitiveShape.CUBOID
            self._poster = _module("pyrep.objects.shape").Shape.create(
                kind, [0.008, edge_m, edge_m], respondable=False, static=True
            )
            self._poster.set_name("poster")
        self._poster.set_color([float(c) for c in rgb])
        self._poster.set_position([float(c) for c in centre])
        return int(self._poster.get_handle())

    # -- pictures ----------------------------------------------------------------------------------------------------

    def camera(self, name: str) -> CameraPose:
        """Where camera ``name`` is and how wide it sees."""
        return self._vision.pose(name)

    def rgb(self, camera: str, size: int) -> np.ndarray:
        """(size, size, 3) uint8."""
        return self._vision.rgb(camera, size)

    def codes(self, camera: str, size: int, hidden: Sequence[int]) -> np.ndarray:
        """(size, size, 3) colour-coded handles in [0, 1], with the shapes ``hidden`` left out."""
        return self._vision.codes(camera, size, [self._shape(h) for h in hidden])

    # -- the robot ---------------------------------------------------------------------------------------------------

    def joints(self) -> np.ndarray:
        """(7,) rad."""
        return np.array(self._arm.get_joint_positions(), float)

    def joint_velocities(self) -> np.ndarray:
        """(7,) rad/s."""
        return np.array(self._arm.get_joint_velocities(), float)

    def aim(self, joints: np.ndarray) -> None:
        """Set the targets (7,) rad of the arm's position control, and put it in charge."""
        self._arm.set_control_loop_enabled(True)
        self._arm.set_joint_target_positions([float(q) for q in joints])

    def drive(self, speeds: np.ndarray) -> None:
        """Turn the joints at ``speeds`` (7,) rad/s, as upstream's velocity mode does."""
        self._arm.set_control_loop_enabled(False)
        self._arm.set_joint_target_velocities([float(v) for v in speeds])

    def pose_arm(self, joints: np.ndarray) -> None:
        """Put the arm at ``joints`` (7,) rad at once."""
        self._arm.set_joint_positions([float(q) for q in joints], disable_dynamics=True)

    def tip(self) -> np.ndarray:
        """(7,) pose of the tip."""
        return np.asarray(self._arm.get_tip().get_pose(), float)

    def fingers(self) -> np.ndarray:
        """(2,) positions of the fingers in m."""
        return np.array(self._gripper.get_joint_positions(), float)

    def finger_limits(self) -> np.ndarray:
        """(2, 2) m: (closed, open) of each finger."""
        low_and_range = np.array(self._gripper.get_joint_intervals()[1], float)
        return np.cumsum(low_and_range, axis=1)

    def drive_fingers(self, speeds: np.ndarray) -> None:
        """Set the fingers' target speeds (2,) m/s."""
        self._gripper.set_joint_target_velocities([float(v) for v in speeds])

    def grasp(self) -> None:
        """Attach every graspable object that the gripper's sensor sees."""
        for item in self._scene.task.get_graspable_objects():
            self._gripper.grasp(item)

    def release(self) -> None:
        """Detach what is attached."""
        self._gripper.release()

    def held(self) -> tuple[str, ...]:
        """Names of the attached shapes."""
        return tuple(item.get_name() for item in self._gripper.get_grasped_objects())

    def touching(self, handles: Sequence[int]) -> bool:
        """Whether the physics engine reports a contact of the robot with any of these shapes."""
        for handle in handles:
            for contact in self._shape(handle).get_contact(None, False):
                if self._robot.intersection(contact["contact_handles"]):
                    return True
        return False

    # -- reaching poses ----------------------------------------------------------------------------------------------

    def near_ik(self, pose: np.ndarray) -> np.ndarray | None:
        """Joint angles (7,) by upstream's Jacobian, or None."""
        with contextlib.suppress(_module("pyrep.errors").IKError):
            place, turn = list(map(float, pose[:3])), list(map(float, pose[3:]))
            return np.array(self._arm.solve_ik_via_jacobian(place, quaternion=turn), float)
        return None

    def plan(self, pose: np.ndarray) -> bool:
        """Plan a path: a straight line, else RRT-Connect."""
        algorithm = _module("pyrep.const").ConfigurationPathAlgorithms.RRTConnect
        place, turn = list(map(float, pose[:3])), list(map(float, pose[3:]))
        try:
            self._path = self._arm.get_path(
                place, quaternion=turn, ignore_collisions=True, algorithm=algorithm, **_PLANNER
            )
        except _module("pyrep.errors").ConfigurationPathError:
            self._path = None
        return self._path is not None

    def follow(self) -> tuple[np.ndarray, bool]:
        """The next 50 ms of the path, at upstream's own speed law."""
        done = bool(self._path.step())
        return np.array(self._arm.get_joint_target_positions(), float), done
