"""Rotations in the formats that policies speak, to and from matrices, in batches of any shape.

Formats: ``quaternion_xyzw``, ``quaternion_wxyz``, ``rotation_vector`` (axis times angle), ``rot6d_columns`` (first
column of the matrix, then the second), ``rot6d_rows`` (first row, then the second; PyTorch3D's), and
``euler_<axes>``: three axes in lower case turn about fixed axes one after the other (``euler_xyz`` is roll, pitch,
yaw), in upper case about the axes that move along. All angles are in radians here.
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy.spatial.transform import Rotation

from hansgym.errors import AgentError
from hansgym.lookup import unknown

_FIXED = {
    "quaternion_xyzw": 4,
    "quaternion_wxyz": 4,
    "rotation_vector": 3,
    "rot6d_columns": 6,
    "rot6d_rows": 6,
}
_AXES = ["".join(p) for p in itertools.product("xyz", repeat=3) if p[0] != p[1] and p[1] != p[2]]
_EULER = tuple(f"euler_{order}" for axes in _AXES for order in (axes, axes.upper()))
FORMATS = (*_FIXED, *_EULER)
ANGULAR = frozenset({"rotation_vector", *_EULER})
"""Formats whose numbers are angles, so that degrees make sense."""

_TINY = 1e-6


def width(form: str) -> int:
    """How many numbers a rotation has in ``form``; an unknown format raises with the known ones."""
    if form not in FORMATS:
        raise unknown("rotation format", form, (*_FIXED, "euler_xyz", "euler_XYZ", "euler_<axes>"))
    return _FIXED.get(form, 3)


def to_matrix(values: np.ndarray, form: str) -> np.ndarray:
    """(…, n) numbers in ``form`` as rotation matrices (…, 3, 3); what is no rotation raises :class:`AgentError`."""
    values = np.asarray(values, np.float64)
    n = width(form)
    if values.shape[-1] != n:
        raise AgentError(f"a rotation in {form} takes {n} numbers, got {values.shape[-1]}")
    flat = values.reshape(-1, n)
    if form.startswith("rot6d"):
        matrices = _from_six(flat)
        matrices = matrices if form == "rot6d_columns" else matrices.transpose(0, 2, 1)
    else:
        matrices = _rotation(flat, form).as_matrix()
    return matrices.reshape(*values.shape[:-1], 3, 3)


def from_matrix(matrices: np.ndarray, form: str) -> np.ndarray:
    """Rotation matrices (…, 3, 3) as (…, n) numbers in ``form``; quaternions with w >= 0."""
    n = width(form)
    matrices = np.asarray(matrices, np.float64)
    flat = matrices.reshape(-1, 3, 3)
    if form == "rot6d_columns":
        values = np.concatenate([flat[:, :, 0], flat[:, :, 1]], axis=1)
    elif form == "rot6d_rows":
        values = np.concatenate([flat[:, 0], flat[:, 1]], axis=1)
    else:
        values = _numbers(Rotation.from_matrix(flat), form)
    return values.reshape(*matrices.shape[:-2], n)


def _rotation(flat: np.ndarray, form: str) -> Rotation:
    if form.startswith("quaternion"):
        norms = np.linalg.norm(flat, axis=1)
        if (norms < _TINY).any():
            raise AgentError(f"a quaternion has length {norms.min():.2g}; it must be that of a rotation, of length 1")
        return Rotation.from_quat(flat if form.endswith("xyzw") else flat[:, [1, 2, 3, 0]])
    if form == "rotation_vector":
        return Rotation.from_rotvec(flat)
    return Rotation.from_euler(form.removeprefix("euler_"), flat)


def _numbers(turn: Rotation, form: str) -> np.ndarray:
    if form.startswith("quaternion"):
        xyzw = turn.as_quat(canonical=True)
        return xyzw if form.endswith("xyzw") else xyzw[:, [3, 0, 1, 2]]
    return turn.as_rotvec() if form == "rotation_vector" else turn.as_euler(form.removeprefix("euler_"))


def _from_six(flat: np.ndarray) -> np.ndarray:
    """Gram-Schmidt, as Zhou et al. 2019 define it; the two vectors become the columns."""
    first, second = flat[:, :3], flat[:, 3:]
    x = first / np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-12)
    rest = second - (x * second).sum(1, keepdims=True) * x
    length = np.linalg.norm(rest, axis=1, keepdims=True)
    if (np.linalg.norm(first, axis=1) < _TINY).any() or (length < _TINY).any():
        least = min(float(np.linalg.norm(first, axis=1).min()), float(length.min()))
        raise AgentError(
            f"a rot6d rotation has a vector of length {least:.2g}, or two along one line; it needs two independent ones"
        )
    y = rest / length
    return np.stack([x, y, np.cross(x, y)], axis=2)
