"""A tiny world and tiny policies for the runner's tests; the task's name says which fault it has, at seed 2."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box

from hansgym.abilities import TokenScores
from hansgym.agents.base import SimpleAgent
from hansgym.errors import ConfigurationError
from hansgym.roles import Role, SceneObject
from hansgym.seeds import stream

BAD_SEED = 2
STEPS = 24
SCENE = tuple(
    SceneObject(k, n, r) for k, n, r in ((1, "wall", Role.BACKGROUND), (2, "cube", Role.TARGET), (3, "arm", Role.ROBOT))
)


class TinyEnv(gym.Env):
    """A number walks by the first joint's targets; success when it has gone far enough. The wall shows noise."""

    action_space = Box(-10.0, 10.0, (8,), np.float32)
    observation_space = gym.spaces.Dict({})
    COUNTS = ("clipped",)

    def __init__(self, task: str, settings: Any) -> None:
        self.task, self.image_size, self.cameras = task, settings.image_size, settings.cameras
        self.segmentation = settings.segmentation
        if task == "refuses":
            raise ConfigurationError("this task cannot be made; choose another")

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.seed, self.clock, self.x = int(seed or 0), 0, 0.0
        self.goal = float(stream(self.seed, "goal").uniform(0.2, 2.0))
        self.wall = stream(self.seed, "wall").integers(0, 255, 3)
        self._fault("reset")
        return self.observe(), self._info()

    def step(self, action: np.ndarray) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.clock += 1
        self.x += float(action[0])
        if self.clock == 3:
            self._fault("step")
        if self.task == "slow":
            time.sleep(0.01)
        done = self.x > self.goal
        return self.observe(), float(done), done, self.clock >= STEPS, self._info()

    def _fault(self, when: str) -> None:
        if self.seed != BAD_SEED or not self.task.endswith(when):
            return
        if self.task.startswith("explode"):
            raise RuntimeError("the table fell over")
        if self.task.startswith("die"):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.task.startswith("hang"):
            time.sleep(3600)

    def _info(self) -> dict[str, Any]:
        done = self.x > self.goal
        extra = {"objects": SCENE} if self.segmentation else {}
        extra |= {"instruction": "walk", "variation": self.seed % 3}
        return {"success": done, "margin": self.goal - self.x, **extra}

    def observe(self, wall: np.ndarray | None = None, shift: int = 0) -> dict[str, np.ndarray]:
        objects = np.ones((self.image_size, self.image_size), np.uint16)
        middle = self.image_size // 2 + shift
        objects[middle : middle + 3, 2:6] = 2
        objects[-2:] = 3
        rgb = np.zeros((self.image_size, self.image_size, 3), np.uint8)
        rgb[objects == 1] = self.wall if wall is None else wall
        rgb[objects == 2] = (int(self.goal * 100), 0, 0)
        rgb[objects == 3] = int(self.x * 20) % 255
        seen: dict[str, np.ndarray] = {}
        for camera in self.cameras:
            seen[f"{camera}_rgb"] = rgb.copy()
            seen[f"{camera}_mask"] = np.array([0, 0, 2, 1], np.uint8)[objects]
            if self.segmentation:
                seen[f"{camera}_objects"] = objects.copy()
        joints = np.zeros(7, np.float32)
        joints[0] = self.x
        seen |= {"joint_positions": joints, "joint_velocities": np.zeros(7, np.float32)}
        return seen | {"gripper_open": np.ones(1, np.float32), "gripper_pose": np.eye(7, dtype=np.float32)[6]}

    def expert_chunk(self, horizon: int) -> np.ndarray:
        chunk = np.zeros((horizon, 8))
        chunk[:, 0] = 0.2
        return chunk

    def present_factors(self) -> tuple[str, ...]:
        return ("wall", "nuisance", "task")

    def counterfactual(self, factors: tuple[str, ...], seed: int, severity: float) -> dict[str, np.ndarray]:
        rng = stream(seed, "draw")
        if "task" in factors:
            return self.observe(shift=int(rng.integers(-3, 4)))
        return self.observe(wall=rng.integers(0, 255, 3))

    def task_contact(self) -> bool:
        return self.clock > 16


def make(task: str, settings: Any) -> gym.Env:
    """The environment factory that the tests name."""
    return TinyEnv(task, settings)


FACTORY = f"{__name__}:make"


