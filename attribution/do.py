"""Do-effects: how far the action chunk moves when one factor of the world is resampled and the same state seen again.

The renderings come from the caller (who has a simulator); what happens here is arithmetic on chunks, definition
``ner-v1``. Per draw, the squared difference from the clean chunk is averaged over the executed steps and the arm's
dimensions, the gripper apart. Chunks of delta modes are first accumulated along the chunk. Joint modes are in radians.
End-effector modes average over six numbers: the three position axes (m) and the three components of the relative
rotation vector (rad) times 0.1 m.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from hansgym.agent import Agent
from hansgym.attribution.evaluate import evaluate
from hansgym.attribution.iss_core import RESOLUTION
from hansgym.batch import Batch
from hansgym.errors import ConfigurationError, ContractError
from hansgym.specs import ActionSpec, check_chunk

EXECUTED = 8
STRIDE = 4
DRAWS = 8
LEVER_M = 0.1  # what a radian of the hand is worth in metres
PAIRED = ("deterministic", "exact")  # noise controls under which equal seeds give equal noise
NULL = "null"  # the record of the clean observation evaluated twice
_UNITS = {"joint_position": "rad", "joint_delta": "rad", "ee_pose": "m", "ee_delta": "m"}


@dataclass(frozen=True)
class FactorEffect:
    """One factor at one decision: mean squared effects over ``draws`` (arm in unit squared, gripper apart), and how
    many of the draws changed no pixel (they stay in the mean).
    """

    d2: float
    d2_gripper: float
    draws: int
    unchanged: int


@dataclass(frozen=True)
class DoDecision:
    """The do-effects of one decision. ``null_d2``: the squared difference of two answers to the clean observation
    where sampling noise cannot be paired, else None. ``clean_chunk``: (horizon, dim) float64. ``evaluations``: the
    clean one included.
    """

    factors: Mapping[str, FactorEffect]
    null_d2: float | None
    control: str
    executed: int
    clean_chunk: np.ndarray
    evaluations: int


def due(decision: int, stride: int = STRIDE, contact: bool = False) -> bool:
    """Whether do-effects are measured at this decision: every ``stride``-th, and not in ``contact`` (an object held, or
    a TARGET or FIXTURE touched), except that decision 0 never is skipped.
    """
    if stride < 1:
        raise ConfigurationError(f"do_stride must be at least 1, got {stride}")
    return decision == 0 or (decision % stride == 0 and not contact)


def unit(control: str) -> str:
    """The unit of e = sqrt(D^2) in control mode ``control``."""
    return _UNITS[ActionSpec.of(control).mode]


def do_effects(
    agent: Agent,
    clean: Batch,
    counterfactuals: Mapping[str, Batch],
    noise_seed: int,
    *,
    executed: int = EXECUTED,
    clean_chunk: np.ndarray | None = None,
    changed: Mapping[str, np.ndarray] | None = None,
) -> DoDecision:
    """Effects of every factor on the chunk for ``clean`` (one row).

    ``counterfactuals``: factor -> K rows that differ from ``clean`` in their images (and privileged inputs) only;
    ``clean.take([0] * K).with_images(...)`` makes them. All rows are evaluated under ``noise_seed``. ``executed``: the
    steps of the chunk that count (at most the horizon). ``clean_chunk``: (horizon, dim), the answer to ``clean``
    if known; an agent that takes batches is asked again, beside the counterfactuals, because rounding depends on the
    size of a batch. ``changed``: factor -> (K,) bool, whether a draw changed any pixel; compared here if not given.
    """
    if len(clean) != 1 or executed < 1:
        raise ConfigurationError(f"needs one clean observation and executed >= 1, got {len(clean)} and {executed}")
    for factor, batch in counterfactuals.items():
        _check_paired(factor, clean, batch)
    spec, repeat = agent.spec, agent.spec.noise_control not in PAIRED
    known = None if clean_chunk is None else check_chunk(np.asarray(clean_chunk)[None], 1, spec)[0]
    trusted = known is not None and spec.max_batch == 1
    extra = (not trusted) + repeat
    asked = [clean] * extra + list(counterfactuals.values())
    rows = _stack(asked)
    answers = evaluate(agent, rows, np.full(len(rows), noise_seed, np.uint64)) if asked else np.empty((0, 0, 0))
    reference = known if known is not None and trusted else answers[0]
    floor = (RESOLUTION * float(np.abs(reference[:, spec.action.arm]).max())) ** 2
    steps, factors, start = min(executed, spec.horizon), {}, extra
    for factor, batch in counterfactuals.items():
        part, start = answers[start : start + len(batch)], start + len(batch)
        same = _unchanged(clean, batch) if changed is None else ~np.asarray(changed[factor], bool)
        factors[factor] = _effect(part, reference, spec.action, steps, floor, same)
    null = squared_distance(answers[extra - 1 : extra], reference, spec.action, steps)[0] if repeat else None
    null_d2 = None if null is None else float(null)
    executed_chunk = reference if known is None else known
    return DoDecision(factors, null_d2, spec.action.mode, steps, executed_chunk, len(rows) + trusted)


def _effect(
    chunks: np.ndarray, clean: np.ndarray, action: ActionSpec, steps: int, floor: float, same: np.ndarray
) -> FactorEffect:
    arm = float(squared_distance(chunks, clean, action, steps).mean())
    gripper = float(((chunks[:, :steps, -1] - clean[None, :steps, -1]) ** 2).mean())
    # Below the floor lies float32 rounding: a policy may differ in its last bit with its neighbours in the batch.
    return FactorEffect(arm if arm > floor else 0.0, gripper, len(chunks), int(same.sum()))


def squared_distance(chunks: np.ndarray, clean: np.ndarray, action: ActionSpec, steps: int) -> np.ndarray:
    """(K,) mean squared differences of the arm between ``chunks`` (K, T, A) and ``clean`` (T, A) over the first
    ``steps``; in rad^2 for joint modes, m^2 for end-effector modes.
    """
    return _DISTANCES[action.mode](chunks[:, :steps, action.arm], clean[None, :steps, action.arm])


def _joints(chunks: np.ndarray, clean: np.ndarray) -> np.ndarray:
    return ((chunks - clean) ** 2).mean(axis=(1, 2))


def _joint_steps(chunks: np.ndarray, clean: np.ndarray) -> np.ndarray:
    return _joints(chunks.cumsum(axis=1), clean.cumsum(axis=1))


def _poses(chunks: np.ndarray, clean: np.ndarray) -> np.ndarray:
    return _hands(chunks[..., :3], _quaternions(chunks[..., 3:]), clean[..., :3], _quaternions(clean[..., 3:]))


def _pose_steps(chunks: np.ndarray, clean: np.ndarray) -> np.ndarray:
    moved, reference = chunks[..., :3].cumsum(axis=1), clean[..., :3].cumsum(axis=1)
    return _hands(moved, _turns(chunks[..., 3:]), reference, _turns(clean[..., 3:]))


_DISTANCES: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "joint_position": _joints,
    "joint_delta": _joint_steps,
    "ee_pose": _poses,
    "ee_delta": _pose_steps,
}


def _hands(position: np.ndarray, turn: np.ndarray, clean_position: np.ndarray, clean_turn: np.ndarray) -> np.ndarray:
    """(K,) from positions (K, T, 3) m and rotation matrices (K, T, 3, 3) against the clean ones (1, T, ...)."""
    relative = turn @ np.swapaxes(clean_turn, -1, -2)
    angles = Rotation.from_matrix(relative.reshape(-1, 3, 3)).as_rotvec().reshape(position.shape)
    squared = np.concatenate([(position - clean_position) ** 2, (LEVER_M * angles) ** 2], axis=-1)
    return squared.mean(axis=(1, 2))


def _quaternions(xyzw: np.ndarray) -> np.ndarray:
    """Rotation matrices (K, T, 3, 3) of quaternions (K, T, 4) of any positive length."""
    zero = np.argwhere(np.linalg.norm(xyzw, axis=-1) == 0)
    if len(zero):
        raise ContractError(
            f"the quaternion (x, y, z, w) at (row, step) {tuple(zero[0].tolist())} is zero, which is no rotation; "
            "write (0, 0, 0, 1) for none"
        )
    return Rotation.from_quat(xyzw.reshape(-1, 4)).as_matrix().reshape(*xyzw.shape[:-1], 3, 3)


def _turns(vectors: np.ndarray) -> np.ndarray:
    """Rotation matrices (K, T, 3, 3) after each step of rotation vectors (K, T, 3) given in the base frame."""
    steps = Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix().reshape(*vectors.shape, 3)
    total = [steps[:, 0]]
    for k in range(1, steps.shape[1]):
        total.append(steps[:, k] @ total[-1])
    return np.stack(total, axis=1)


def _check_paired(factor: str, clean: Batch, batch: Batch) -> None:
    if len(batch) == 0:
        raise ConfigurationError(f"factor {factor!r} has no draw; leave out factors that are not present")
    pairs = {"rows": (clean.rows, batch.rows), **{k: (v, batch.state.get(k)) for k, v in clean.state.items()}}
    wrong = [k for k, (a, b) in pairs.items() if b is None or (np.asarray(b) != np.asarray(a)).any()]
    wrong += ["instructions"] if set(batch.instructions) != set(clean.instructions) else []
    wrong += ["cameras"] if set(batch.images) != set(clean.images) else []
    wrong += ["privileged inputs"] if set(batch.privileged) != set(clean.privileged) else []
    if wrong:
        raise ConfigurationError(
            f"the draws of factor {factor!r} differ from the clean observation in {', '.join(wrong)}: only images (and "
            "the values of privileged inputs) may differ; make them with clean.take([0] * K).with_images(...)"
        )


def _unchanged(clean: Batch, batch: Batch) -> np.ndarray:
    same = np.ones(len(batch), bool)
    for camera, images in batch.images.items():
        same &= np.array([np.array_equal(image, clean.images[camera][0]) for image in images])
    return same


def _stack(batches: Sequence[Batch]) -> Batch:
    return Batch.concatenate(batches) if batches else Batch({}, {}, (), np.zeros(0, np.int64))


def episode_record(decisions: Sequence[DoDecision]) -> dict[str, dict[str, Any]]:
    """The ``do`` field of an episode's record: factor -> mean ``d2`` over the ``decisions`` that have it, their number,
    ``draws`` in all, and more. Where noise cannot be paired, the entry ``"null"`` holds what to subtract.
    """
    record: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(f for d in decisions for f in d.factors):
        having = [d for d in decisions if name in d.factors]
        effects = [d.factors[name] for d in having]
        record[name] = {
            "d2": float(np.mean([e.d2 for e in effects])),
            "d2_gripper": float(np.mean([e.d2_gripper for e in effects])),
            "decisions": len(effects),
            "draws": sum(e.draws for e in effects),
            "unchanged": sum(e.unchanged for e in effects),
            "control": having[0].control,
        }
    nulls = [d for d in decisions if d.null_d2 is not None]
    if nulls:
        mean = float(np.mean([d.null_d2 for d in nulls if d.null_d2 is not None]))
        record[NULL] = {"d2": mean, "decisions": len(nulls), "draws": len(nulls), "control": nulls[0].control}
    return record
