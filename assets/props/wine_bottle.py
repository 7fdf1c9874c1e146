"""A standing wine bottle. Origin: middle of its axis, neck along +z."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import touched

RADIUS, HEIGHT = 0.030, 0.246
_NECK = 0.0135
_Z = HEIGHT / 2
_GLASS = (
    (0.0, -_Z),
    (0.027, -_Z),
    (RADIUS, -_Z + 0.004),
    (RADIUS, 0.030),
    (0.0285, 0.040),
    (0.0245, 0.050),
    (0.0185, 0.060),
    (0.0145, 0.069),
    (_NECK, 0.078),
    (_NECK, _Z - 0.001),
    (0.0, _Z - 0.001),
)
_LABEL = ((RADIUS + 0.0004, -0.085), (RADIUS + 0.0004, 0.005))
_STRIPE = ((RADIUS + 0.0008, -0.040), (RADIUS + 0.0008, -0.030))
_CAPSULE = (
    (_NECK + 0.0006, 0.082),
    (_NECK + 0.0006, 0.112),
    (_NECK + 0.0016, 0.113),
    (_NECK + 0.0016, _Z - 0.003),
    (0.010, _Z),
    (0.0, _Z),
)


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str) -> None:
    """Fill ``body`` with a bottle of dark glass, a cream label with a red stripe, and a red capsule."""
    glass = material(spec, "wine_bottle/glass", (0.05, 0.10, 0.06), specular=0.8, shininess=0.9)
    label = material(spec, "wine_bottle/label", (0.93, 0.89, 0.78), specular=0.05)
    red = material(spec, "wine_bottle/red", (0.55, 0.07, 0.10), specular=0.3, shininess=0.5)
    parts = (("glass", _GLASS, glass), ("label", _LABEL, label), ("stripe", _STRIPE, red), ("capsule", _CAPSULE, red))
    for part, profile, look in parts:
        add_lathe(spec, body, f"{name}/{part}", f"wine_bottle/{part}", profile, look)
    low, high = -_Z, 0.036
    middle = (0.0, 0.0, (low + high) / 2)
    touched(body, f"{name}/body_hull", "cylinder", middle, (RADIUS, high - low), mass=0.45, friction=0.8)
    touched(body, f"{name}/shoulder_hull", "cylinder", (0, 0, 0.048), (0.024, 0.024), mass=0.03, friction=0.8)
    touched(body, f"{name}/neck_hull", "cylinder", (0, 0, (0.060 + _Z) / 2), (0.0145, _Z - 0.060), mass=0.05)
