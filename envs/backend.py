"""The seam between the environment class and whatever simulates: MuJoCo here, CoppeliaSim through PyRep next.

A backend owns one task's scene. The environment class owns spaces, control-mode conversion, seeding, rewards and info;
it never touches a simulator. Everything that crosses the seam is NumPy and plain Python. A backend class is constructed
with the task, ``MujocoBackend(task: TaskSpec)``, and builds nothing heavy before its first :meth:`Backend.reset`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from hansgym.errors import ConfigurationError
from hansgym.roles import SceneObject

if TYPE_CHECKING:
    from hansgym.envs.spec import TaskSpec


@dataclass(frozen=True)
class Proprioception:
    """What the robot feels: joints (7) rad, velocities (7) rad/s, opening 0 to 1, tip pose (7) xyz, quaternion xyzw."""

    joint_positions: np.ndarray
    joint_velocities: np.ndarray
    opening: float
    gripper_pose: np.ndarray


@dataclass(frozen=True)
class Frame:
    """One camera's view: ``rgb`` (H, W, 3) uint8 and ``objects`` (H, W) uint16 of the same instant."""

    rgb: np.ndarray
    objects: np.ndarray


@dataclass(frozen=True)
class Verdict:
    """Success and how far off it is, in metres or radians (positive: not there yet).

    ``failed``: the task's failure condition was met, and no success can come any more.
    """

    success: bool
    margin: float | None = None
    terms: Mapping[str, float] = field(default_factory=dict)
    failed: bool = False


@dataclass(frozen=True)
class ResetRequest:
    """Everything that decides an episode: seed, variation, protocol, and the scene perturbations in force."""

    seed: int
    variation: int
    protocol: str = "default"
    perturbations: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Episode:
    """What a reset arranged: the binding, the objects with their roles, and the instructions (canonical one first).

    ``details["perturbations"]`` holds what :func:`perturb` returned.
    """

    binding: Mapping[str, str]
    objects: tuple[SceneObject, ...]
    instructions: tuple[str, ...]
    details: Mapping[str, Any] = field(default_factory=dict)


class Stage(Protocol):
    """What a scene perturbation may do to an arranged scene."""

    def show_poster(self, rgb: Sequence[float] | None, centre: Sequence[float] | None) -> None:
        """Show the wall poster, plain ``rgb`` in [0, 1], its centre at ``centre`` (3,) m; None for both hides it."""
        ...

    def image_x(self, names: Sequence[str]) -> np.ndarray:
        """(N,) horizontal image coordinate of each object's origin in the front camera, 0 left edge to 1 right edge."""
        ...


class ScenePerturbation(Protocol):
    """A change of the arranged scene, made after it has settled and before it is observed. Picklable and stateless."""

    name: str

    def check(self, task: TaskSpec) -> None:
        """Raise :class:`ConfigurationError` if ``task`` has nothing that this could change."""
        ...

    def apply(self, stage: Stage, task: TaskSpec, binding: Mapping[str, str], seed: int) -> Mapping[str, Any]:
        """Change ``stage`` with draws from streams of ``seed`` only; return what was changed, for the records."""
        ...


def perturb(stage: Stage, task: TaskSpec, binding: Mapping[str, str], request: ResetRequest) -> dict[str, Any]:
    """Apply the request's scene perturbations; every backend calls this as the last act of a reset.

    Returns name -> what that perturbation reports. Two of one name raise :class:`ConfigurationError`.
    """
    report: dict[str, Any] = {}
    for item in request.perturbations:
        if item.name in report:
            raise ConfigurationError(f"scene perturbation {item.name!r} was added twice; add each of them once")
        report[item.name] = dict(item.apply(stage, task, binding, request.seed))
    return report


class Backend(Stage, Protocol):
    """One task's world."""

    def reset(self, request: ResetRequest) -> Episode:
        """Arrange an episode; equal requests arrange byte-equal worlds in any process."""
        ...

    def step(self, joint_target: np.ndarray, gripper_target: float) -> Mapping[str, int]:
        """Advance 50 ms to joint angles (7) rad and gripper 1 open / 0 closed; returns counts (``speed_limited``)."""
        ...

    def solve_ik(self, pose: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, bool]:
        """Joint angles (7) for a tip pose (7: xyz, quaternion xyzw, world), from ``start``; whether it was reached."""
        ...

    def forward_kinematics(self, joints: np.ndarray) -> np.ndarray:
        """(N, 7) tip poses (xyz m, quaternion xyzw, world) at joint angles (N, 7) rad; nothing live changes."""
        ...

    def proprioception(self) -> Proprioception:
        """The present feel of the robot."""
        ...

    def render(self, cameras: Sequence[str], size: int, objects: bool = True) -> dict[str, Frame]:
        """Images of the present instant."""
        ...

    def verdict(self) -> Verdict:
        """Success of the present state; latched progress is updated by :meth:`step`."""
        ...

    def expert_chunk(self, horizon: int) -> np.ndarray:
        """(horizon, 8) joint targets and gripper of the scripted expert from here; nothing live changes."""
        ...

    def present_factors(self) -> tuple[str, ...]:
        """Factors that :meth:`counterfactual` can resample in this episode; ``()`` where the backend cannot."""
        ...

    def counterfactual(
        self, factors: Sequence[str], seed: int, cameras: Sequence[str], size: int, severity: float = 1.0
    ) -> dict[str, Frame]:
        """The present physical state seen again with ``factors`` of the world resampled; nothing live changes."""
        ...

    def task_contact(self) -> bool:
        """Whether an object is held or the robot touches a TARGET or FIXTURE."""
        ...

    def close(self) -> None:
        """Free the simulator and its graphics."""
        ...
