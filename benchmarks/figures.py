"""Numbers as texts and as places on a page: bars with intervals, and the line of the NMR over an episode.

Charts are HTML boxes whose left edges and widths are per cents, so that they fit every screen and their labels stay
text. Everything here is arithmetic; the templates draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Interval = Sequence[float]
DASH = "–"


@dataclass(frozen=True)
class Bar:
    """One bar of a chart, in per cent of its width: ``fill``, the interval from ``left`` over ``span`` (None without
    one), and ``mark``, a reference value (None without one). ``text`` says the same in words, ``kind`` how it is drawn.
    """

    label: str
    text: str
    fill: float
    left: float | None = None
    span: float | None = None
    mark: float | None = None
    kind: str = "value"
    note: str = ""


def bar(
    label: str,
    value: float | None,
    interval: Interval | None = None,
    *,
    top: float = 1.0,
    mark: float | None = None,
    kind: str = "value",
    text: str | None = None,
    note: str = "",
) -> Bar:
    """A bar for ``value`` on a scale from 0 to ``top``; what lies outside is drawn at the edge."""
    left = span = None
    if value is not None and interval is not None:
        left = place(interval[0], top)
        span = place(interval[1], top) - left
    shown = number(value, interval) if text is None else text
    marked = None if mark is None else place(mark, top)
    return Bar(label, shown, 0.0 if value is None else place(value, top), left, span, marked, kind, note)


def place(value: float, top: float) -> float:
    """Where ``value`` lies between 0 and ``top``, in per cent, 0 to 100."""
    return round(100 * min(1.0, max(0.0, value / top)), 3) if top > 0 else 0.0


def number(value: float | None, interval: Interval | None = None) -> str:
    """``0.83 [0.44, 0.97]``, without brackets where there is no interval, a dash where there is no value."""
    if value is None:
        return DASH
    return f"{value:.2f}" + (f" [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else "")


def percent(value: float | None, interval: Interval | None = None) -> str:
    """``83 % [44, 97]``, or a dash."""
    if value is None:
        return DASH
    return f"{100 * value:.0f} %" + (f" [{100 * interval[0]:.0f}, {100 * interval[1]:.0f}]" if interval else "")


def significant(value: float | None, interval: Interval | None = None) -> str:
    """Two significant digits: ``0.10 [0.081, 0.12]``; small ones are not rounded away."""
    if value is None:
        return DASH
    return _two(value) + (f" [{_two(interval[0])}, {_two(interval[1])}]" if interval else "")


def _two(value: float) -> str:
    return "0" if value == 0 else f"{value:#.2g}".rstrip(".")


def effect_bars(effects: Mapping[str, Any], top: float | None = None) -> list[Bar]:
    """One bar per do-effect of ``NerResult.to_json()``: the task first, then all nuisance at once, then each factor by
    size. ``top``: the end of the scale, by default that of :func:`effect_top`.
    """
    sizes, intervals = effects["e"], effects["e_interval"]
    end = effect_top([effects]) if top is None else top
    single = sorted((f for f in sizes if f not in ("task", "nuisance")), key=lambda f: (-sizes[f], f))
    order: list[str] = [f for f in ("task", "nuisance") if f in sizes] + single
    return [
        bar(
            {"task": "task moved", "nuisance": "all nuisance at once"}.get(factor, factor),
            sizes[factor],
            intervals.get(factor),
            top=end,
            kind=factor if factor in ("task", "nuisance") else "worst" if factor == effects["worst"] else "factor",
            text=significant(sizes[factor], intervals.get(factor)),
        )
        for factor in order
    ]


def effect_top(many: Sequence[Mapping[str, Any]]) -> float:
    """The largest effect or end of an interval, so that several charts can share one scale."""
    values = [v for e in many for v in e["e"].values()]
    values += [i[1] for e in many for i in e["e_interval"].values() if i]
    return max(values, default=0.0)


def timeline(
    decisions: Sequence[Mapping[str, Any]], steps: int, area: float | None, percentage: str = "10"
) -> dict[str, Any]:
    """The NMR over an episode of ``steps`` control steps, in per cent of a box (y downwards).

    ``lines``: polylines as SVG points, linearly interpolated between explained decisions, held before the first and
    after the last, broken where a decision has no NMR; ``dots``: the explained decisions (x, y, step, value);
    ``area``: the height of a random map's score; ``gaps``: how many explained decisions have no NMR, with the first
    ``reason``.
    """
    end = max(steps, 1)
    known = [d for d in decisions if "nmr" in d]
    pieces: list[list[tuple[float, float]]] = [[]]
    dots = []
    for entry in known:
        value = (entry["nmr"] or {}).get(percentage)
        if value is None:
            pieces.append([])
            continue
        x, y = place(entry["step"], end), 100 - place(value, 1.0)
        pieces[-1].append((x, y))
        dots.append({"x": x, "y": y, "step": entry["step"], "value": f"{value:.2f}"})
    if pieces[0]:
        pieces[0].insert(0, (0.0, pieces[0][0][1]))
    if pieces[-1]:
        pieces[-1].append((100.0, pieces[-1][-1][1]))
    return {
        "lines": [" ".join(f"{x:g},{y:g}" for x, y in piece) for piece in pieces if len(piece) > 1],
        "dots": dots,
        "area": None if area is None else 100 - place(area, 1.0),
        "area_value": None if area is None else f"{area:.2f}",
        "gaps": len(known) - len(dots),
        "reason": next((d.get("nmr_reason") for d in known if (d["nmr"] or {}).get(percentage) is None), None),
        "explained": len(known),
    }
