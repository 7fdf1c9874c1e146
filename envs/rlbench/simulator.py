"""The thin seam to CoppeliaSim: what the backend asks of a running RLBench, in NumPy and plain Python.

:class:`hansgym.envs.rlbench.pyrep_simulator.PyRepSimulator` is the only file that talks to PyRep and RLBench. What is
decided about their answers (roles, masks, seeding, control, what-if pictures) is decided above this seam.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

Rgb = tuple[float, float, float]
"""Red, green and blue in [0, 1]."""


class Unplaceable(Exception):
    """Upstream found no place for the task, or a waypoint that the arm cannot reach; the text is upstream's.

    Not an error yet: the backend tries again.
    """


@dataclass(frozen=True)
class ShapeRecord:
    """A shape of the scene: its ``handle``, its ``name``, its parents' names from the nearest on, whose it is."""

    handle: int
    name: str
    ancestors: tuple[str, ...] = ()
    robot: bool = False


@dataclass(frozen=True)
class Coat:
    """What can be painted of shape ``handle`` and put back exactly: its present ``rgb``, and of which of its parts.

    ``name``: the simulator's name of that colour in a shape of several; None for a whole shape of one colour.
    """

    handle: int
    rgb: Rgb
    name: str | None = None


@dataclass(frozen=True)
class CameraPose:
    """A camera: ``matrix`` (3, 4) camera to world (+x image left, +y image up, +z forward), full angle in rad."""

    matrix: np.ndarray
    angle_rad: float


class Simulator(Protocol):
    """One CoppeliaSim with RLBench's scene and one of its tasks. Poses are (7,) xyz m, quaternion xyzw, world."""

    def load(self, task: str) -> None:
        """Start the simulator with ``task``; nothing else may be called before."""
        ...

    def variation_count(self) -> int:
        """How many variations upstream's task has."""
        ...

    def arrange(self, variation: int) -> list[str]:
        """Reset the robot and place ``variation`` anew; upstream's descriptions, or :class:`Unplaceable`."""
        ...

    def step(self) -> None:
        """One step of 50 ms of the world and of the task's own logic."""
        ...

    def verdict(self) -> tuple[bool, bool]:
        """Upstream's (success, terminate)."""
        ...

    def shapes(self) -> tuple[ShapeRecord, ...]:
        """All shapes of the scene."""
        ...

    def shape(self, handle: int) -> ShapeRecord | None:
        """The shape with ``handle``; None when nothing that can be drawn has it."""
        ...

    def colour(self, handle: int) -> Rgb:
        """RGB in [0, 1] of a shape; of one of several colours, the last one's."""
        ...

    def coats(self, handle: int) -> tuple[Coat, ...] | None:
        """What of a shape :meth:`paint` changes and puts back exactly: nothing of one that no picture shows.

        None for a shape of several colours that could not be told apart any more.
        """
        ...

    def paint(self, coat: Coat, rgb: Sequence[float]) -> None:
        """Paint what ``coat`` means; its own ``rgb`` puts it back."""
        ...

    def outline(self, handle: int) -> np.ndarray:
        """(N, 3) m, world: corners of the convex hull of all parts of a shape."""
        ...

    def drawn(self, handle: int) -> bool:
        """Whether a camera that looks at the shape would show it, were nothing in front."""
        ...

    def position(self, handle: int) -> np.ndarray:
        """(3,) m, world."""
        ...

    def poster(self, rgb: Sequence[float] | None, centre: Sequence[float] | None, edge_m: float) -> int | None:
        """Hang a square of ``edge_m`` up at ``centre``, facing +x; its handle. None for both takes it down."""
        ...

    def camera(self, name: str) -> CameraPose:
        """Where camera ``name`` is and how wide it sees."""
        ...

    def rgb(self, camera: str, size: int) -> np.ndarray:
        """(size, size, 3) uint8."""
        ...

    def codes(self, camera: str, size: int, hidden: Sequence[int]) -> np.ndarray:
        """(size, size, 3) colour-coded handles, floats in [0, 1], with the shapes ``hidden`` left out."""
        ...

    def task_joints(self) -> dict[str, float]:
        """Joint of the task -> position in m or rad."""
        ...

    def put_task_joints(self, wanted: dict[str, float]) -> None:
        """Put joints of the task at positions in m or rad, at once, without a step."""
        ...

    def joints(self) -> np.ndarray:
        """(7,) rad."""
        ...

    def joint_velocities(self) -> np.ndarray:
        """(7,) rad/s."""
        ...

    def aim(self, joints: np.ndarray) -> None:
        """Set the targets (7,) rad of the arm's position control, and put it in charge."""
        ...

    def drive(self, speeds: np.ndarray) -> None:
        """Turn the joints at ``speeds`` (7,) rad/s from now on, the position control being off until :meth:`aim`."""
        ...

    def pose_arm(self, joints: np.ndarray) -> None:
        """Put the arm at ``joints`` (7,) rad at once, without moving there."""
        ...

    def tip(self) -> np.ndarray:
        """(7,) pose of the tip."""
        ...

    def fingers(self) -> np.ndarray:
        """(2,) positions of the fingers in m, 0 closed."""
        ...

    def finger_limits(self) -> np.ndarray:
        """(2, 2) m: (closed, open) of each finger."""
        ...

    def drive_fingers(self, speeds: np.ndarray) -> None:
        """Set the fingers' target speeds (2,) m/s."""
        ...

    def grasp(self) -> None:
        """Attach every graspable object that the gripper's sensor sees, as upstream."""
        ...

    def release(self) -> None:
        """Detach what is attached."""
        ...

    def held(self) -> tuple[str, ...]:
        """Names of the attached shapes."""
        ...

    def touching(self, handles: Sequence[int]) -> bool:
        """Whether the robot is in contact with any of these shapes."""
        ...

    def near_ik(self, pose: np.ndarray) -> np.ndarray | None:
        """Joint angles (7,) for a ``pose`` close by, by upstream's Jacobian; None where that fails."""
        ...

    def plan(self, pose: np.ndarray) -> bool:
        """Plan a path to ``pose`` with upstream's planner (a straight line, else RRT-Connect); whether there is one."""
        ...

    def follow(self) -> tuple[np.ndarray, bool]:
        """The next 50 ms of the planned path: joint targets (7,), and whether this was the path's end."""
        ...

    def demonstrate(self, watch: Callable[[], None] | None = None) -> int:
        """Play upstream's own demonstration; the number of 50 ms steps. A failure raises :class:`Unplaceable`.

        ``watch`` is called after each of them.
        """
        ...

    def close(self) -> None:
        """Stop the simulator; harmless when done twice."""
        ...
