"""One side of a parity comparison: what a backend shows and says of a task, in plain types that a JSON file holds."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import gymnasium
import numpy as np

from hansgym.benchmarks._parity_boxes import TASK_ROLES, Box, box, objects, place
from hansgym.benchmarks._parity_verdict import Joints, counts_from, joints_of
from hansgym.benchmarks.acting import acted_out
from hansgym.envs.mujoco.control import HOME, JOINT_LOWER, JOINT_UPPER
from hansgym.envs.registration import env_id
from hansgym.envs.rlbench import installation
from hansgym.envs.rlbench.backend import RlbenchBackend
from hansgym.errors import ConfigurationError, HansGymError
from hansgym.roles import Role
from hansgym.seeds import stream
from hansgym.specs import CAMERAS

SIZE = 224
CONFIGURATIONS, SPREAD_RAD = 6, 0.35
RESETS = 20
"""Placements that are looked at."""

EPISODES, MOST_EPISODES = 5, 15
"""Episodes that the expert is to end in success, and how many it is given for that."""


@dataclass(frozen=True)
class Attempt:
    """One episode of an expert: its length in steps of 50 ms, the way of the tip in m, and what stopped it."""

    seed: int
    success: bool
    steps: int
    travel_m: float
    trouble: str = ""


@dataclass(frozen=True)
class Measured:
    """``tips``: a pose (7) per joint configuration. ``robot`` and ``task``: camera -> for each configuration, where the
    robot and where the task's objects are seen (packed bits of a 224x224 picture). ``sizes``: object -> its boxes.
    ``places``: object -> for each reset (x, y, lowest z, highest z) in m. ``attempts``: the expert's episodes, from
    ``seed`` on, until enough ended in success. ``counts_from``: joint -> how far it has to go, where joints decide.
    ``what``: which library this was.
    """

    backend: str
    name: str
    seed: int
    variation: int
    tips: list[list[float]]
    robot: dict[str, list[str]]
    task: dict[str, list[str]]
    instruction: str
    attempts: list[Attempt]
    sizes: dict[str, Box] = field(default_factory=dict)
    places: dict[str, list[tuple[float, float, float, float]]] = field(default_factory=dict)
    counts_from: dict[str, float] = field(default_factory=dict)
    what: str = ""

    def to_json(self) -> dict[str, Any]:
        """In plain types."""
        return asdict(self)

    @property
    def solved(self) -> list[Attempt]:
        """The episodes that ended in success."""
        return [a for a in self.attempts if a.success]

    def seen(self, what: str, camera: str) -> np.ndarray:
        """(N, 224, 224) bool: ``what`` ("robot" or "task") in each configuration."""
        packed = [np.frombuffer(base64.b64decode(text), np.uint8) for text in getattr(self, what)[camera]]
        return np.stack([np.unpackbits(bits).reshape(SIZE, SIZE).astype(bool) for bits in packed])


def from_json(given: Mapping[str, Any]) -> Measured:
    """What :meth:`Measured.to_json` gave; anything else raises :class:`ConfigurationError`."""
    try:
        plain = dict(given)
        plain["attempts"] = [Attempt(**a) for a in plain["attempts"]]
        plain["sizes"] = {n: Box(tuple(b["upright"]), tuple(b["tight"])) for n, b in plain["sizes"].items()}
        plain["places"] = {n: [(x, y, low, high) for x, y, low, high in rows] for n, rows in plain["places"].items()}
        found = Measured(**plain)
        for camera in CAMERAS:
            if found.seen("robot", camera).shape != found.seen("task", camera).shape:
                raise ValueError(f"camera {camera} has pictures of the robot or of the task, and not of both")
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise ConfigurationError(f"this is no measurement ({error}); make one with --save, by this version") from None
    return found


def configurations() -> np.ndarray:
    """(6, 7) rad: home, and five more around it, the same for everybody."""
    around = HOME + stream(0, "parity").uniform(-SPREAD_RAD, SPREAD_RAD, (CONFIGURATIONS - 1, 7))
    return np.clip(np.vstack([HOME, around]), JOINT_LOWER, JOINT_UPPER)


def measure(backend: str, task: str, seed: int, variation: int, options: Mapping[str, Any]) -> Measured:
    """Everything about ``task`` on ``backend``; the process must have no other CoppeliaSim."""
    env: Any = gymnasium.make(
        env_id(task), backend=backend, image_size=16, disable_env_checker=True, backend_options=options
    )
    try:
        return measure_env(env, backend, task, seed, variation)
    finally:
        env.close()


def measure_env(env: Any, backend: str, task: str, seed: int, variation: int) -> Measured:
    """The same of an environment that is there."""
    base = env.unwrapped
    base.observe_images = False
    places: dict[str, list[tuple[float, float, float, float]]] = {}
    sizes: dict[str, Box] = {}
    for k in reversed(range(RESETS)):  # the first seed last: its scene is then looked at
        _, info = env.reset(seed=seed + k, options={"variation": variation})
        present = objects(base.backend, task)
        sizes = {name: box(points) for name, points in present.items()} if k == 0 else {}
        for name, points in present.items():
            places.setdefault(name, []).insert(0, place(points))
    tips, robot, placed = _poses(base.backend)
    words, what = str(info["instruction"]), _library() if backend == "rlbench" else "HansGym"
    attempts, least = _attempts(env, seed, variation)
    return Measured(backend, task, seed, variation, tips, robot, placed, words, attempts, sizes, places, least, what)


def _library() -> str:
    """Which RLBench is installed."""
    peract = installation.task_files(installation.PERACT_ONLY[0]).ok
    return "PerAct's fork" if peract else "stepjam's"


def _poses(backend: Any) -> tuple[list[list[float]], dict[str, list[str]], dict[str, list[str]]]:
    tips, robot, placed = [], {c: [] for c in CAMERAS}, {c: [] for c in CAMERAS}  # type: ignore[var-annotated]
    arm = [o.id for o in backend.objects if o.role is Role.ROBOT]
    props = [o.id for o in backend.objects if o.role in TASK_ROLES]
    for joints in configurations():
        if isinstance(backend, RlbenchBackend):
            backend.simulator.pose_arm(joints)
        else:
            backend.live.data.qpos[backend.scene.arm_qpos] = joints
            backend.live.refresh()
        tips.append([float(v) for v in backend.proprioception().gripper_pose])
        for camera, frame in backend.render(CAMERAS, SIZE).items():
            robot[camera].append(_packed(np.isin(frame.objects, arm)))
            placed[camera].append(_packed(np.isin(frame.objects, props)))
    return tips, robot, placed


def _packed(image: np.ndarray) -> str:
    return base64.b64encode(np.packbits(image).tobytes()).decode("ascii")


# ------------------------------------------------------------------------------------------------ experts


def _attempts(env: Any, seed: int, variation: int) -> tuple[list[Attempt], Joints]:
    """Episodes of the backend's own expert from ``seed`` on, until :data:`EPISODES` of them ended in success.

    And how far the joints have to go, by the last of these.
    """
    backend, found, least = env.unwrapped.backend, [], {}  # type: ignore[var-annotated]
    while len(found) < MOST_EPISODES and sum(a.success for a in found) < EPISODES:
        number = seed + len(found)
        env.reset(seed=number, options={"variation": variation})
        start = joints_of(backend)
        found.append(_attempt(env, number))
        if found[-1].success:
            end = joints_of(backend)
            env.reset(seed=number, options={"variation": variation})
            least = counts_from(backend, start, end)
    return found, least


def _attempt(env: Any, seed: int) -> Attempt:
    """The expert's episode from the reset on; the backend's own condition judges how it ends."""
    backend = env.unwrapped.backend
    tips = [backend.proprioception().gripper_pose[:3]]
    success, trouble = False, ""

    def watch() -> None:
        tips.append(backend.proprioception().gripper_pose[:3])

    try:
        if isinstance(backend, RlbenchBackend):
            backend.demonstrate(watch)
            success = backend.verdict().success
        else:
            for _, info in acted_out(env):
                watch()
                success = bool(info["is_success"])
    except HansGymError as error:
        trouble = str(error)
    travel = float(np.linalg.norm(np.diff(np.array(tips), axis=0), axis=1).sum())
    return Attempt(seed, success, len(tips) - 1, travel, trouble)
