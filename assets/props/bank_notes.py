"""A stack of bank notes in a paper band. Origin at its middle, long side along x."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._solids import drawn, touched

SIZE = (0.125, 0.053, 0.032)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with a banded stack of green notes, a portrait oval and figures on its top."""
    edge = material(spec, "bank_notes/edge", (0.80, 0.84, 0.74), specular=0.0)
    green = material(spec, "bank_notes/green", (0.33, 0.52, 0.33), specular=0.05)
    pale = material(spec, "bank_notes/pale", (0.78, 0.86, 0.74), specular=0.05)
    band = material(spec, "bank_notes/band", (0.93, 0.90, 0.80), specular=0.1)
    x, y, z = SIZE
    # Leaves of slightly different length, so that the sides look like paper.
    leaves = 8
    for k in range(leaves):
        at = (0.0007 * ((k * 5) % 3 - 1), 0.0006 * ((k * 7) % 3 - 1), z * ((k + 0.5) / leaves - 0.5))
        look = edge if k % 2 else pale
        drawn(body, f"{name}/leaf{k}", "box", at, (x - 0.002, y - 0.002, z / leaves - 0.0008), look)
    drawn(body, f"{name}/core", "box", (0, 0, 0), (x - 0.006, y - 0.006, z - 0.001), green)
    for side in (1, -1):
        drawn(body, f"{name}/note{side}", "box", (0, 0, side * (z / 2 - 0.0005)), (x, y, 0.001), green)
        frame = (x - 0.012, y - 0.010, 0.0016)
        drawn(body, f"{name}/print{side}", "box", (0, 0, side * (z / 2 - 0.0003)), frame, pale)
        inner = (x - 0.018, y - 0.016, 0.0016)
        drawn(body, f"{name}/field{side}", "box", (0, 0, side * z / 2), inner, green)
        for end in (1, -1):
            at = (end * 0.036, 0.0, side * (z / 2 + 0.0004))
            drawn(body, f"{name}/figure{side}{end}", "cylinder", at, (0.012, 0.0016), pale)
    drawn(body, f"{name}/band", "box", (0, 0, 0), (0.026, y + 0.001, z + 0.003), band)
    touched(body, f"{name}/hull", "box", (0, 0, 0), SIZE, mass=0.3, friction=0.8)
