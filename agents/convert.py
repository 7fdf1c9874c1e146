"""Turn chunks of actions from one contract into another: by way of the path that they mean.

Whatever the convention, a chunk means a path of the arm (joint angles, or positions and attitudes of the tip) from the
measured state, at the steps of its rate. The path is resampled to the other rate and written down in the other
convention. Nothing here knows kinematics, so joints stay joints and poses stay poses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from scipy.spatial.transform import Rotation

from hansgym.agents import rotations
from hansgym.agents.contract import BASE_POSITION_M, ActionContract
from hansgym.errors import AgentError, ContractError

Path = tuple[np.ndarray, np.ndarray | None]
"""(B, T + 1, 7) joint angles and None, or (B, T + 1, 3) positions and (B, T + 1, 3, 3) attitudes; the start first."""


def horizon(steps: int, source: ActionContract, target: ActionContract) -> int:
    """How many steps of ``target``'s rate fit into ``steps`` of ``source``'s."""
    return max(1, math.floor(steps * target.rate_hz / source.rate_hz + 1e-9))


def convert(
    chunk: np.ndarray, source: ActionContract, target: ActionContract, state: Mapping[str, np.ndarray]
) -> np.ndarray:
    """``chunk`` (B, T, ``source.dim``) as (B, T', ``target.dim``) float64, T' = :func:`horizon` of T.

    ``state``: the measured ``joint_positions`` (B, 7) rad and ``gripper_pose`` (B, 7), of which the space's own is
    used. A chunk of another shape, with numbers that are not finite or rotations that are none, raises
    :class:`AgentError`; contracts of different spaces raise :class:`ContractError`.
    """
    chunk = _checked(chunk, source)
    if source.space != target.space:
        raise ContractError(
            f"{source.space!r} actions cannot become {target.space!r} actions without kinematics; make the "
            f"environment with a control mode of {source.space!r}"
        )
    if source == target:
        return chunk.copy()
    arm, gripper = chunk[..., list(source.arm)], chunk[..., source.gripper]
    if source.clip is not None:
        arm = np.clip(arm, -source.clip, source.clip)
    start = _start(source, state)
    steps = horizon(chunk.shape[1], source, target)
    path = resample(_read(arm, source, start), steps, source.rate_hz / target.rate_hz)
    written = _write(path, target)
    if target.clip is not None:
        written = np.clip(written, -target.clip, target.clip)
    out = np.zeros((len(chunk), steps, target.dim))
    out[..., list(target.arm)] = written
    out[..., target.gripper] = _gripper(gripper, source, target, steps)
    return out


def _checked(chunk: np.ndarray, source: ActionContract) -> np.ndarray:
    array = np.asarray(chunk)
    if array.dtype.kind not in "fiu":
        raise AgentError(f"the policy's chunk has dtype {array.dtype}; it must hold real numbers")
    if array.ndim != 3 or array.shape[1] < 1 or array.shape[2] != source.dim:
        raise AgentError(
            f"the policy's chunk has shape {array.shape}; (rows, steps, {source.dim}) was due by its action contract"
        )
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise AgentError(f"the policy's chunk is {array[where]} at (row, step, dimension) {where}; it must be finite")
    return array.astype(np.float64)


def _start(contract: ActionContract, state: Mapping[str, np.ndarray]) -> Path:
    """The measured state as a path of one point, (B, 1, …)."""
    if contract.space == "joint":
        return np.asarray(state["joint_positions"], np.float64)[:, None], None
    pose = np.asarray(state["gripper_pose"], np.float64)[:, None]
    return pose[..., :3], rotations.to_matrix(pose[..., 3:], "quaternion_xyzw")


# ---------------------------------------------------------------- their numbers to a path, and back


def _read(arm: np.ndarray, c: ActionContract, start: Path) -> Path:
    values = arm * c.units
    if c.kind == "velocity":
        values = values / c.rate_hz
    if c.space == "joint":
        return _read_joints(values, c, start[0]), None
    begin = _to_tool(start, c)
    assert begin[1] is not None
    turns = rotations.to_matrix(values[..., 3:], c.rotation)
    if c.kind == "absolute":
        there: Path = (values[..., :3] + _origin(c), turns)
    elif c.kind == "chunk_delta":
        there = _moved(begin, values[..., :3], turns, c.frame)
    else:
        there = _accumulated(begin, values[..., :3], turns, c.frame)
    assert there[1] is not None
    theirs = np.concatenate([begin[0], there[0]], 1), np.concatenate([begin[1], there[1]], 1)
    return _from_tool(theirs, c)


def _read_joints(values: np.ndarray, c: ActionContract, start: np.ndarray) -> np.ndarray:
    if c.kind == "absolute":
        path = values + np.array(c.offset)
    elif c.kind == "chunk_delta":
        path = start + values
    else:
        path = start + np.cumsum(values, axis=1)
    return np.concatenate([start, path], axis=1)


def _write(path: Path, c: ActionContract) -> np.ndarray:
    per = c.rate_hz if c.kind == "velocity" else 1.0
    if c.space == "joint":
        joints = path[0]
        if c.kind == "absolute":
            return (joints[:, 1:] - np.array(c.offset)) / c.units
        change = joints[:, 1:] - joints[:, :1] if c.kind == "chunk_delta" else np.diff(joints, axis=1)
        return change * per / c.units
    position, attitude = _to_tool(path, c)
    assert attitude is not None
    if c.kind == "absolute":
        place, turn = position[:, 1:] - _origin(c), attitude[:, 1:]
    else:
        last = slice(0, 1) if c.kind == "chunk_delta" else slice(0, -1)
        place, turn = _between((position[:, last], attitude[:, last]), (position[:, 1:], attitude[:, 1:]), c.frame)
    numbers = rotations.from_matrix(turn, c.rotation)
    return np.concatenate([place, numbers], axis=-1) * per / c.units


def _origin(c: ActionContract) -> np.ndarray:
    return np.array(BASE_POSITION_M) if c.frame == "base" else np.zeros(3)


def _moved(start: Path, shift: np.ndarray, turn: np.ndarray, frame: str) -> Path:
    position, attitude = start
    assert attitude is not None
    if frame == "tool":
        return position + np.squeeze(attitude @ shift[..., None], -1), attitude @ turn
    return position + shift, turn @ attitude


def _accumulated(start: Path, shift: np.ndarray, turn: np.ndarray, frame: str) -> Path:
    places, attitudes, here = [], [], start
    for k in range(shift.shape[1]):
        here = _moved(here, shift[:, k : k + 1], turn[:, k : k + 1], frame)
        places.append(here[0])
        attitudes.append(here[1])
    return np.concatenate(places, axis=1), np.concatenate(attitudes, axis=1)  # type: ignore[arg-type]


def _between(start: Path, end: Path, frame: str) -> tuple[np.ndarray, np.ndarray]:
    """The shift and turn that :func:`_moved` would need to come from ``start`` to ``end``."""
    (p, r), (q, s) = start, end
    assert r is not None and s is not None  # noqa: PT018
    back = np.swapaxes(r, -1, -2)
    if frame == "tool":
        return np.squeeze(back @ (q - p)[..., None], -1), back @ s
    return q - p, s @ back


def _to_tool(path: Path, c: ActionContract) -> Path:
    position, attitude = path
    assert attitude is not None
    tool = rotations.to_matrix(np.array(c.tool_rotation), "quaternion_xyzw")
    return position + attitude @ np.array(c.tool_offset_m), attitude @ tool


def _from_tool(path: Path, c: ActionContract) -> Path:
    position, attitude = path
    assert attitude is not None
    own = attitude @ rotations.to_matrix(np.array(c.tool_rotation), "quaternion_xyzw").T
    return position - own @ np.array(c.tool_offset_m), own


# ---------------------------------------------------------------- time and gripper


def resample(path: Path, steps: int, ratio: float) -> Path:
    """The path at ``steps`` times ``ratio`` apart (in its own steps), straight between its points; the start stays."""
    if ratio == 1.0:
        return path
    last = path[0].shape[1] - 1
    times = np.minimum(np.arange(steps + 1) * ratio, last)
    low = np.minimum(np.floor(times + 1e-9).astype(int), last - 1)
    share = np.clip(times - low, 0.0, 1.0)
    places = path[0][:, low] + share[:, None] * (path[0][:, low + 1] - path[0][:, low])
    if path[1] is None:
        return places, None
    before, after = path[1][:, low], path[1][:, low + 1]
    change = np.swapaxes(before, -1, -2) @ after
    part = rotations.from_matrix(change, "rotation_vector") * share[:, None]
    turned = Rotation.from_rotvec(part.reshape(-1, 3)).as_matrix().reshape(before.shape)
    return places, before @ turned


def _gripper(values: np.ndarray, source: ActionContract, target: ActionContract, steps: int) -> np.ndarray:
    """(B, steps): each step takes the command in force at its middle."""
    ratio = source.rate_hz / target.rate_hz
    pick = np.minimum(np.floor((np.arange(steps) + 0.5) * ratio).astype(int), values.shape[1] - 1)
    opening = (values[:, pick] - source.gripper_closed) / (source.gripper_open - source.gripper_closed)
    opening = np.clip(opening, 0.0, 1.0)
    if source.gripper_binary or target.gripper_binary:
        opening = (opening > 0.5).astype(np.float64)
    return target.gripper_closed + opening * (target.gripper_open - target.gripper_closed)
