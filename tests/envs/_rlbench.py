"""A stand-in for the other side of the RLBench seam: a room and a task's shapes with upstream's names, and no physics.

It is a test double, since CoppeliaSim is not on every machine: shapes are rectangles in its pictures, joints jump to
their targets, and it draws from the global generators as upstream does. ``make test-rlbench`` runs the real one.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from hansgym import lookup
from hansgym.envs.env import HansGymEnv
from hansgym.envs.rlbench.backend import RlbenchBackend
from hansgym.envs.rlbench.simulator import CameraPose, Coat, ShapeRecord, Unplaceable
from hansgym.envs.spec import TaskSpec

SHAPES: Mapping[str, Mapping[str, bool]] = json.loads(
    (Path(__file__).parent.parent / "data" / "rlbench_shapes.json").read_text()
)["tasks"]
ROOM = ("Floor", "Wall1", "Wall2", "Wall3", "Wall4", "Roof", "diningTable_visible", "diningTable", "workspace")
LINKS = ("Panda", "Panda_link1_visual", "Panda_gripper", "Panda_leftfinger_visual")
FIRST_HANDLE = 40
CLOSED, OPEN = 0.0, 0.04


def task_of(name: str) -> TaskSpec:
    return lookup.load("hansgym.envs.tasks", name, "TASK", "task")


class FakeSimulator:
    """See the module. ``failures``: how many placings fail before one works; ``extra``: shapes that nobody knows."""

    def __init__(self, renderer: str = "opengl3", failures: int = 0, extra: Sequence[str] = ()) -> None:
        self.renderer, self.failures, self.extra = renderer, failures, tuple(extra)
        self.closed, self.steps, self.arranged = 0, 0, 0
        self.target, self.q = np.zeros(7), np.zeros(7)
        self.pose = np.array([0.3, 0.0, 1.2, 0.0, 1.0, 0.0, 0.0])
        self.finger = np.full(2, OPEN)
        self.stop_at = CLOSED
        self.finger_speed = np.zeros(2)
        self.attached: list[str] = []
        self.contacts: set[int] = set()
        self.outcome = (False, False)
        self.articulated = {"door": 0.0}
        self.counts_from: float | None = None
        self.demonstration_failures = 0
        self.calls: list[str] = []
        self.servo_calls: list[str] = []
        self.path: list[np.ndarray] = []
        self.near_answer: np.ndarray | None = np.full(7, 0.1)
        self.path_answer: list[np.ndarray] | None = [np.full(7, 0.2), np.full(7, 0.3)]
        self.multicoloured: set[str] = set()
        self.poster_state: tuple[object, object] | None = None

    # -- life and episodes

    def load(self, task: str) -> None:
        self.task = task
        self.records: list[ShapeRecord] = []
        self.colours: dict[int, tuple[float, float, float]] = {}
        for name in ROOM:
            self._add(name)
        for name in LINKS:
            self._add(name, ("Panda",), robot=True)
        for name in SHAPES[task]:
            self._add(name, (task,))
        for name in self.extra:
            self._add(name, (task,))

    def _add(self, name: str, ancestors: tuple[str, ...] = (), robot: bool = False) -> int:
        handle = FIRST_HANDLE + len(self.records)
        self.records.append(ShapeRecord(handle, name, ancestors, robot))
        self.colours[handle] = (0.85, 0.85, 1.0)
        return handle

    def handle(self, name: str) -> int:
        return next(r.handle for r in self.records if r.name == name)

    def variation_count(self) -> int:
        return len(task_of(self.task).variations)

    def arrange(self, variation: int) -> list[str]:
        self.arranged += 1
        self.draws = (float(np.random.uniform()), random.random())  # noqa: NPY002  (as upstream does)
        if self.failures:
            self.failures -= 1
            raise Unplaceable("Could not place within boundary.")
        self.articulated, self.outcome = {"door": 0.0}, (False, False)
        self.q = self.target = np.array([0.0, 0.17, 0.0, -0.87, 0.0, 1.22, 0.785])
        self.variation = variation
        return [f"do {self.task} number {variation}", f"please {variation}"]

    def step(self) -> None:
        self.steps += 1
        self.step_draw = float(np.random.uniform())  # noqa: NPY002  (as upstream's water does)
        self.q = np.array(self.target)
        self.finger = np.clip(self.finger + 0.05 * self.finger_speed, max(CLOSED, self.stop_at), OPEN)

    def verdict(self) -> tuple[bool, bool]:
        return self.outcome

    def demonstrate(self, watch: Callable[[], None] | None = None) -> int:
        if self.failures or self.demonstration_failures:
            self.demonstration_failures -= 1
            raise Unplaceable("Demo was completed, but was not successful.")
        self.outcome = (True, True)
        self.articulated = {"door": 1.0}
        for k in range(77):
            self.pose[2] = 1.2 - 0.01 * (k % 2)
            if watch is not None:
                watch()
        return 77

    def close(self) -> None:
        self.closed += 1

    # -- shapes

    def shapes(self) -> tuple[ShapeRecord, ...]:
        return tuple(self.records)

    def shape(self, handle: int) -> ShapeRecord | None:
        return next((r for r in self.records if r.handle == handle), None)

    def colour(self, handle: int) -> tuple[float, float, float]:
        return self.colours[handle]

    def coats(self, handle: int) -> tuple[Coat, ...] | None:
        record = self.shape(handle)
        assert record is not None
        if not SHAPES[self.task].get(record.name, True):  # nothing shows it
            return ()
        return None if record.name in self.multicoloured else (Coat(handle, self.colours[handle]),)

    def paint(self, coat: Coat, rgb: Sequence[float]) -> None:
        self.colours[coat.handle] = (float(rgb[0]), float(rgb[1]), float(rgb[2]))

    def colour_in(self, handle: int, rgb: Sequence[float]) -> None:
        """Paint as upstream does: the whole shape, whether it can be put back or not."""
        self.paint(Coat(handle, self.colours[handle]), rgb)

    def outline(self, handle: int) -> np.ndarray:
        return self.position(handle) + 0.05 * np.array(list(itertools.product((-1.0, 1.0), repeat=3)))

    def drawn(self, handle: int) -> bool:
        record = self.shape(handle)
        return record is not None and SHAPES[self.task].get(record.name, True)

    def position(self, handle: int) -> np.ndarray:
        return np.array([0.3, 0.02 * (handle - FIRST_HANDLE), 0.8])

    def poster(self, rgb: Sequence[float] | None, centre: Sequence[float] | None, edge_m: float) -> int | None:
        self.poster_state = None if rgb is None else (tuple(rgb), tuple(centre or ()))
        if rgb is None:
            return None
        if not any(r.name == "poster" for r in self.records):
            self._add("poster")
        self.colour_in(self.handle("poster"), rgb)
        return self.handle("poster")

    # -- pictures: every drawn shape has a tile of its own, and helper planes cover the lower half of the picture

    def camera(self, name: str) -> CameraPose:
        matrix = np.array([[0.0, 0.0, -1.0, 1.35], [-1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.8]])
        return CameraPose(matrix, np.deg2rad(40.0))

    def picture(self, size: int, hidden: Sequence[int] = ()) -> np.ndarray:
        drawn = [r for r in self.records if SHAPES[self.task].get(r.name, True) and r.name != "diningTable"]
        planes = [r.handle for r in drawn if "boundary" in r.name or r.name in ("workspace", "fridge_root")]
        tiles = [r.handle for r in drawn if r.handle not in planes]
        columns = int(np.ceil(np.sqrt(len(tiles))))
        rows = np.arange(size) * columns // size
        index = np.minimum(rows[:, None] * columns + rows[None, :], len(tiles) - 1)
        image = np.array(tiles)[index]
        for handle in planes:
            if handle not in hidden:
                image[size // 2 :, ::3] = handle
        return image

    def rgb(self, camera: str, size: int) -> np.ndarray:
        handles = self.picture(size, [r.handle for r in self.records if r.name == "workspace" or "boundary" in r.name])
        table = np.zeros((int(handles.max()) + 1, 3))
        for handle, rgb in self.colours.items():
            if handle < len(table):
                table[handle] = rgb
        return (table[handles] * 255).astype(np.uint8)

    def codes(self, camera: str, size: int, hidden: Sequence[int]) -> np.ndarray:
        handles = self.picture(size, hidden)
        return np.stack([handles & 255, (handles >> 8) & 255, handles >> 16], -1).astype(np.float32) / np.float32(255)

    # -- the robot

    def task_joints(self) -> dict[str, float]:
        return dict(self.articulated)

    def put_task_joints(self, wanted: dict[str, float]) -> None:
        self.articulated |= wanted
        if self.counts_from is not None:
            self.outcome = (self.articulated["door"] > self.counts_from,) * 2  # type: ignore[assignment]

    def joints(self) -> np.ndarray:
        return np.array(self.q)

    def joint_velocities(self) -> np.ndarray:
        return np.zeros(7)

    def aim(self, joints: np.ndarray) -> None:
        self.servo_calls.append("aim")
        self.target = np.array(joints)

    def drive(self, speeds: np.ndarray) -> None:
        self.servo_calls.append("drive")
        self.target = self.q + 0.05 * np.asarray(speeds)

    def pose_arm(self, joints: np.ndarray) -> None:
        self.q = self.target = np.array(joints)

    def tip(self) -> np.ndarray:
        return np.array(self.pose)

    def fingers(self) -> np.ndarray:
        return np.array(self.finger)

    def finger_limits(self) -> np.ndarray:
        return np.array([[CLOSED, OPEN]] * 2)

    def drive_fingers(self, speeds: np.ndarray) -> None:
        self.finger_speed = np.array(speeds)

    def grasp(self) -> None:
        self.calls.append("grasp")
        self.attached = ["thing"]

    def release(self) -> None:
        self.calls.append("release")
        self.attached = []

    def held(self) -> tuple[str, ...]:
        return tuple(self.attached)

    def touching(self, handles: Sequence[int]) -> bool:
        return bool(self.contacts & set(handles))

    def near_ik(self, pose: np.ndarray) -> np.ndarray | None:
        self.calls.append("near_ik")
        return self.near_answer

    def plan(self, pose: np.ndarray) -> bool:
        self.calls.append("plan")
        self.path = list(self.path_answer or ())
        return self.path_answer is not None

    def follow(self) -> tuple[np.ndarray, bool]:
        self.calls.append("follow")
        return self.path.pop(0), not self.path


def fake_backend(
    task: str, simulator: FakeSimulator | None = None, strict: bool = True, servo: str = "velocity"
) -> RlbenchBackend:
    """The backend over a test double, with unknown shapes being errors."""
    double = simulator or FakeSimulator()
    return RlbenchBackend(task_of(task), simulator=lambda renderer: double, strict=strict, servo=servo)


def fake_env(task: str, simulator: FakeSimulator | None = None, **arguments: object) -> HansGymEnv:
    """The environment over a test double; to be closed."""
    env = HansGymEnv(task=task, **{"image_size": 64, **arguments})  # type: ignore[arg-type]
    env._new_backend = lambda: fake_backend(task, simulator)  # type: ignore[method-assign]
    return env
