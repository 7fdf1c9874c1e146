"""RLBench's room: floor, four walls, roof, dining table, lights, the three cameras and the slot for a poster.

Each thing is a body of its own with RLBench's name. Walls and floor have patterns of luminance near 1 that their geoms'
``rgba`` multiplies, so shifting ``geom_rgba`` shifts the colour.
"""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from hansgym.assets.materials import material, safe_rgba
from hansgym.assets.panda import HAND_BODY, PROP_CONAFFINITY, PROP_CONTYPE
from hansgym.errors import ConfigurationError

TABLE = "diningTable_visible"
TABLE_TOP_Z = 0.75
WALLS = ("Wall1", "Wall2", "Wall3", "Wall4")
FLOOR, ROOF, POSTER = "Floor", "Roof", "poster"
LIGHTS = ("key", "fill")
CAMERAS = ("front", "overhead", "wrist")
POSTER_SIZE = 0.44
ROOM_HALF, ROOM_HEIGHT = 2.5, 3.0

WALL_RGBA = (0.02, 0.30, 0.34, 1.0)
FLOOR_RGBA = (0.88, 0.86, 0.82, 1.0)
ROOF_RGBA = (0.80, 0.80, 0.80, 1.0)
AMBIENT = 0.36
TABLE_RGBA = (0.86, 0.70, 0.38, 1.0)


def _panel(
    spec: mujoco.MjSpec, name: str, position: Sequence[float], normal: Sequence[float], look: str, rgba: Sequence[float]
) -> None:
    """A thin box of the room's size whose inner face passes through ``position`` and looks along ``normal``."""
    z = np.asarray(normal, float)
    x = np.array([0.0, 1.0, 0.0]) if abs(z[1]) < 0.5 else np.array([-1.0, 0.0, 0.0])
    y = np.cross(z, x)
    quaternion = np.zeros(4)
    mujoco.mju_mat2Quat(quaternion, np.stack([x, y, z], axis=1).ravel())
    upright = abs(z[2]) < 0.5
    half = (ROOM_HALF, ROOM_HEIGHT / 2 if upright else ROOM_HALF, 0.02)
    body = spec.worldbody.add_body(name=name, pos=list(np.asarray(position, float) - 0.02 * z), quat=list(quaternion))
    body.add_geom(
        name=f"{name}/panel",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=list(half),
        material=look,
        rgba=safe_rgba(rgba),
        contype=0,
        conaffinity=0,
        group=0,
    )


def _add_shell(spec: mujoco.MjSpec) -> None:
    wall = material(spec, "room/wall", texture_name="hexagons", repeat=(0.5, 0.5), uniform=True, specular=0.0)
    tiles = material(spec, "room/floor", texture_name="tiles", repeat=(2.0, 2.0), uniform=True, specular=0.0)
    plain = material(spec, "room/roof", specular=0.0)
    middle = ROOM_HEIGHT / 2
    _panel(spec, FLOOR, (0, 0, 0), (0, 0, 1), tiles, FLOOR_RGBA)
    _panel(spec, "Wall1", (-ROOM_HALF, 0, middle), (1, 0, 0), wall, WALL_RGBA)
    _panel(spec, "Wall2", (0, ROOM_HALF, middle), (0, -1, 0), wall, WALL_RGBA)
    _panel(spec, "Wall3", (ROOM_HALF, 0, middle), (-1, 0, 0), wall, WALL_RGBA)
    _panel(spec, "Wall4", (0, -ROOM_HALF, middle), (0, 1, 0), wall, WALL_RGBA)
    _panel(spec, ROOF, (0, 0, ROOM_HEIGHT), (0, 0, -1), plain, ROOF_RGBA)


def _add_table(spec: mujoco.MjSpec) -> None:
    """Top x -0.5..1.1, y -0.55..0.55, height 0.75; four legs."""
    wood = material(spec, "room/table", texture_name="wood", repeat=(1.0, 1.0), specular=0.05)
    table = spec.worldbody.add_body(name=TABLE, pos=[0.3, 0.0, 0.0])
    boxes = [("top", (0.0, 0.0, TABLE_TOP_Z - 0.02), (0.8, 0.55, 0.02))]
    boxes += [
        (f"leg{k}", (sx * 0.74, sy * 0.49, 0.355), (0.04, 0.04, 0.355))
        for k, (sx, sy) in enumerate(((1, 1), (1, -1), (-1, 1), (-1, -1)))
    ]
    for name, position, half in boxes:
        table.add_geom(
            name=f"{TABLE}/{name}",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=list(position),
            size=list(half),
            material=wood,
            rgba=list(TABLE_RGBA),
            contype=PROP_CONTYPE,
            conaffinity=PROP_CONAFFINITY,
            friction=[1.0, 0.005, 0.0001],
            group=0,
        )


