"""Arranging a scene: the task root in the workspace, props in their areas, until the arrangement is fair.

An arrangement is drawn again when two props meet, when the arm as it stands touches something, when the expert could
not reach a waypoint, or when no camera sees what the task needs. All draws come from the generator that is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from hansgym.envs.expert import TIP_SPEED_M, TIP_TURN_RAD, Goal
from hansgym.envs.mujoco import control
from hansgym.envs.mujoco.expert_engine import axis_angle, rotation_about
from hansgym.envs.mujoco.render import ROBOT
from hansgym.envs.mujoco.scene import PropIndex, Scene
from hansgym.envs.mujoco.sim import Sim, yaw_matrix
from hansgym.envs.mujoco.visibility import hidden
from hansgym.envs.spec import TASK_ROOT, WORKSPACE_CENTRE, WORKSPACE_SIZE, Area, Prop, TaskSpec
from hansgym.errors import SceneError

ARRANGEMENTS = 200
SAMPLES = 100
ASTRAY_M, ASTRAY_RAD = 0.004, 0.03
"""How far from a waypoint the arm may end in the test whether it gets there from the one before."""
SETTLE_STEPS = 10
"""In that test, how many steps the arm may take at the end of a way to catch up."""

Placed = dict[str, tuple[float, float, float, float]]


def place(sim: Sim, rng: np.random.Generator) -> None:
    """Place the task root and all props of ``sim``; props come to stand as built, or as they had settled before.

    Raises :class:`SceneError` with the most frequent reason after :data:`ARRANGEMENTS` unfair arrangements.
    """
    reasons: dict[str, int] = {}
    for _ in range(ARRANGEMENTS):
        reason = _try(sim, rng)
        if reason is None:
            return
        reasons[reason] = reasons.get(reason, 0) + 1
    worst = max(reasons, key=lambda r: reasons[r])
    raise SceneError(
        f"task {sim.scene.task.name!r} found no fair arrangement in {ARRANGEMENTS} tries under {dict(sim.binding)}; "
        f"most often: {worst} ({reasons[worst]} times). Make its areas larger or its props smaller"
    )


def _try(sim: Sim, rng: np.random.Generator) -> str | None:
    """One arrangement; the reason why it is unfair, or None."""
    task = sim.scene.task
    sim.root = draw_root(task, rng)
    placed: Placed = {
        p.name: task.pose_of(p, sim.binding) for p in task.props if p.placed_in is None and p.rides is None
    }
    put_all(sim, placed)
    for prop in task.props:
        if prop.placed_in is None:
            continue
        if not _draw_prop(sim, prop, placed, rng):
            return f"no room for {prop.name!r} in area {prop.placed_in!r}"
    sim.refresh()
    return touching(sim) or unreachable(sim) or hidden(sim)


def draw_root(task: TaskSpec, rng: np.random.Generator) -> np.ndarray:
    """(4,) x, y, z, yaw of the task root: uniform such that the yawed footprint lies inside the workspace plane."""
    x, y, width, depth = task.footprint
    corners = np.array([(x + sx * width / 2, y + sy * depth / 2) for sx in (-1, 1) for sy in (-1, 1)])
    for _ in range(SAMPLES):
        yaw = float(rng.uniform(*task.yaw))
        turned = corners @ yaw_matrix(yaw)[:2, :2].T
        low = np.array(WORKSPACE_CENTRE) - np.array(WORKSPACE_SIZE) / 2 - turned.min(axis=0)
        high = np.array(WORKSPACE_CENTRE) + np.array(WORKSPACE_SIZE) / 2 - turned.max(axis=0)
        if (low <= high).all():
            return np.array([*rng.uniform(low, high), TASK_ROOT[2], yaw])
    raise SceneError(
        f"the footprint {task.footprint} of task {task.name!r} does not fit into the workspace {WORKSPACE_SIZE} m "
        f"at any yaw of {task.yaw}; make it smaller"
    )


def _draw_prop(sim: Sim, prop: Prop, placed: Placed, rng: np.random.Generator) -> bool:
    """Draw ``prop`` in its area with what rides on it, clear of what is ``placed``; False when there is no room."""
    task = sim.scene.task
    area = next(a for a in task.areas if a.name == prop.placed_in)
    neighbours = [p.name for p in task.props if p.placed_in == area.name and p.name in placed]
    neighbours += [n for n in area.clear_of if n in placed]
    for _ in range(SAMPLES):
        pose = _in_area(prop, area, rng)
        near = (np.hypot(pose[0] - placed[n][0], pose[1] - placed[n][1]) < area.min_distance for n in neighbours)
        if any(near):
            continue
        poses = {prop.name: pose} | {p.name: riding(pose, p.at) for p in task.props if p.rides == prop.name}
        put_all(sim, poses)
        if not any(meets(sim, sim.scene.props[m], sim.scene.props[n]) for m in poses for n in placed if n != area.on):
            placed.update(poses)
            return True
    return False


def _in_area(prop: Prop, area: Area, rng: np.random.Generator) -> tuple[float, float, float, float]:
    half = np.array(area.size) / 2
    x, y = np.array(area.centre) + rng.uniform(-half, half)
    return (float(x), float(y), prop.at[2], float(rng.uniform(*prop.yaw)))


def riding(
    carrier: tuple[float, float, float, float], at: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    """The pose (x, y, z, yaw) in the task frame of what stands at ``at`` relative to ``carrier``."""
    x, y, z = np.asarray(carrier[:3]) + yaw_matrix(carrier[3]) @ np.asarray(at[:3])
    return (float(x), float(y), float(z), carrier[3] + at[3])


def put_all(sim: Sim, placed: Placed) -> None:
    """Put the props of ``placed`` at their poses in the task frame."""
    for name, pose in placed.items():
        put(sim, name, pose)
    sim.refresh()


def put(sim: Sim, name: str, pose: tuple[float, float, float, float]) -> None:
    """Put prop ``name`` at ``pose`` (x, y, z, yaw in the task frame), at rest; a free prop as it had settled there."""
    index, data = sim.scene.props[name], sim.data
    sim.placed[name] = pose
    position, quaternion = world_pose(sim.root, pose)
    if index.qpos < 0:
        data.mocap_pos[index.mocap], data.mocap_quat[index.mocap] = position, quaternion
        return
    if name in sim.rest:
        position, quaternion = compose(position, quaternion, sim.rest[name])
    data.qpos[index.qpos : index.qpos + 7] = np.concatenate([position, quaternion])
    data.qvel[index.dof : index.dof + 6] = 0.0


def record_rest(sim: Sim) -> None:
    """Remember how each free prop has settled relative to where it was put, so that :func:`put` can do it again."""
    for name, index in sim.scene.props.items():
        if index.qpos >= 0:
            position, quaternion = world_pose(sim.root, sim.placed[name])
            sim.rest[name] = relative(position, quaternion, sim.data.qpos[index.qpos : index.qpos + 7])


def world_pose(root: np.ndarray, pose: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """World position (3,) and quaternion wxyz (4,) of ``pose`` (x, y, z, yaw) in the frame ``root`` (x, y, z, yaw)."""
    half = (root[3] + pose[3]) / 2
    position = root[:3] + yaw_matrix(root[3]) @ np.asarray(pose[:3])
    return position, np.array([np.cos(half), 0.0, 0.0, np.sin(half)])


def compose(position: np.ndarray, quaternion: np.ndarray, local: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pose ``local`` (7: xyz, wxyz) of a frame in the world, the frame being at ``position``, ``quaternion``."""
    out_position, out_quaternion = np.zeros(3), np.zeros(4)
    mujoco.mju_mulPose(out_position, out_quaternion, position, quaternion, local[:3].copy(), local[3:].copy())
    return out_position, out_quaternion


