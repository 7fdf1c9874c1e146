"""What conditions and experts see of a MuJoCo world: :class:`hansgym.envs.state.WorldState` over a :class:`Sim`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import mujoco
import numpy as np

from hansgym.errors import ConfigurationError

if TYPE_CHECKING:
    from hansgym.envs.mujoco.sim import Sim

FAR_M = 10.0
FINGERS_M = 0.08


class SimView:
    """A read-only view of a :class:`Sim`; it follows the sim and answers about its present state."""

    def __init__(self, sim: Sim) -> None:
        self._sim = sim

    @property
    def binding(self) -> Mapping[str, str]:
        """The episode's binding."""
        return self._sim.binding

    @property
    def progress(self) -> int:
        """Parts of an ordered success condition met so far."""
        return self._sim.progress

    def position(self, name: str) -> np.ndarray:
        """(3,) m, world: origin of body, site or detection volume ``name``."""
        kind, index = self._frame(name)
        data = self._sim.data
        return np.array((data.site_xpos if kind == "site" else data.xpos)[index])

    def rotation(self, name: str) -> np.ndarray:
        """(3, 3) orientation of ``name`` in the world."""
        kind, index = self._frame(name)
        data = self._sim.data
        return np.array((data.site_xmat if kind == "site" else data.xmat)[index]).reshape(3, 3)

    def joint(self, name: str) -> float:
        """Position of hinge or slide ``name`` (rad or m)."""
        return float(self._sim.data.qpos[self._sim.scene.joint_qpos(name)])

    def joint_at_reset(self, name: str) -> float:
        """Its position when the episode began."""
        return float(self._sim.qpos_at_reset[self._sim.scene.joint_qpos(name)])

    def distance(self, prop: str, sensor: str) -> float:
        """Signed distance in metres between any geom of object ``prop`` and the volume ``sensor``; at most 10."""
        scene = self._sim.scene
        if prop not in scene.object_geoms or sensor not in scene.sensors:
            raise ConfigurationError(
                f"no distance between {prop!r} and {sensor!r}: choose an object of {sorted(scene.object_geoms)}, "
                f"and a detection volume of {sorted(scene.sensors)}"
            )
        model, data, volume = self._sim.model, self._sim.data, scene.sensors[sensor].geom
        return min(mujoco.mj_geomDistance(model, data, g, volume, FAR_M, None) for g in scene.object_geoms[prop])

    @property
    def held(self) -> tuple[str, ...]:
        """Names of the attached props."""
        return self._sim.held

    @property
    def tip_position(self) -> np.ndarray:
        """(3,) m."""
        return np.array(self._sim.data.site_xpos[self._sim.scene.tip])

    @property
    def tip_rotation(self) -> np.ndarray:
        """(3, 3)."""
        return np.array(self._sim.data.site_xmat[self._sim.scene.tip]).reshape(3, 3)

    @property
    def arm_joints(self) -> np.ndarray:
        """(7,) rad."""
        return np.array(self._sim.data.qpos[self._sim.scene.arm_qpos])

    @property
    def opening(self) -> float:
        """0 closed to 1 open."""
        return float(np.clip(self._sim.data.qpos[self._sim.scene.finger_qpos].sum() / FINGERS_M, 0.0, 1.0))

    def _frame(self, name: str) -> tuple[str, int]:
        frame = self._sim.scene.frames.get(name)
        if frame is None or frame[0] == "joint":
            known = sorted(k for k, (kind, _) in self._sim.scene.frames.items() if kind != "joint" and k[:1] != "_")
            raise ConfigurationError(
                f"the scene has no body or frame {name!r}; it has {', '.join(filter(None, known))}"
            )
        return frame
