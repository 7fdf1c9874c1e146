"""Procedural textures and materials, shared by the room, the robot and the props.

A texture here is a *luminance pattern near 1* (or a coloured one, where the colour is the point). MuJoCo multiplies it
by the geom's own ``rgba`` where that is set and by the material's otherwise, so recolouring a geom needs no new
texture. MuJoCo reads an ``rgba`` of exactly (0.5, 0.5, 0.5, 1) as "not set": :func:`safe_rgba` steps around it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import mujoco
import numpy as np

from hansgym.errors import UnknownNameError
from hansgym.seeds import stream

TEXTURE_SEED = 0
"""Textures are part of the world's definition: one seed for all, whatever the episode's."""


def safe_rgba(rgba: Sequence[float]) -> list[float]:
    """``rgba`` (3 or 4 numbers, 0 to 1) as four numbers that MuJoCo takes as set: exact mid grey is moved by 1e-3."""
    colour = [float(c) for c in rgba]
    if len(colour) == 3:
        colour.append(1.0)
    if colour == [0.5, 0.5, 0.5, 1.0]:
        colour[2] = 0.501
    return colour


def _noise(shape: tuple[int, int], cells: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Smooth value noise of ``shape`` in [-1, 1] that repeats at the borders; ``cells`` along rows and columns."""
    out = rng.uniform(-1.0, 1.0, size=cells)
    for axis, (size, count) in enumerate(zip(shape, cells, strict=True)):
        at = np.arange(size) * count / size
        low = at.astype(int)
        blend = (at - low) ** 2 * (3 - 2 * (at - low))
        blend = blend[:, None] if axis == 0 else blend[None, :]
        first = np.take(out, low % count, axis=axis)
        out = first + (np.take(out, (low + 1) % count, axis=axis) - first) * blend
    return out


def _grey(tone: np.ndarray) -> np.ndarray:
    return np.repeat(tone[..., None], 3, axis=-1)


def _wood(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Grain along the columns' direction (the geom's x): fine fibres, soft bands, a few darker clouds."""
    fibre = _noise(shape, (shape[0] // 2, max(4, shape[1] // 8)), rng) * 0.035
    band = _noise(shape, (24, 3), rng) * 0.02 + _noise(shape, (9, 2), rng) * 0.02
    cloud = -0.05 * np.clip(_noise(shape, (5, 4), rng) - 0.35, 0, 1)
    tone = 0.94 + fibre + band + cloud
    return np.stack([tone, tone**1.2, tone**1.6], axis=-1)


def _tiles(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Two by two tiles, one diagonal a little darker, with a faint cloud."""
    row, column = np.indices(shape)
    tone = np.where((2 * row // shape[0] + 2 * column // shape[1]) % 2 == 0, 1.0, 0.925)
    return _grey(tone + 0.015 * _noise(shape, (8, 8), rng) - 0.015)


def _hexagons(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A honeycomb of slightly uneven panels with darker edges; repeats at the borders."""
    columns = rows = 4
    y, x = np.indices(shape) / np.array(shape)[:, None, None]
    nearest = np.full((2, *shape), np.inf)
    shade = np.zeros(shape)
    for r in range(rows):
        for c in range(columns):
            tone = rng.uniform(-0.05, 0.03)
            dx = (x - (c + 0.5 * (r % 2)) / columns + 0.5) % 1 - 0.5
            dy = (y - r / rows + 0.5) % 1 - 0.5
            distance = np.hypot(dx, dy)
            closer = distance < nearest[0]
            nearest[1] = np.where(closer, nearest[0], np.minimum(nearest[1], distance))
            nearest[0] = np.where(closer, distance, nearest[0])
            shade = np.where(closer, tone, shade)
    edge = np.clip(1 - (nearest[1] - nearest[0]) / 0.02, 0, 1)
    return _grey(0.97 + shade - 0.12 * edge)


def _brushed(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Fine parallel scratches, as on brushed metal."""
    return _grey(0.95 + 0.05 * _noise(shape, (shape[0] // 2, 2), rng))


SHAPES: dict[str, tuple[int, int]] = {"wood": (256, 64), "tiles": (64, 64), "hexagons": (128, 128), "brushed": (64, 64)}
"""Rows and columns in pixels: about one for each pixel of a 224-pixel image, since finer ones cost time and flicker."""

PATTERNS: dict[str, Callable[[tuple[int, int], np.random.Generator], np.ndarray]] = {
    "wood": _wood,
    "tiles": _tiles,
    "hexagons": _hexagons,
    "brushed": _brushed,
}


def pattern(name: str) -> np.ndarray:
    """The pattern ``name`` as (rows, columns, 3) uint8; the same bytes in every process."""
    if name not in PATTERNS:
        raise UnknownNameError(f"unknown texture {name!r}; there are {', '.join(sorted(PATTERNS))}")
    tone = PATTERNS[name](SHAPES[name], stream(TEXTURE_SEED, "texture", name))
    return np.round(np.clip(tone, 0.0, 1.0) * 255).astype(np.uint8)


def texture(spec: mujoco.MjSpec, name: str) -> str:
    """Make sure that ``spec`` has the 2d texture of pattern ``name``; returns its name in the spec."""
    full = f"texture/{name}"
    if spec.texture(full) is None:
        image = pattern(name)
        made = spec.add_texture(
            name=full,
            type=mujoco.mjtTexture.mjTEXTURE_2D,
            height=image.shape[0],
            width=image.shape[1],
            nchannel=3,
        )
        made.data = image.tobytes()
    return full


def material(
    spec: mujoco.MjSpec,
    name: str,
    rgba: Sequence[float] = (1.0, 1.0, 1.0, 1.0),
    texture_name: str | None = None,
    specular: float = 0.1,
    shininess: float = 0.3,
    repeat: tuple[float, float] = (1.0, 1.0),
    uniform: bool = False,
    emission: float = 0.0,
) -> str:
    """Make sure that ``spec`` has the material ``name``; returns ``name``, for ``geom.material``.

    ``texture_name`` is one of :data:`PATTERNS`; ``repeat`` how often it repeats over the geom, or with ``uniform`` per
    metre. Materials neither reflect nor let light through, whatever alpha ``rgba`` has: a mirror or a pane would make
    pixels that belong to two objects. An existing material of that name is left as it is.
    """
    if spec.material(name) is not None:
        return name
    made = spec.add_material(
        name=name,
        rgba=safe_rgba(rgba[:3]),
        specular=specular,
        shininess=shininess,
        reflectance=0.0,
        emission=emission,
        texrepeat=list(repeat),
        texuniform=uniform,
    )
    if texture_name is not None:
        made.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = texture(spec, texture_name)
    return name
