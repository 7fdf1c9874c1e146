"""Interventional significance scores: hide random cells, see how far the action chunk moves.

With N masks m_k drawn cell by cell (keep probability p, q = 1 - p), the effect of mask k is

    delta_k = mean over horizon and dimensions of (scale * (chunk_k - clean))^2,

the published score of cell i is S_i = 1/(N q) * sum_k delta_k (1 - m_ki), and the centred one, with
x_ki = (1 - m_ki) - q, is C_i = 1/((N - 1) q) * sum_k (delta_k - mean delta) x_ki. C is unbiased for E[S] - E[delta]:
the same map but for a constant, without the design noise that the mean effect carries into S (5 to 45
times less variance). A method may measure delta_k otherwise: by a :data:`Measure` of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hansgym.attribution.designs import bernoulli
from hansgym.attribution.evaluate import evaluate
from hansgym.attribution.method import CellScores, Question
from hansgym.batch import MaskedBatch
from hansgym.specs import ActionSpec

# Differences below this part of the chunk's own size are float32 rounding (a policy may answer differently in its last
# bit when its neighbours in the batch differ), not an effect.
RESOLUTION = 1e-6

# (N,) effects, (N, C) hidden bits, q -> (C,) scores, (N, C) influence of each mask on them
Estimator = Callable[[np.ndarray, np.ndarray, float], tuple[np.ndarray, np.ndarray]]


def centred(effects: np.ndarray, hidden: np.ndarray, q: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores (C,) and influences (N, C) of the centred estimator; ``hidden`` (N, C) is 1 where a cell is hidden."""
    influence = (effects - effects.mean())[:, None] * (hidden - q) / q
    return influence.sum(axis=0) / (len(effects) - 1), influence


def published(effects: np.ndarray, hidden: np.ndarray, q: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores (C,) and influences (N, C) of the published estimator; ``hidden`` (N, C) is 1 where a cell is hidden."""
    influence = effects[:, None] * hidden / q
    return influence.mean(axis=0), influence


@dataclass(frozen=True)
class Effects:
    """What N masks did: ``total`` (N,) squared differences, ``gripper`` (N,) the gripper's part of them (None: it has
    none of its own). Differences up to ``floor`` are rounding. ``of``: of what they are differences, in words.
    """

    total: np.ndarray
    gripper: np.ndarray | None
    floor: float
    of: str = "the action chunk"

    @property
    def no_effect(self) -> str | None:
        """Why these effects say nothing about where the policy looks, or None when they do."""
        if self.total.mean() <= self.floor**2:
            return f"no mask changed {self.of}"
        if self.total.std() <= self.floor * np.sqrt(self.total.mean()):
            return f"every mask changed {self.of} equally"
        return None

    @property
    def gripper_share(self) -> float | None:
        """The gripper's share of the mean effect."""
        mean = float(self.total.mean())
        return float(self.gripper.mean() / mean) if self.gripper is not None and mean > 0 else None


@dataclass(frozen=True)
class Measured:
    """The effects of N masks, the chunk (horizon, dim) that the agent answers without any, and the number of
    observations that it was asked about for both, whoever asked for the chunk.
    """

    effects: Effects
    clean_chunk: np.ndarray
    evaluations: int


# What asks the agent about masks, camera -> (N, G, G) uint8 bits, and measures their effects
Measure = Callable[[Question, dict[str, np.ndarray]], Measured]


def effects(chunks: np.ndarray, clean: np.ndarray, action: ActionSpec) -> Effects:
    """Effects of masks that turned the chunk ``clean`` (T, A) into ``chunks`` (N, T, A), in squared action units."""
    scale = np.asarray(action.scale, np.float64)
    squared = ((chunks - clean[None]) * scale) ** 2
    size = max(float(np.abs(chunks * scale).max()), float(np.abs(clean * scale).max()))
    return Effects(squared.mean(axis=(1, 2)), squared[:, :, -1].sum(axis=1) / squared[0].size, RESOLUTION * size)


def masked(question: Question, bits: dict[str, np.ndarray], clean: bool) -> MaskedBatch:
    """The views to ask about, after the unmasked one if ``clean``: behind a mask that hides nothing.

    Asked beside the others it saves an inference, and rounding, which depends on the size of a batch, is the same for
    all.
    """
    if clean:
        bits = {c: np.concatenate([np.ones_like(b[:1]), b]) for c, b in bits.items()}
    return MaskedBatch(question.base, bits, question.blur_sigma_px)


def chunk_effects(question: Question, bits: dict[str, np.ndarray]) -> Measured:
    """How far masks move the chunk, all views answered under the same sampling noise."""
    known = question.clean_chunk
    asked = masked(question, bits, clean=known is None)
    chunks = evaluate(question.agent, asked, np.full(len(asked), question.noise_seed, np.uint64))
    clean, chunks = (chunks[0], chunks[1:]) if known is None else (known, chunks)
    return Measured(effects(chunks, clean, question.agent.spec.action), clean, len(chunks) + 1)


def explain(question: Question, estimator: Estimator, measure: Measure = chunk_effects) -> CellScores:
    """Draw masks, measure their effects on what the agent says, and score the cells."""
    q = 1.0 - question.keep_probability
    shape = (question.n_masks, question.keep_probability, question.grid)
    bits = bernoulli(question.seed, tuple(question.base.images), *shape)
    found = measure(question, bits)
    moved = found.effects
    hidden = np.concatenate([1.0 - b.reshape(len(b), -1) for b in bits.values()], axis=1)
    scores, influence = estimator(moved.total, hidden, q)
    spread = influence.std(axis=0, ddof=1) / np.sqrt(len(influence))
    mean = float(moved.total.mean())
    return CellScores(
        cells=_by_camera(scores, bits),
        stderr=_by_camera(spread, bits),
        clean_chunk=found.clean_chunk,
        evaluations=found.evaluations,
        mean_effect=mean,
        effect_cv=float(moved.total.std(ddof=1) / mean) if mean > 0 else None,
        split_half=None if moved.no_effect else split_half(moved.total, hidden, q, estimator),
        gripper_share=moved.gripper_share,
        no_effect=moved.no_effect,
    )


def split_half(effects: np.ndarray, hidden: np.ndarray, q: float, estimator: Estimator) -> float | None:
    """Correlation of the maps that two disjoint halves of the masks give; None where one of them is constant."""
    half = len(effects) // 2
    first = estimator(effects[:half], hidden[:half], q)[0]
    second = estimator(effects[half:], hidden[half:], q)[0]
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(np.corrcoef(first, second)[0, 1])


def _by_camera(values: np.ndarray, bits: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    size = next(iter(bits.values()))[0].size
    return {c: values[k * size : (k + 1) * size].reshape(b.shape[1:]) for k, (c, b) in enumerate(bits.items())}
