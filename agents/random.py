"""``random``: a legal random walk of the arm, from the noise seeds alone.

Uniform targets over the joint limits would fling the arm about at its speed limits and say nothing but "wild". This
agent starts from the measured joints (or the measured tip pose) and takes a bounded random step per control step, so
every action is within the limits and reachable in time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hansgym.agents.base import build, require_plain
from hansgym.batch import Batch, MaskedBatch
from hansgym.errors import ConfigurationError
from hansgym.seeds import stream
from hansgym.specs import ActionSpec, AgentSpec

EXAMPLE = "random"

# RLBench's joint limits (rad, its own zero for joint 4); the environment's action space says the same.
JOINT_LOWER = np.array([-2.8973, -1.7628, -2.8973, -3.002, -2.8973, -0.0175, -2.8973])
JOINT_UPPER = np.array([2.8973, 1.7628, 2.8973, 0.0, 2.8973, 3.7525, 2.8973])

STEP_RAD = 0.04
"""Largest joint motion per 50 ms step, that of the published demonstrations (0.042 rad)."""
STEP_M = 0.01
"""Largest tip motion per axis and 50 ms step."""


class RandomAgent:
    """A random walk; row b is a function of ``noise_seeds[b]`` and its own proprioception."""

    def __init__(self, control: str = "joint_position", horizon: int = 16, amplitude: float = 1.0) -> None:
        """``amplitude`` in [0, 1] scales the steps (1: up to 0.04 rad per joint, 0.01 m and 0.04 rad for the tip)."""
        if not 0.0 <= amplitude <= 1.0:
            raise ConfigurationError(f"random: amplitude must be between 0 and 1, got {amplitude}")
        self.spec = AgentSpec(
            name="random", action=ActionSpec.of(control), horizon=horizon, noise_control="exact", max_batch=4096
        )
        self._amplitude = amplitude
        self._walk = _WALKS[control]

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Nothing to forget: all randomness comes with the noise seeds."""

    def act(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> np.ndarray:
        """Chunks (B, horizon, dim) float64; the gripper stays open or closed for a whole chunk."""
        plain = require_plain(batch, "random")
        chunks = np.empty((len(plain), self.spec.horizon, self.spec.action.dim))
        for b, seed in enumerate(np.asarray(noise_seeds).tolist()):
            rng = stream(seed, "random-agent")
            steps = self._amplitude * rng.uniform(-1.0, 1.0, (self.spec.horizon, 7))
            chunks[b, :, -1] = rng.integers(2)
            chunks[b, :, :-1] = self._walk(
                steps, plain.state["joint_positions"][b].astype(float), plain.state["gripper_pose"][b].astype(float)
            )
        return chunks


def _joint_position(steps: np.ndarray, joints: np.ndarray, pose: np.ndarray) -> np.ndarray:
    return np.clip(joints + np.cumsum(STEP_RAD * steps, axis=0), JOINT_LOWER, JOINT_UPPER)


def _joint_delta(steps: np.ndarray, joints: np.ndarray, pose: np.ndarray) -> np.ndarray:
    walk = _joint_position(steps, joints, pose)
    return np.diff(walk, axis=0, prepend=np.clip(joints, JOINT_LOWER, JOINT_UPPER)[None])


def _ee_delta(steps: np.ndarray, joints: np.ndarray, pose: np.ndarray) -> np.ndarray:
    return np.concatenate([STEP_M * steps[:, :3], STEP_RAD * steps[:, 3:6]], axis=1)


def _ee_pose(steps: np.ndarray, joints: np.ndarray, pose: np.ndarray) -> np.ndarray:
    position = pose[:3] + np.cumsum(STEP_M * steps[:, :3], axis=0)
    # Small-angle quaternions about the measured attitude; normalised, so any step is a rotation.
    half = 0.5 * np.cumsum(STEP_RAD * steps[:, 3:6], axis=0)
    x, y, z, w = pose[3:]
    left = np.array([[w, -z, y, x], [z, w, -x, y], [-y, x, w, z], [-x, -y, -z, w]])
    quaternion = np.concatenate([half, np.ones((len(half), 1))], axis=1) @ left.T
    return np.concatenate([position, quaternion / np.linalg.norm(quaternion, axis=1, keepdims=True)], axis=1)


_WALKS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "joint_position": _joint_position,
    "joint_delta": _joint_delta,
    "ee_pose": _ee_pose,
    "ee_delta": _ee_delta,
}


def make(rest: str, **options: Any) -> RandomAgent:
    """``random`` or ``random:control=joint_delta,horizon=8,amplitude=0.5``."""
    kinds = {"control": str, "horizon": int, "amplitude": float}
    agent: RandomAgent = build(RandomAgent, rest, kinds, "agent 'random'", options)
    return agent