def relative(position: np.ndarray, quaternion: np.ndarray, world: np.ndarray) -> np.ndarray:
    """(7,) the pose ``world`` (7: xyz, wxyz) seen from the frame at ``position``, ``quaternion``."""
    inverse_position, inverse_quaternion = np.zeros(3), np.zeros(4)
    mujoco.mju_negPose(inverse_position, inverse_quaternion, position, quaternion)
    return np.concatenate(compose(inverse_position, inverse_quaternion, np.asarray(world)))


def meets(sim: Sim, first: PropIndex, second: PropIndex) -> bool:
    """Whether any solid geoms of two props meet."""
    if first.body == second.body:
        return False
    model, data = sim.model, sim.data
    for a in solid_geoms(sim.scene, first):
        for b in solid_geoms(sim.scene, second):
            apart = np.linalg.norm(data.geom_xpos[a] - data.geom_xpos[b]) > model.geom_rbound[a] + model.geom_rbound[b]
            if not apart and mujoco.mj_geomDistance(model, data, a, b, 0.01, None) <= 0.0:
                return True
    return False


def solid_geoms(scene: Scene, index: PropIndex) -> list[int]:
    """Geoms of a prop that collide, or all of a prop without any."""
    model = scene.model
    solid = [g for g in index.geoms if model.geom_contype[g] or model.geom_conaffinity[g]]
    return solid or list(index.geoms)


