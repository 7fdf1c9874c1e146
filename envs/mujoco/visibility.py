"""Whether what the task needs can be seen as things stand: by rays, so no picture and no OpenGL is needed for it.

A ray goes through the middle of a pixel as the renderer draws it, so the number of rays that end on an object is the
number of its pixels, but for the facets of round shapes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import mujoco
import numpy as np

from hansgym.envs.mujoco.render import DRAWN_GROUPS
from hansgym.roles import Role

if TYPE_CHECKING:
    from hansgym.envs.mujoco.sim import Sim

CAMERAS = ("front", "overhead")
IMAGE_PX, ENOUGH_PX = 224, 25
"""A needed role, and what is to be grasped, must cover so many pixels of an image of that size.

A few more than the 20 that are promised: what has been placed may yet settle by a millimetre.
"""

NEEDED = (Role.TARGET, Role.FIXTURE)
AT_ONCE = 128
"""Rays cast before the hits are counted: what stands in the open is found with the first ones."""

_GOLDEN = 0.618034


def hidden(sim: Sim) -> str | None:
    """What the task needs and no camera sees enough of, in words, or None."""
    scene, task = sim.scene, sim.scene.task
    drawn = (np.array(DRAWN_GROUPS)[sim.model.geom_group] == 1) & (scene.geom_objects > 0)
    roles = {number: scene.role_of(name, sim.binding) for number, name in scene.objects}
    for role in NEEDED:
        geoms = np.flatnonzero(drawn & np.isin(scene.geom_objects, [n for n in roles if roles[n] is role]))
        if len(geoms) and not _visible(sim, geoms):
            return f"no camera sees the {role.value}"
    for prop in task.props:
        geoms = np.array([g for g in scene.props[prop.name].geoms if drawn[g]], int)
        meant = any(roles[int(n)] is Role.TARGET for n in scene.geom_objects[geoms])
        if prop.graspable and meant and not _visible(sim, geoms):
            return f"no camera sees {prop.name!r}"
    return None


def _visible(sim: Sim, geoms: np.ndarray) -> bool:
    """Whether a camera sees enough of ``geoms``: first at a glance with each, then thoroughly."""
    glances = ((camera, most) for most in (2 * AT_ONCE, None) for camera in CAMERAS)
    return any(seen(sim, camera, geoms, ENOUGH_PX, most) >= ENOUGH_PX for camera, most in glances)


def seen(sim: Sim, camera: str, geoms: np.ndarray, enough: int, most: int | None = None, size: int = IMAGE_PX) -> int:
    """Pixels of ``camera``'s image (size, size) in which one of ``geoms`` is seen.

    Counting stops at ``enough``, and after ``most`` rays, spread over the region where they are.
    """
    model, data = sim.model, sim.data
    which = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_CAMERA, camera)
    origin, axes = data.cam_xpos[which].copy(), data.cam_xmat[which].reshape(3, 3)
    focal = size / 2 / math.tan(math.radians(float(model.cam_fovy[which])) / 2)
    pixels = _around(sim, geoms, origin, axes, focal, size)
    wanted, found = np.zeros(model.ngeom + 1, bool), 0
    wanted[geoms] = True  # the last entry is what a ray that meets nothing finds
    for k in range(0, len(pixels[:most]), AT_ONCE):
        some = pixels[k : k + AT_ONCE]
        rays = np.stack([some[:, 0] + 0.5 - size / 2, size / 2 - some[:, 1] - 0.5, np.full(len(some), -focal)], axis=1)
        rays = rays / np.linalg.norm(rays, axis=1, keepdims=True) @ axes.T
        hit, far = np.full(len(some), -1, np.int32), np.zeros(len(some))
        groups = np.array(DRAWN_GROUPS, np.uint8)
        mujoco.mj_multiRay(
            model, data, origin, rays.ravel(), groups, True, -1, hit, far, None, len(some), mujoco.mjMAXVAL
        )
        found += int(wanted[hit].sum())
        if found >= enough:
            break
    return found


def _around(sim: Sim, geoms: np.ndarray, origin: np.ndarray, axes: np.ndarray, focal: float, size: int) -> np.ndarray:
    """Columns and rows (n, 2) of the pixels in which ``geoms`` may be, in an order that soon covers all of them."""
    local = (sim.data.geom_xpos[geoms] - origin) @ axes
    depth = np.maximum(-local[:, 2], 0.1)
    middle = np.stack([local[:, 0], -local[:, 1]], axis=1) / depth[:, None] * focal + size / 2
    around = (sim.model.geom_rbound[geoms] / depth * focal * 1.1)[:, None]
    low = np.clip(np.floor((middle - around).min(axis=0)), 0, size).astype(int)
    high = np.clip(np.ceil((middle + around).max(axis=0)), 0, size).astype(int)
    grid = np.stack(np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1])), axis=-1).reshape(-1, 2)
    stride = max(1, round(_GOLDEN * len(grid)))
    while math.gcd(stride, max(len(grid), 1)) > 1:
        stride += 1
    return grid[np.arange(len(grid)) * stride % max(len(grid), 1)]
