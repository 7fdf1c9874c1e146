"""How big the objects of a scene are and where they stand, by one convention for both backends.

An object is all of its visible pieces together, as points in the world, as far as they are over the table top. Neither
side's body or shape frames enter: those are the modeller's choice, and RLBench's often lie turned in the thing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import mujoco
import numpy as np
import trimesh
from scipy.spatial import ConvexHull, QhullError

from hansgym.assets.room import TABLE_TOP_Z as TOP_Z
from hansgym.envs.mujoco.backend import MujocoBackend
from hansgym.envs.rlbench.backend import RlbenchBackend
from hansgym.roles import Role

TASK_ROLES = (Role.TARGET, Role.FIXTURE, Role.DISTRACTOR)
FLAT_M = 1e-5
ROUND = 48
"""Corners of the polygon that stands for a circle."""

LAST_VISIBLE_GROUP = 2

TOGETHER: Mapping[str, Mapping[str, Sequence[str]]] = {
    "light_bulb_in": {f"light_bulb{k}": (f"light_bulb{k}", f"bulb{k}") for k in range(2)},
    "scoop_with_spatula": {"scoop_with_spatula_spatula": ("scoop_with_spatula_spatula", "spatula_edge")},
    "take_lid_off_saucepan": {"saucepan_lid_visual": ("saucepan_lid_visual", "saucepan_lid_grasp_point")},
    "toilet_seat_down": {"toilet_seat_up_toilet": ("toilet_seat_up_toilet", "toilet")},
}
"""Task -> object -> the objects that it is measured with: upstream's shape of that name holds all of them."""


@dataclass(frozen=True)
class Box:
    """Edges in m. ``upright``: the smallest rectangle around the object seen from above, short side first, and the
    height. ``tight``: the smallest box in any direction, sorted."""

    upright: tuple[float, float, float]
    tight: tuple[float, float, float]


def rectangle(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sides (2) sorted, and centre (2), of the smallest rectangle around ``points`` (N, 2)."""
    corners, turns = _outline(points)
    best = None
    for turn in turns:
        seen = corners @ turn.T
        low, high = seen.min(0), seen.max(0)
        if best is None or np.prod(high - low) < np.prod(best[0]) - 1e-12:
            best = high - low, (low + high) / 2 @ turn
    assert best is not None
    return np.sort(best[0]), best[1]


def _outline(points: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Corners (M, 2) of the convex hull, and a rotation (2, 2) for each of its edges; one is the rectangle's."""
    try:
        corners = points[ConvexHull(points).vertices]
        edges = np.roll(corners, -1, axis=0) - corners
    except QhullError:  # all on a line, or at one place
        corners, edges = points, np.linalg.svd(points - points.mean(0), full_matrices=False)[2][:1]
    angles = np.arctan2(edges[:, 1], edges[:, 0])
    return corners, [np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) for a in angles]


def box(points: np.ndarray) -> Box:
    """The boxes around ``points`` (N, 3) m."""
    short, long = rectangle(points[:, :2])[0]
    upright = float(short), float(long), float(np.ptp(points[:, 2]))
    axes = np.linalg.svd(points - points.mean(0), full_matrices=False)[2]
    spread = (points - points.mean(0)) @ axes.T
    if np.ptp(spread[:, 2]) < FLAT_M:
        edges = np.array([0.0, *rectangle(spread[:, :2])[0]])
    else:
        edges = np.sort(trimesh.bounds.oriented_bounds(points)[1])
    return Box(upright, (float(edges[0]), float(edges[1]), float(edges[2])))


def place(points: np.ndarray) -> tuple[float, float, float, float]:
    """Where ``points`` (N, 3) m stand: centre x and y of the rectangle around them, lowest and highest z."""
    x, y = rectangle(points[:, :2])[1]
    return float(x), float(y), float(points[:, 2].min()), float(points[:, 2].max())


