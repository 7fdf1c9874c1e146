"""A wooden box whose lid has five holes, each in the profile of one shape. Origin at the middle of the box.

The box is hollow to the touch and each hole a rectangle with two millimetres or more to spare; its profile is painted.
Sites ``<shape>_drop_point`` lie in the holes at the height of the lid's top, turned like the holes.
"""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._extruded import extruded
from hansgym.assets.props._mesh import add_mesh
from hansgym.assets.props._solids import drawn, touched
from hansgym.assets.props.sorter_shape import OUTLINES

BOX = 0.098
HEIGHT = 0.088
LID = (0.104, 0.104, 0.006)
LID_TOP = 0.046
WALL = 0.004
HOLES = {
    "star": (-0.0285, -0.0285, 0.0155),
    "cylinder": (0.0285, -0.0285, 0.0145),
    "cube": (0.0, 0.0, 0.0130),
    "triangular_prism": (-0.0285, 0.0285, 0.0150),
    "moon": (0.0285, 0.0285, 0.0165),
}
"""Middle (x, y) and half width along x of each hole, metres."""

_HALF_DEPTH = {0.0285: 0.0155, 0.0: 0.0130}
"""Half width along y of the holes in the rows at this distance from the middle."""


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with the box and its lid, light wood."""
    wood = material(spec, "shape_sorter/wood", (0.70, 0.52, 0.34), texture_name="wood", specular=0.05)
    pale = material(spec, "shape_sorter/lid", (0.90, 0.78, 0.62), texture_name="wood", specular=0.05)
    dark = material(spec, "shape_sorter/hole", (0.12, 0.08, 0.05), specular=0.0)
    drawn(body, f"{name}/box", "box", (0, 0, -0.001), (BOX, BOX, HEIGHT - LID[2]), wood)
    drawn(body, f"{name}/lid", "box", (0, 0, LID_TOP - LID[2] / 2), LID, pale)
    layers = ((LID_TOP - 0.001, 1.12), (LID_TOP + 0.0006, 1.12))
    for shape, (x, y, _) in HOLES.items():
        for k, outline in enumerate(OUTLINES[shape]):
            part = extruded([(x + 1.12 * u, y + 1.12 * v) for u, v in outline], tuple((z, 1.0) for z, _ in layers))
            add_mesh(spec, body, f"{name}/{shape}_hole{k}", f"shape_sorter/{shape}{k}", part, dark)
        body.add_site(name=f"{shape}_drop_point", pos=[x, y, LID_TOP], size=[0.002] * 3, group=4)
    _shell(body, name)
    _lid(body, name)


def _shell(body: mujoco.MjsBody, name: str) -> None:
    """Floor and four walls that are felt."""
    half, bottom, top = BOX / 2, -HEIGHT / 2, LID_TOP - LID[2]
    height, middle = top - bottom, (top + bottom) / 2
    touched(body, f"{name}/floor", "box", (0, 0, bottom + WALL / 2), (BOX, BOX, WALL), mass=0.02)
    for k, sign in enumerate((-1, 1)):
        at = sign * (half - WALL / 2)
        touched(body, f"{name}/side{k}", "box", (at, 0, middle), (WALL, BOX, height), mass=0.02)
        touched(body, f"{name}/end{k}", "box", (0, at, middle), (BOX, WALL, height), mass=0.02)


def _lid(body: mujoco.MjsBody, name: str) -> None:
    """The lid round its holes: bands along x, cut where a row of holes runs through them."""
    rows = sorted({y for _, y, _ in HOLES.values()})
    edge, bands = -LID[1] / 2, []
    for row in rows:
        depth = _HALF_DEPTH[abs(row)]
        bands += [(edge, row - depth, ()), (row - depth, row + depth, tuple(h for h in HOLES.values() if h[1] == row))]
        edge = row + depth
    bands.append((edge, LID[1] / 2, ()))
    count = 0
    for low, high, holes in bands:
        left = -LID[0] / 2
        for right, resume in [*((x - w, x + w) for x, _, w in sorted(holes)), (LID[0] / 2, 0.0)]:
            if high - low > 1e-4:
                at = ((left + right) / 2, (low + high) / 2, LID_TOP - LID[2] / 2)
                size = (right - left, high - low, LID[2])
                touched(body, f"{name}/lid{count}", "box", at, size, mass=0.004, friction=0.3)
            count, left = count + 1, resume
