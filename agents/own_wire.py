"""How one HansGym tells another over openpi's protocol what its agent wants and means.

The server's first message holds ``{"hansgym": {"version", "agent", "control", "horizon", "cameras", "image_size",
"noise_control", "batch_invariant"}}``. Observations are ``observation/<camera>_rgb``, ``observation/<state key>`` and
``prompt``; ``hansgym`` in them may hold ``noise_seed``, ``lane`` and, at the start of an episode, ``reset_seed``. The
stock servers and clients neither send nor miss any of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from hansgym.agents import contract
from hansgym.agents.mapping import PolicyMapping
from hansgym.agents.views import View
from hansgym.batch import STATE_KEYS, Batch
from hansgym.errors import AgentError
from hansgym.specs import CAMERAS, CONTROL_MODES, AgentSpec, NoiseControl

KEY = "hansgym"
VERSION = 1
PROMPT = "prompt"


def image_key(camera: str) -> str:
    """Name of a camera's image in an observation."""
    return f"observation/{camera}_rgb"


def state_key(name: str) -> str:
    """Name of a state vector in an observation."""
    return f"observation/{name}"


def announce(spec: AgentSpec) -> dict[str, Any]:
    """The first message of a server of an agent with this ``spec``."""
    said = {
        "version": VERSION,
        "agent": spec.name,
        "control": spec.action.mode,
        "horizon": spec.horizon,
        "cameras": list(spec.cameras),
        "image_size": spec.image_size,
        "noise_control": spec.noise_control,
    }
    return {KEY: said}


def observation(batch: Batch, row: int, noise_seed: int, reset_seed: int | None) -> dict[str, Any]:
    """One row as it is: nothing is turned, resized or put together."""
    aside = {"noise_seed": noise_seed, "lane": int(batch.rows[row])}
    if reset_seed is not None:
        aside["reset_seed"] = reset_seed
    return {
        **{image_key(camera): images[row] for camera, images in batch.images.items()},
        **{state_key(name): batch.state[name][row] for name in STATE_KEYS if name in batch.state},
        PROMPT: batch.instructions[row],
        KEY: aside,
    }


def read(metadata: Mapping[str, Any], who: str) -> tuple[PolicyMapping, NoiseControl] | None:
    """What a server's first message says, or None if it is not one of ours; nonsense raises :class:`AgentError`."""
    said = metadata.get(KEY)
    if said is None:
        return None
    try:
        cameras, size, noise = list(said["cameras"]), said["image_size"], said["noise_control"]
        sound = (
            said["version"] == VERSION
            and said["control"] in CONTROL_MODES
            and set(cameras) <= set(CAMERAS)
            and (size is None or (type(size) is int and 8 <= size <= 2048))
            and noise in get_args(NoiseControl)
        )
    except (KeyError, TypeError):
        sound = False
    if not sound:
        raise AgentError(f"{who} says of itself {said!r:.300}; use a hansgym server of protocol version {VERSION}")
    views = tuple(View(image_key(c), c, size=None if size is None else (size, size)) for c in cameras)
    return PolicyMapping("hansgym", contract.ours(said["control"]), said["control"], views), noise