def objects(backend: Any, task: str) -> dict[str, np.ndarray]:
    """Object of the task -> the points (N, 3) m that it spans in the present scene."""
    names = {o.name for o in backend.objects if o.role in TASK_ROLES}
    found = _rlbench(backend) if isinstance(backend, RlbenchBackend) else _mujoco(backend)
    kept = {name: points for name, points in found.items() if name in names}
    for name, parts in TOGETHER.get(task, {}).items():
        present = [found[part] for part in parts if part in found]
        if present:
            kept[name] = np.vstack(present)
    return kept


def over_table(points: np.ndarray) -> np.ndarray:
    """Corners of what of the convex hull of ``points`` (N, 3) m is over the table top; (0, 3) where nothing is."""
    high = points[:, 2] > TOP_Z
    if high.all() or not high.any():
        return points[high]
    try:
        edges = {tuple(sorted(pair)) for face in ConvexHull(points).simplices for pair in combinations(face, 2)}
    except QhullError:
        edges = set(combinations(range(len(points)), 2))
    cut = [points[list(pair)] for pair in edges if high[pair[0]] != high[pair[1]]]
    shares = [(TOP_Z - a[2]) / (b[2] - a[2]) for a, b in cut]
    return np.vstack([points[high], *(a + s * (b - a) for (a, b), s in zip(cut, shares, strict=True))])


def _rlbench(backend: RlbenchBackend) -> dict[str, np.ndarray]:
    simulator, census = backend.simulator, backend.census
    found: dict[str, np.ndarray] = {}
    for name, handles in census.handles.items():
        shown = [simulator.outline(h) for h in handles if h not in census.helpers and simulator.drawn(h)]
        _add(found, name, shown)
    return found


def _mujoco(backend: MujocoBackend) -> dict[str, np.ndarray]:
    model, data, ids = backend.live.model, backend.live.data, backend.scene.geom_objects
    visible = (model.geom_group <= LAST_VISIBLE_GROUP) & (model.geom_rgba[:, 3] > 0)
    found: dict[str, np.ndarray] = {}
    for number, name in backend.scene.objects:
        geoms = np.flatnonzero((ids == number) & visible)
        placed = [_points(model, int(g)) @ data.geom_xmat[g].reshape(3, 3).T + data.geom_xpos[g] for g in geoms]
        _add(found, name, placed)
    return found


def _add(found: dict[str, np.ndarray], name: str, pieces: Sequence[np.ndarray]) -> None:
    seen = [points for piece in pieces if len(points := over_table(piece))]
    if seen:
        found[name] = np.vstack(seen)


def _points(model: Any, geom: int) -> np.ndarray:
    """(N, 3) m, in the geom's frame: vertices of a mesh, corners of a box, circles on what is round."""
    kind, size = int(model.geom_type[geom]), np.asarray(model.geom_size[geom], float)
    mesh, kinds = int(model.geom_dataid[geom]), mujoco.mjtGeom
    if kind == kinds.mjGEOM_MESH and mesh >= 0:
        first = model.mesh_vertadr[mesh]
        return np.asarray(model.mesh_vert[first : first + model.mesh_vertnum[mesh]], float)
    if kind == kinds.mjGEOM_CYLINDER:
        return np.vstack([_circle(size[0], z) for z in (-size[1], size[1])])
    if kind == kinds.mjGEOM_CAPSULE:
        return np.vstack([_ball(np.full(3, size[0])) + np.array([0.0, 0.0, z]) for z in (-size[1], size[1])])
    if kind == kinds.mjGEOM_SPHERE:
        return _ball(np.full(3, size[0]))
    if kind == kinds.mjGEOM_ELLIPSOID:
        return _ball(size)
    middle, half = np.split(np.asarray(model.geom_aabb[geom], float), 2)
    return middle + half * np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)


def _circle(radius: float, z: float) -> np.ndarray:
    turn = np.linspace(0.0, 2 * np.pi, ROUND, endpoint=False)
    return np.column_stack([radius * np.cos(turn), radius * np.sin(turn), np.full(ROUND, z)])


def _ball(half: np.ndarray) -> np.ndarray:
    rises = np.linspace(-np.pi / 2, np.pi / 2, ROUND // 2 + 1)
    return np.vstack([_circle(float(np.cos(r)), float(np.sin(r))) for r in rises]) * half
