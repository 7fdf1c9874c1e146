"""A round push button on a square coloured base. Origin: middle of the base; the cap slides down along its z."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material, safe_rgba
from hansgym.assets.props._solids import drawn, touched

BASE = (0.10, 0.10, 0.02)
CAP_RADIUS = 0.028
WRAP_Z, WRAP_HEIGHT = 0.013, 0.006
PLATE_Z, PLATE_HEIGHT = 0.017, 0.002
CAP_TOP = PLATE_Z + PLATE_HEIGHT / 2
"""Height of the cap's top above the origin when nobody presses, m."""

TRAVEL = (-0.007, 0.003)
LOOKS = {"base": (0.6, 0.6, 0.6), "wrap": (0.72, 0.0, 0.0), "cap": (1.0, 0.0, 0.0)}
SPRING = 300.0
"""N/m: about 2 N to the stop. The cap is weightless, so that nothing sags at rest."""


def build(
    spec: mujoco.MjSpec,
    body: mujoco.MjsBody,
    name: str,
    joint: str,
    wrap: str,
    plate: str,
    edge_m: float = BASE[0],
    cap_radius_m: float = CAP_RADIUS,
    looks: dict[str, tuple[float, float, float]] | None = None,
) -> None:
    """Fill ``body`` with the painted base, the ring ``wrap`` and the cap ``plate``, which slides along ``joint``.

    ``edge_m`` and ``cap_radius_m``: edge of the base and radius of the ring, m; ``looks``: RGB in [0, 1] of "base",
    "wrap" and "cap" where they are not grey and red.
    """
    size, colour = (edge_m, edge_m, BASE[2]), LOOKS if looks is None else LOOKS | looks
    plastic = material(spec, "button/plastic", (1.0, 1.0, 1.0), specular=0.3, shininess=0.5)
    base = drawn(body, f"{name}/paint0", "box", (0, 0, 0), size, plastic)
    base.rgba = safe_rgba(colour["base"])
    touched(body, f"{name}/base_hull", "box", (0, 0, 0), size, mass=0.2)

    ring = body.add_body(name=wrap, pos=[0.0, 0.0, WRAP_Z])
    dark = material(spec, "button/wrap", colour["wrap"], specular=0.3, shininess=0.5)
    drawn(ring, f"{wrap}/ring", "cylinder", (0, 0, 0), (cap_radius_m, WRAP_HEIGHT), dark)

    cap = body.add_body(name=plate, pos=[0.0, 0.0, PLATE_Z], gravcomp=1.0)
    cap.add_joint(
        name=joint,
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=[0.0, 0.0, 1.0],
        range=list(TRAVEL),
        limited=mujoco.mjtLimited.mjLIMITED_TRUE,
        stiffness=SPRING,
        damping=4.0,
        armature=0.02,
    )
    red = material(spec, "button/cap", colour["cap"], specular=0.3, shininess=0.5)
    drawn(cap, f"{plate}/cap", "cylinder", (0, 0, 0), (cap_radius_m - 0.003, PLATE_HEIGHT), red)
    # Thicker than it looks, down to the base, so that a finger cannot pass it between two physics steps.
    depth = CAP_TOP - BASE[2] / 2
    middle = CAP_TOP - depth / 2 - PLATE_Z
    touched(cap, f"{plate}/cap_hull", "cylinder", (0, 0, middle), (cap_radius_m, depth), mass=0.0685)
