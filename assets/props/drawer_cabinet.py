"""A cabinet of three drawers on short metal legs. Origin: middle of the frame; the drawers open towards its -x.

The body is the frame; legs and drawers are objects of their own. Each drawer has a bar handle along y and, at the
middle of the bar, a site: z points out of the cabinet (the way the drawer opens), y up, x along the bar.
"""

from __future__ import annotations

import math

import mujoco

from hansgym.assets.materials import material, safe_rgba
from hansgym.assets.props._solids import drawn, touched

DEPTH, WIDTH, HEIGHT = 0.379, 0.383, 0.377
SIDE = 0.008
"""Thickness of the frame's panels, m."""

LEGS = (0.381, 0.372, 0.093)
LEG_EDGE = 0.014
LEVELS = ("bottom", "middle", "top")
LEVEL_Z = (-0.118, 0.002, 0.122)
DRAWER = (0.356, 0.367, 0.118)
"""Depth, width and height of a drawer without its handle, m; its face is flush with the frame's edges."""

WALL = 0.012
INSIDE = (-0.102, 0.0, -0.045)
"""On a drawer's floor, in the drawer's frame: in front of the cabinet when it is drawn out half-way, m."""

TRAVEL = 0.30
HANDLE_OUT, HANDLE_RADIUS, HANDLE_LENGTH, POST_RADIUS = 0.036, 0.008, 0.13, 0.005
FRICTION_LOSS, DAMPING = 1.0, 8.0
"""N and N s/m: a drawer stays where it is left, and a hand hardly feels it."""


def build(
    spec: mujoco.MjSpec,
    body: mujoco.MjsBody,
    name: str,
    legs: str,
    drawer: str,
    joint: str,
    handle: str,
    inside: str = "",
) -> None:
    """Fill ``body``. ``legs`` names an object; ``drawer``, ``joint`` and ``handle`` are prefixes before each level.

    With ``inside``, a prefix too, each drawer has a site on its floor, near the front, where things are put.
    """
    wood = material(spec, "drawer_cabinet/wood", (1.0, 1.0, 1.0), "wood", specular=0.05, shininess=0.1)
    metal = material(spec, "drawer_cabinet/metal", (0.55, 0.55, 0.57), specular=0.5, shininess=0.6)
    steel = material(spec, "drawer_cabinet/steel", (0.8, 0.8, 0.8), specular=0.4, shininess=0.5)
    for k, (at, size) in enumerate(_panels()):
        drawn(body, f"{name}/paint{k}", "box", at, size, wood).rgba = safe_rgba((0.72, 0.624, 0.48))
        touched(body, f"{name}/panel{k}_hull", "box", at, size, mass=0.8)
    _add_legs(body, legs, steel)
    for level, z in zip(LEVELS, LEVEL_Z, strict=True):
        _add_drawer(body, f"{drawer}{level}", f"{joint}{level}", f"{handle}{level}", z, (wood, metal))
        if inside:
            spec.body(f"{drawer}{level}").add_site(name=f"{inside}{level}", pos=list(INSIDE), size=[0.004] * 3, group=4)


def _panels() -> list[tuple[tuple[float, float, float], tuple[float, float, float]]]:
    """Centres and sizes of the frame's boards: two sides, top, bottom, back."""
    side_y, top_z, back_x = (WIDTH - SIDE) / 2, (HEIGHT - SIDE) / 2, (DEPTH - SIDE) / 2
    inner = WIDTH - 2 * SIDE
    return [
        ((0, side_y, 0), (DEPTH, SIDE, HEIGHT)),
        ((0, -side_y, 0), (DEPTH, SIDE, HEIGHT)),
        ((0, 0, top_z), (DEPTH, inner, SIDE)),
        ((0, 0, -top_z), (DEPTH, inner, SIDE)),
        ((back_x, 0, 0), (SIDE, inner, HEIGHT - 2 * SIDE)),
    ]


