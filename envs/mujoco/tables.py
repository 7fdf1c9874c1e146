"""What is where in a compiled model: objects and their geoms, paint, and the names that a view may ask for."""

from __future__ import annotations

import mujoco
import numpy as np

from hansgym.envs.mujoco.render import object_names

HIDDEN_GROUP = 4
"""Geoms of this group are measured, and neither seen nor touched."""


def painted_geoms(model: mujoco.MjModel) -> dict[str, tuple[int, ...]]:
    """Object name -> ids of its geoms that a task's colour covers."""
    found: dict[str, list[int]] = {}
    for geom in range(model.ngeom):
        name, mark, _ = model.geom(geom).name.partition("/paint")
        if mark:
            found.setdefault(name, []).append(geom)
    return {name: tuple(geoms) for name, geoms in found.items()}


def object_table(
    model: mujoco.MjModel,
) -> tuple[tuple[tuple[int, str], ...], np.ndarray, dict[str, tuple[int, ...]]]:
    """(id, name) pairs, the id of each geom's object (ngeom,) uint16, and the geoms that stand for each object."""
    owners = object_names(model)
    names = [n for n in dict.fromkeys(owners) if n != "world"]
    ids = {n: i + 1 for i, n in enumerate(names)}
    geoms: dict[str, tuple[int, ...]] = {}
    for name in names:
        mine = [g for g, n in enumerate(owners) if n == name and model.geom_group[g] != HIDDEN_GROUP]
        solid = [g for g in mine if model.geom_contype[g] or model.geom_conaffinity[g]]
        geoms[name] = tuple(solid or mine)
    table = np.array([ids.get(n, 0) for n in owners], np.uint16)
    return tuple((i, n) for n, i in ids.items()), table, geoms


def named_frames(model: mujoco.MjModel) -> dict[str, tuple[str, int]]:
    """Name -> (kind, id) of everything a view may ask for; joints live under ``joint:<name>``."""
    frames = {model.site(i).name: ("site", i) for i in range(model.nsite)}
    frames |= {model.body(i).name.removeprefix("_sensor_"): ("body", i) for i in range(model.nbody)}
    for i in range(model.njnt):
        if int(model.jnt_type[i]) in (int(mujoco.mjtJoint.mjJNT_HINGE), int(mujoco.mjtJoint.mjJNT_SLIDE)):
            frames[f"joint:{model.joint(i).name}"] = ("joint", int(model.jnt_qposadr[i]))
    return frames
