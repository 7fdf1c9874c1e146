"""What a policy written in a framework of its own declares: the attributes of a class, or a table of settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hansgym.agents import contract as contracts
from hansgym.agents.contract import ActionContract
from hansgym.agents.convert import convert, horizon
from hansgym.lookup import unknown
from hansgym.specs import CAMERAS, ActionSpec, AgentSpec, NoiseControl

_PLAIN = (str, int, tuple, list, Mapping, Path, ActionContract, type(None))
_ABSENT = object()


@dataclass(frozen=True)
class Declaration:
    """What a policy says about itself; the same names as :class:`hansgym.agents.base.SimpleAgent`'s attributes.

    ``contract``: what its numbers mean where that is not the convention of ``control``: an
    :class:`~hansgym.agents.contract.ActionContract`, a table of its settings, or the name or file of a mapping whose
    ``[action]`` is taken. Chunks are then converted, and ``horizon`` counts the policy's own steps.
    """

    name: str = ""
    control: str = "joint_position"
    horizon: int = 16
    cameras: tuple[str, ...] = CAMERAS
    image_size: int | None = None
    noise_control: NoiseControl = "deterministic"
    max_batch: int = 64
    scale: tuple[float, ...] = ()
    contract: ActionContract | Mapping[str, Any] | str | Path | None = None

    @cached_property
    def action(self) -> ActionContract | None:
        """The policy's own contract, None when it speaks the environment's."""
        return contract_of(self.contract)

    def spec(self, lazy: bool = False) -> AgentSpec:
        """The agent's specification; a contract that ``control`` cannot serve raises what to do."""
        action, steps, details = self.action, self.horizon, {}
        if action is not None:
            contracts.require_reachable(action, self.control)
            steps = horizon(self.horizon, action, contracts.ours(self.control))
            details = {"contract": action.describe()}
        return AgentSpec(
            name=self.name,
            action=ActionSpec.of(self.control, tuple(self.scale)),
            horizon=steps,
            cameras=tuple(self.cameras),
            image_size=self.image_size,
            noise_control=self.noise_control,
            max_batch=self.max_batch,
            lazy=lazy,
            details=details,
        )

    def finish(self, chunk: np.ndarray, state: Mapping[str, np.ndarray]) -> np.ndarray:
        """The policy's chunk in the units of ``control``; with a horizon of 1, (B, dim) will do."""
        chunk = np.asarray(chunk)
        if chunk.ndim == 2 and self.horizon == 1:
            chunk = chunk[:, None, :]
        action = self.action
        return chunk if action is None else convert(chunk, action, contracts.ours(self.control), state)


def contract_of(value: ActionContract | Mapping[str, Any] | str | Path | None) -> ActionContract | None:
    """The contract that ``value`` is, describes, or names by its mapping."""
    if value is None or isinstance(value, ActionContract):
        return value
    if isinstance(value, Mapping):
        return contracts.from_settings(value, "contract")
    from hansgym.agents.mapping import load

    return load(value).action


def from_attributes(policy: Any) -> Declaration:
    """The declaration in the attributes of ``policy`` that have a field's name (a tensor called ``scale`` is none)."""
    given = {f.name: getattr(policy, f.name, _ABSENT) for f in fields(Declaration)}
    found: dict[str, Any] = {k: v for k, v in given.items() if isinstance(v, _PLAIN)}
    return Declaration(**{**found, "name": found.get("name") or type(policy).__name__})


def from_table(table: Mapping[str, Any], name: str, what: str) -> Declaration:
    """The declaration in a table of settings; an unknown one raises with those that exist."""
    for key in table:
        if key not in {f.name for f in fields(Declaration)}:
            raise unknown(f"setting of {what}", key, (f.name for f in fields(Declaration)))
    return Declaration(**{"name": name, **table})
