"""Which seed decides what in a run: every draw is a function of the configuration and the episode, never of a lane."""

from __future__ import annotations

from hansgym.seeds import noise_seed, seed_of

__all__ = ["agent_seed", "draw_seed", "mask_seed", "noise_seed", "reset_seed"]

_SEED_BITS = 0x7FFFFFFF  # seeds that travel through JSON and other people's environments stay small


def reset_seed(seed: int, trial: int) -> int:
    """The seed given to the environment's reset: ``seed`` itself for trial 0, a derived one for later trials."""
    return seed if trial == 0 else seed_of(seed, "trial", trial) & _SEED_BITS


def agent_seed(run_seed: int, task: str, reset_seed: int) -> int:
    """The seed an agent is reset with."""
    return seed_of(run_seed, "agent", task, reset_seed)


def mask_seed(run_seed: int, task: str, reset_seed: int, decision: int) -> int:
    """The seed of the masks that one decision is explained with."""
    return seed_of(run_seed, "masks", task, reset_seed, decision)


def draw_seed(run_seed: int, task: str, reset_seed: int, decision: int, factor: str, k: int) -> int:
    """The seed of draw ``k`` of ``factor`` at one decision."""
    return seed_of(run_seed, "do", task, reset_seed, decision, factor, k)
