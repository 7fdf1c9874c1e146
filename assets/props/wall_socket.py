"""A standing wooden panel with a mains socket on its -x side. Origin: middle of the panel's foot, on its -x face.

The panel is the body; the socket's plate is an object of its own, with two real slots that take a charger's pins.
"""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched

PANEL = (0.012, 0.40, 0.40)
"""As it is felt, m; it is drawn as a thin sheet."""

SHEET = 0.0022
PLATE = (0.018, 0.148, 0.148)
SOCKET = (-0.022, 0.217)
"""y and z of the plate's middle, m."""

PIN_Z = 0.219
"""Height of the slots, m."""

SLOT, SLOT_APART = (0.007, 0.0046), 0.025
"""Width and height of a slot, and the distance between the two, m."""


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, plate: str) -> None:
    """Fill ``body`` with the panel and hang the socket ``plate`` on it."""
    wood = material(spec, "wall_socket/wood", (0.42, 0.30, 0.22), "wood", specular=0.05)
    trim = material(spec, "wall_socket/trim", (0.30, 0.21, 0.15), "wood", specular=0.05)
    white = material(spec, "wall_socket/white", (0.94, 0.94, 0.92), specular=0.3, shininess=0.5)
    rim = material(spec, "wall_socket/rim", (0.80, 0.80, 0.79), specular=0.3, shininess=0.5)
    hole = material(spec, "wall_socket/hole", (0.05, 0.05, 0.05), specular=0.0)
    thick, width, height = PANEL
    middle = (thick / 2, 0.0, height / 2)
    drawn(body, f"{name}/panel", "box", (SHEET / 2, 0.0, height / 2), (SHEET, width, height), wood)
    touched(body, f"{name}/panel_hull", "box", middle, PANEL, mass=1.0)
    drawn(body, f"{name}/foot", "box", (SHEET / 2, 0.0, 0.008), (SHEET + 0.0006, width, 0.016), trim)
    drawn(body, f"{name}/head", "box", (SHEET / 2, 0.0, height - 0.006), (SHEET + 0.0006, width, 0.012), trim)
    for k, y in enumerate((-0.034, -0.009)):  # the box in the wall shows on the other side
        drawn(body, f"{name}/back{k}", "box", (SHEET, y, PIN_Z), (0.0008, 0.012, 0.012), rim)
    socket = body.add_body(name=plate, pos=[-PLATE[0] / 2, *SOCKET])
    drawn(socket, f"{plate}/plate", "box", (0, 0, 0), PLATE, white)
    face = -PLATE[0] / 2
    inset = (0.002, 0.090, 0.090)
    drawn(socket, f"{plate}/inset", "box", (face - 0.001, 0, 0), inset, rim)
    z = PIN_Z - SOCKET[1]
    for k, side in enumerate((1, -1)):
        at = (face - 0.0016, side * SLOT_APART / 2, z)
        drawn(socket, f"{plate}/slot{k}", "box", at, (0.002, *SLOT), hole)
    _hulls(socket, plate, z)


def _hulls(socket: mujoco.MjsBody, plate: str, z: float) -> None:
    """The plate as felt: a block above the slots, one below, three between and beside them."""
    depth, width, height = PLATE
    above, below = height / 2 - z - SLOT[1] / 2, height / 2 + z - SLOT[1] / 2
    touched(socket, f"{plate}/upper_hull", "box", (0, 0, (height - above) / 2), (depth, width, above), mass=0.05)
    touched(socket, f"{plate}/lower_hull", "box", (0, 0, (below - height) / 2), (depth, width, below), mass=0.05)
    inner = SLOT_APART - SLOT[0]
    touched(socket, f"{plate}/middle_hull", "box", (0, 0, z), (depth, inner, SLOT[1]), mass=0.01)
    outer = (width - SLOT_APART - SLOT[0]) / 2
    for k, side in enumerate((1, -1)):
        at = (0.0, side * (width - outer) / 2, z)
        touched(socket, f"{plate}/side{k}_hull", "box", at, (depth, outer, SLOT[1]), mass=0.01)
