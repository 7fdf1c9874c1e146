"""Pictures and exact object masks of a MuJoCo scene.

One render setting for all: no multisampling, no shadows, no reflections, so that the segmentation pass draws exactly
the pixels of the colour pass. Both passes draw the *same* abstract scene, made once for all cameras.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from hansgym.envs.mujoco import gl  # first: it chooses the OpenGL platform before MuJoCo is imported

import mujoco  # isort: skip

from hansgym.envs.backend import Frame
from hansgym.errors import ConfigurationError, UnknownNameError

ROBOT = "Panda"
MAX_GEOMS = 2000
DRAWN_GROUPS = (1, 1, 1, 0, 0, 0)


def object_names(model: mujoco.MjModel) -> list[str]:
    """For each geom of ``model`` the name of the object it belongs to.

    That is the nearest ancestor body with a name that does not begin with ``_``; all of the robot is ``Panda``.
    """
    names: list[str] = []
    for body in model.geom_bodyid:
        chain: list[str] = []
        while body > 0:
            chain.append(model.body(int(body)).name)
            body = model.body_parentid[body]
        seen = [n for n in chain if n and not n.startswith("_")]
        names.append(ROBOT if ROBOT in seen else (seen[0] if seen else "world"))
    return names


def _must_be_opaque(model: mujoco.MjModel) -> None:
    """Raise when a drawn geom is see-through: its pixels would show two objects and carry one object's id."""
    alpha = model.geom_rgba[:, 3].copy()
    default = (model.geom_matid >= 0) & (model.geom_rgba == 0.5)[:, :3].all(axis=1) & (alpha == 1.0)
    alpha[default] = model.mat_rgba[model.geom_matid[default], 3]
    drawn = np.array(DRAWN_GROUPS)[np.clip(model.geom_group, 0, 5)] == 1
    bad = np.flatnonzero(drawn & (alpha > 0.0) & (alpha < 0.995))
    if len(bad):
        raise ConfigurationError(
            f"see-through geoms {[model.geom(int(g)).name for g in bad]} would make pixels that belong to two objects; "
            "give them alpha 1, or 0 to hide them"
        )


class SceneRenderer:
    """Draws one scene's cameras; the OpenGL context is made at the first picture, in the process that asks for it.

    ``model`` gives meshes and textures. ``max_size`` is the largest image edge in pixels.
    """

    def __init__(self, model: mujoco.MjModel, max_size: int = 640) -> None:
        self._model = model
        self._max_size = max_size
        self._size = 0
        self._context: mujoco.MjrContext | None = None
        self._scene: Any = None
        self._option = mujoco.MjvOption()
        self._option.geomgroup[:] = DRAWN_GROUPS
        self._option.sitegroup[:] = 0
        self._closed = False

    def _open(self, size: int) -> None:
        if self._closed:
            raise ConfigurationError("this renderer is closed; make a new SceneRenderer to draw again")
        if not 1 <= size <= self._max_size:
            raise ConfigurationError(f"image size {size} is not possible; choose 1 to {self._max_size} pixels")
        if self._context is None:
            _must_be_opaque(self._model)
            gl.hold(self)
            self._scene = mujoco.MjvScene(self._model, maxgeom=MAX_GEOMS)
            self._scene.flags[:] = 0
            self._scene.flags[mujoco.mjtRndFlag.mjRND_CULL_FACE] = 1
            self._context = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_50)
        gl.hold(self)
        if size != self._size:
            mujoco.mjr_resizeOffscreen(size, size, self._context)
            self._size = size
        # Every time: the buffers of the renderer that drew before may still be bound.
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)

    def render(
        self,
        model: mujoco.MjModel,
        data: mujoco.MjData,
        cameras: Sequence[str],
        size: int,
        geom_object_ids: np.ndarray | None,
    ) -> dict[str, Frame]:
        """Images (size, size) of ``cameras``; ``data`` must be forward-computed (at least kinematics, cameras, lights).

        ``model`` may be another copy with other colours, lights or poses, the geometry being the same.
        ``geom_object_ids`` (ngeom) uint16 gives each geom's pixel value in ``objects``; None skips that pass and
        gives zeros.
        """
        self._open(size)
        camera = mujoco.MjvCamera()
        camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        frames: dict[str, Frame] = {}
        for k, name in enumerate(cameras):
            camera.fixedcamid = self._camera_id(model, name)
            if k == 0:
                mujoco.mjv_updateScene(model, data, self._option, None, camera, mujoco.mjtCatBit.mjCAT_ALL, self._scene)
                table = self._label(geom_object_ids)
            else:
                mujoco.mjv_updateCamera(model, data, camera, self._scene)
            rgb = np.ascontiguousarray(self._pass(size, segment=False))
            objects = np.zeros((size, size), np.uint16) if table is None else self._objects(size, table)
            frames[name] = Frame(rgb=rgb, objects=objects)
        return frames

    @staticmethod
    def _camera_id(model: mujoco.MjModel, name: str) -> int:
        found = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_CAMERA, name)
        if found < 0:
            known = ", ".join(model.camera(k).name for k in range(model.ncam))
            raise UnknownNameError(f"unknown camera {name!r}; this scene has {known}: choose one")
        return found

    def _label(self, ids: np.ndarray | None) -> np.ndarray | None:
        """Object id by segmentation colour (its value plus one; 0 is where nothing was drawn)."""
        if ids is None:
            return None
        scene = self._scene
        table = np.zeros(scene.ngeom + 2, np.uint16)
        for geom in scene.geoms[: scene.ngeom]:
            if geom.segid >= 0 and geom.objtype == mujoco.mjtObj.mjOBJ_GEOM:
                table[geom.segid + 1] = ids[geom.objid]
        return table

    def _pass(self, size: int, segment: bool) -> np.ndarray:
        scene = self._scene
        scene.flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = segment
        scene.flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = segment
        viewport = mujoco.MjrRect(0, 0, size, size)
        pixels = np.empty((size, size, 3), np.uint8)
        mujoco.mjr_render(viewport, scene, self._context)
        mujoco.mjr_readPixels(pixels, None, viewport, self._context)
        return pixels[::-1]  # OpenGL's first row is the lowest

    def _objects(self, size: int, table: np.ndarray) -> np.ndarray:
        pixels = self._pass(size, segment=True)
        if len(table) <= 256:
            return table.take(pixels[..., 0])
        return table.take(pixels[..., 0] + pixels[..., 1].astype(np.uint16) * 256)

    def suspend(self) -> None:
        """Free what the renderer has in the OpenGL context; the next picture makes it anew."""
        if self._context is not None:
            gl.hold(self)
            self._context.free()
            gl.let_go(self)
        self._context = self._scene = None
        self._size = 0

    def __del__(self) -> None:
        # Dropped without a close: its buffers must be freed while their own context is current.
        if getattr(self, "_context", None) is not None and not sys.is_finalizing():
            self.suspend()

    def close(self) -> None:
        """Free the OpenGL context for good; safe to call twice."""
        self.suspend()
        self._closed = True
