"""The wrapper that asks the environment for a scene perturbation, so that ``env.spec`` can make it again."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from hansgym import lookup
from hansgym.errors import ConfigurationError
from hansgym.wrappers.perturbations._base import ScenePerturbation, checked_options


class ScenePerturbed(gym.Wrapper, gym.utils.RecordConstructorArgs):
    """Hands the scene perturbation ``name`` with ``options`` to the environment; in force from the next reset."""

    def __init__(self, env: gym.Env, name: str, **options: Any) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, name=name, **options)
        gym.Wrapper.__init__(self, env)
        package = __package__ or "hansgym.wrappers.perturbations"
        item = lookup.load(package, name, "PERTURBATION", "perturbation")
        if not isinstance(item, ScenePerturbation):
            raise ConfigurationError(f"{name!r} changes images, not the scene; use perturb(env, {name!r})")
        if not hasattr(env.unwrapped, "add_perturbation"):
            raise ConfigurationError(f"{env.unwrapped} has no add_perturbation, which {name!r} needs")
        env.unwrapped.add_perturbation(item.make(**checked_options(item, options)))
