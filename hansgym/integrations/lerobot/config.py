"""The configuration of our environments as LeRobot's command line sees it; needs LeRobot 0.4.4 or newer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import gymnasium

import hansgym  # noqa: F401 (registers the environments)
from hansgym.errors import ConfigurationError
from hansgym.lookup import require, unknown
from hansgym.specs import CAMERAS, CONTROL_HZ, ActionSpec

NAMESPACE = "hansgym"

_configs = require("lerobot.envs.configs", "lerobot")
_types = require("lerobot.configs.types", "lerobot")


@_configs.EnvConfig.register_subclass(NAMESPACE)
@dataclass
class HansGymEnvConfig(_configs.EnvConfig):  # type: ignore[misc, name-defined] # LeRobot is optional
    """``--env.type=hansgym`` and its ``--env.<field>`` settings; see :class:`hansgym.envs.env.HansGymEnv`.

    ``task``: a task, or several separated by commas (LeRobot 0.6 and newer; each is reported apart). ``cameras``:
    separated by commas. ``variation``: one, or None to draw it from the episode's seed. ``max_episode_steps``: 0 for
    the task's own limit.
    """

    task: str = "close_jar"
    fps: int = CONTROL_HZ
    cameras: str = ",".join(CAMERAS)
    image_size: int = 224
    control: str = "joint_position"
    protocol: str = "default"
    variation: int | None = None
    max_episode_steps: int = 0

    def __post_init__(self) -> None:
        for task in self.tasks:
            if f"{NAMESPACE}/{task}-v0" not in gymnasium.registry:
                names = [i.removeprefix(f"{NAMESPACE}/").removesuffix("-v0") for i in gymnasium.registry]
                raise unknown(
                    "task", task, [n for n in names if "/" not in n and f"{NAMESPACE}/{n}-v0" in gymnasium.registry]
                )
        if len(self.tasks) > 1 and not hasattr(_configs.EnvConfig, "create_envs"):
            raise ConfigurationError(
                f"--env.task={self.task}: several tasks at once need LeRobot 0.6 or newer; give one of them"
            )
        if self.fps != CONTROL_HZ:
            raise ConfigurationError(f"--env.fps={self.fps}: these environments run at {CONTROL_HZ} Hz; leave it out")
        kind, feature, dim = _types.FeatureType, _types.PolicyFeature, ActionSpec.of(self.control).dim
        size = (self.image_size, self.image_size, 3)
        self.features = {
            "action": feature(type=kind.ACTION, shape=(dim,)),
            "agent_pos": feature(type=kind.STATE, shape=(8,)),
            **{f"pixels/{c}": feature(type=kind.VISUAL, shape=size) for c in self._cameras},
        }
        self.features_map = {
            "action": "action",
            "agent_pos": "observation.state",
            **{f"pixels/{c}": f"observation.images.{c}" for c in self._cameras},
        }

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that ``task`` names."""
        return tuple(filter(None, (t.strip() for t in self.task.split(","))))

    @property
    def _cameras(self) -> tuple[str, ...]:
        return tuple(filter(None, (c.strip() for c in self.cameras.split(","))))

    @property
    def package_name(self) -> str:
        """What LeRobot imports where the id is not registered yet."""
        return NAMESPACE

    @property
    def gym_id(self) -> str:
        """The id of the (first) task."""
        return f"{NAMESPACE}/{self.tasks[0]}-v0"

    @property
    def gym_kwargs(self) -> dict[str, Any]:
        """What :func:`gymnasium.make` is given."""
        limit = {"max_episode_steps": self.max_episode_steps} if self.max_episode_steps else {}
        return {
            "obs_layout": "lerobot",
            "render_mode": "rgb_array",
            "cameras": self._cameras,
            "image_size": self.image_size,
            "control": self.control,
            "protocol": self.protocol,
            "variation": self.variation,
            **limit,
        }

    def create_envs(
        self, n_envs: int, use_async_envs: bool = False
    ) -> dict[str, dict[int, gymnasium.vector.VectorEnv]]:
        """``{task: {0: n_envs copies}}`` for every task; LeRobot 0.6 and newer ask for it."""
        vector = gymnasium.vector.AsyncVectorEnv if use_async_envs and n_envs > 1 else gymnasium.vector.SyncVectorEnv
        extra = {"context": "forkserver"} if vector is gymnasium.vector.AsyncVectorEnv else {}
        same_step = gymnasium.vector.AutoresetMode.SAME_STEP
        found: dict[str, dict[int, gymnasium.vector.VectorEnv]] = {}
        for task in self.tasks:
            # The package is named in the id, so that a process that knows nothing yet finds it.
            one = partial(
                gymnasium.make, f"{NAMESPACE}:{NAMESPACE}/{task}-v0", disable_env_checker=True, **self.gym_kwargs
            )
            found[task] = {0: vector([one] * n_envs, autoreset_mode=same_step, **extra)}  # type: ignore[arg-type]
        return found