def touching(sim: Sim) -> str | None:
    """What the arm as it stands touches, in words, or None."""
    mujoco.mj_collision(sim.model, sim.data)
    for first, second in sim.contacts():
        if (first == ROBOT) != (second == ROBOT):
            return f"the arm touches {second if first == 'Panda' else first!r}"
    return None


def unreachable(sim: Sim) -> str | None:
    """The first expert waypoint that the arm cannot reach, in words, or None.

    All are solved from home. Those of verbs that call themselves ``chained`` must also be reached one from the other as
    the arm goes, in small steps: where it would run into a joint's limit, another posture is no help.
    """
    waypoints = [(verb, goal) for verb in sim.scene.task.expert for goal in verb.reach(sim.view)]
    for verb, goal in waypoints:
        _, reached = sim.scene.ik.solve(goal.position, goal.rotation, control.HOME)
        if not reached:
            return f"{type(verb).__name__} cannot be reached"
    joints = control.HOME
    for verb, goal in waypoints:
        if getattr(verb, "chained", False):
            joints = _walk(sim, goal, joints)
            if not _there(sim, goal, joints):
                return f"{type(verb).__name__} cannot be reached from the waypoint before"
            blocked = _in_the_way(sim, joints)
            if blocked:
                return f"{blocked!r} is in the way of {type(verb).__name__}"
    return None


def _walk(sim: Sim, goal: Goal, joints: np.ndarray) -> np.ndarray:
    """Joint angles (7,) rad at the end of a straight way from ``joints`` to ``goal``, stepped as the expert does."""
    ik = sim.scene.ik
    position, rotation = ik.forward(joints)
    axis, angle = axis_angle(goal.rotation @ rotation.T)
    offset = goal.position - position
    distance = float(np.linalg.norm(offset))
    for k in range(1, int(np.ceil(max(distance / TIP_SPEED_M, angle / TIP_TURN_RAD, 1.0))) + 1):
        on = position + offset * min(1.0, k * TIP_SPEED_M / max(distance, 1e-9))
        joints = ik.follow(on, rotation_about(axis, min(k * TIP_TURN_RAD, angle)) @ rotation, joints)
    for _ in range(SETTLE_STEPS):
        if _there(sim, goal, joints):
            break
        joints = ik.follow(goal.position, goal.rotation, joints)
    return joints


def _in_the_way(sim: Sim, joints: np.ndarray) -> str:
    """A fixed thing that the arm above the hand meets at ``joints`` (7,), or nothing."""
    model, data, arm = sim.model, sim.data, sim.scene.arm_qpos
    present = data.qpos[arm].copy()
    data.qpos[arm] = joints
    mujoco.mj_kinematics(model, data)
    names, found = dict(sim.scene.objects), ""
    links = [g for g in range(model.ngeom) if model.geom_contype[g] and _is_link(sim.scene, int(model.geom_bodyid[g]))]
    fixed = [g for index in sim.scene.props.values() if index.qpos < 0 for g in solid_geoms(sim.scene, index)]
    for link in links:
        for geom in fixed:
            apart = np.linalg.norm(data.geom_xpos[link] - data.geom_xpos[geom])
            near = apart <= model.geom_rbound[link] + model.geom_rbound[geom]
            if near and mujoco.mj_geomDistance(model, data, link, geom, 0.01, None) <= 0.0:
                found = names.get(int(sim.scene.geom_objects[geom]), "something")
    data.qpos[arm] = present
    sim.refresh()
    return found


def _is_link(scene: Scene, body: int) -> bool:
    """Whether ``body`` is part of the arm, but neither hand nor finger."""
    return body in scene.robot_bodies and body != scene.hand and int(scene.model.body_parentid[body]) != scene.hand


def _there(sim: Sim, goal: Goal, joints: np.ndarray) -> bool:
    """Whether the tip is at ``goal`` with the arm at ``joints`` (7,)."""
    position, rotation = sim.scene.ik.forward(joints)
    turn = axis_angle(goal.rotation @ rotation.T)[1]
    return bool(np.linalg.norm(position - goal.position) <= ASTRAY_M and turn <= ASTRAY_RAD)
