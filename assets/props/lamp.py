"""A lamp without its bulb: a foot and a stem that carry an empty socket, mouth up. Origin at the middle of its height.

The socket is a body of its own, its origin at the socket's middle.
"""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import touched, touched_ring

HALF_HEIGHT = 0.1365
RADIUS = 0.047
SOCKET_Z = 0.168
SOCKET_RADIUS, SOCKET_HALF = 0.0255, 0.029
HOLE_RADIUS = 0.0165
HOLE_FLOOR = -0.011
"""Height in the socket's frame on which a bulb's tip stands."""

_STAND = (
    (0.0, -HALF_HEIGHT),
    (RADIUS, -HALF_HEIGHT),
    (RADIUS, -0.1290),
    (0.0440, -0.1240),
    (0.0250, -0.1180),
    (0.0120, -0.1080),
    (0.0090, -0.0900),
    (0.0090, 0.0950),
    (0.0140, 0.1150),
    (0.0220, 0.1280),
    (0.0220, HALF_HEIGHT + 0.003),
    (0.0, HALF_HEIGHT + 0.003),
)
_SOCKET = (
    (0.0, -SOCKET_HALF),
    (0.0235, -SOCKET_HALF),
    (0.0255, -0.025),
    (0.0255, -0.004),
    (0.0240, -0.002),
    (0.0240, 0.004),
    (SOCKET_RADIUS, 0.006),
    (SOCKET_RADIUS, SOCKET_HALF - 0.002),
    (0.0235, SOCKET_HALF),
    (0.0175, SOCKET_HALF),
    (HOLE_RADIUS, SOCKET_HALF - 0.001),
    (HOLE_RADIUS, HOLE_FLOOR),
    (0.0, HOLE_FLOOR),
)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, socket: str) -> None:
    """Fill ``body`` with the stand and add the body ``socket``."""
    enamel = material(spec, "lamp/enamel", (0.80, 0.80, 0.90), specular=0.4, shininess=0.5)
    black = material(spec, "lamp/socket", (0.10, 0.10, 0.10), specular=0.3, shininess=0.4)
    add_lathe(spec, body, f"{name}/shape", "lamp/stand", _STAND, enamel)
    touched(body, f"{name}/foot", "cylinder", (0, 0, -HALF_HEIGHT + 0.009), (RADIUS, 0.018), mass=0.4)
    touched(body, f"{name}/stem", "cylinder", (0, 0, 0), (0.011, 2 * HALF_HEIGHT), mass=0.2)
    holder = body.add_body(name=socket, pos=[0.0, 0.0, SOCKET_Z])
    add_lathe(spec, holder, f"{socket}/shape", "lamp/socket", _SOCKET, black)
    floor = HOLE_FLOOR + SOCKET_HALF
    touched(holder, f"{socket}/floor", "cylinder", (0, 0, HOLE_FLOOR - floor / 2), (SOCKET_RADIUS, floor), mass=0.04)
    ring = ((HOLE_RADIUS + SOCKET_RADIUS) / 2, SOCKET_RADIUS - HOLE_RADIUS, SOCKET_HALF - HOLE_FLOOR)
    middle = (0, 0, (SOCKET_HALF + HOLE_FLOOR) / 2)
    touched_ring(holder, f"{socket}/wall", middle, ring, count=8, mass=0.04, friction=0.3)
