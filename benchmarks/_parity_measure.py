"""One side of a parity comparison: what a backend shows and says of a task, in plain types that a JSON file holds."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import gymnasium
import numpy as np
import trimesh

from hansgym.benchmarks.acting import acted_out
from hansgym.envs.mujoco.backend import MujocoBackend
from hansgym.envs.mujoco.control import HOME, JOINT_LOWER, JOINT_UPPER
from hansgym.envs.registration import env_id
from hansgym.envs.rlbench import masks
from hansgym.envs.rlbench.backend import RlbenchBackend
from hansgym.errors import ConfigurationError, HansGymError
from hansgym.roles import Role
from hansgym.seeds import stream
from hansgym.specs import CAMERAS

SIZE = 224
CONFIGURATIONS, SPREAD_RAD = 6, 0.35
TASK_ROLES = (Role.TARGET, Role.FIXTURE, Role.DISTRACTOR)


@dataclass(frozen=True)
class Measured:
    """``tips``: a pose (7) per joint configuration. ``robot`` and ``task``: camera -> for each configuration, where the
    robot and where the task's objects are seen (packed bits of a 224x224 picture). ``sizes``: object -> edges in m of
    the boxes that it may be said to have.

    ``success`` and ``steps`` are the expert's; ``trouble`` says why it could not act.
    """

    backend: str
    name: str
    seed: int
    variation: int
    tips: list[list[float]]
    robot: dict[str, list[str]]
    task: dict[str, list[str]]
    instruction: str
    success: bool
    steps: int | None
    trouble: str = ""
    sizes: dict[str, list[list[float]]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """In plain types."""
        return asdict(self)

    def seen(self, what: str, camera: str) -> np.ndarray:
        """(N, 224, 224) bool: ``what`` ("robot" or "task") in each configuration."""
        packed = [np.frombuffer(base64.b64decode(text), np.uint8) for text in getattr(self, what)[camera]]
        return np.stack([np.unpackbits(bits).reshape(SIZE, SIZE).astype(bool) for bits in packed])


def from_json(given: Mapping[str, Any]) -> Measured:
    """What :meth:`Measured.to_json` gave; anything else raises :class:`ConfigurationError`."""
    try:
        found = Measured(**given)
        for camera in CAMERAS:
            if found.seen("robot", camera).shape != found.seen("task", camera).shape:
                raise ValueError(f"camera {camera} has pictures of the robot or of the task, and not of both")
    except (TypeError, KeyError, ValueError) as error:
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
    _, info = env.reset(seed=seed, options={"variation": variation})
    sizes = _sizes(base.backend)
    tips, robot, placed = _poses(base.backend)
    env.reset(seed=seed, options={"variation": variation})
    success, steps, trouble = _expert(env)
    words = str(info["instruction"])
    return Measured(backend, task, seed, variation, tips, robot, placed, words, success, steps, trouble, sizes)


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


def _expert(env: Any) -> tuple[bool, int | None, str]:
    """Success of the expert's final state, how many steps it took, and what stopped it."""
    backend = env.unwrapped.backend
    try:
        if isinstance(backend, RlbenchBackend):
            steps = backend.demonstrate()
            return backend.verdict().success, steps, ""
        infos = [info for _, info in acted_out(env)]
        return bool(infos[-1]["is_success"]), len(infos), ""
    except HansGymError as error:
        return False, None, str(error)


# -------------------------------------------------------------------------------------------------- sizes


def _sizes(backend: Any) -> dict[str, list[list[float]]]:
    """Edge lengths in m of the boxes around the task's objects that one shape shows."""
    names = {o.name for o in backend.objects if o.role in TASK_ROLES}
    found = _rlbench_sizes(backend) if isinstance(backend, RlbenchBackend) else _mujoco_sizes(backend)
    return {name: edges for name, edges in found.items() if name in names}


def _rlbench_sizes(backend: RlbenchBackend) -> dict[str, list[list[float]]]:
    """Of objects that exactly one shape shows: the box of several would depend on how they are turned."""
    simulator, census = backend.simulator, backend.census
    seen: set[int] = set()
    for camera in CAMERAS:
        codes = simulator.codes(camera, SIZE, census.helpers)
        seen |= {int(h) for h in np.unique(masks.handles_of(codes))}
    shown = {name: [h for h in handles if h in seen] for name, handles in census.handles.items()}
    return {name: [[float(e) for e in simulator.size(hs[0])]] for name, hs in shown.items() if len(hs) == 1}


def _mujoco_sizes(backend: MujocoBackend) -> dict[str, list[list[float]]]:
    """The boxes around an object's visible geoms, along the axes of its body and along those that fit best."""
    model, data, ids = backend.live.model, backend.live.data, backend.scene.geom_objects
    found = {}
    for number, name in backend.scene.objects:
        geoms = [g for g in np.flatnonzero(ids == number) if model.geom_group[g] <= 2 and model.geom_rgba[g, 3] > 0]
        kind, body = backend.scene.frames.get(name, ("", -1))
        if not geoms or kind != "body":
            continue
        turned = [_points(model, int(g)) @ data.geom_xmat[g].reshape(3, 3).T + data.geom_xpos[g] for g in geoms]
        found[name] = _boxes((np.vstack(turned) - data.xpos[body]) @ data.xmat[body].reshape(3, 3))
    return found


def _boxes(points: np.ndarray) -> list[list[float]]:
    """Edges (3) m of the box of ``points`` (N, 3) m along their axes, and of the smallest one along any."""
    both = np.ptp(points, axis=0), trimesh.bounds.oriented_bounds(points)[1]
    return [[float(e) for e in edges] for edges in both]


def _points(model: Any, geom: int) -> np.ndarray:
    """(N, 3) m, in the geom's frame: the vertices of a mesh, the corners of the box around anything else."""
    mesh = model.geom_dataid[geom]
    if mesh >= 0:
        first = model.mesh_vertadr[mesh]
        return np.asarray(model.mesh_vert[first : first + model.mesh_vertnum[mesh]], float)
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
    box = np.asarray(model.geom_aabb[geom], float)
    return box[:3] + signs * box[3:]
