"""From a :class:`TaskSpec` to one compiled model that serves all its variations.

Every prop is a top-level body of the world: with a free joint where the task says ``free``, otherwise a mocap body, so
that a reset moves it without recompiling (joints below a mocap body work as usual). Detection volumes are boxes without
contact on mocap bodies of their own. Colours, poses and roles are decided at reset.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import mujoco
import numpy as np

from hansgym.assets.panda import FINGER_JOINTS, HAND_BODY, JOINTS, TIP_SITE, add_panda
from hansgym.assets.room import FLOOR, POSTER, ROOF, TABLE, WALLS, add_room
from hansgym.envs.mujoco.control import add_actuators
from hansgym.envs.mujoco.ik import InverseKinematics
from hansgym.envs.mujoco.render import ROBOT
from hansgym.envs.mujoco.tables import HIDDEN_GROUP, named_frames, object_table, painted_geoms
from hansgym.envs.spec import Prop, Sensor, TaskSpec
from hansgym.errors import ConfigurationError
from hansgym.lookup import load
from hansgym.roles import Role, SceneObject

TIMESTEP_S = 0.0025
SUBSTEPS = 20
GRASP_BOX = (0.04, 0.06, 0.03)
FIXED_ROLES = {ROBOT: Role.ROBOT, TABLE: Role.SURFACE} | dict.fromkeys((FLOOR, ROOF, POSTER, *WALLS), Role.BACKGROUND)
CONTACT_SOLREF = (3 * TIMESTEP_S, 1.0)
WELD_SOLREF = (2 * TIMESTEP_S, 1.0)
WELD_SOLIMP = (0.99, 0.999, 0.001, 0.5, 2.0)


@dataclass(frozen=True)
class PropIndex:
    """Where a prop lives in the model: ids are -1 where the prop has no such thing.

    ``weld`` attaches it to the hand, ``cage`` to the body ``carrier`` that it is inside of.
    """

    prop: Prop
    body: int
    mocap: int
    qpos: int
    dof: int
    weld: int
    geoms: tuple[int, ...]
    cage: int = -1
    carrier: int = -1


@dataclass(frozen=True)
class SensorIndex:
    """Where a detection volume lives in the model."""

    sensor: Sensor
    body: int
    mocap: int
    geom: int


@dataclass(frozen=True)
class Scene:
    """A compiled task: the model and the index of everything that resets, servos and conditions touch.

    ``objects`` are the (id, name) pairs of segmentation images and ``geom_objects`` (ngeom,) the id of each geom's
    object; ``object_geoms`` the geoms of each object by which its distance to a volume is measured: those that collide,
    or all visible ones of an object without collision geoms. ``paint``: object -> its geoms called ``<object>/paint…``.
    """

    task: TaskSpec
    model: mujoco.MjModel
    arm_qpos: np.ndarray
    arm_dof: np.ndarray
    finger_qpos: np.ndarray
    hand: int
    tip: int
    grasp_box: int
    props: Mapping[str, PropIndex]
    sensors: Mapping[str, SensorIndex]
    objects: tuple[tuple[int, str], ...]
    geom_objects: np.ndarray
    object_geoms: Mapping[str, tuple[int, ...]]
    paint: Mapping[str, tuple[int, ...]]
    robot_bodies: frozenset[int]
    frames: Mapping[str, tuple[str, int]]
    ik: InverseKinematics

    def role_of(self, name: str, binding: Mapping[str, str]) -> Role:
        """The role of object ``name`` under ``binding``; robot, room and table have fixed ones."""
        return self.fixed_role(name) or self.task.role_of(name, binding)

    def fixed_role(self, name: str) -> Role | None:
        """The role that ``name`` has in every task, or None for the task's own objects."""
        return FIXED_ROLES.get(name)

    def painted(self, name: str) -> list[int]:
        """Geoms of object ``name`` that a task's colour covers."""
        return list(self.paint.get(name, ()))

    def scene_objects(self, binding: Mapping[str, str]) -> tuple[SceneObject, ...]:
        """All objects with their roles under ``binding``."""
        return tuple(SceneObject(i, name, self.role_of(name, binding)) for i, name in self.objects)

    def joint_qpos(self, name: str) -> int:
        """Address in qpos of the scene joint ``name``; an unknown one raises with the known ones."""
        kind, address = self.frames.get(f"joint:{name}", ("", -1))
        if kind != "joint":
            known = sorted(k[6:] for k in self.frames if k.startswith("joint:"))
            raise ConfigurationError(
                f"task {self.task.name!r} has no joint {name!r}; choose one of: {', '.join(known)}"
            )
        return address


