"""``expert``: the scripted expert of the environment, behind the agent protocol.

It asks for the privileged input ``expert_chunk``, which the runner gets from the environment, and returns it. It sees
no image, so every attribution of it is zero, which makes it the honest baseline of every pipeline.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hansgym.agents.base import build, require_plain
from hansgym.batch import Batch, MaskedBatch
from hansgym.errors import AgentError
from hansgym.specs import ActionSpec, AgentSpec

EXAMPLE = "expert"

NEED = "expert_chunk"


class ExpertAgent:
    """Returns the first ``horizon`` actions of ``batch.privileged["expert_chunk"]`` (B, >= horizon, dim)."""

    def __init__(self, control: str = "joint_position", horizon: int = 16) -> None:
        """``control``: the control mode of the environment, in which the expert's chunk arrives."""
        self.spec = AgentSpec(
            name="expert",
            action=ActionSpec.of(control),
            horizon=horizon,
            noise_control="deterministic",
            max_batch=4096,
            needs=frozenset({NEED}),
        )

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Nothing to forget: the expert is a function of the state."""

    def act(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> np.ndarray:
        """The environment's own answer, (B, horizon, dim) float64."""
        plain = require_plain(batch, "expert")
        if NEED not in plain.privileged:
            raise AgentError(
                f"the expert needs batch.privileged[{NEED!r}]; ask the environment: "
                f'env.get_wrapper_attr("{NEED}")({self.spec.horizon})'
            )
        chunk = np.asarray(plain.privileged[NEED], np.float64)
        if chunk.shape[1] < self.spec.horizon:
            raise AgentError(
                f"expert_chunk has {chunk.shape[1]} steps, the expert's horizon is {self.spec.horizon}: ask for so many"
            )
        return chunk[:, : self.spec.horizon].copy()


def make(rest: str, **options: Any) -> ExpertAgent:
    """``expert`` or ``expert:control=ee_pose,horizon=8``."""
    agent: ExpertAgent = build(ExpertAgent, rest, {"control": str, "horizon": int}, "agent 'expert'", options)
    return agent
