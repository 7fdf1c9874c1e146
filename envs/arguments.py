"""Checks of what a user passes to ``gym.make``: every error says what was given and what is valid."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from hansgym import lookup
from hansgym.envs.backend import Backend
from hansgym.envs.layouts import LAYOUTS
from hansgym.envs.spec import TaskSpec
from hansgym.errors import ConfigurationError
from hansgym.roles import PARTITIONS
from hansgym.specs import CAMERAS, CONTROL_MODES

BACKENDS: Mapping[str, str] = {
    "mujoco": "hansgym.envs.mujoco.backend:MujocoBackend",
    "rlbench": "hansgym.envs.rlbench.backend:RlbenchBackend",
}
"""Backend name -> where its class is."""

BACKEND_OPTIONS: Mapping[str, Mapping[str, tuple[Any, ...]]] = {
    "mujoco": {},
    "rlbench": {"renderer": ("opengl3", "opengl"), "servo": ("velocity", "position")},
}
"""Backend name -> its options -> their values, the default first."""

RENDER_MODES = ("rgb_array",)
IMAGE_SIZES = (16, 1024)
"""Least and greatest image size in pixels."""


def check_names(
    backend: str, cameras: Sequence[str], control: str, partition: str, obs_layout: str, render_mode: str | None
) -> None:
    """Raise on the first name that is not valid, listing those that are."""
    if isinstance(cameras, str):
        raise ConfigurationError(f"cameras is the text {cameras!r}; give a list of names, such as ({cameras!r},)")
    given = [
        ("backend", backend, BACKENDS),
        *(("camera", camera, CAMERAS) for camera in cameras),
        ("control mode", control, CONTROL_MODES),
        ("partition", partition, PARTITIONS),
        ("obs_layout", obs_layout, LAYOUTS),
    ]
    if render_mode is not None:
        given.append(("render_mode", render_mode, RENDER_MODES))
    for kind, name, valid in given:
        if name not in valid:
            raise lookup.unknown(kind, str(name), valid)
    if len(set(cameras)) != len(cameras):
        raise ConfigurationError(f"cameras {tuple(cameras)} names one twice; name each camera once")


def backend_class(backend: str) -> Callable[..., Backend]:
    """The class of ``backend``, imported now."""
    module, _, name = BACKENDS[backend].partition(":")
    return getattr(importlib.import_module(module), name)


def checked_backend(backend: str, given: Mapping[str, Any] | None, task: TaskSpec) -> dict[str, Any]:
    """The options ``given`` to ``backend``, which must know them and be able to run ``task`` on this machine.

    An unknown option or value raises and lists; a missing piece raises and says what to install.
    """
    valid = BACKEND_OPTIONS[backend]
    for key, value in (given or {}).items():
        if key not in valid:
            raise lookup.unknown(f"option of backend {backend!r}", str(key), valid or ("(it has none)",))
        if value not in valid[key]:
            raise lookup.unknown(f"{key} of backend {backend!r}", str(value), valid[key])
    if backend == "rlbench":
        from hansgym.envs.rlbench import installation

        installation.require(task.name)
    return dict(given or {})


def checked_protocol(task: TaskSpec, protocol: str) -> str:
    """``protocol`` if ``task`` knows it; ``agnostos`` keeps variation 0 also where the task declares nothing for it."""
    valid = {"default", "agnostos", *task.protocols}
    if protocol not in valid:
        raise lookup.unknown(f"protocol of task {task.name!r}", str(protocol), valid)
    return protocol


def checked_index(what: str, value: Any, count: int, task: str) -> int:
    """``value`` as a whole number from 0 to ``count - 1``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value < count:
        raise ConfigurationError(f"{what} {value!r} of task {task!r} is out of range; choose 0 to {count - 1}")
    return int(value)


def checked_image_size(value: int) -> int:
    """``value`` as a whole number of pixels within :data:`IMAGE_SIZES`."""
    low, high = IMAGE_SIZES
    if isinstance(value, bool) or int(value) != value or not low <= value <= high:
        raise ConfigurationError(f"image_size is {value!r}; give a whole number of pixels from {low} to {high}")
    return int(value)
