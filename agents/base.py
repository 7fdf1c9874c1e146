"""Helpers for writing agents: the ten-line way to plug in a policy, and the ``key=value`` options of agent URIs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from hansgym.agents.contract import ActionContract
from hansgym.agents.declaration import Declaration, from_attributes
from hansgym.batch import Batch, MaskedBatch
from hansgym.errors import AgentError
from hansgym.lookup import parse_options, unknown
from hansgym.specs import CAMERAS, AgentSpec, NoiseControl


class SimpleAgent:
    """Subclass it, write ``predict``, and the policy plugs into everything.

    A whole agent, named on the command line as ``python:my_policy:MyPolicy``::

        from hansgym.agents.base import SimpleAgent

        class MyPolicy(SimpleAgent):
            control, horizon, cameras = "joint_position", 16, ("front", "wrist")

            def __init__(self):
                self.net = load_my_net()

            def predict(self, images, state, instructions):
                return self.net(images["front"], images["wrist"], state["joint_positions"], instructions)

    ``predict`` gets ``images``: camera -> (B, H, W, 3) uint8, ``state``: key -> (B, D) float32 (see
    :data:`hansgym.batch.STATE_KEYS`) and ``instructions``: B strings. It returns chunks (B, horizon, dim) in the units
    of its ``control`` mode; with ``horizon = 1``, (B, dim) will do. A policy that samples declares
    ``noise_control = "exact"`` and takes a fourth argument ``seeds`` ((B,) uint64): row b must be sampled from
    ``seeds[b]`` alone, so that equal seeds give equal noise. One that samples from a generator it cannot seed declares
    ``"none"``. A policy with memory overrides ``reset(rows, seeds)``. ``predict`` must not change what a later call
    answers: attributions ask the same policy many times about one moment.

    Class attributes: ``name``, ``control`` (one of the control modes), ``horizon``, ``cameras``, ``image_size``
    (pixels, or None for whatever the environment has), ``noise_control``, ``max_batch`` (most rows per call), ``scale``
    (per action dimension, for attributions; empty means 1), ``contract`` (what the numbers of ``predict`` mean where
    that is not the convention of ``control``: an :class:`hansgym.agents.contract.ActionContract`, a table of its
    settings, or the name or file of a mapping; ``horizon`` then counts the policy's own steps).
    """

    name: ClassVar[str] = ""
    control: ClassVar[str] = "joint_position"
    horizon: ClassVar[int] = 16
    cameras: ClassVar[tuple[str, ...]] = CAMERAS
    image_size: ClassVar[int | None] = None
    noise_control: ClassVar[NoiseControl] = "deterministic"
    max_batch: ClassVar[int] = 64
    scale: ClassVar[tuple[float, ...]] = ()
    contract: ClassVar[ActionContract | Mapping[str, Any] | str | None] = None

    predict: Callable[..., Any]

    @cached_property
    def spec(self) -> AgentSpec:
        """The specification, from the class attributes."""
        return self._declared.spec()

    @cached_property
    def _declared(self) -> Declaration:
        return from_attributes(self)

    @cached_property
    def _wants_seeds(self) -> bool:
        return "seeds" in inspect.signature(self.predict).parameters

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Forget lanes ``rows``; a policy without memory has nothing to do."""

    def act(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> np.ndarray:
        """Chunks (B, horizon, dim) float64 for the rows of ``batch``, from ``predict``."""
        plain = require_plain(batch, self.spec.name)
        images = {camera: plain.images[camera] for camera in self.spec.cameras}
        extra = {"seeds": np.asarray(noise_seeds, np.uint64)} if self._wants_seeds else {}
        chunk = self.predict(images, dict(plain.state), plain.instructions, **extra)
        return self._declared.finish(np.asarray(chunk), plain.state)


def require_plain(batch: Batch | MaskedBatch, name: str) -> Batch:
    """``batch`` itself when its images are materialised, else an error: agent ``name`` is not ``lazy``."""
    if isinstance(batch, MaskedBatch):
        raise AgentError(
            f"agent {name!r} was given a MaskedBatch but does not declare lazy=True; "
            "call hansgym.agents.kernels.numpy.materialise(batch) first"
        )
    return batch


def build(
    cls: Callable[..., Any], rest: str, kinds: Mapping[str, Callable[[str], Any]], what: str, options: Mapping[str, Any]
) -> Any:
    """``cls(**...)`` from the options in ``rest`` (``"key=value,..."``) and the keyword ``options``, which win.

    Both may only use the keys of ``kinds``; another key raises and lists them.
    """
    for key in options:
        if key not in kinds:
            raise unknown(f"option of {what}", key, kinds)
    return cls(**{**parse_options(rest, kinds, what), **options})
