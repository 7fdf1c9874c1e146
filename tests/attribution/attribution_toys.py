"""Agents whose dependence on the image is known exactly, and observations to show them. No simulator."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

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


def centre(cell: tuple[int, int]) -> tuple[int, int]:
    """The pixel in the middle of a grid cell."""
    return cell[0] * CELL + CELL // 2, cell[1] * CELL + CELL // 2


def reads_cells(cells: Mapping[tuple[str, int, int], float], **spec: object) -> ToyAgent:
    """An agent that gives each cell (camera, i, j) an action dimension of its own: weight * red / 255."""

    def readout(images: Mapping[str, np.ndarray]) -> np.ndarray:
        columns = []
        for (camera, i, j), weight in cells.items():
            y, x = centre((i, j))
            columns.append(weight * images[camera][:, y, x, 0] / 255.0)
        return np.stack(columns, axis=1)

    return ToyAgent(readout, cameras=tuple(dict.fromkeys(c for c, _, _ in cells)), **spec)


def observation(seed: int = 0, cameras: tuple[str, ...] = ("front",), size: int = SIZE, rows: int = 1) -> Batch:
    """Random images, one lane per row."""
    rng = stream(seed, "toy-observation")
    return Batch(
        images={c: rng.integers(0, 256, (rows, size, size, 3), dtype=np.uint8) for c in cameras},
        state={"joint_positions": np.zeros((rows, 7), np.float32)},
        instructions=("close the jar",) * rows,
        rows=np.arange(rows),
    )
