"""Agents whose dependence on the image is known exactly, and observations to show them. No simulator."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from hansgym.abilities import TokenScores
from hansgym.batch import Batch, MaskedBatch
from hansgym.seeds import stream
from hansgym.specs import ActionSpec, AgentSpec

GRID, CELL = 7, 5
SIZE = GRID * CELL  # odd cells: the centre pixel of a cell shows that cell's mask bit and no other
HORIZON = 16

Readout = Callable[[Mapping[str, np.ndarray]], np.ndarray]


class ToyAgent:
    """``readout`` maps camera -> (B, H, W, 3) uint8 to (B, dims) numbers, put in the chunk's first dimensions."""

    def __init__(self, readout: Readout, **spec: object) -> None:
        mode = str(spec.pop("mode", "joint_position"))
        scale = spec.pop("scale", ())
        settings = {"cameras": ("front",), "horizon": HORIZON, "max_batch": 64, **spec}
        self.spec = AgentSpec("toy", ActionSpec.of(mode, scale), **settings)  # type: ignore[arg-type]
        self.readout = readout
        self.calls: list[int] = []

    def reset(self, rows: object, seeds: object) -> None:
        """Nothing to forget."""

    def act(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> np.ndarray:
        self.calls.append(len(batch))
        values = self.readout(batch.images)
        chunk = np.zeros((len(batch), self.spec.horizon, self.spec.action.dim))
        chunk[:, :, : values.shape[1]] = values[:, None]
        if self.spec.action.mode == "ee_pose":
            chunk[:, :, 6] = 1.0
        if self.spec.noise_control == "exact":
            chunk += np.stack([stream(int(s), "noise").normal(size=chunk.shape[1:]) for s in noise_seeds])
        return chunk


class TokenAgent(ToyAgent):
    """Says tokens 0 or 1, one per column of ``readout``, which is the surprise s of a 0 in nat: p(0) = exp(-s)."""

    gripper: int | None = None

    def surprise(self, batch: Batch | MaskedBatch) -> np.ndarray:
        self.calls.append(len(batch))
        return self.readout(batch.images)

    def act(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> np.ndarray:
        return self.act_tokens(batch, noise_seeds)[0]

    def act_tokens(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        tokens = (self.surprise(batch) > np.log(2)).astype(np.int64)
        chunk = np.zeros((len(batch), self.spec.horizon, self.spec.action.dim))
        chunk[:, :, : tokens.shape[1]] = tokens[:, None]
        return chunk, tokens

    def score_tokens(self, batch: Batch | MaskedBatch, tokens: np.ndarray | None = None) -> TokenScores:
        surprise = self.surprise(batch)
        said = (surprise > np.log(2)).astype(np.int64) if tokens is None else np.broadcast_to(tokens, surprise.shape)
        logp = np.where(said == 0, -surprise, np.log(-np.expm1(-surprise)))
        return TokenScores(said, logp, np.ones_like(logp), self.gripper)


def centre(cell: tuple[int, int]) -> tuple[int, int]:
    """The pixel in the middle of a grid cell."""
    return cell[0] * CELL + CELL // 2, cell[1] * CELL + CELL // 2


def reads_cells(cells: Mapping[tuple[str, int, int], float], **spec: object) -> ToyAgent:
    """An agent that gives each cell (camera, i, j) an action dimension of its own: weight * red / 255."""
    return ToyAgent(lambda images: _reds(cells, images), cameras=_cameras(cells), **spec)


def speaks_of_cells(cells: Mapping[tuple[str, int, int], float], **spec: object) -> TokenAgent:
    """An agent that gives each cell a token of its own, whose surprise is 0.05 + weight * red / 255 nat: below log 2
    for weights from 0 to 0.6, so that its action is always the same.
    """
    return TokenAgent(lambda images: 0.05 + _reds(cells, images), cameras=_cameras(cells), **spec)


def _reds(cells: Mapping[tuple[str, int, int], float], images: Mapping[str, np.ndarray]) -> np.ndarray:
    """(B, cells): weight * red / 255 at each cell's centre."""
    columns = []
    for (camera, i, j), weight in cells.items():
        y, x = centre((i, j))
        columns.append(weight * images[camera][:, y, x, 0] / 255.0)
    return np.stack(columns, axis=1)


def _cameras(cells: Mapping[tuple[str, int, int], float]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(camera for camera, _, _ in cells))


def observation(seed: int = 0, cameras: tuple[str, ...] = ("front",), size: int = SIZE, rows: int = 1) -> Batch:
    """Random images, one lane per row."""
    rng = stream(seed, "toy-observation")
    return Batch(
        images={c: rng.integers(0, 256, (rows, size, size, 3), dtype=np.uint8) for c in cameras},
        state={"joint_positions": np.zeros((rows, 7), np.float32)},
        instructions=("close the jar",) * rows,
        rows=np.arange(rows),
    )