def build_scene(task: TaskSpec) -> Scene:
    """Compile ``task``; raises :class:`ConfigurationError` for props without a builder."""
    spec = mujoco.MjSpec()
    spec.modelname = task.name
    spec.compiler.degree = False
    _physics(spec)
    add_panda(spec)
    add_room(spec)
    robot = _robot_bodies(spec)
    add_actuators(spec)
    site = spec.site(TIP_SITE)
    site.parent.add_geom(
        name="_grasp_box",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=np.array(GRASP_BOX) / 2,
        pos=site.pos,
        quat=site.quat,
        **_ghost(),
    )
    for prop in task.props:
        _add_prop(spec, prop)
    for prop in task.props:
        if prop.inside is not None:
            _put_inside(spec, prop.name, prop.inside)
    for sensor in task.sensors:
        body = spec.worldbody.add_body(name=sensor_body(sensor.name), mocap=True)
        body.add_geom(
            name=sensor_body(sensor.name), type=mujoco.mjtGeom.mjGEOM_BOX, size=np.array(sensor.size) / 2, **_ghost()
        )
    model = spec.compile()
    # Contacts that were left at MuJoCo's soft default give way by centimetres under a position-controlled arm.
    soft = (model.geom_solref == (0.02, 1.0)).all(axis=1)
    model.geom_solref[soft] = CONTACT_SOLREF
    return _index(task, model, [b.name for b in robot])


def sensor_body(name: str) -> str:
    """Name of the body and geom of detection volume ``name``; the underscore keeps it out of the object table."""
    return f"_sensor_{name}"


def weld_name(prop: str) -> str:
    """Name of the equality that attaches ``prop`` to the hand."""
    return f"_grasp_{prop}"


def cage_name(prop: str) -> str:
    """Name of the equality that keeps ``prop`` inside another."""
    return f"_inside_{prop}"


def _physics(spec: mujoco.MjSpec) -> None:
    option = spec.option
    option.timestep = TIMESTEP_S
    option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    option.impratio = 10.0  # friction as stiff as the normals: things in the fingers do not creep out
    option.iterations = 50
    # A blown-up simulation must be seen, not silently restarted from the key frame.
    option.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET


def _ghost() -> dict[str, object]:
    """Geom settings of a volume that is measured but neither seen nor touched."""
    return {"group": HIDDEN_GROUP, "contype": 0, "conaffinity": 0, "mass": 0.0, "rgba": (1.0, 0.0, 1.0, 0.0)}


def _robot_bodies(spec: mujoco.MjSpec) -> list[mujoco.MjsBody]:
    root = spec.joint(JOINTS[0]).parent
    while root.parent is not None and root.parent.name != "world":
        root = root.parent
    return _subtree(root)


def _subtree(body: mujoco.MjsBody) -> list[mujoco.MjsBody]:
    found = [body]
    for child in body.bodies:
        found += _subtree(child)
    return found


def _exclude_all(spec: mujoco.MjSpec, names: list[str]) -> None:
    """No contact among the bodies ``names``: joint ranges keep them apart (the two fingers included)."""
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            spec.add_exclude(bodyname1=first, bodyname2=second)