def _add_poster(spec: mujoco.MjSpec) -> None:
    """A flat square on a mocap body, its face along the body's z; invisible until its geom's alpha is raised.

    It glows a little, so that its colour looks like that of things under the lamps and not like the dim wall's.
    """
    body = spec.worldbody.add_body(
        name=POSTER, mocap=True, pos=[-ROOM_HALF + 0.02, 0.0, 1.2], quat=[0.5, 0.5, 0.5, 0.5]
    )
    body.add_geom(
        name=f"{POSTER}/face",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[POSTER_SIZE / 2, POSTER_SIZE / 2, 0.004],
        material=material(spec, "room/poster", specular=0.0, emission=0.4),
        rgba=[0.6, 0.6, 0.6, 0.0],
        contype=0,
        conaffinity=0,
        group=1,
    )


def _add_lights(spec: mujoco.MjSpec) -> None:
    """Two directional lights and an ambient one, no shadows: levels follow the fit to RLBench's pictures."""
    spec.visual.headlight.active = 0
    directions = {"key": ((0.20, 0.12, -0.97), 0.56), "fill": ((-0.85, 0.30, -0.43), 0.20)}
    for name, (direction, level) in directions.items():
        spec.worldbody.add_light(
            name=name,
            type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
            pos=[-3 * d for d in direction],
            dir=list(direction),
            diffuse=[level] * 3,
            ambient=[AMBIENT if name == "key" else 0.0] * 3,
            specular=[0.2 if name == "key" else 0.0] * 3,
            castshadow=False,
        )


def _camera_axes(forward: Sequence[float], up: Sequence[float]) -> list[float]:
    """Quaternion (w x y z) of a camera that looks along ``forward`` with ``up`` upwards in the image."""
    z = -np.asarray(forward, float) / np.linalg.norm(forward)
    y = np.asarray(up, float) - np.dot(up, z) * z
    y /= np.linalg.norm(y)
    quaternion = np.zeros(4)
    mujoco.mju_mat2Quat(quaternion, np.stack([np.cross(y, z), y, z], axis=1).ravel())
    return quaternion.tolist()


def _add_cameras(spec: mujoco.MjSpec) -> None:
    """RLBench's ``cam_front``, ``cam_overhead`` and ``cam_wrist``: recorded poses and vertical fields of view."""
    world = spec.worldbody
    world.add_camera(
        name="front", pos=[1.35, 0.0, 1.58], fovy=40.0,
        quat=_camera_axes((-0.906308, 0.0, -0.422618), (-0.422618, 0.0, 0.906308)),
    )  # fmt: skip
    world.add_camera(
        name="overhead", pos=[-0.175, 0.0, 2.43], fovy=40.0,
        quat=_camera_axes((0.422619, 0.0, -0.906308), (0.906308, 0.0, 0.422619)),
    )  # fmt: skip
    hand = spec.body(HAND_BODY)
    if hand is None:
        raise ConfigurationError("the wrist camera sits on the hand: call add_panda(spec) before add_room(spec)")
    # The recorded camera at home, seen from the hand; it lies in the hand's plane of symmetry, 4.9 degrees inclined.
    hand.add_camera(
        name="wrist", pos=[0.0497, 0.0, 0.0170], fovy=60.0,
        quat=_camera_axes((-0.08523, 0.0, 0.99636), (0.99636, 0.0, 0.08523)),
    )  # fmt: skip


def add_room(spec: mujoco.MjSpec) -> None:
    """Put room, table, lights, cameras and the poster's slot into ``spec``; call :func:`add_panda` first.

    Also makes the render settings that keep masks exact: no multisampling, no shadows, no reflections.
    """
    # Drawn in this order: what is in front first, so that less is painted over (a fifth of the time of a picture).
    _add_table(spec)
    _add_shell(spec)
    _add_poster(spec)
    _add_lights(spec)
    _add_cameras(spec)
    spec.visual.quality.offsamples = 0
    spec.visual.quality.shadowsize = 0
    # How finely built-in shapes are cut: vertices are half the cost of a picture, and the lights are directional.
    spec.visual.quality.numslices = 24
    spec.visual.quality.numstacks = 4
    spec.visual.quality.numquads = 1
    spec.visual.global_.offwidth = 640
    spec.visual.global_.offheight = 640
    # Near and far planes in metres: extent is 1.
    spec.stat.extent = 1.0
    spec.stat.center = [0.25, 0.0, 0.75]
    spec.visual.map.znear = 0.01
    spec.visual.map.zfar = 20.0
