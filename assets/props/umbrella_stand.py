"""A square stand for umbrellas, open at the top. Origin at its middle."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched

WIDTH, HEIGHT = 0.101, 0.200
WALL = 0.005
FLOOR = 0.010


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with four walls, a floor, and two bright bands round them."""
    steel = material(spec, "umbrella_stand/steel", (0.42, 0.43, 0.45), texture_name="brushed", specular=0.3)
    bright = material(spec, "umbrella_stand/band", (0.75, 0.76, 0.78), specular=0.5, shininess=0.6)
    dark = material(spec, "umbrella_stand/inside", (0.16, 0.16, 0.17))
    half, side = WIDTH / 2, WIDTH - 2 * WALL
    floor = (0, 0, FLOOR / 2 - HEIGHT / 2)
    drawn(body, f"{name}/floor", "box", floor, (side, side, FLOOR), dark)
    touched(body, f"{name}/floor_hull", "box", floor, (side, side, FLOOR), mass=0.5)
    for k, sign in enumerate((-1, 1)):
        at = sign * (half - WALL / 2)
        for part, spot, size in (
            (f"x{k}", (at, 0, 0), (WALL, WIDTH, HEIGHT)),
            (f"y{k}", (0, at, 0), (side, WALL, HEIGHT)),
        ):
            drawn(body, f"{name}/wall_{part}", "box", spot, size, steel)
            touched(body, f"{name}/wall_{part}_hull", "box", spot, size, mass=0.3, friction=0.5)
        for band, z in (("low", 0.008 - HEIGHT / 2), ("high", HEIGHT / 2 - 0.022)):
            out, thick = sign * half, 0.003
            drawn(body, f"{name}/{band}_x{k}", "box", (out, 0, z), (thick, WIDTH + thick, 0.016), bright)
            drawn(body, f"{name}/{band}_y{k}", "box", (0, out, z), (WIDTH + thick, thick, 0.016), bright)
        inner = sign * (side / 2 - 0.0005)
        drawn(body, f"{name}/lining_x{k}", "box", (inner, 0, -0.002), (0.001, side, HEIGHT - 0.006), dark)
        drawn(body, f"{name}/lining_y{k}", "box", (0, inner, -0.002), (side, 0.001, HEIGHT - 0.006), dark)