def _add_legs(body: mujoco.MjsBody, name: str, steel: str) -> None:
    """Four upright legs below the frame."""
    legs = body.add_body(name=name, pos=[0.0, 0.0, -(HEIGHT + LEGS[2]) / 2])
    x, y = (LEGS[0] - LEG_EDGE) / 2, (LEGS[1] - LEG_EDGE) / 2
    for k, (sx, sy) in enumerate(((1, 1), (1, -1), (-1, 1), (-1, -1))):
        size = (LEG_EDGE, LEG_EDGE, LEGS[2])
        drawn(legs, f"{name}/leg{k}", "box", (sx * x, sy * y, 0), size, steel)
        touched(legs, f"{name}/leg{k}_hull", "box", (sx * x, sy * y, 0), size, mass=0.016)


def _add_drawer(body: mujoco.MjsBody, name: str, joint: str, handle: str, z: float, materials: tuple[str, str]) -> None:
    """One drawer: an open box behind a painted face, a bar on two posts, a slide along -x, and the handle's site."""
    wood, metal = materials
    depth, width, height = DRAWER
    face = -DEPTH / 2
    drawer = body.add_body(name=name, pos=[face + depth / 2, 0.0, z])
    drawer.add_joint(
        name=joint,
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=[-1.0, 0.0, 0.0],
        range=[0.0, TRAVEL],
        limited=mujoco.mjtLimited.mjLIMITED_TRUE,
        damping=DAMPING,
        frictionloss=FRICTION_LOSS,
        armature=0.1,
    )
    boards = [
        ((-(depth - WALL) / 2, 0, 0), (WALL, width - 0.004, height - 0.006)),
        (((depth - WALL) / 2, 0, -0.01), (WALL, width - 0.02, height - 0.03)),
        ((0, (width - WALL) / 2 - 0.004, -0.01), (depth - 2 * WALL, WALL, height - 0.03)),
        ((0, -(width - WALL) / 2 + 0.004, -0.01), (depth - 2 * WALL, WALL, height - 0.03)),
        ((0, 0, -height / 2 + 0.01), (depth - 2 * WALL, width - 0.03, 0.008)),
    ]
    for k, (at, size) in enumerate(boards):
        drawn(drawer, f"{name}/paint{k}", "box", at, size, wood).rgba = safe_rgba((0.86, 0.812, 0.74))
        touched(drawer, f"{name}/board{k}_hull", "box", at, size, mass=0.0635)
    _add_handle(drawer, name, handle, -depth / 2, metal)


def _add_handle(drawer: mujoco.MjsBody, name: str, handle: str, face: float, metal: str) -> None:
    """The bar along y, :data:`HANDLE_OUT` in front of the face, on two posts."""
    turn = math.sqrt(0.5)
    along_y, along_x = [turn, turn, 0.0, 0.0], [turn, 0.0, turn, 0.0]
    bar_x = face - HANDLE_OUT
    parts = [((bar_x, 0.0, 0.0), (HANDLE_RADIUS, HANDLE_LENGTH), along_y)]
    for side in (1, -1):
        at = (face - HANDLE_OUT / 2, side * (HANDLE_LENGTH / 2 - 0.015), 0.0)
        parts.append((at, (POST_RADIUS, HANDLE_OUT), along_x))
    for k, (at, size, quaternion) in enumerate(parts):
        drawn(drawer, f"{name}/handle{k}", "cylinder", at, size, metal).quat = quaternion
        hull = touched(drawer, f"{name}/handle{k}_hull", "cylinder", at, size, mass=0.01, friction=1.0)
        hull.quat = quaternion
    # The site's axes in the cabinet's frame: x is -y (along the bar), y is up, z is -x (out).
    drawer.add_site(name=handle, pos=[bar_x, 0.0, 0.0], quat=[0.5, 0.5, -0.5, -0.5], size=[0.004] * 3, group=4)
