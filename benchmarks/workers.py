"""The process behind a lane: one environment, kept from episode to episode, and the questions it answers."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import gymnasium as gym
import numpy as np

from hansgym.benchmarks.config import protocol_of
from hansgym.envs.registration import env_id
from hansgym.errors import ConfigurationError, UnknownNameError
from hansgym.wrappers.chunk import ChunkedExecution

FILM_SIZE = 224
"""Pixels of filmed images where the policy's own are smaller than :data:`FILM_OWN_FROM`."""
FILM_OWN_FROM = 128

# What is wrong with the settings or the installation is wrong in every episode: it ends the run.
_USERS_ERRORS = (ConfigurationError, UnknownNameError, ImportError)


@dataclass(frozen=True)
class EnvSettings:
    """How a lane makes its environments: ``factory`` is ``module:function``, called with a task and these settings."""

    factory: str
    control: str
    horizon: int
    execute: int
    cameras: tuple[str, ...]
    image_size: int
    partition: str = "table_supports"
    protocol: str = "default"
    variation: int | None = None
    segmentation: bool = False
    perturb: tuple[str, ...] = ()


def make_env(task: str, settings: EnvSettings) -> gym.Env:
    """The environment of ``task`` with the perturbations that ``settings`` name."""
    return _environment(task, settings, backend="mujoco")


def make_rlbench_env(task: str, settings: EnvSettings) -> gym.Env:
    """The same in CoppeliaSim, with upstream's default renderer."""
    return _environment(task, settings, backend="rlbench")


def make_rlbench_opengl_env(task: str, settings: EnvSettings) -> gym.Env:
    """The same in CoppeliaSim, with its fast renderer, which knows no shadows."""
    return _environment(task, settings, backend="rlbench", backend_options={"renderer": "opengl"})


def _environment(task: str, settings: EnvSettings, **world: Any) -> gym.Env:
    env = gym.make(
        env_id(task),
        **world,
        cameras=settings.cameras,
        image_size=settings.image_size,
        control=settings.control,
        partition=settings.partition,
        protocol=protocol_of(settings.protocol, task),
        variation=settings.variation,
        segmentation=settings.segmentation,
    )
    if settings.perturb:
        from hansgym.wrappers.perturbations import perturb

        for text in settings.perturb:
            env = perturb(env, text)
    return env


class Film(gym.Wrapper):
    """Keeps pictures of every control step while ``rolling``, larger than the policy gets, where those are small.

    They are taken below all wrappers, so they show what is in the scene and nothing that is done to the images.
    """

    def __init__(self, env: gym.Env) -> None:
        super().__init__(env)
        self.rolling = False
        self.frames: list[dict[str, np.ndarray]] = []

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step, and take a picture afterwards."""
        result = self.env.step(action)
        self.shoot()
        return result

    def shoot(self) -> None:
        """Take a picture of the present instant."""
        if self.rolling:
            base: Any = self.env.unwrapped
            before, base.image_size = base.image_size, FILM_SIZE
            try:
                self.frames.append(pictures(base.observe()))
            finally:
                base.image_size = before

    def take(self) -> list[dict[str, np.ndarray]]:
        """The pictures since the last call."""
        frames, self.frames = self.frames, []
        return frames


def pictures(observation: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Camera -> (H, W, 3) uint8 of an observation."""
    return {key.removesuffix("_rgb"): image for key, image in observation.items() if key.endswith("_rgb")}


def _image_perturbed(env: gym.Env) -> bool:
    """Whether a wrapper of ``env`` changes the pictures."""
    from hansgym.wrappers.perturbations import ImagePerturbed

    while isinstance(env, gym.Wrapper):
        if isinstance(env, ImagePerturbed):
            return True
        env = env.env
    return False


