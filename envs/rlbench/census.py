"""Who is who in an episode: handles of shapes, the objects they belong to, and masks of those."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from hansgym.envs.rlbench import masks, shapes
from hansgym.envs.rlbench.simulator import ShapeRecord, Simulator
from hansgym.errors import ConfigurationError


class Census:
    """The shapes of one episode. ``ids`` maps each object of the task to its id in masks.

    ``strict`` makes a shape that no object covers an error; else it is said once, and its pixels are background.
    """

    def __init__(self, simulator: Simulator, task: str, ids: Mapping[str, int], strict: bool = False) -> None:
        self._simulator, self._task, self._ids, self._strict = simulator, task, ids, strict
        found = simulator.shapes()
        self.named = {shape.name: shape.handle for shape in found}
        self.helpers = tuple(shape.handle for shape in found if shapes.is_helper(shape.name))
        self._owners = self._assigned(found)
        self._strangers: set[int] = set()

    def _assigned(self, found: Sequence[ShapeRecord]) -> dict[int, str]:
        return shapes.assigned(found, self._task, tuple(self._ids))

    @property
    def handles(self) -> dict[str, tuple[int, ...]]:
        """Object -> the handles of its shapes."""
        found: dict[str, tuple[int, ...]] = {}
        for handle, name in self._owners.items():
            found[name] = (*found.get(name, ()), handle)
        return found

    def add(self, handle: int, name: str) -> None:
        """A shape of ours that has come into the scene."""
        self._owners[handle] = name

    def handle_of(self, name: str) -> int:
        """The shape that stands for object ``name``: the one of that very name, else the first of its parts."""
        parts = self.handles.get(name, ())
        if not parts:
            raise ConfigurationError(f"the scene of {self._task!r} shows no {name!r}; it has {sorted(self.named)}")
        return self.named.get(name, parts[0])

    def objects(self, codes: np.ndarray) -> np.ndarray:
        """Object ids (H, W) uint16 of a colour-coded picture (H, W, 3); water drops and their like are learnt about."""
        handles = masks.handles_of(codes)
        objects, unknown = masks.objects_of(handles, self._table())
        fresh = [h for h in unknown if h not in self._strangers]
        if not fresh:
            return objects
        self._introduce(fresh)
        return masks.objects_of(handles, self._table())[0]

    def _table(self) -> dict[int, int]:
        """Handle -> object id; a helper plane that was drawn all the same lies on the table and counts as it."""
        table = {handle: self._ids[name] for handle, name in self._owners.items()}
        return dict.fromkeys(self.helpers, self._ids[shapes.TABLE]) | table

    def _introduce(self, handles: Sequence[int]) -> None:
        self._owners |= self._assigned(self._simulator.shapes())
        strange = [h for h in handles if h not in self._owners]
        self._strangers.update(strange)
        if not strange:
            return
        names = [record.name if (record := self._simulator.shape(h)) else f"handle {h}" for h in strange]
        text = f"task {self._task!r}: the masks show {names}, which no object of the task file covers"
        if self._strict:
            raise ConfigurationError(f"{text}; add them to hansgym.envs.rlbench.shapes.PARTS")
        warnings.warn(f"{text}; their pixels count as NUISANCE", stacklevel=2)
