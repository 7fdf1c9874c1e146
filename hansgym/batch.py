"""What an agent is given: a batch of observations, plain or lazily masked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hansgym.errors import ConfigurationError

STATE_KEYS = ("joint_positions", "joint_velocities", "gripper_open", "gripper_pose")
BLUR_SIGMA_AT_224 = 10.0


@dataclass(frozen=True)
class Batch:
    """B observations, one per row.

    ``images``: camera -> (B, H, W, 3) uint8. ``state``: key of :data:`STATE_KEYS` -> (B, D) float32 (radians, rad/s, 0
    or 1, metres and quaternion xyzw). ``instructions``: B strings. ``rows``: (B,) int64, the lane that each row belongs
    to (an agent with memory keeps it per lane). ``privileged``: what the agent's spec asked for in ``needs``, e.g.
    ``"expert_chunk"`` -> (B, horizon, dim) float64.
    """

    images: Mapping[str, np.ndarray]
    state: Mapping[str, np.ndarray]
    instructions: tuple[str, ...]
    rows: np.ndarray
    privileged: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        size = len(self.instructions)
        for kind, arrays in (("image", self.images), ("state", self.state), ("privileged", self.privileged)):
            for name, array in arrays.items():
                if len(array) != size:
                    raise ConfigurationError(
                        f"{kind} {name!r} has {len(array)} rows, the batch has {size}; give one row per instruction"
                    )
        if len(self.rows) != size:
            raise ConfigurationError(
                f"rows has {len(self.rows)} entries, the batch has {size}; give one lane number per instruction"
            )

    def __len__(self) -> int:
        return len(self.instructions)

    def take(self, index: Sequence[int] | np.ndarray) -> Batch:
        """The rows ``index`` (repeats allowed), as a new batch."""
        pick = np.asarray(index, dtype=np.int64)
        return Batch(
            images={k: v[pick] for k, v in self.images.items()},
            state={k: v[pick] for k, v in self.state.items()},
            instructions=tuple(self.instructions[i] for i in pick),
            rows=self.rows[pick],
            privileged={k: v[pick] for k, v in self.privileged.items()},
        )

    def with_images(self, images: Mapping[str, np.ndarray]) -> Batch:
        """The same rows seen through other images."""
        return replace(self, images=dict(images))

    @classmethod
    def concatenate(cls, batches: Sequence[Batch]) -> Batch:
        """All rows of ``batches``, in order; they must share cameras, sizes and keys."""
        first = batches[0]
        return cls(
            images={k: np.concatenate([b.images[k] for b in batches]) for k in first.images},
            state={k: np.concatenate([b.state[k] for b in batches]) for k in first.state},
            instructions=tuple(i for b in batches for i in b.instructions),
            rows=np.concatenate([b.rows for b in batches]),
            privileged={k: np.concatenate([b.privileged[k] for b in batches]) for k in first.privileged},
        )

    @classmethod
    def from_observations(
        cls,
        observations: Sequence[Mapping[str, np.ndarray]],
        instructions: Sequence[str],
        cameras: Sequence[str],
        rows: Sequence[int] | None = None,
        privileged: Mapping[str, np.ndarray] | None = None,
    ) -> Batch:
        """Stack environment observations (``front_rgb``, ``joint_positions``, …) into a batch."""
        return cls(
            images={c: np.stack([np.asarray(o[f"{c}_rgb"]) for o in observations]) for c in cameras},
            state={k: np.stack([np.asarray(o[k], np.float32) for o in observations]) for k in STATE_KEYS},
            instructions=tuple(instructions),
            rows=np.arange(len(observations)) if rows is None else np.asarray(rows, np.int64),
            privileged=dict(privileged or {}),
        )


@dataclass(frozen=True)
class MaskedBatch:
    """One observation seen through N grid masks, not yet blended: N rows that share everything but the images.

    ``base`` has one row. ``bits``: camera -> (N, G, G) uint8, 1 keeps a cell and 0 hides it behind the blurred image. A
    mask is upsampled bilinearly (per camera) to the image and blends: ``m * image + (1 - m) * blur(image)``, rounded
    to uint8. ``blur_sigma_px`` is meant at 224 px and scales with the image. Kernels that blend:
    ``hansgym.agents.kernels``.
    """

    base: Batch
    bits: Mapping[str, np.ndarray]
    blur_sigma_px: float = BLUR_SIGMA_AT_224

    def __post_init__(self) -> None:
        if len(self.base) != 1:
            raise ConfigurationError(
                f"a masked batch has one base observation, got {len(self.base)}; take one: batch.take([k])"
            )
        sizes = {c: len(b) for c, b in self.bits.items()}
        if set(sizes) != set(self.base.images) or len(set(sizes.values())) != 1:
            raise ConfigurationError(f"masks per camera {sizes} must be equal for cameras {sorted(self.base.images)}")

    def __len__(self) -> int:
        return len(next(iter(self.bits.values())))

    def take(self, index: Sequence[int] | np.ndarray | slice) -> MaskedBatch:
        """Only the masks ``index``."""
        return replace(self, bits={c: b[index] for c, b in self.bits.items()})