class Worker:
    """Answers a lane's questions. One environment at a time: jobs come ordered by task."""

    def __init__(self, settings: EnvSettings) -> None:
        self.settings = settings
        self._task: str | None = None
        self._env: ChunkedExecution | None = None

    def reset(self, task: str, seed: int, film: bool) -> dict[str, Any]:
        """Start an episode: the observation, what the environment says about it, and the factors it could resample."""
        env = self._made(task)
        # An image perturbation lives in the pictures that the policy gets: a film must show those, however small.
        own = film and (self.settings.image_size >= FILM_OWN_FROM or _image_perturbed(env))
        env.observe_setting = "every" if own else "last"
        self._film.rolling, self._film.frames = film and not own, []
        observation, info = env.reset(seed=seed)
        self._film.shoot()
        frames = [pictures(observation)] if own else self._film.take()
        factors = self._ask("present_factors") if env.has_wrapper_attr("present_factors") else ()
        said = {"info": info, "factors": tuple(factors), "graphics": graphics()}
        return {"observation": observation, "frames": frames, **said}

    def step_chunk(self, chunk: np.ndarray) -> dict[str, Any]:
        """Execute a chunk (horizon, dim): the observation after it, whether the episode is over, info and pictures."""
        observation, _, terminated, truncated, info = self._live().step(chunk)
        own = [pictures(frame) for frame in info.pop("frames", [])]
        return {
            "observation": observation,
            "over": bool(terminated or truncated),
            "info": info,
            "frames": own or self._film.take(),
        }

    def expert_chunk(self, horizon: int) -> np.ndarray:
        """(horizon, dim) actions of the scripted expert from here."""
        return np.asarray(self._ask("expert_chunk", horizon), np.float64)

    def task_contact(self) -> bool:
        """Whether an object is held or the robot touches a TARGET or FIXTURE."""
        return bool(self._ask("task_contact"))

    def counterfactuals(self, draws: Sequence[tuple[str, int]], severity: float) -> list[dict[str, np.ndarray]]:
        """For each (factor, seed), the images of the present state with that factor drawn again."""
        seen = (self._ask("counterfactual", (factor,), seed, severity) for factor, seed in draws)
        return [{k: v for k, v in observation.items() if k.endswith("_rgb")} for observation in seen]

    def close(self) -> None:
        """Free the environment."""
        if self._env is not None:
            self._env.close()
        self._env, self._task = None, None

    def _live(self) -> ChunkedExecution:
        if self._env is None:
            raise RuntimeError("there is no episode yet: reset comes first")
        return self._env

    def _ask(self, name: str, *arguments: Any) -> Any:
        return self._live().get_wrapper_attr(name)(*arguments)

    def _made(self, task: str) -> ChunkedExecution:
        if self._env is None or task != self._task:
            self.close()
            module, _, function = self.settings.factory.partition(":")
            env = getattr(importlib.import_module(module), function)(task, self.settings)
            self._film = Film(env)
            self._env = ChunkedExecution(self._film, self.settings.horizon, self.settings.execute)
            self._task = task
        return self._env


def graphics() -> dict[str, str]:
    """What draws the images of this process: pixels are equal on one machine and driver, not across them."""
    found = {"MUJOCO_GL": os.environ.get("MUJOCO_GL", "")}
    if "mujoco" in sys.modules:
        try:
            from OpenGL import GL

            names = ("GL_VENDOR", "GL_RENDERER", "GL_VERSION")
            found |= {name: (GL.glGetString(getattr(GL, name)) or b"").decode() for name in names}
        except Exception as error:  # nothing was drawn yet, or another kind of graphics
            found["unknown"] = type(error).__name__
    return found


def serve(handle: int) -> None:
    """Answer requests from the pipe with file descriptor ``handle`` until it closes."""
    connection = Connection(handle)
    threading.Thread(target=_leave_with, args=(os.getppid(),), daemon=True).start()
    try:
        worker = Worker(connection.recv())
        while True:
            method, arguments = connection.recv()
            connection.send(_answer(worker, method, arguments))
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        pass  # the run is over
    worker.close()


def _answer(worker: Worker, method: str, arguments: tuple[Any, ...]) -> tuple[str, Any]:
    try:
        return "ok", getattr(worker, method)(*arguments)
    except Exception as error:
        users = method == "reset" and isinstance(error, _USERS_ERRORS)
        words = str(error) if users else f"{type(error).__name__}: {error}"
        return "fatal" if users else "error", (words, traceback.format_exc())


def _leave_with(parent: int) -> None:
    """End this process when the one that started it is gone, even in the middle of a call."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
