"""A dish rack: a low frame with pairs of coloured spokes. Origin on the table under its middle.

Between the spokes plates stand on two rails along y, which are felt and not seen.

Each pair of spokes, with the bar that joins them, is a child body and an object of its own.
"""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material, safe_rgba
from hansgym.assets.props._solids import drawn, touched

SIZE = (0.160, 0.300)
SPOKE_X, SPOKE_TOP, SPOKE_RADIUS = 0.075, 0.150, 0.005
RAIL_X, RAIL_Z = 0.050, 0.0155
"""Where the two rails are on whose upper edges plates stand, next to the table."""

_BAR = 0.010


def _frame(body: mujoco.MjsBody, name: str, grey: str) -> None:
    """Four bars a little over the table, and two raised rails that are only felt."""
    (wide, deep), low = SIZE, _BAR / 2 + 0.005
    bars = {
        "left": ((-(wide - _BAR) / 2, 0, low), (_BAR, deep, _BAR)),
        "right": (((wide - _BAR) / 2, 0, low), (_BAR, deep, _BAR)),
        "front": ((0, -(deep - _BAR) / 2, low), (wide - 2 * _BAR, _BAR, _BAR)),
        "back": ((0, (deep - _BAR) / 2, low), (wide - 2 * _BAR, _BAR, _BAR)),
        "rail0": ((-RAIL_X, 0, RAIL_Z - 0.004), (0.008, deep, 0.008)),
        "rail1": ((RAIL_X, 0, RAIL_Z - 0.004), (0.008, deep, 0.008)),
    }
    for part, (at, size) in bars.items():
        if not part.startswith("rail"):
            drawn(body, f"{name}/{part}", "box", at, size, grey)
        touched(body, f"{name}/{part}_hull", "box", at, size, mass=0.1, friction=0.6)


def build(
    spec: mujoco.MjSpec,
    body: mujoco.MjsBody,
    name: str,
    pillars: tuple[str, ...],
    colours: tuple[tuple[float, float, float], ...],
    gap: float = 0.050,
) -> None:
    """Fill ``body`` with the rack; ``pillars`` names the pairs of spokes from -y to +y, ``gap`` m apart, painted."""
    grey = material(spec, "dish_rack/frame", (0.65, 0.65, 0.66), specular=0.5, shininess=0.6)
    paint = material(spec, "dish_rack/paint", (1.0, 1.0, 1.0), specular=0.4, shininess=0.5)
    _frame(body, name, grey)
    for k, (pillar, colour) in enumerate(zip(pillars, colours, strict=True)):
        pair = body.add_body(name=pillar, pos=[0.0, gap * (k - (len(pillars) - 1) / 2), 0.0])
        parts = [drawn(pair, f"{pillar}/bar", "box", (0, 0, 0.008), (2 * SPOKE_X, 0.008, 0.008), paint)]
        for sx in (-1, 1):
            at, size = (sx * SPOKE_X, 0, SPOKE_TOP / 2 + 0.004), (SPOKE_RADIUS, SPOKE_TOP - 0.008)
            parts.append(drawn(pair, f"{pillar}/spoke{sx}", "cylinder", at, size, paint))
            parts.append(drawn(pair, f"{pillar}/knob{sx}", "sphere", (at[0], 0, SPOKE_TOP), (0.0060,), paint))
            touched(pair, f"{pillar}/hull{sx}", "cylinder", at, size, mass=0.02, friction=0.2)
        for part in parts:
            part.rgba = safe_rgba(colour)
