"""Checks of what a user passes to ``gym.make``: every error says what was given and what is valid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hansgym import lookup
from hansgym.envs.layouts import LAYOUTS
from hansgym.envs.spec import TaskSpec
from hansgym.errors import ConfigurationError
from hansgym.roles import PARTITIONS
from hansgym.specs import CAMERAS, CONTROL_MODES

BACKENDS: Mapping[str, str | None] = {"mujoco": "hansgym.envs.mujoco.backend:MujocoBackend", "rlbench": None}
"""Backend name -> where its class is; None: a name that is reserved, but not in this version."""

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
    if BACKENDS[backend] is None:
        ready = ", ".join(name for name, where in BACKENDS.items() if where)
        raise ConfigurationError(f"backend {backend!r} is not in this version of HansGym; use one of: {ready}")


def checked_protocol(task: TaskSpec, protocol: str) -> str:
    """``protocol`` if ``task`` knows it; ``agnostos`` keeps variation 0 also where the task declares nothing for it."""
    valid = {"default", "agnostos", *task.protocols}
    if protocol not in valid:
        raise lookup.unknown(f"protocol of task {task.name!r}", str(protocol), valid)
    return protocol


def checked_image_size(value: int) -> int:
    """``value`` as a whole number of pixels within :data:`IMAGE_SIZES`."""
    low, high = IMAGE_SIZES
    if isinstance(value, bool) or int(value) != value or not low <= value <= high:
        raise ConfigurationError(f"image_size is {value!r}; give a whole number of pixels from {low} to {high}")
    return int(value)
