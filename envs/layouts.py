"""Observation layouts: HansGym's own keys, and the ``pixels``/``agent_pos`` layout that LeRobot reads.

Ids registered by this package carry :class:`TaskText` as their outermost wrapper, because LeRobot looks for
``task_description`` on the environment object itself and Gymnasium's wrappers do not forward attributes.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Dict

from hansgym.envs.backend import Frame, Proprioception
from hansgym.envs.control_modes import JOINT_HIGH, JOINT_LOW
from hansgym.roles import Region, SceneObject, region_image

OPEN_ABOVE = 0.9
"""``gripper_open`` is 1 when the opening is over this share of the full 0.08 m."""

JOINT_SLACK_RAD = 0.1
"""How far beyond its limits a pushed joint may be observed; joint limits in a simulator are not infinitely stiff."""

MAX_JOINT_SPEED = 20.0
"""Bound of observed joint speeds in rad/s, far above what the arm can do."""

ROOM_M = 3.0
"""Bound of observed tip positions in metres."""

LAYOUTS = ("hansgym", "lerobot")
AGENT_POS = (*(f"joint{i} rad" for i in range(1, 8)), "gripper open 0/1")
"""What the 8 numbers of ``agent_pos`` are."""


def _box(low: np.ndarray | list[float], high: np.ndarray | list[float]) -> Box:
    return Box(np.asarray(low, np.float32), np.asarray(high, np.float32), dtype=np.float32)


def observation_space(cameras: tuple[str, ...], image_size: int, segmentation: bool) -> Dict:
    """HansGym's observation space for square images of ``image_size`` pixels; keys as in RLBench.

    ``<camera>_rgb`` uint8 (H, W, 3); ``<camera>_mask`` uint8 (H, W) with the values of :class:`hansgym.roles.Region`;
    with ``segmentation`` ``<camera>_objects`` uint16 (H, W); proprioception float32.
    """
    square = (image_size, image_size)
    spaces: dict[str, gym.Space[Any]] = {}
    for camera in cameras:
        spaces[f"{camera}_rgb"] = Box(0, 255, (*square, 3), np.uint8)
        spaces[f"{camera}_mask"] = Box(0, max(Region), square, np.uint8)
        if segmentation:
            spaces[f"{camera}_objects"] = Box(0, 65535, square, np.uint16)
    spaces["joint_positions"] = _box(JOINT_LOW - JOINT_SLACK_RAD, JOINT_HIGH + JOINT_SLACK_RAD)
    spaces["joint_velocities"] = _box([-MAX_JOINT_SPEED] * 7, [MAX_JOINT_SPEED] * 7)
    spaces["gripper_open"] = _box([0.0], [1.0])
    spaces["gripper_pose"] = _box([-ROOM_M] * 3 + [-1.0] * 4, [ROOM_M] * 3 + [1.0] * 4)
    return Dict(spaces)


def camera_entries(
    camera: str, frame: Frame, objects: tuple[SceneObject, ...], partition: str, segmentation: bool
) -> dict[str, np.ndarray]:
    """The observation's entries for one camera, as arrays that nobody else holds."""
    entries = {
        f"{camera}_rgb": np.array(frame.rgb, np.uint8),
        f"{camera}_mask": region_image(frame.objects, objects, partition),
    }
    if segmentation:
        entries[f"{camera}_objects"] = np.array(frame.objects, np.uint16)
    return entries


def blank_entries(camera: str, image_size: int, segmentation: bool) -> dict[str, np.ndarray]:
    """The same for a picture that nobody took: black, without objects, all of it NUISANCE."""
    square = (image_size, image_size)
    entries = {f"{camera}_rgb": np.zeros((*square, 3), np.uint8), f"{camera}_mask": np.zeros(square, np.uint8)}
    if segmentation:
        entries[f"{camera}_objects"] = np.zeros(square, np.uint16)
    return entries


def state_entries(feel: Proprioception) -> dict[str, np.ndarray]:
    """The observation's proprioception, float32."""
    return {
        "joint_positions": np.array(feel.joint_positions, np.float32),
        "joint_velocities": np.array(feel.joint_velocities, np.float32),
        "gripper_open": np.array([feel.opening > OPEN_ABOVE], np.float32),
        "gripper_pose": np.array(feel.gripper_pose, np.float32),
    }


def lerobot_space(space: Dict) -> Dict:
    """The LeRobot layout of a HansGym observation space: ``pixels`` (camera -> RGB) and ``agent_pos`` (8,) float32."""
    pixels = {key.removesuffix("_rgb"): box for key, box in space.items() if key.endswith("_rgb")}
    joints, gripper = space["joint_positions"], space["gripper_open"]
    low = np.concatenate([joints.low, gripper.low])  # type: ignore[attr-defined]
    high = np.concatenate([joints.high, gripper.high])  # type: ignore[attr-defined]
    return Dict({"pixels": Dict(pixels), "agent_pos": Box(low, high, dtype=np.float32)})


def to_lerobot(observation: dict[str, np.ndarray]) -> dict[str, Any]:
    """A HansGym observation in the LeRobot layout; masks and the other proprioception are left out."""
    pixels = {key.removesuffix("_rgb"): image for key, image in observation.items() if key.endswith("_rgb")}
    state = np.concatenate([observation["joint_positions"], observation["gripper_open"]])
    return {"pixels": pixels, "agent_pos": state.astype(np.float32)}


class TaskText(gym.Wrapper, gym.utils.RecordConstructorArgs):
    """Shows the task's name and the present instruction as plain attributes of the outermost environment."""

    def __init__(self, env: gym.Env) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)

    @property
    def task(self) -> str:
        """The task's name, such as ``close_jar``."""
        return self.env.get_wrapper_attr("task")

    @property
    def task_description(self) -> str:
        """The instruction of the present episode."""
        return self.env.get_wrapper_attr("instruction")

    @property
    def instruction(self) -> str:
        """The instruction of the present episode."""
        return self.env.get_wrapper_attr("instruction")
