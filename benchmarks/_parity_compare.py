"""What counts as a difference between the two sides of :mod:`hansgym.benchmarks.parity`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

import numpy as np

from hansgym.benchmarks._parity_boxes import Box
from hansgym.benchmarks._parity_measure import Measured
from hansgym.errors import ConfigurationError
from hansgym.specs import CAMERAS

LEAST_IOU, TIP_M, LENGTH_FACTOR = 0.9, 5e-3, 2.0
EDGE_SHARE, EDGE_M = 0.15, 3e-3
PLACE_SHARE, PLACE_M = 0.15, 0.02
STILL_M = 5e-3
"""Two objects whose distance changes by less over the resets are set up together."""

ERRORS = 4.0
"""Standard errors of the difference of two means that chance is given: some four hundred means are compared."""


Edges = tuple[float, ...]
Sized = tuple[Edges, Edges, Edges, Edges, float]


@dataclass(frozen=True)
class Row:
    """One task. Pairs are (here, there).

    ``iou``: camera -> median. ``solved`` and ``tried``: episodes of the experts; ``steps`` and ``way_m``: medians of
    those that ended in success. ``counts_from``: joint -> m or rad. ``sizes``: object -> its upright and its tight box
    here, the two there, and the largest share by which an edge differs, beyond what is allowed. ``elsewhere``: object
    or pair -> how it stands elsewhere, of ``placed`` objects.
    """

    task: str
    what: str
    iou: dict[str, float]
    tip_m: float
    same_instruction: bool
    solved: tuple[int, int]
    tried: tuple[int, int]
    steps: tuple[float | None, float | None]
    way_m: tuple[float | None, float | None]
    counts_from: dict[str, tuple[float, float]]
    sizes: dict[str, Sized]
    placed: int
    elsewhere: dict[str, str]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing differs by more than is allowed."""
        return not self.problems

    @property
    def off(self) -> dict[str, float]:
        """Object -> largest share by which an edge differs, of those that differ too much."""
        return {name: item[-1] for name, item in self.sizes.items() if item[-1] > 0}


def compare(ours: Measured, theirs: Measured) -> Row:
    """The comparison of one task's two sides; they must be of the same task and variation."""
    if (ours.name, ours.variation) != (theirs.name, theirs.variation):
        raise ConfigurationError(
            f"task {ours.name!r}, variation {ours.variation}, cannot be compared with {theirs.name!r}, "
            f"{theirs.variation}; measure both for the same one"
        )
    both = sorted({*ours.sizes} & {*theirs.sizes})
    row = Row(
        task=ours.name,
        what=theirs.what,
        iou={camera: silhouette_iou(ours, theirs, camera) for camera in CAMERAS},
        tip_m=float(np.linalg.norm(np.subtract(ours.tips, theirs.tips)[:, :3], axis=1).max()),
        same_instruction=plain(ours.instruction) == plain(theirs.instruction),
        solved=(len(ours.solved), len(theirs.solved)),
        tried=(len(ours.attempts), len(theirs.attempts)),
        steps=(_middle([a.steps for a in ours.solved]), _middle([a.steps for a in theirs.solved])),
        way_m=(_middle([a.travel_m for a in ours.solved]), _middle([a.travel_m for a in theirs.solved])),
        counts_from={
            joint: (ours.counts_from[joint], theirs.counts_from[joint])
            for joint in sorted({*ours.counts_from} & {*theirs.counts_from})
        },
        sizes={name: _sized(ours.sizes[name], theirs.sizes[name]) for name in both},
        placed=len({*ours.places} & {*theirs.places}),
        elsewhere=_elsewhere(ours, theirs),
        problems=(),
    )
    return Row(**{**row.__dict__, "problems": tuple(_problems(row, ours, theirs))})


def _middle(values: Sequence[float]) -> float | None:
    return float(median(values)) if values else None


def _sized(mine: Box, other: Box) -> Sized:
    return (mine.upright, mine.tight, other.upright, other.tight, box_share(mine, other))


def _problems(row: Row, ours: Measured, theirs: Measured) -> list[str]:
    found = [f"{camera} silhouettes overlap by {value:.2f}" for camera, value in row.iou.items() if value < LEAST_IOU]
    found += [f"tips are {row.tip_m * 1e3:.1f} mm apart"] if row.tip_m > TIP_M else []
    if not row.same_instruction:
        found.append(f"it says {theirs.instruction!r} there and {ours.instruction!r} here")
    found += [f"{m.backend}'s expert: {_failure(m)}" for m in (ours, theirs) if not m.solved]
    found += _lengths(row)
    for joint, (here, there) in row.counts_from.items():
        if _beyond(here, there, EDGE_SHARE, EDGE_M):
            found.append(f"{joint} counts from {here:.4f} here, {there:.4f} there")
    found += [f"{name} differs in size by {share:.0%}" for name, share in row.off.items()]
    return [*found, *(f"{name} {text}" for name, text in row.elsewhere.items())]


