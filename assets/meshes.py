"""Triangle meshes of the Franka Panda, found on disk and made light.

Provenance: the STL files lie inside the installed ``gymnasium-robotics`` wheel (pinned in ``pyproject.toml``), folder
``envs/assets/kitchen_franka/franka_assets/meshes``. Their headers there say that they come from ``vikashplus/franka``
(Apache License 2.0), which took them from Franka Emika's ``franka_ros`` (Apache License 2.0). Nothing of them is
copied into this repository: they are read where the package manager put them, without importing that package,
decimated in memory and kept in a cache folder of the user's, or not at all where no folder can be written.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import numpy as np

from hansgym.errors import ConfigurationError

PACKAGE = "gymnasium_robotics"
FOLDER = "envs/assets/kitchen_franka/franka_assets/meshes"
RECIPE = 3
"""Counted up whenever the making of a light mesh changes, so that old cache entries are not found."""


@cache
def mesh_folder() -> Path:
    """The folder that holds ``visual/`` and ``collision/``; the package is found, not imported."""
    found = importlib.util.find_spec(PACKAGE)
    roots = [] if found is None else list(found.submodule_search_locations or [])
    for root in roots:
        folder = Path(root) / FOLDER
        if folder.is_dir():
            return folder
    raise ConfigurationError(
        f"the robot's meshes were looked for in {PACKAGE}/{FOLDER} and are not there; "
        "install the version that hansgym pins: pip install 'gymnasium-robotics==1.4.2'"
    )


def read_stl(path: Path) -> np.ndarray:
    """Triangles (n, 3, 3) float64 of a binary STL file, in metres."""
    raw = path.read_bytes()
    count = int(np.frombuffer(raw, "<u4", 1, 80)[0])
    record = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("pad", "<u2")])
    if len(raw) < 84 + count * record.itemsize:
        raise ConfigurationError(f"{path} promises {count} triangles, too short for them; reinstall gymnasium-robotics")
    return np.frombuffer(raw, record, count, 84)["corners"].astype(np.float64)


def weld(triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (v, 3) and faces (n, 3) int32 of a triangle soup; corners closer than 10 micrometres become one."""
    keys, index = np.unique(np.round(triangles.reshape(-1, 3) * 1e5).astype(np.int64), axis=0, return_inverse=True)
    faces = index.reshape(-1, 3).astype(np.int32)
    whole = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return keys / 1e5, faces[whole]


def parts(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """The connected part (n,) that each face belongs to, counted from 0."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    rows = np.concatenate([faces[:, 0], faces[:, 1]])
    columns = np.concatenate([faces[:, 1], faces[:, 2]])
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(vertices),) * 2)
    return connected_components(graph, directed=False)[1][faces[:, 0]]


Mesh = tuple[np.ndarray, np.ndarray]
Box = tuple[tuple[float, float, float], tuple[float, float, float]]

DARK: dict[str, tuple[Box, ...]] = {
    "link3": (((0.0, 0.05, -0.07), (0.14, 0.11, 0.06)),),
    "link4": (((-0.07, -0.06, 0.05), (0.06, 0.07, 0.11)),),
    "link5": (((-0.06, 0.06, -0.22), (0.06, 0.13, 0.06)),),
    "link6": (((0.05, 0.06, -0.04), (0.13, 0.09, 0.04)), ((-0.05, -0.05, 0.025), (0.07, 0.05, 0.06))),
    "hand": (((-0.04, -0.06, -0.005), (0.04, 0.06, 0.012)),),
    "finger": (((-0.01, -0.01, 0.03), (0.01, 0.02, 0.06)),),
}
"""Boxes (lower, upper corner, m, link frame): a connected part that lies wholly inside one has the dark look."""

LEAST_AREA = (35e-4, 2e-4)
"""White and dark connected parts with less surface (m^2) are screws, plugs and inner faces: they make no silhouette."""

DARK_LIFT = 0.0008
"""Dark parts cover white ones; they are lifted by this much (m) so that coarser triangles do not pierce them."""


def looks(vertices: np.ndarray, faces: np.ndarray, boxes: tuple[Box, ...]) -> np.ndarray:
    """Per face 0 (white shell), 1 (dark part) or -1 (too small to be seen), decided for whole connected parts."""
    part = parts(vertices, faces)
    corners = vertices[faces]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    total = np.bincount(part, areas)
    out = np.zeros(len(faces), np.int8)
    for k in range(len(total)):
        own = part == k
        lower, upper = corners[own].min((0, 1)), corners[own].max((0, 1))
        dark = any((lower >= low).all() and (upper <= high).all() for low, high in boxes)
        out[own] = -1 if total[k] < LEAST_AREA[dark] else int(dark)
    return out


def lifted(vertices: np.ndarray, faces: np.ndarray, distance: float) -> np.ndarray:
    """``vertices`` moved outwards by ``distance`` (m) along their mean face normals."""
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(total, faces[:, k], normals)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return vertices + distance * total / np.maximum(length, 1e-12)


def _decimated(vertices: np.ndarray, faces: np.ndarray, target: int) -> tuple[np.ndarray, np.ndarray]:
    import fast_simplification

    if len(faces) > target:
        points, faces = fast_simplification.simplify(
            vertices.astype(np.float32), faces.astype(np.int32), target_count=max(target, 4), agg=3
        )
        vertices = np.asarray(points, np.float64)
    used, index = np.unique(faces, return_inverse=True)
    return vertices[used].astype(np.float32), index.reshape(-1, 3).astype(np.int32)


def _cache_folder() -> Path:
    base = os.environ.get("HANSGYM_CACHE") or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "hansgym" / "meshes"


def _load(path: Path) -> tuple[np.ndarray, np.ndarray] | None:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return stored["vertices"], stored["faces"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _store(path: Path, vertices: np.ndarray, faces: np.ndarray) -> None:
    """Write whole or not at all: other processes may read or write the same entry at this moment."""
    part = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            np.savez(file, vertices=vertices, faces=faces)
        os.replace(part, path)
    except OSError:
        # No room or no right to write: the mesh is made again next time.
        with contextlib.suppress(OSError):
            os.unlink(part)


@cache
def robot_mesh(name: str, kind: str = "visual", look: str = "all", triangles: int = 1000) -> Mesh:
    """Vertices (v, 3) float32 in metres and faces (n, 3) int32 of one of the robot's links.

    ``name``: ``link0`` to ``link7``, ``hand``, ``finger``; ``kind``: ``visual`` or ``collision``; ``look``: ``white``
    and ``dark`` are the two halves of what can be seen (small inner parts left out), ``all`` is everything.
    ``triangles`` is about how many the result has; it is empty where a link has no such half. The arrays are
    shared by all callers and read-only.
    """
    path = mesh_folder() / kind / f"{name}.stl"
    if not path.is_file():
        raise ConfigurationError(
            f"there is no robot mesh {kind}/{name}; there are "
            f"{', '.join(sorted(f'{p.parent.name}/{p.stem}' for p in mesh_folder().glob('*/*.stl')))}"
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    entry = _cache_folder() / f"{kind}-{name}-{look}-{triangles}-{RECIPE}-{digest}.npz"
    found = _load(entry)
    if found is None:
        vertices, faces = weld(read_stl(path))
        if look != "all":
            dark = ("white", "dark").index(look)
            faces = faces[looks(vertices, faces, DARK.get(name, ())) == dark]
            vertices = lifted(vertices, faces, DARK_LIFT * dark)
        found = _decimated(vertices, faces, triangles)
        _store(entry, *found)
    for array in found:
        array.setflags(write=False)
    return found
