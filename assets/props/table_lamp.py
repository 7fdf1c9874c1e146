"""A table lamp with a woven shade and a cable along the table. Origin in the middle of the floor under its foot.

Only the foot is felt, up to its neck: an arm that reaches over the lamp brushes through the shade, as upstream.
"""

from __future__ import annotations

import math

import mujoco
import numpy as np

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._loft import block, merged, tube
from hansgym.assets.props._mesh import add_mesh
from hansgym.assets.props._solids import drawn, touched

SHADE_Z, SHADE_RADIUS = (0.262, 0.468), 0.109
BULB_Z = 0.358
FELT = 0.19
"""Height of the foot as far as it is felt, m: over that a wrist must pass on its way to a button behind it."""

_FOOT = ((0.0, 0.0), (0.047, 0.0), (0.047, 0.010), (0.030, 0.022), (0.024, 0.06), (0.031, 0.12), (0.034, 0.18))
_NECK = ((0.026, 0.235), (0.016, 0.262), (0.022, 0.272), (0.0, 0.274))
_BULB = (
    (0.0, -0.066),
    (0.012, -0.066),
    (0.014, -0.045),
    (0.016, -0.030),
    (0.027, -0.014),
    (0.033, 0.006),
    (0.028, 0.024),
)


def _woven(z: tuple[float, float], radius: float) -> tuple[np.ndarray, np.ndarray]:
    """A barrel of crossing strips with gaps through which the bulb is seen."""

    def point(turn: float, t: float) -> tuple[float, float, float]:
        r = radius * (0.62 + 0.38 * math.sin(math.pi * (0.08 + 0.80 * t)))
        return (r * math.cos(turn), r * math.sin(turn), z[0] + (z[1] - z[0]) * t)

    steps = np.linspace(0.0, 1.0, 9)
    strips = [
        tube([point(2 * math.pi * k / 12 + sign * 1.0 * t, t) for t in steps], 0.0045, segments=5)
        for k in range(12)
        for sign in (1, -1)
    ]
    for t in (0.0, 0.25, 0.5, 0.75, 1.0):
        strips.append(tube([point(a, t) for a in np.linspace(0.0, 2 * math.pi, 25)], 0.0045, segments=5))
    return merged(strips)


def build(
    spec: mujoco.MjSpec,
    body: mujoco.MjsBody,
    name: str,
    parts: dict[str, str],
    lit: bool,
    cable_to: tuple[float, float],
) -> None:
    """Fill ``body`` with the foot; ``parts``: "screw", "shade", "cable" and "bulb" -> the name of that object.

    ``lit``: whether the bulb glows; ``cable_to``: where the cable ends, in the body's frame (m).
    """
    wood = material(spec, "table_lamp/wood", (0.40, 0.25, 0.22), "wood", specular=0.2)
    black = material(spec, "table_lamp/black", (0.06, 0.06, 0.06), specular=0.4)
    teal = material(spec, "table_lamp/shade", (0.08, 0.58, 0.50), specular=0.1, emission=0.25 if lit else 0.0)
    if lit:
        glass = material(spec, "table_lamp/bulb_on", (1.0, 1.0, 1.0), emission=1.0)
    else:
        glass = material(spec, "table_lamp/bulb_off", (0.02, 0.02, 0.02), specular=0.5, shininess=0.8)
    add_lathe(spec, body, f"{name}/foot", "table_lamp/foot", (*_FOOT, *_NECK), wood)
    touched(body, f"{name}/foot_hull", "cylinder", (0, 0, FELT / 2), (0.047, FELT), mass=0.6)
    screw = body.add_body(name=parts["screw"])
    drawn(screw, f"{parts['screw']}/socket", "cylinder", (0, 0, 0.302), (0.0255, 0.058), black)
    bulb = body.add_body(name=parts["bulb"], pos=[0.0, 0.0, BULB_Z])
    profile = (*_BULB, (0.014, 0.036), (0.0, 0.040))
    add_lathe(spec, bulb, f"{parts['bulb']}/glass", "table_lamp/bulb", profile, glass)
    shade = body.add_body(name=parts["shade"])
    add_mesh(spec, shade, f"{parts['shade']}/weave", "table_lamp/weave", _woven(SHADE_Z, SHADE_RADIUS), teal)
    for k in range(3):
        turn = 2 * math.pi * k / 3
        at = (0.045 * math.cos(turn), 0.045 * math.sin(turn), SHADE_Z[0] + 0.004)
        drawn(shade, f"{parts['shade']}/spoke{k}", "box", at, (0.06, 0.006, 0.005), black, yaw=turn)
    cable = body.add_body(name=parts["cable"])
    x, y = cable_to
    line = [(0.03 * x, 0.03 * y, 0.003), (0.45 * x - 0.03, 0.35 * y, 0.003), (0.75 * x + 0.02, 0.7 * y, 0.003)]
    line = [_bend([*line, (x, y, 0.003)], t) for t in np.linspace(0.0, 1.0, 13)]
    tail = [
        _bend([(x, y, 0.003), (x + 0.01, y + 0.05, 0.003), (x - 0.13, y + 0.04, 0.003), (x - 0.17, y + 0.14, 0.003)], t)
        for t in np.linspace(0.0, 1.0, 13)
    ]
    plug = block((x - 0.175, y + 0.145, 0.0055), (0.02, 0.02, 0.009))
    wires = merged([tube(line, 0.003, 6), tube(tail, 0.003, 6), plug])
    add_mesh(spec, cable, f"{parts['cable']}/wire", "table_lamp/wire", wires, black)


def _bend(points: list[tuple[float, float, float]], t: float) -> tuple[float, float, float]:
    """The point at ``t`` in [0, 1] of the Bezier curve of four ``points``."""
    a, b, c, d = (np.asarray(p) for p in points)
    x, y, z = (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
    return (float(x), float(y), float(z))
