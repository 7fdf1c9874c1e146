"""A basketball hoop: backboard, ring and net on a slanted pole. Origin on the table under the ring's middle.

The board stands at +x of the ring, its face towards -x, and the pole behind it. A site marks the ring's middle.
"""

from __future__ import annotations

import math
from itertools import pairwise

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._mesh import add_mesh
from hansgym.assets.props._solids import drawn, touched, touched_ring
from hansgym.assets.props._wire import Rod, around, hoop, wire

RING_Z, RING_RADIUS, RING_TUBE = 0.300, 0.060, 0.0045
BOARD_X, BOARD_Y = 0.122, 0.007
BOARD = (0.012, 0.424, 0.250)
BOARD_Z = 0.362
POLE_FOOT_X = 0.435
_FRAME = 0.014
_NET = ((RING_RADIUS, 0.0), (0.052, -0.022), (0.044, -0.044), (0.040, -0.066))


def _net() -> list[Rod]:
    """Crossing strings that narrow downwards, open below."""
    rods: list[Rod] = []
    for slant in (-1, 1):
        for k in range(12):
            line = [around(r, RING_Z + z, (k + slant * 0.5 * level) / 12) for level, (r, z) in enumerate(_NET)]
            rods += pairwise(line)
    return rods + hoop(_NET[-1][0], RING_Z + _NET[-1][1])


def _board(body: mujoco.MjsBody, name: str, white: str, red: str) -> None:
    """A white board with a red edge and a red square over the ring."""
    thick, wide, high = BOARD
    drawn(body, f"{name}/board", "box", (BOARD_X, BOARD_Y, BOARD_Z), (thick, wide - 0.004, high - 0.004), white)
    touched(body, f"{name}/board_hull", "box", (BOARD_X, BOARD_Y, BOARD_Z), (thick + 0.004, wide, high), mass=1.0)
    for sign in (-1, 1):
        side = (BOARD_X, BOARD_Y + sign * (wide - _FRAME) / 2, BOARD_Z)
        drawn(body, f"{name}/side{sign}", "box", side, (thick + 0.004, _FRAME, high), red)
        level = (BOARD_X, BOARD_Y, BOARD_Z + sign * (high - _FRAME) / 2)
        drawn(body, f"{name}/edge{sign}", "box", level, (thick + 0.004, wide - 2 * _FRAME, _FRAME), red)
        line = (BOARD_X - thick / 2, sign * 0.055, RING_Z + 0.060)
        drawn(body, f"{name}/mark{sign}", "box", line, (0.002, 0.008, 0.090), red)
        bar = (BOARD_X - thick / 2, 0, RING_Z + 0.060 + sign * 0.041)
        drawn(body, f"{name}/bar{sign}", "box", bar, (0.002, 0.102, 0.008), red)


def _pole(body: mujoco.MjsBody, name: str, grey: str) -> None:
    """From the board's back down to a foot."""
    top, rise = BOARD_X + BOARD[0] / 2, RING_Z + 0.03
    run, foot = POLE_FOOT_X - top, 0.016
    length, tilt = math.hypot(run, rise - foot), math.atan2(run, rise - foot)
    at, size = ((top + POLE_FOOT_X) / 2, BOARD_Y, (rise + foot) / 2), (0.024, 0.024, length)
    seen, felt = drawn(body, f"{name}/pole", "box", at, size, grey), touched(body, f"{name}/pole_hull", "box", at, size)
    seen.quat = felt.quat = [math.cos(tilt / 2), 0.0, -math.sin(tilt / 2), 0.0]
    foot_at, foot_size = (POLE_FOOT_X, BOARD_Y, foot / 2), (0.10, 0.16, foot)
    drawn(body, f"{name}/foot", "box", foot_at, foot_size, grey)
    touched(body, f"{name}/foot_hull", "box", foot_at, foot_size, mass=3.0)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, ring: str = "basket_ball_hoop_ring") -> None:
    """Fill ``body`` with board, ring, net and pole, and put the site ``ring`` in the ring's middle."""
    white = material(spec, "basketball_hoop/white", (0.90, 0.90, 0.91), specular=0.3)
    red = material(spec, "basketball_hoop/red", (0.70, 0.10, 0.07), specular=0.3)
    grey = material(spec, "basketball_hoop/grey", (0.78, 0.78, 0.80), specular=0.4)
    orange = material(spec, "basketball_hoop/ring", (0.95, 0.35, 0.05), specular=0.4)
    _board(body, name, white, red)
    _pole(body, name, grey)
    middle = RING_RADIUS + RING_TUBE
    add_mesh(spec, body, f"{name}/ring", "basketball_hoop/ring", wire(hoop(middle, RING_Z), RING_TUBE, 6), orange)
    add_mesh(spec, body, f"{name}/net", "basketball_hoop/net", wire(_net(), 0.0013, 4), white)
    arm = ((middle + BOARD_X) / 2, 0, RING_Z)
    drawn(body, f"{name}/arm", "box", arm, (BOARD_X - middle, 0.030, 0.008), orange)
    touched(body, f"{name}/arm_hull", "box", arm, (BOARD_X - middle, 0.030, 0.008), mass=0.05)
    touched_ring(body, f"{name}/ring_hull", (0, 0, RING_Z), (middle, 2 * RING_TUBE, 2 * RING_TUBE), 16, mass=0.1)
    body.add_site(name=ring, pos=[0.0, 0.0, RING_Z], group=4)
