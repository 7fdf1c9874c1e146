"""Random streams by name: every draw comes from a visible seed, never from ``hash()`` or a shared generator."""

from __future__ import annotations

import zlib

import numpy as np


def _words(names: tuple[str | int, ...]) -> list[int]:
    words: list[int] = []
    for name in names:
        if isinstance(name, str):
            words.append(zlib.crc32(name.encode("utf-8")))
        else:
            value = int(name)
            if value < 0:
                raise ValueError(f"seed words must not be negative, got {value}")
            words.extend([value & 0xFFFFFFFF, value >> 32])
    return words


def sequence(seed: int, *names: str | int) -> np.random.SeedSequence:
    """Seed sequence of the stream called ``names`` under ``seed``."""
    return np.random.SeedSequence(_words((seed, *names)))


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Independent generator of the stream called ``names`` under ``seed`` (same arguments, same draws, any process)."""
    return np.random.default_rng(sequence(seed, *names))


def seed_of(seed: int, *names: str | int) -> int:
    """One unsigned 64-bit seed for the stream called ``names`` under ``seed``."""
    return int(sequence(seed, *names).generate_state(1, np.uint64)[0])


def reset_seed(seed: int, trial: int) -> int:
    """The seed an environment is reset with: ``seed`` itself for trial 0, a derived one of 31 bits for later trials.

    Seeds that travel through JSON and other people's environments stay small.
    """
    return seed if trial == 0 else seed_of(seed, "trial", trial) & 0x7FFFFFFF


def noise_seed(run_seed: int, task: str, reset_seed: int, decision: int) -> int:
    """The sampling-noise seed of one decision: a function of the decision alone, never of the lane or the batch."""
    return seed_of(run_seed, "noise", task, reset_seed, decision)


def agent_seed(run_seed: int, task: str, reset_seed: int) -> int:
    """The seed an agent is reset with for one episode."""
    return seed_of(run_seed, "agent", task, reset_seed)


def mask_seed(run_seed: int, task: str, reset_seed: int, decision: int) -> int:
    """The seed of the masks that one decision is explained with."""
    return seed_of(run_seed, "masks", task, reset_seed, decision)


def draw_seed(run_seed: int, task: str, reset_seed: int, decision: int, factor: str, k: int) -> int:
    """The seed of draw ``k`` of one factor of the world at one decision."""
    return seed_of(run_seed, "do", task, reset_seed, decision, factor, k)
