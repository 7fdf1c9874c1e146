"""Mapping files: what a policy sees, feels, is told and means, where neither its checkpoint nor its wire says so.

A mapping is a small TOML or JSON file (YAML too, with PyYAML). Ready ones are named, e.g. ``libero``; see
:func:`names`. Nothing in a file is run: every setting is checked, and an unknown one raises with those that exist::

    about = "my arm: joint targets in degrees, gripper 0 open 1 closed"
    control = "joint_position"           # the environment's control mode

    [action]                             # hansgym.agents.contract.ActionContract
    space = "joint"
    angles = "deg"
    rate_hz = 10
    gripper_open = 0.0
    gripper_closed = 1.0

    [[camera]]                           # hansgym.agents.views.View, in the policy's order
    key = "images/front"
    camera = "front"
    flip = "vertical"
    channels = "bgr"
    size = [224, 224]

    [[state]]                            # hansgym.agents.proprioception.StateVector
    key = "joints"
    parts = ["joint_positions", "gripper_closed"]
    angles = "deg"

    [instruction]
    key = "prompt"
    template = "Task: {instruction}"
    lower = true
"""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from hansgym.agents import contract as contracts
from hansgym.agents._mapping_file import mapping_files, read, rows, settings
from hansgym.agents.contract import ActionContract
from hansgym.agents.convert import convert, horizon
from hansgym.agents.proprioception import StateVector
from hansgym.agents.views import BLACK, View
from hansgym.batch import Batch
from hansgym.errors import ConfigurationError
from hansgym.lookup import unknown
from hansgym.specs import ActionSpec

SECTIONS = ("about", "control", "horizon", "action", "camera", "state", "instruction")
_CONTROL_OF = {"joint": "joint_position", "ee": "ee_pose"}


@dataclass(frozen=True)
class Instruction:
    """What the policy is told: ``template`` with the instruction in it, under ``key``; ``lower`` for lower case."""

    key: str = "prompt"
    template: str = "{instruction}"
    lower: bool = False

    def __post_init__(self) -> None:
        if "{instruction}" not in self.template:
            raise ConfigurationError(f"template {self.template!r} loses the instruction; write {{instruction}} in it")

    def tell(self, text: str) -> str:
        """The words for one instruction."""
        return self.template.replace("{instruction}", text.lower() if self.lower else text)


@dataclass(frozen=True)
class PolicyMapping:
    """A policy's convention and the way to ours.

    ``action``: what its numbers mean; ``control``: the environment's control mode that they become. ``views``,
    ``states`` and ``instruction``: what it is given. ``horizon``: the length of its chunks where it is known.
    """

    name: str
    action: ActionContract
    control: str
    views: tuple[View, ...] = ()
    states: tuple[StateVector, ...] = ()
    instruction: Instruction = Instruction()
    horizon: int | None = None
    about: str = ""

    def __post_init__(self) -> None:
        contracts.require_reachable(self.action, self.control)
        keys = [*(v.key for v in self.views), *(s.key for s in self.states), self.instruction.key]
        if len(set(keys)) != len(keys):
            raise ConfigurationError(f"mapping {self.name!r} uses a key twice: {keys}; name each input once")

    @property
    def spec(self) -> ActionSpec:
        """The action contract of the environment that this mapping serves."""
        return ActionSpec.of(self.control)

    @property
    def cameras(self) -> tuple[str, ...]:
        """The environment's cameras that are wanted, each once, in the policy's order."""
        return tuple(dict.fromkeys(v.camera for v in self.views if v.camera != BLACK))

    @property
    def image_size(self) -> int | None:
        """The largest side of a view, for the environment to render; None when no view has a size."""
        sides = [max(v.size) for v in self.views if v.size is not None]
        return max(sides) if sides else None

    def check(self, environment: ActionSpec) -> None:
        """Raise :class:`hansgym.errors.ContractError` that says what to do unless the environment takes what comes."""
        contracts.require_reachable(self.action, environment.mode)
        self.spec.check(environment)

    def observe(self, batch: Batch) -> dict[str, np.ndarray]:
        """Key -> pictures (B, …) and states (B, n) float32, in the policy's order; the words are :meth:`tell`'s."""
        missing = [c for c in self.cameras if c not in batch.images]
        if missing:
            raise ConfigurationError(
                f"mapping {self.name!r} needs camera {missing[0]!r}; the batch has {sorted(batch.images)}"
            )
        some = next(iter(batch.images.values()), np.zeros((len(batch), 224, 224, 3), np.uint8))
        shown = {v.key: v.show(batch.images.get(v.camera, some)) for v in self.views}
        return {**shown, **{s.key: s.feel(batch.state) for s in self.states}}

    def tell(self, batch: Batch) -> list[str]:
        """The B texts that the policy is given."""
        return [self.instruction.tell(text) for text in batch.instructions]

    def actions(self, chunk: np.ndarray, batch: Batch) -> np.ndarray:
        """Their chunk (B, T, dim) as ours, (B, :meth:`steps` of T, dim of ``control``) float64."""
        return convert(chunk, self.action, contracts.ours(self.control), batch.state)

    def steps(self, theirs: int) -> int:
        """How many control steps a chunk of ``theirs`` steps becomes."""
        return horizon(theirs, self.action, contracts.ours(self.control))

    def describe(self) -> dict[str, Any]:
        """Plain values for a run's record."""
        views = [{f.name: getattr(v, f.name) for f in fields(v)} for v in self.views]
        return {"name": self.name, "control": self.control, "action": self.action.describe(), "cameras": views}


def names() -> tuple[str, ...]:
    """The ready mappings."""
    return tuple(mapping_files())


def load(which: str | Path | PolicyMapping) -> PolicyMapping:
    """The mapping called ``which``: a ready one by name, or a file; a mapping itself is passed on.

    What cannot be read, an unknown setting or a contract that no control mode can serve raises, naming the file.
    """
    if isinstance(which, PolicyMapping):
        return which
    ready = mapping_files()
    path = ready.get(str(which)) or Path(which)
    if not path.is_file():
        if path.suffix:
            raise ConfigurationError(f"no mapping file {str(path)!r}; give a file, or one of {', '.join(ready)}")
        raise unknown("mapping", str(which), ready)
    return from_table(read(path), path.stem)


def from_table(table: Table[str, Any], name: str) -> PolicyMapping:
    """A mapping from the plain values of a file."""
    for key in table:
        if key not in SECTIONS:
            raise unknown(f"section of mapping {name!r}", key, SECTIONS)
    if "action" not in table:
        raise ConfigurationError(f"mapping {name!r} has no [action], only {sorted(table)}; write what its numbers mean")
    action = contracts.from_settings(settings(table["action"], name, "action"), f"[action] of mapping {name!r}")
    length = table.get("horizon")
    if length is not None and (not isinstance(length, int) or isinstance(length, bool) or not 1 <= length <= 1000):
        raise ConfigurationError(f"mapping {name!r}: horizon = {length!r} is no chunk length; give 1 to 1000")
    return PolicyMapping(
        name=name,
        action=action,
        control=str(table.get("control", _CONTROL_OF[action.space])),
        views=rows(View, table.get("camera", []), name, "camera"),
        states=rows(StateVector, table.get("state", []), name, "state"),
        instruction=rows(Instruction, [table.get("instruction", {})], name, "instruction")[0],
        horizon=length,
        about=str(table.get("about", "")),
    )