def _builder(asset: str) -> Callable[..., None]:
    """The builder of ``asset``: a module of ``assets.props``, or any other by its full dotted path."""
    if "." in asset:
        return importlib.import_module(asset).build
    return load("hansgym.assets.props", asset, "build", "prop asset")


def _add_prop(spec: mujoco.MjSpec, prop: Prop) -> None:
    build = _builder(prop.asset)
    body = spec.worldbody.add_body(name=prop.name, mocap=not prop.free)
    if prop.free:
        body.add_freejoint(name=f"_free_{prop.name}")
    build(spec, body, prop.name, **prop.params)
    _exclude_all(spec, [b.name for b in _subtree(spec.body(prop.name))])
    if prop.graspable:
        _weld(spec, weld_name(prop.name), HAND_BODY, prop.name, active=False)


def _weld(spec: mujoco.MjSpec, name: str, first: str, second: str, active: bool) -> None:
    """The equality ``name`` that can attach body ``second`` to body ``first``."""
    weld = spec.add_equality(name=name, type=mujoco.mjtEq.mjEQ_WELD, active=active)
    weld.objtype = mujoco.mjtObj.mjOBJ_BODY
    weld.name1, weld.name2 = first, second
    weld.solref[:] = WELD_SOLREF
    weld.solimp[:] = WELD_SOLIMP


def _put_inside(spec: mujoco.MjSpec, name: str, carrier: str) -> None:
    """Let the body ``carrier`` carry prop ``name``, which touches nothing of the carrier's whole prop."""
    _weld(spec, cage_name(name), carrier, name, active=True)
    root = spec.body(carrier)
    while root.parent.name != "world":
        root = root.parent
    for body in _subtree(root):
        spec.add_exclude(bodyname1=body.name, bodyname2=name)


def _index(task: TaskSpec, model: mujoco.MjModel, robot: list[str]) -> Scene:
    objects, ids, geoms = object_table(model)
    joints = [model.joint(n) for n in JOINTS]
    return Scene(
        task=task,
        model=model,
        arm_qpos=np.array([int(j.qposadr[0]) for j in joints]),
        arm_dof=np.array([int(j.dofadr[0]) for j in joints]),
        finger_qpos=np.array([int(model.joint(n).qposadr[0]) for n in FINGER_JOINTS]),
        hand=model.body(HAND_BODY).id,
        tip=model.site(TIP_SITE).id,
        grasp_box=model.geom("_grasp_box").id,
        props={p.name: _prop_index(model, p) for p in task.props},
        sensors={s.name: _sensor_index(model, s) for s in task.sensors},
        objects=objects,
        geom_objects=ids,
        object_geoms=geoms,
        paint=painted_geoms(model),
        robot_bodies=frozenset(model.body(n).id for n in robot),
        frames=named_frames(model),
        ik=InverseKinematics(),
    )


def _prop_index(model: mujoco.MjModel, prop: Prop) -> PropIndex:
    body = model.body(prop.name)
    roots = model.body_rootid
    return PropIndex(
        prop=prop,
        body=body.id,
        mocap=int(body.mocapid[0]),
        qpos=int(model.jnt_qposadr[body.jntadr[0]]) if prop.free else -1,
        dof=int(model.jnt_dofadr[body.jntadr[0]]) if prop.free else -1,
        weld=model.equality(weld_name(prop.name)).id if prop.graspable else -1,
        geoms=tuple(int(g) for g in np.flatnonzero(roots[model.geom_bodyid] == body.id)),
        cage=model.equality(cage_name(prop.name)).id if prop.inside else -1,
        carrier=model.body(prop.inside).id if prop.inside else -1,
    )


def _sensor_index(model: mujoco.MjModel, sensor: Sensor) -> SensorIndex:
    body = model.body(sensor_body(sensor.name))
    return SensorIndex(sensor, body.id, int(body.mocapid[0]), model.geom(sensor_body(sensor.name)).id)
