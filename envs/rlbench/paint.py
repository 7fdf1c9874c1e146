"""Colours of shapes: what of a shape can be painted and put back exactly.

CoppeliaSim gives a colour to all components of a shape at once, or to those of one colour name, and reads back one
component's only. A shape whose components all have one colour, as upstream leaves what it paints, is put back by that
colour. Of another one (the tiles of the base scene's floor) only the components with names are painted, name by name.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from hansgym.envs.rlbench.simulator import Coat, Rgb

_MARK = (0.125, 0.375, 0.625)
"""Exact in single precision, so that it is found again as it was given."""


class Palette:
    """Reads and sets the colours of a launched scene's shapes."""

    def __init__(self) -> None:
        self._sim = importlib.import_module("pyrep.backend.sim")
        self._constants = importlib.import_module("pyrep.backend.simConst")
        self._parts: dict[int, dict[str, tuple[int, ...]]] = {}

    def coats(self, handle: int) -> tuple[Coat, ...] | None:
        """See :meth:`hansgym.envs.rlbench.simulator.Simulator.coats`."""
        if not self._sim.simGetObjectInt32Parameter(handle, self._constants.sim_objintparam_visible):
            return ()
        colours = self.components(handle)
        if len(set(colours)) == 1:
            return (Coat(handle, colours[0]),)
        coats = []
        for name, parts in self._named(handle).items():
            if len({colours[k] for k in parts}) != 1:
                return None
            coats.append(Coat(handle, colours[parts[0]], name))
        return tuple(coats) or None

    def paint(self, handle: int, rgb: Sequence[float], name: str | None = None) -> None:
        """Give a shape, or its components with colour ``name``, one colour ``rgb`` in [0, 1]."""
        component = self._constants.sim_colorcomponent_ambient_diffuse
        self._sim.simSetShapeColor(handle, None if name is None else name.encode(), component, [float(c) for c in rgb])

    def components(self, handle: int) -> list[Rgb]:
        """The colours of a shape's components in their order, as exact as the simulator has them."""
        found: list[Rgb] = []
        info = self._sim.ffi.new("struct SShapeVizInfo *")
        while self._sim.lib.simGetShapeViz(handle, len(found), info) > 0:
            red, green, blue = list(info.colors)[:3]
            found.append((red, green, blue))
            for data in (info.vertices, info.indices, info.normals, info.texture, info.textureCoords):
                self._free(data)
            info = self._sim.ffi.new("struct SShapeVizInfo *")
        return found

    def _named(self, handle: int) -> dict[str, tuple[int, ...]]:
        """Colour name -> the components that it means, found out on a copy that is gone before the next step."""
        if handle not in self._parts:
            copy = self._sim.simCopyPasteObjects([handle], 0)[0]
            try:
                self._parts[handle] = {name: parts for name in self._names(copy) if (parts := self._marked(copy, name))}
            finally:
                self._sim.simRemoveObject(copy)
        return self._parts[handle]

    def _marked(self, handle: int, name: str) -> tuple[int, ...]:
        before = self.components(handle)
        self.paint(handle, _MARK, name)
        after = self.components(handle)
        return tuple(k for k, (old, new) in enumerate(zip(before, after, strict=True)) if old != new == _MARK)

    def _names(self, handle: int) -> list[str]:
        length = self._sim.ffi.new("int *")
        parameter = self._constants.sim_shapestringparam_color_name
        text: Any = self._sim.lib.simGetObjectStringParameter(handle, parameter, length)
        if text == self._sim.ffi.NULL:
            return []
        try:
            return bytes(self._sim.ffi.buffer(text, length[0])).decode("ascii", "ignore").split()
        finally:
            self._free(text)

    def _free(self, data: Any) -> None:
        if data != self._sim.ffi.NULL:
            self._sim.simReleaseBuffer(self._sim.ffi.cast("char *", data))
