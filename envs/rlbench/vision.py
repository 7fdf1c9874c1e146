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

    Without ``resizable`` each camera keeps the size of its first picture, and another one raises.
    """

    def __init__(self, resizable: bool = True) -> None:
        self._resizable, self._used = resizable, set[str]()
        sensor = importlib.import_module("pyrep.objects.vision_sensor").VisionSensor
        self._cameras = {name: sensor(f"cam_{name}") for name in CAMERAS}
        self._coded = {name: sensor(f"cam_{name}_mask") for name in CAMERAS}

    def pose(self, name: str) -> CameraPose:
        """Where camera ``name`` is and how wide it sees."""
        sensor = self._cameras[name]
        return CameraPose(sensor.get_matrix()[:3], float(np.deg2rad(sensor.get_perspective_angle())))

    def rgb(self, camera: str, size: int) -> np.ndarray:
        """(size, size, 3) uint8, cut off as upstream does and not rounded."""
        sensor = self._cameras[camera]
        before = int(sensor.get_resolution()[0])
        if not self._resizable and camera in self._used and before != size:
            raise ConfigurationError(
                f"camera {camera!r} has taken pictures of {before} pixels and cannot take any of {size}: this process "
                "has started CoppeliaSim before, and its renderer 'opengl' would lose all textures now. Use one "
                "process for each environment, one size for all, or backend_options={'renderer': 'opengl3'}"
            )
        self._used.add(camera)
        return (_shot(sensor, size) * 255.0).astype(np.uint8)

    def codes(self, camera: str, size: int, hidden: Sequence[Any]) -> np.ndarray:
        """(size, size, 3) colour-coded handles in [0, 1], with the PyRep shapes ``hidden`` left out."""
        shapes = [s for s in hidden if s.is_renderable()]
        try:
            for shape in shapes:
                shape.set_renderable(False)
            return _shot(self._coded[camera], size)
        finally:
            for shape in shapes:
                shape.set_renderable(True)


def _shot(sensor: Any, size: int) -> np.ndarray:
    if list(sensor.get_resolution()) != [size, size]:
        sensor.set_resolution([size, size])
        sensor.handle_explicitly()  # the first picture of a new size comes without lights from OPENGL3
    sensor.handle_explicitly()
    return sensor.capture_rgb()
