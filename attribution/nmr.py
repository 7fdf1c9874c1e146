"""Nuisance Mass Ratio: how much of what matters most to a policy lies where nothing that matters is.

``nmr@k`` is the share of NUISANCE among the k per cent of pixels with the highest scores. Other published readings have
names of their own: *top mass* (the fewest pixels that hold k per cent of the map's mass) and *soft mass* (the share of
the mass itself). Mass is the positive part of a map: scores below zero (hiding the cell moves the chunk less than
average) count as none. Pixels that tie at a cut share what is left to give, so nothing depends on sort order. A random
map scores the share of the area that is NUISANCE, see :func:`nuisance_area`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hansgym.attributions import NMR_PERCENT
from hansgym.errors import ConfigurationError
from hansgym.roles import Region, SceneObject

TIE = 1e-12  # of the largest score: values closer than this are equal
OBJECT_PERCENT = 10
BEYOND = "(beyond all geometry)"  # the name of object id 0


@dataclass(frozen=True)
class Readings:
    """Everything read off one map; percentages are text ("10"). ``reason`` says why values are None."""

    nmr: Mapping[str, float | None]
    reason: str | None = None
    by_camera: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    by_object: Mapping[str, float] = field(default_factory=dict)
    top_mass: Mapping[str, float | None] = field(default_factory=dict)
    soft_mass: float | None = None
    area: float | None = None


class Ranking:
    """The highest pixels of a map, sorted once for every reading.

    ``scores``: (P,) float64; ``inside``: (P,) bool, what to count (the NUISANCE pixels). Only the top ``percent`` is
    sorted. k per cent of P pixels need not be a whole number: the last pixel counts in part.
    """

    def __init__(self, scores: np.ndarray, inside: np.ndarray, percent: float = max(NMR_PERCENT)) -> None:
        self.size = scores.size
        self._tolerance = TIE * float(np.abs(scores).max(initial=0.0))
        last = min(self.size - 1, int(np.ceil(self.size * percent / 100.0)))
        cut = np.partition(scores, self.size - 1 - last)[self.size - 1 - last]
        self.pixels = np.flatnonzero(scores >= cut - self._tolerance)
        self.pixels = self.pixels[np.argsort(-scores[self.pixels])]
        self._sorted = -scores[self.pixels]
        self._inside = np.concatenate([[0], np.cumsum(inside[self.pixels])])

    def _tied(self, place: int) -> tuple[int, int]:
        """First and one past the last of the sorted pixels that equal the one at ``place``."""
        value = self._sorted[place]
        first = int(np.searchsorted(self._sorted, value - self._tolerance, "left"))
        return first, int(np.searchsorted(self._sorted, value + self._tolerance, "right"))

    def _share(self, first: int, end: int, wanted: float) -> float:
        """Share of counted pixels when all before ``first`` and ``wanted`` of the tied ones up to ``end`` are taken."""
        tied = (self._inside[end] - self._inside[first]) * wanted / (end - first)
        return float((self._inside[first] + tied) / (first + wanted))

    def top(self, percent: float) -> float:
        """Share of counted pixels among the highest ``percent`` per cent."""
        budget = self.size * percent / 100.0
        first, end = self._tied(min(int(np.ceil(budget)), len(self.pixels)) - 1)
        return self._share(first, end, budget - first)

    def weights(self, percent: float) -> np.ndarray:
        """How much of each of ``pixels`` is among the highest ``percent`` per cent, 0 to 1; they sum to its size."""
        budget = self.size * percent / 100.0
        first, end = self._tied(min(int(np.ceil(budget)), len(self.pixels)) - 1)
        weights = np.zeros(len(self.pixels))
        weights[:first], weights[first:end] = 1.0, (budget - first) / (end - first)
        return weights

    def top_mass(self, percent: float, total: float) -> float:
        """Share of counted pixels among the fewest that hold ``percent`` per cent of the mass ``total``."""
        mass = np.cumsum(np.maximum(-self._sorted, 0.0))
        wanted = total * percent / 100.0
        first, end = self._tied(min(int(np.searchsorted(mass, wanted)), len(self.pixels) - 1))
        before = mass[first - 1] if first else 0.0
        tied = (mass[end - 1] - before) / (end - first)
        return self._share(first, end, min((wanted - before) / tied, end - first))


def top_share(scores: np.ndarray, inside: np.ndarray, percent: float) -> float:
    """Share of ``inside`` (bool) among the highest ``percent`` per cent of ``scores`` (same shape, float)."""
    return Ranking(np.ravel(scores).astype(np.float64), np.ravel(inside).astype(bool), percent).top(percent)


def nuisance_area(regions: Mapping[str, np.ndarray]) -> float:
    """Share of all pixels, jointly over cameras, that are NUISANCE: what a random map scores."""
    return float(sum((r == Region.NUISANCE).sum() for r in regions.values()) / sum(r.size for r in regions.values()))


def read(
    maps: Mapping[str, np.ndarray],
    regions: Mapping[str, np.ndarray],
    objects: Mapping[str, np.ndarray] | None = None,
    scene: Sequence[SceneObject] = (),
    percents: Sequence[int] = NMR_PERCENT,
    no_effect: str | None = None,
) -> Readings:
    """All readings of one map.

    ``maps``: camera -> (H, W) float64; ``regions``: camera -> (H, W) uint8 of :class:`Region`; ``objects``: camera ->
    (H, W) uint16 object ids, named by ``scene``. A map without effect (``no_effect`` says why, or it is constant) has
    no ratio: None, with the reason.
    """
    for other, kind in ((regions, "region"), (objects, "object")):
        _check(maps, other, kind)
    area = nuisance_area({c: regions[c] for c in maps})
    scores = np.concatenate([m.ravel() for m in maps.values()])
    if no_effect is None and np.ptp(scores) <= TIE * np.abs(scores).max():
        no_effect = "the map is constant"
    if no_effect is not None:
        nothing: dict[str, float | None] = {str(k): None for k in percents}
        return Readings(nothing, no_effect, dict.fromkeys(maps, nothing), top_mass=nothing, area=area)
    inside = {c: regions[c].ravel() == Region.NUISANCE for c in maps}
    joint = Ranking(scores, np.concatenate(list(inside.values())), max(percents))
    mass = np.maximum(scores, 0.0)
    total = float(mass.sum())
    return Readings(
        nmr={str(k): joint.top(k) for k in percents},
        by_camera={c: _camera(maps[c], inside[c], percents) for c in maps},
        by_object={} if objects is None else _by_object(joint, [objects[c] for c in maps], scene),
        top_mass={str(k): joint.top_mass(k, total) if total > 0 else None for k in percents},
        soft_mass=float(mass[np.concatenate(list(inside.values()))].sum() / total) if total > 0 else None,
        area=area,
    )


def _camera(scores: np.ndarray, inside: np.ndarray, percents: Sequence[int]) -> dict[str, float | None]:
    if np.ptp(scores) <= TIE * np.abs(scores).max():
        return {str(k): None for k in percents}
    ranking = Ranking(scores.ravel(), inside, max(percents))
    return {str(k): ranking.top(k) for k in percents}


def _by_object(joint: Ranking, images: Sequence[np.ndarray], scene: Sequence[SceneObject]) -> dict[str, float]:
    """Object name -> share of the top 10 per cent of pixels that lies on it; the shares sum to 1."""
    ids = np.concatenate([np.ravel(image) for image in images])[joint.pixels]
    weights = joint.weights(OBJECT_PERCENT)
    counts = np.bincount(ids, weights=weights, minlength=max([o.id for o in scene], default=0) + 1) / weights.sum()
    shares: dict[str, float] = {o.name: 0.0 for o in scene}
    for item in scene:
        shares[item.name] += float(counts[item.id])
    stray = sorted(set(np.flatnonzero(counts).tolist()) - {o.id for o in scene} - {0})
    if stray:
        raise ConfigurationError(
            f"object ids {stray} in the object images belong to no object of the scene; give the scene of the same row"
        )
    if counts[0] > 0:
        shares[BEYOND] = float(counts[0])
    return shares


def _check(maps: Mapping[str, np.ndarray], images: Mapping[str, np.ndarray] | None, kind: str) -> None:
    for camera, values in maps.items():
        if images is None:
            continue
        if camera not in images:
            raise ConfigurationError(f"no {kind} image for camera {camera!r}; there are {sorted(images)}")
        if images[camera].shape != values.shape:
            raise ConfigurationError(
                f"the {kind} image of camera {camera!r} is {images[camera].shape}, the map {values.shape}: "
                "they must belong to the same frame at the same size"
            )
