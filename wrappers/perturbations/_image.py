"""The wrapper that applies an image perturbation to what is observed, inside one region of each image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import gymnasium as gym
import numpy as np

from hansgym import lookup
from hansgym.errors import ConfigurationError
from hansgym.roles import Region
from hansgym.seeds import stream
from hansgym.wrappers.perturbations._base import ImagePerturbation, checked_options

WRIST = "wrist"


class ImagePerturbed(gym.Wrapper, gym.utils.RecordConstructorArgs):
    """Changes camera images; proprioception, masks, rewards and the world stay as they are.

    The region is that of the same frame's mask. Masks are exact for the image delivered (no multisampling), so the
    default ``margin`` is 0: outside the region no pixel changes. A backend whose renderer blends edges wants 1 or 2:
    the task's pixels grown by that many pixels are then kept out of ``nuisance``.

    Draws come from the stream (reset seed, perturbation, camera, step), ``step`` counting control steps since the
    reset (always 0 with ``temporal="frozen"``): never from the environment's generator, and the same whatever else is
    stacked. ``info["perturbations"]`` says for this perturbation and each camera how many pixels changed.
    """

    def __init__(
        self,
        env: gym.Env,
        name: str,
        severity: int = 4,
        region: str = "nuisance",
        cameras: str = "all",
        temporal: str = "frame",
        margin: int = 0,
    ) -> None:
        given: dict[str, Any] = {"severity": severity, "region": region, "cameras": cameras, "temporal": temporal}
        gym.utils.RecordConstructorArgs.__init__(self, name=name, margin=margin, **given)
        gym.Wrapper.__init__(self, env)
        item = lookup.load(__package__ or "hansgym.wrappers.perturbations", name, "PERTURBATION", "perturbation")
        if not isinstance(item, ImagePerturbation):
            raise ConfigurationError(f"{name!r} changes the scene, not images; use perturb(env, {name!r})")
        checked_options(item, given)
        self.item, self.severity, self.region, self.margin = item, severity, region, margin
        self.frozen = temporal == "frozen"
        self.cameras = _cameras_of(env, cameras, region)
        self._seed, self._step, self._changed = 0, 0, dict.fromkeys(self.cameras, 0)

    @property
    def perturbed(self) -> dict[str, dict[str, int]]:
        """Perturbation -> camera -> pixels changed in the latest observation, of this wrapper and those inside it."""
        inner = self.env.get_wrapper_attr("perturbed") if self.env.has_wrapper_attr("perturbed") else {}
        name, count = self.item.name, 1
        while name in inner:
            count += 1
            name = f"{self.item.name}#{count}"
        return {**inner, name: dict(self._changed)}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Reset and perturb the first observation."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._seed, self._step = _reset_seed(self.env, seed, info), 0
        observation = self._apply(observation)
        return observation, with_report(info, self.perturbed)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step and perturb what is observed; nothing is done while images are off."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        frames = info.get("frames")
        if frames:
            info = {**info, "frames": [self._apply(f, self._step + 1 + k) for k, f in enumerate(frames)]}
        self._step += int(info.get("chunk_steps", 1))
        if getattr(self.env.unwrapped, "observe_images", True):
            observation = info["frames"][-1] if frames else self._apply(observation)
            info = with_report(info, self.perturbed)
        return observation, reward, terminated, truncated, info

    def observe(self) -> dict[str, np.ndarray]:
        """The present instant, perturbed."""
        return self._apply(self.env.get_wrapper_attr("observe")())

    def counterfactual(self, *args: Any, **kwargs: Any) -> dict[str, np.ndarray]:
        """The environment's counterfactual observation under the very draws that the live observation has had."""
        before = self._changed
        seen = self._apply(self.env.get_wrapper_attr("counterfactual")(*args, **kwargs))
        self._changed = before
        return seen

    def _apply(self, observation: Mapping[str, np.ndarray], step: int | None = None) -> dict[str, np.ndarray]:
        changed = dict(observation)
        self._changed = dict.fromkeys(self.cameras, 0)
        if self.severity == 0:
            return changed
        strength = self.item.strengths[self.severity - 1]
        when = 0 if self.frozen else (self._step if step is None else step)
        for camera in self.cameras:
            image = observation[f"{camera}_rgb"]
            rng = stream(self._seed, "perturbation", self.item.name, camera, when)
            out = np.clip(np.rint(self.item.change(image, strength, rng)), 0, 255).astype(np.uint8)
            if self.region != "all":
                outside = ~self._inside(observation[f"{camera}_mask"])
                out[outside] = image[outside]
            self._changed[camera] = int((out != image).any(axis=-1).sum())
            changed[f"{camera}_rgb"] = out
        return changed

    def _inside(self, mask: np.ndarray) -> np.ndarray:
        task = mask != Region.NUISANCE
        if self.region == "task":
            return task
        if self.margin:
            task = cv2.dilate(task.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=self.margin) > 0
        return ~task


def with_report(info: Mapping[str, Any], report: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """``info`` with image perturbations reported beside those of the scene."""
    return {**info, "perturbations": {**info.get("perturbations", {}), **report}}


def _cameras_of(env: gym.Env, view: str, region: str) -> tuple[str, ...]:
    keys = list(getattr(env.observation_space, "spaces", {}))
    cameras = [k.removesuffix("_rgb") for k in keys if k.endswith("_rgb")]
    if not cameras:
        raise ConfigurationError(f"no <camera>_rgb to perturb, only {keys}; use obs_layout='hansgym'")
    blind = [c for c in cameras if f"{c}_mask" not in keys]
    if blind and region != "all":
        raise ConfigurationError(f"region={region!r} needs <camera>_mask, which {blind} lack; use region='all'")
    chosen = tuple(c for c in cameras if view == "all" or (c == WRIST) == (view == "wrist"))
    if not chosen:
        raise ConfigurationError(f"cameras={view!r} selects none of the environment's cameras {cameras}; use 'all'")
    return chosen


def _reset_seed(env: gym.Env, seed: int | None, info: Mapping[str, Any]) -> int:
    """The seed that fixed this episode: the environment's word for it, else the argument."""
    if "reset_seed" in info:
        return int(info["reset_seed"])
    if seed is not None:
        return int(seed)
    raise ConfigurationError(f"{env.unwrapped} was reset without a seed and reports none in info['reset_seed']")
