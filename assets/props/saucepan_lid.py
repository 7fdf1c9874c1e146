"""A saucepan's lid with a round knob by which it is held. Origin at the knob's middle.

The body is the knob; its child is the lid proper, an object of its own, which lies 0.015 m below it.
"""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import touched

RADIUS, KNOB_RADIUS = 0.115, 0.029
UNDERSIDE_Z = -0.0150
"""Height over the origin of the edge that rests on the pan, m."""

FLANGE = 0.013
"""How far the ring under it, which is only seen, reaches down into the pan, m."""

_KNOB = (
    (0.010, -0.012),
    (0.010, -0.006),
    (0.024, -0.003),
    (KNOB_RADIUS, 0.001),
    (KNOB_RADIUS, 0.006),
    (0.024, 0.0095),
    (0.012, 0.011),
    (0.0, 0.0112),
)
_COVER = (
    (0.0, UNDERSIDE_Z + 0.002),
    (0.097, UNDERSIDE_Z),
    (0.097, UNDERSIDE_Z - FLANGE),
    (0.100, UNDERSIDE_Z - FLANGE),
    (0.100, UNDERSIDE_Z),
    (RADIUS, UNDERSIDE_Z),
    (RADIUS, UNDERSIDE_Z + 0.003),
    (0.110, UNDERSIDE_Z + 0.0045),
    (0.090, UNDERSIDE_Z + 0.0045),
    (0.060, -0.0088),
    (0.030, -0.0075),
    (0.0, -0.0070),
)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, lid: str = "saucepan_lid_visual") -> None:
    """Fill ``body`` with the knob and hang the cover on it, body ``lid``."""
    black = material(spec, "saucepan_lid/knob", (0.05, 0.05, 0.05), specular=0.5, shininess=0.6)
    steel = material(spec, "saucepan_lid/cover", (0.46, 0.46, 0.48), specular=0.6, shininess=0.7)
    add_lathe(spec, body, f"{name}/knob", "saucepan_lid/knob", _KNOB, black)
    touched(body, f"{name}/hull", "cylinder", (0, 0, 0.002), (KNOB_RADIUS, 0.018), mass=0.05, friction=0.8)
    cover = body.add_body(name=lid)
    add_lathe(spec, cover, f"{lid}/cover", "saucepan_lid/cover", _COVER, steel)
    touched(cover, f"{lid}/hull", "cylinder", (0, 0, UNDERSIDE_Z + 0.003), (RADIUS, 0.006), mass=0.15)
