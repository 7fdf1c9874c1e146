"""RLBench's cameras through PyRep: pictures as upstream delivers them, and colour-coded ones of handles.

Each camera has a twin at the same place that draws every shape in the colour of its handle.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from hansgym.envs.rlbench.simulator import CameraPose
from hansgym.errors import ConfigurationError
from hansgym.specs import CAMERAS

RENDERERS = {"opengl3": "OPENGL3", "opengl": "OPENGL"}

_RGB = "cam_{}".format
_CODED = "cam_{}_mask".format


def vision_config(renderer: str) -> Any:
    """Upstream's observation settings with our three cameras and their masks; the other two leave the scene."""
    config = importlib.import_module("rlbench.observation_config").ObservationConfig()
    config.set_all_high_dim(False)
    for name in CAMERAS:
        camera = getattr(config, f"{name}_camera")
        camera.rgb = camera.mask = True
        camera.render_mode = getattr(importlib.import_module("pyrep.const").RenderMode, RENDERERS[renderer])
    return config


@contextmanager
def without_pictures(config: Any) -> Iterator[None]:
    """Within, upstream's observations have no pictures; the cameras stay in the scene."""
    cameras = [getattr(config, f"{name}_camera") for name in CAMERAS]
    for camera in cameras:
        camera.rgb = camera.mask = False
    try:
        yield
    finally:
        for camera in cameras:
            camera.rgb = camera.mask = True


class Vision:
    """The cameras of a launched scene; a picture is taken at the moment it is asked for, without a step.

    A sensor keeps the size of its first picture and other sizes have sensors of their own: CoppeliaSim throws a
    sensor's drawing context away when its size changes, and with it lights, textures and, sooner or later, the process.
    Without ``sizes`` a second size raises.
    """

    def __init__(self, sizes: bool = True) -> None:
        self._sizes = sizes
        self._sensor = importlib.import_module("pyrep.objects.vision_sensor").VisionSensor
        self._scenes = {name: self._sensor(name) for camera in CAMERAS for name in (_RGB(camera), _CODED(camera))}
        self._sized: dict[tuple[str, int], Any] = {}

    def pose(self, name: str) -> CameraPose:
        """Where camera ``name`` is and how wide it sees."""
        sensor = self._scenes[_RGB(name)]
        return CameraPose(sensor.get_matrix()[:3], float(np.deg2rad(sensor.get_perspective_angle())))

    def rgb(self, camera: str, size: int) -> np.ndarray:
        """(size, size, 3) uint8, cut off as upstream does and not rounded."""
        return (self._shot(_RGB(camera), size) * 255.0).astype(np.uint8)

    def codes(self, camera: str, size: int, hidden: Sequence[Any]) -> np.ndarray:
        """(size, size, 3) colour-coded handles in [0, 1], with the PyRep shapes ``hidden`` left out."""
        shapes = [s for s in hidden if s.is_renderable()]
        try:
            for shape in shapes:
                shape.set_renderable(False)
            return self._shot(_CODED(camera), size)
        finally:
            for shape in shapes:
                shape.set_renderable(True)

    def _shot(self, name: str, size: int) -> np.ndarray:
        sensor = self._of_size(name, size)
        sensor.handle_explicitly()
        return sensor.capture_rgb()

    def _of_size(self, name: str, size: int) -> Any:
        original = self._scenes[name]
        if (name, size) not in self._sized:
            used = [n for camera, n in self._sized if camera == name]
            if used and not self._sizes:
                raise ConfigurationError(
                    f"{name} has taken pictures of {used[0]} pixels and cannot take any of {size}: this process has "
                    "started CoppeliaSim before, and its renderer 'opengl' would show no textures in them. Use one "
                    "process for each environment, one size for all, or backend_options={'renderer': 'opengl3'}"
                )
            sensor = original.copy() if used else original
            sensor.set_resolution([size, size])
            self._sized[name, size] = sensor
        sensor = self._sized[name, size]
        if sensor is not original:
            sensor.set_matrix(original.get_matrix())
        return sensor
