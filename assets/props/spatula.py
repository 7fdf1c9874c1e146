"""A kitchen spatula lying on the table. Origin: under the middle of its blade; x points to the blade's edge.

Two sites: ``<name>_grip`` on the handle (z into it from above, y across it) and ``<name>_blade`` at the origin. The
blade's bevelled edge does not feel the table, which it would have to cut into to be sharp.
"""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched
from hansgym.assets.room import TABLE

BLADE = (0.110, 0.119, 0.004)
BEVEL, SUNK = 0.040, 0.002
"""Length of the bevelled edge, part of the blade's, and how far its rim lies under the blade, in the table, m."""

RISE_RAD, HANDLE_LENGTH = 0.19, 0.183
GRIP_M = 0.125
"""Where the hand takes the handle, from its foot."""

FRICTION = 0.3


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, edge: str) -> None:
    """Fill ``body`` with the spatula; ``edge`` names the body of its bevelled edge."""
    steel = material(spec, "spatula/steel", (0.71, 0.72, 0.70), "brushed", specular=0.6, shininess=0.7)
    slot = material(spec, "spatula/slot", (0.30, 0.31, 0.32), specular=0.2, shininess=0.3)
    grip = material(spec, "spatula/grip", (0.30, 0.30, 0.33), specular=0.3, shininess=0.4)
    length, width, thick = BLADE
    plate, back = length - BEVEL, -length / 2
    at = (back + plate / 2, 0.0, thick / 2)
    drawn(body, f"{name}/plate", "box", at, (plate, width, thick), steel)
    hull = touched(body, f"{name}/plate_hull", "box", at, (plate, width, thick), mass=0.06, friction=FRICTION)
    hull.priority = 2
    for k in range(5):
        drawn(body, f"{name}/slot{k}", "box", (at[0], (k - 2) * 0.02, thick), (0.05, 0.006, 0.0008), slot)
    rim = (back + 0.002, 0.0, 0.007)
    drawn(body, f"{name}/rim", "box", rim, (0.004, width, 0.014), steel)
    touched(body, f"{name}/rim_hull", "box", rim, (0.004, width, 0.014), mass=0.004)
    _add_edge(spec, body, edge, steel)
    _add_handle(body, name, back, (steel, grip))
    body.add_site(name=f"{name}_blade", group=4)


def _add_edge(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, steel: str) -> None:
    """The bevel: its upper side falls from the blade's to nothing, and a little farther."""
    fall = BLADE[2] + SUNK
    slope = math.atan2(fall, BEVEL)
    long, thick = math.hypot(fall, BEVEL), 0.004
    middle = (BLADE[0] / 2 - BEVEL / 2, 0.0, BLADE[2] - fall / 2)
    edge = body.add_body(name=name, pos=list(middle), quat=[math.cos(slope / 2), 0.0, math.sin(slope / 2), 0.0])
    drawn(edge, f"{name}/bevel", "box", (0, 0, -0.0005), (long, BLADE[1], 0.001), steel)
    at = (0, 0, -thick / 2)
    hull = touched(edge, f"{name}/bevel_hull", "box", at, (long, BLADE[1], thick), mass=0.01, friction=FRICTION)
    hull.priority = 2
    spec.add_exclude(bodyname1=name, bodyname2=TABLE)


def _add_handle(body: mujoco.MjsBody, name: str, foot: float, looks: tuple[str, str]) -> None:
    """A neck and a grip that rise backwards from the blade."""
    away = (-math.cos(RISE_RAD), 0.0, math.sin(RISE_RAD))
    half = -(math.pi / 2 - RISE_RAD) / 2
    tilt = [math.cos(half), 0.0, math.sin(half), 0.0]
    low = (foot, 0.0, 0.004)
    parts = (("neck", 0.0, 0.07, 0.005, looks[0]), ("handle", 0.07, HANDLE_LENGTH, 0.009, looks[1]))
    for part, start, end, radius, look in parts:
        at = [a + (start + end) / 2 * b for a, b in zip(low, away, strict=True)]
        drawn(body, f"{name}/{part}", "cylinder", at, (radius, end - start), look).quat = tilt
        touched(body, f"{name}/{part}_hull", "cylinder", at, (radius, end - start), mass=0.004).quat = tilt
    # From above: z down into the handle, x back along it.
    turn = (math.pi + RISE_RAD) / 2
    at = [a + GRIP_M * b for a, b in zip(low, away, strict=True)]
    body.add_site(name=f"{name}_grip", pos=at, quat=[math.cos(turn), 0.0, math.sin(turn), 0.0], group=4)
