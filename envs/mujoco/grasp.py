"""Attaching what lies between the closing fingers, and letting go of it.

On a close command every graspable prop that meets the box between the fingers is welded to the hand at its present
pose, then the fingers close on it with a light squeeze (:data:`hansgym.envs.mujoco.control.HOLD_N`): the weld carries
the object, contacts with the fingers stay on but have nothing to fight, and contacts with the rest of the world stay
as they are. Opening releases first. Props that are not graspable (handles, knobs) are held by contact alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import mujoco
import numpy as np

if TYPE_CHECKING:
    from hansgym.envs.mujoco.sim import Sim


def command(sim: Sim, gripper: float) -> None:
    """React to the gripper command (1 open, 0 closed): attach on a falling edge, release when it opens."""
    closing = gripper <= 0.5
    if closing and not sim.closing:
        attach(sim)
    elif not closing and sim.held:
        release(sim)
    sim.closing = closing


def attach(sim: Sim) -> None:
    """Weld each graspable prop that meets the grasp box, at its present pose."""
    for name, index in sim.scene.props.items():
        if index.weld >= 0 and name not in sim.held and _between_fingers(sim, index.geoms):
            _weld_here(sim, index.weld, sim.scene.hand, index.body)
            sim.held = (*sim.held, name)


def release(sim: Sim) -> None:
    """Let go of everything."""
    for name in sim.held:
        sim.data.eq_active[sim.scene.props[name].weld] = 0
    sim.held = ()


def _between_fingers(sim: Sim, geoms: tuple[int, ...]) -> bool:
    model, data, box = sim.model, sim.data, sim.scene.grasp_box
    return any(
        (model.geom_contype[g] or model.geom_conaffinity[g])
        and mujoco.mj_geomDistance(model, data, box, g, 0.01, None) <= 0.0
        for g in geoms
    )


def cage(sim: Sim) -> None:
    """Fix everything that is inside something to where it is there now."""
    for index in sim.scene.props.values():
        if index.cage >= 0:
            _weld_here(sim, index.cage, index.carrier, index.body)


def spill(sim: Sim) -> None:
    """Set everything free that is inside something."""
    for index in sim.scene.props.values():
        if index.cage >= 0:
            sim.data.eq_active[index.cage] = 0


def _weld_here(sim: Sim, weld: int, holder: int, body: int) -> None:
    """Rewrite the weld so that body ``holder`` keeps ``body`` exactly where it is now."""
    model, data = sim.model, sim.data
    inverse, relative = np.zeros(4), np.zeros(4)
    mujoco.mju_negQuat(inverse, data.xquat[holder])
    mujoco.mju_mulQuat(relative, inverse, data.xquat[body])
    row = model.eq_data[weld]
    row[0:3] = 0.0
    row[3:6] = data.xmat[holder].reshape(3, 3).T @ (data.xpos[body] - data.xpos[holder])
    row[6:10] = relative
    row[10] = 1.0
    data.eq_active[weld] = 1
