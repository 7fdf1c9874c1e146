"""A closed hardback standing upright. Origin at its middle; its spine looks to -x, its covers to both sides in y."""

from __future__ import annotations

import mujoco

from hansgym.assets.materials import material, safe_rgba
from hansgym.assets.props._solids import drawn, touched

SIZE = (0.12, 0.030, 0.17)
_COVER = 0.003


def build(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, rgb: tuple[float, float, float]) -> None:
    """Fill ``body`` with two covers and a spine painted ``rgb``, pages between, and a printed title."""
    cloth = material(spec, "book/cloth", (1.0, 1.0, 1.0), specular=0.1, shininess=0.2)
    paper = material(spec, "book/paper", (0.95, 0.93, 0.86), specular=0.0)
    gold = material(spec, "book/gold", (0.93, 0.80, 0.42), specular=0.4, shininess=0.5)
    x, y, z = SIZE
    parts: list[tuple[tuple[float, float, float], tuple[float, float, float]]] = [
        ((0, side * (y - _COVER) / 2, 0), (x, _COVER, z)) for side in (1, -1)
    ]
    parts.append(((-(x - _COVER) / 2, 0, 0), (_COVER, y - 2 * _COVER, z)))
    for k, (at, size) in enumerate(parts):
        drawn(body, f"{name}/paint{k}", "box", at, size, cloth).rgba = safe_rgba(rgb)
    pages = (x - _COVER - 0.004, y - 2 * _COVER, z - 0.008)
    drawn(body, f"{name}/pages", "box", ((_COVER - 0.004) / 2, 0, 0), pages, paper)
    for side in (1, -1):
        face = side * (y / 2)
        drawn(body, f"{name}/title{side}", "box", (0, face, 0.045), (0.080, 0.001, 0.022), gold)
        drawn(body, f"{name}/picture{side}", "box", (0, face, -0.020), (0.060, 0.001, 0.060), paper)
        drawn(body, f"{name}/emblem{side}", "box", (0, face, -0.020), (0.030, 0.0016, 0.030), gold)
    for k, level in enumerate((0.060, 0.050, -0.060)):
        drawn(body, f"{name}/band{k}", "box", (-x / 2, 0, level), (0.001, y - 0.001, 0.004), gold)
    touched(body, f"{name}/hull", "box", (0, 0, 0), SIZE, mass=0.2, friction=0.8)
