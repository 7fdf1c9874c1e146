"""Packages from a kitchen: boxes, cans and a squeeze bottle. Origin: middle of the underside.

Each has a site at which it is gripped: z up, fingers along y, where it is thin enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco

from hansgym.assets.materials import material
from hansgym.assets.props._lathe import add_lathe
from hansgym.assets.props._solids import drawn, touched

RGB = tuple[float, float, float]
WHITE: RGB = (0.95, 0.95, 0.93)


@dataclass(frozen=True)
class Package:
    """Shape (``box``, ``can`` or ``bottle``), size in m (x, y, z; round: diameter twice, height) and colours."""

    shape: str
    size: tuple[float, float, float]
    main: RGB
    label: RGB
    accent: RGB


PACKAGES = {
    "crackers": Package("box", (0.12, 0.050, 0.16), (0.80, 0.10, 0.10), (0.97, 0.85, 0.35), WHITE),
    "chocolate_jello": Package("box", (0.080, 0.030, 0.085), (0.35, 0.20, 0.12), WHITE, (0.62, 0.38, 0.20)),
    "strawberry_jello": Package("box", (0.080, 0.030, 0.085), (0.90, 0.25, 0.35), WHITE, (0.75, 0.08, 0.15)),
    "soup": Package("can", (0.066, 0.066, 0.10), (0.82, 0.12, 0.10), WHITE, (0.92, 0.78, 0.35)),
    "tuna": Package("can", (0.070, 0.070, 0.035), (0.15, 0.35, 0.70), WHITE, (0.95, 0.80, 0.20)),
    "spam": Package("box", (0.098, 0.056, 0.080), (0.10, 0.25, 0.60), (0.98, 0.82, 0.15), (0.85, 0.35, 0.35)),
    "coffee": Package("can", (0.070, 0.070, 0.12), (0.12, 0.30, 0.22), (0.55, 0.35, 0.20), WHITE),
    "mustard": Package("bottle", (0.080, 0.050, 0.15), (0.98, 0.82, 0.10), (0.85, 0.15, 0.10), WHITE),
    "sugar": Package("box", (0.090, 0.040, 0.16), (0.96, 0.96, 0.95), (0.20, 0.40, 0.75), (0.95, 0.75, 0.15)),
}


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, grip: str) -> None:
    """Fill ``body`` with the package called ``name``; ``grip`` names the site where it is gripped."""
    package = PACKAGES[name]
    x, y, z = package.size
    looks = [
        material(spec, f"grocery/{name}{k}", rgb, specular=0.2, shininess=0.4)
        for k, rgb in enumerate((package.main, package.label, package.accent))
    ]
    {"box": _box, "can": _can, "bottle": _bottle}[package.shape](spec, body, name, package, looks)
    kind, size = ("cylinder", (x / 2, z)) if package.shape == "can" else ("box", (x, y, z))
    touched(body, f"{name}/hull", kind, (0, 0, z / 2), size, mass=0.15, friction=0.8)
    body.add_site(name=grip, pos=[0.0, 0.0, max(z - 0.035, z / 2)], size=[0.004] * 3, group=4)


def _box(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, package: Package, looks: list[str]) -> None:
    """A carton: a broad label, a badge and a stripe on both faces, a printed top."""
    x, y, z = package.size
    main, label, accent = looks
    drawn(body, f"{name}/carton", "box", (0, 0, z / 2), (x, y, z), main)
    drawn(body, f"{name}/band", "box", (0, 0, 0.68 * z), (x + 0.0008, y + 0.0008, 0.26 * z), label)
    drawn(body, f"{name}/foot", "box", (0, 0, 0.10 * z), (x + 0.0008, y + 0.0008, 0.06 * z), accent)
    drawn(body, f"{name}/top", "box", (0, 0, z), (0.7 * x, 0.5 * y, 0.001), label)
    for side in (1, -1):
        drawn(body, f"{name}/badge{side}", "box", (0, side * y / 2, 0.33 * z), (0.45 * x, 0.0012, 0.26 * z), accent)
        title = (0.0, side * (y / 2 + 0.0006), 0.68 * z)
        drawn(body, f"{name}/title{side}", "box", title, (0.7 * x, 0.001, 0.10 * z), main)


def _can(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, package: Package, looks: list[str]) -> None:
    """A tin with rims and a paper label in three bands."""
    main, label, accent = looks
    metal = material(spec, "grocery/tin", (0.80, 0.80, 0.82), specular=0.6, shininess=0.7)
    r, z = package.size[0] / 2, package.size[2]
    rim = ((0.0, 0.0), (r, 0.0), (r, 0.003), (r - 0.001, 0.004), (r - 0.001, z - 0.004), (r, z - 0.003), (r, z))
    tin = (*rim, (r - 0.002, z), (r - 0.002, z - 0.002), (0.0, z - 0.002))
    add_lathe(spec, body, f"{name}/tin", f"grocery/{name}_tin", tin, metal)
    for part, low, high, look in (("low", 0.06, 0.40, label), ("mid", 0.40, 0.52, accent), ("high", 0.52, 0.94, main)):
        band = ((r - 0.0005, low * z), (r - 0.0005, high * z))
        add_lathe(spec, body, f"{name}/{part}", f"grocery/{name}_{part}", band, look)


def _bottle(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, package: Package, looks: list[str]) -> None:
    """A flat squeeze bottle with a label and a pointed cap."""
    x, y, z = package.size
    main, label, accent = looks
    drawn(body, f"{name}/body", "box", (0, 0, 0.36 * z), (x, y, 0.72 * z), main)
    drawn(body, f"{name}/shoulder", "box", (0, 0, 0.76 * z), (0.7 * x, 0.8 * y, 0.10 * z), main)
    drawn(body, f"{name}/label", "box", (0, 0, 0.36 * z), (0.75 * x, y + 0.001, 0.40 * z), label)
    drawn(body, f"{name}/title", "box", (0, 0, 0.40 * z), (0.60 * x, y + 0.002, 0.10 * z), accent)
    cap = ((0.0, 0.80 * z), (0.015, 0.80 * z), (0.013, 0.87 * z), (0.004, z), (0.0, z))
    add_lathe(spec, body, f"{name}/cap", f"grocery/{name}_cap", cap, label)