class Walker(SimpleAgent):
    """Walks by what the wall's brightness and the proprioception say."""

    cameras = ("front",)
    image_size = 16
    noise_control = "exact"

    def predict(self, images: Any, state: Any, instructions: Any, seeds: Any) -> np.ndarray:
        chunks = np.zeros((len(instructions), 16, 8))
        for row, seed in enumerate(np.asarray(seeds).tolist()):
            noise = stream(seed, "walker").uniform(0.0, 0.04, 16)
            chunks[row, :, 0] = images["front"][row].mean() / 2000 + 0.001 * state["joint_positions"][row, 0] + noise
        self.misbehave(chunks, instructions, state)
        return chunks

    def misbehave(self, chunks: np.ndarray, instructions: Any, state: Any) -> None:
        """Faults of the subclasses; they know the bad episode by its reset seed."""

    bad_rows: frozenset[int] = frozenset()

    def reset(self, rows: Any, seeds: Any) -> None:
        from hansgym.seeds import agent_seed

        bad = agent_seed(0, "plain", BAD_SEED)
        changed = {row for row, seed in zip(rows, seeds, strict=True) if seed == bad}
        self.bad_rows = (self.bad_rows - set(rows)) | changed

    def act(self, batch: Any, noise_seeds: Any) -> np.ndarray:
        self.bad_here = [k for k, row in enumerate(batch.rows.tolist()) if row in self.bad_rows]
        return super().act(batch, noise_seeds)


class Batched(Walker):
    """One whose rows do not depend on each other, and that says so."""

    @property
    def spec(self) -> Any:
        import dataclasses

        return dataclasses.replace(super().spec, details={"batch_invariant": True})


class Raising(Walker):
    def misbehave(self, chunks: np.ndarray, instructions: Any, state: Any) -> None:
        if self.bad_here:
            raise ZeroDivisionError("the policy divided by zero")


class RaisingBatched(Batched, Raising):
    pass


class NotANumber(Batched):
    def misbehave(self, chunks: np.ndarray, instructions: Any, state: Any) -> None:
        chunks[self.bad_here, 3, 2] = np.nan


class Hanging(Walker):
    def misbehave(self, chunks: np.ndarray, instructions: Any, state: Any) -> None:
        if self.bad_here:
            time.sleep(3600)


class Leaving(Walker):
    def misbehave(self, chunks: np.ndarray, instructions: Any, state: Any) -> None:
        if self.bad_here:
            raise SystemExit(3)


class WrongShape(Walker):
    def act(self, batch: Any, noise_seeds: Any) -> np.ndarray:
        chunk = super().act(batch, noise_seeds)
        return chunk[:, :5] if self.bad_here else chunk


class Speaker(Walker):
    """Says two tokens of 0 to 4, the speed and the gripper, as probable as the picture is bright."""

    noise_control = "deterministic"

    def log_probabilities(self, batch: Any) -> np.ndarray:
        """(B, 2, 5): the nearer a token to what the brightness calls for, the more probable."""
        self.bad_here = [k for k, row in enumerate(batch.rows.tolist()) if row in self.bad_rows]
        bright = batch.images["front"].mean((1, 2, 3))[:, None, None] / 255
        logits = -((np.arange(5) - np.array([4.0, 2.0])[:, None] * bright) ** 2)
        return logits - np.log(np.exp(logits).sum(-1, keepdims=True))

    def act(self, batch: Any, noise_seeds: Any) -> np.ndarray:
        return self.act_tokens(batch, noise_seeds)[0]

    def act_tokens(self, batch: Any, noise_seeds: Any) -> tuple[np.ndarray, np.ndarray]:
        tokens = self.log_probabilities(batch).argmax(-1)
        chunks = np.zeros((len(tokens), 16, 8))
        chunks[..., 0], chunks[..., 7] = 0.02 + 0.02 * tokens[:, :1], tokens[:, 1:] / 4
        return chunks, tokens

    def score_tokens(self, batch: Any, tokens: Any = None) -> TokenScores:
        logp = self.log_probabilities(batch)
        said = logp.argmax(-1) if tokens is None else np.broadcast_to(tokens, logp.shape[:2])
        found = np.take_along_axis(logp, said[..., None], -1)[..., 0]
        return self.spoilt(TokenScores(said, found, np.ones_like(found), gripper=1))

    def spoilt(self, scores: TokenScores) -> TokenScores:
        """Faults of the subclasses."""
        return scores


class Undecided(Speaker):
    def spoilt(self, scores: TokenScores) -> TokenScores:
        scores.logp[self.bad_here] = np.nan
        return scores


class Speechless(Speaker):
    def spoilt(self, scores: TokenScores) -> TokenScores:
        if self.bad_here:
            time.sleep(3600)
        return scores
