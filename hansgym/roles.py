"""Roles of objects, regions of pixels, and the partitions that map one to the other."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from hansgym.errors import UnknownNameError


class Role(enum.Enum):
    """What an object is to the present variation of a task."""

    ROBOT = "robot"
    TARGET = "target"
    FIXTURE = "fixture"
    SURFACE = "surface"
    DISTRACTOR = "distractor"
    BACKGROUND = "background"


class Region(enum.IntEnum):
    """Where a pixel belongs; the values of ``<camera>_mask`` images."""

    NUISANCE = 0
    ACTION = 1
    SUPPORT = 2


NO_REGION = 255
"""Marks ids that no object has; never in a result."""

_TABLE_SUPPORTS = {
    Role.ROBOT: Region.ACTION,
    Role.TARGET: Region.SUPPORT,
    Role.FIXTURE: Region.SUPPORT,
    Role.SURFACE: Region.SUPPORT,
    Role.DISTRACTOR: Region.NUISANCE,
    Role.BACKGROUND: Region.NUISANCE,
}

PARTITIONS: Mapping[str, Mapping[Role, Region]] = MappingProxyType(
    {
        "table_supports": MappingProxyType(_TABLE_SUPPORTS),
        "table_is_nuisance": MappingProxyType({**_TABLE_SUPPORTS, Role.SURFACE: Region.NUISANCE}),
    }
)


@dataclass(frozen=True)
class SceneObject:
    """One object of a scene as it appears in ``<camera>_objects`` images.

    ``id`` is the pixel value (0 is never used for an object of its own: it is the background beyond all geometry).
    """

    id: int
    name: str
    role: Role


def partition(name: str) -> Mapping[Role, Region]:
    """Return the role-to-region map called ``name``."""
    if name not in PARTITIONS:
        raise UnknownNameError(f"unknown partition {name!r}; choose one of {', '.join(sorted(PARTITIONS))}")
    return PARTITIONS[name]


def region_image(objects_image: np.ndarray, objects: tuple[SceneObject, ...], partition_name: str) -> np.ndarray:
    """Map an object-id image (H, W) uint16 to a region image (H, W) uint8 with the values of :class:`Region`.

    Raises :class:`ValueError` when a pixel carries an id that no object has: every pixel has exactly one region.
    """
    mapping = partition(partition_name)
    size = int(max([int(objects_image.max(initial=0))] + [o.id for o in objects])) + 1
    table = np.full(size, NO_REGION, np.uint8)
    table[0] = Region.NUISANCE
    for item in objects:
        table[item.id] = mapping[item.role]
    regions = table.take(objects_image)
    if regions.max(initial=0) == NO_REGION:
        unknown = sorted(set(np.unique(objects_image).tolist()) - {o.id for o in objects} - {0})
        raise ValueError(f"object ids {unknown} in the image belong to no object of the scene")
    return regions