def _failure(measured: Measured) -> str:
    return next((a.trouble for a in measured.attempts if a.trouble), "no success")


def _lengths(row: Row) -> list[str]:
    (here, there), (way, other) = row.steps, row.way_m
    if here is None or there is None or 1 / LENGTH_FACTOR <= here / there <= LENGTH_FACTOR:
        return []
    return [f"{here:.0f} steps here for {way:.2f} m, {there:.0f} there for {other:.2f} m"]


def _beyond(here: float, there: float, share: float, least: float) -> bool:
    """Whether ``here`` is farther from ``there`` than a ``share`` of it and than ``least``."""
    return abs(here - there) > max(share * abs(there), least)


def silhouette_iou(ours: Measured, theirs: Measured, camera: str) -> float:
    """Median over the configurations of the overlap of the robot's silhouettes, where no object of the task is seen."""
    free = ~(ours.seen("task", camera) | theirs.seen("task", camera))
    mine, other = ours.seen("robot", camera) & free, theirs.seen("robot", camera) & free
    both, either = (mine & other).sum((1, 2)), (mine | other).sum((1, 2))
    return float(np.median(np.where(either > 0, both / np.maximum(either, 1), 1.0)))


def box_share(mine: Box, other: Box) -> float:
    """Largest share by which an edge differs, 0 if every edge is within 15 % or 3 mm.

    The better of the two ways to put a box around counts: upright ones are larger around what leans a little more, and
    tight ones may lie otherwise around what is as good as round.
    """
    return min(edge_share(mine.upright, other.upright), edge_share(mine.tight, other.tight))


def edge_share(mine: Sequence[float], other: Sequence[float]) -> float:
    """The same of two lists of edges in m, one after the other."""
    edges = np.asarray(other, float)
    gap = np.abs(np.asarray(mine, float) - edges)
    bad = (gap > EDGE_SHARE * edges + 1e-9) & (gap > EDGE_M + 1e-9)
    return float((gap / np.maximum(edges, EDGE_M))[bad].max()) if bad.any() else 0.0


def _elsewhere(ours: Measured, theirs: Measured) -> dict[str, str]:
    """Object, or pair of objects, -> how far it stands elsewhere."""
    here, there = ({n: np.array(rows) for n, rows in m.places.items()} for m in (ours, theirs))
    both = sorted({*here} & {*there})
    found = {}
    for name in both:
        heights = [float(np.median(side[name][:, 2:].mean(1))) for side in (here, there)]
        if abs(heights[0] - heights[1]) > PLACE_M:
            off_mm = (heights[0] - heights[1]) * 1e3
            found[name] = f"stands {abs(off_mm):.0f} mm {'higher' if off_mm > 0 else 'lower'} here"
            continue
        off, doubt = _means_apart(here[name][:, :2], there[name][:, :2])
        if (np.abs(off) > ERRORS * doubt + PLACE_M).any():
            found[name] = (
                f"stands on average {off[0] * 1e2:+.0f} cm in x and {off[1] * 1e2:+.0f} cm in y elsewhere here"
            )
    for first, second in combinations(both, 2):
        spans = [_span(side[first], side[second]) for side in (here, there)]
        if None in spans:
            continue
        mine, other = spans
        if _beyond(mine, other, PLACE_SHARE, PLACE_M):  # type: ignore[arg-type]
            found[f"{first} and {second}"] = f"are {mine * 1e3:.0f} mm apart here, {other * 1e3:.0f} mm there"  # type: ignore[operator]
    return found


def _means_apart(mine: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Difference (2) of the means of places (N, 2) m, and its standard error (2)."""
    spread = mine.var(0, ddof=1) / len(mine) + other.var(0, ddof=1) / len(other)
    return mine.mean(0) - other.mean(0), np.sqrt(spread)


def _span(first: np.ndarray, second: np.ndarray) -> float | None:
    """Distance in m of two objects, of places (N, 4) each, if it is the same after every reset."""
    if len(first) != len(second):
        return None
    middles = [np.column_stack([p[:, :2], p[:, 2:].mean(1)]) for p in (first, second)]
    spans = np.linalg.norm(middles[0] - middles[1], axis=1)
    return float(np.median(spans)) if np.ptp(spans) < STILL_M else None


def plain(text: str) -> str:
    """``text`` without case and articles, in which the forks of RLBench differ."""
    return " ".join(word for word in text.lower().split() if word != "the")
