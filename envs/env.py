"""The environment class: spaces, control modes, seeding, rewards and info around a backend that simulates."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from hansgym import lookup
from hansgym.envs import arguments, control_modes, layouts
from hansgym.envs.backend import Backend, Episode, Frame, Proprioception, ResetRequest, ScenePerturbation, Verdict
from hansgym.envs.spec import TaskSpec
from hansgym.errors import ConfigurationError
from hansgym.seeds import stream
from hansgym.specs import CAMERAS, CONTROL_HZ, ActionSpec

TASKS = "hansgym.envs.tasks"
RENDER_SIZE = 480
"""Pixels of the square front view that :meth:`HansGymEnv.render` returns."""


class HansGymEnv(gym.Env):
    """One manipulation task for a Franka Panda at 20 Hz.

    Observation (a ``Dict``): ``<camera>_rgb`` uint8 (H, W, 3); ``<camera>_mask`` uint8 (H, W), 0 nuisance, 1 action,
    2 support; ``joint_positions`` (7) rad; ``joint_velocities`` (7) rad/s; ``gripper_open`` (1); ``gripper_pose`` (7: x
    y z m, quaternion x y z w); with ``segmentation`` also ``<camera>_objects`` uint16 (H, W) and ``info["objects"]``.

    Action: see :func:`hansgym.envs.control_modes.action_table`, printed by ``print(env.unwrapped.action_table)``.
    Out-of-range numbers are clipped and counted in ``info["clipped"]``; NaN or a wrong shape raises.

    Reward 1.0 on the step that succeeds, which terminates; 0.0 otherwise. ``info``: ``instruction``, ``success``,
    ``is_success``, ``variation``, ``reset_seed``, ``margin`` (m or rad still missing, NaN where undefined), and the
    step's counts ``clipped``, ``speed_limited``, ``ik_unreached``.

    ``reset(seed=s)`` fixes everything; without a seed one is drawn from ``np_random``. Options: ``variation`` (index),
    ``paraphrase`` (index of the instruction, 0 the canonical one); others are ignored.

    With ``observe_images = False`` the images returned by :meth:`step` and :meth:`reset` are black and their masks
    zero, nothing is rendered, and :meth:`observe` gives the true observation when it is wanted.

    ``backend``: ``mujoco`` or ``rlbench``, the original in CoppeliaSim; its ``backend_options``: ``docs/rlbench.md``.
    """

    metadata = {"render_modes": list(arguments.RENDER_MODES), "render_fps": CONTROL_HZ}  # noqa: RUF012 (Gymnasium's own form)

    def __init__(
        self,
        task: str,
        backend: str = "mujoco",
        cameras: Sequence[str] = CAMERAS,
        image_size: int = 224,
        control: str = "joint_position",
        variation: int | None = None,
        partition: str = "table_supports",
        protocol: str = "default",
        segmentation: bool = False,
        obs_layout: str = "hansgym",
        render_mode: str | None = "rgb_array",
        backend_options: Mapping[str, Any] | None = None,
    ) -> None:
        self._arguments = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        arguments.check_names(backend, cameras, control, partition, obs_layout, render_mode)
        self.task = task
        self.task_spec: TaskSpec = lookup.load(TASKS, task, "TASK", "task")
        self.backend_options = arguments.checked_backend(backend, backend_options, self.task_spec)
        self.protocol = arguments.checked_protocol(self.task_spec, protocol)
        self.cameras, self.image_size = tuple(cameras), arguments.checked_image_size(image_size)
        self.partition, self.segmentation, self.obs_layout = partition, bool(segmentation), obs_layout
        self.render_mode, self.backend_name = render_mode, backend
        self.action_spec = ActionSpec.of(control)
        self.action_space = control_modes.action_space(control)
        self.action_table = control_modes.action_table(control)
        self._space = layouts.observation_space(self.cameras, self.image_size, self.segmentation)
        self.observation_space = layouts.lerobot_space(self._space) if obs_layout == "lerobot" else self._space
        self.variation = variation
        self.observe_images = True
        self._perturbations: tuple[ScenePerturbation, ...] = ()
        self._backend: Backend | None = None
        self._episode: Episode | None = None
        self._succeeded = False
        self._fixed_info: dict[str, Any] = {}

    # ---------------------------------------------------------------- episodes

    @property
    def variation(self) -> int | None:
        """The present episode's variation; before the first reset the one asked for, None when the seed decides.

        Setting it asks for that variation from the next reset on (None: the seed decides again).
        """
        return self._variation if self._episode is None else self._fixed_info["variation"]

    @variation.setter
    def variation(self, value: int | None) -> None:
        self._variation = (
            None if value is None else arguments.checked_index("variation", value, self.variations, self.task)
        )

    @property
    def variations(self) -> int:
        """How many variations the task has under the chosen protocol."""
        count = len(self.task_spec.variations_under(self.protocol))
        return 1 if self.protocol == "agnostos" and "agnostos" not in self.task_spec.protocols else count

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Arrange the episode of ``seed``: same seed and options, same bytes."""
        super().reset(seed=seed)
        options = options or {}
        seed = int(self.np_random.integers(2**31)) if seed is None else int(seed)
        variation = options.get("variation", self._variation)
        if variation is None:
            variation = int(stream(seed, "variation").integers(self.variations))
        variation = arguments.checked_index("variation", variation, self.variations, self.task)
        if self._backend is None:
            self._backend = self._new_backend()
        self._episode = None
        episode = self._backend.reset(ResetRequest(seed, variation, self.protocol, self._perturbations))
        wanted = options.get("paraphrase", 0)
        paraphrase = arguments.checked_index("paraphrase", wanted, len(episode.instructions), self.task)
        self._episode, self._succeeded = episode, False
        self._fixed_info = {
            "instruction": episode.instructions[paraphrase],
            "variation": variation,
            "reset_seed": seed,
        }
        if self.segmentation:
            self._fixed_info["objects"] = tuple(episode.objects)
        if self._perturbations:
            self._fixed_info["perturbations"] = dict(episode.details.get("perturbations", {}))
        return self._observation(self.observe_images), self._info(self._backend.verdict())

    def step(self, action: np.ndarray) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Advance exactly 50 ms. The episode terminates with success, or without it where the task has failed."""
        backend, _ = self._live()
        feel = backend.proprioception()
        command = control_modes.to_command(
            action, self.action_spec, feel.joint_positions, feel.gripper_pose, backend.solve_ik
        )
        counts = backend.step(command.joints, command.gripper)
        verdict = backend.verdict()
        reward = 1.0 if verdict.success and not self._succeeded else 0.0
        self._succeeded |= bool(verdict.success)
        info = self._info(verdict, command, counts)
        over = self._succeeded or verdict.failed
        return self._observation(self.observe_images), reward, over, False, info

    def _info(
        self, verdict: Verdict, command: control_modes.Command | None = None, counts: Mapping[str, int] | None = None
    ) -> dict[str, Any]:
        success = self._succeeded or bool(verdict.success)
        return {
            **copy.deepcopy(self._fixed_info),  # users keep and change what they get
            "success": success,
            "is_success": success,
            "margin": float("nan") if verdict.margin is None else float(verdict.margin),
            "clipped": command.clipped if command else 0,
            "ik_unreached": int(command.ik_unreached) if command else 0,
            "speed_limited": 0,
            **{name: int(count) for name, count in (counts or {}).items()},
        }

    # ---------------------------------------------------------------- observations

    def observe(self) -> dict[str, Any]:
        """The observation of the present instant, images rendered, in the configured layout."""
        self._live()
        return self._observation(images=True)

    def _observation(self, images: bool) -> dict[str, Any]:
        backend, _ = self._live()
        frames = backend.render(self.cameras, self.image_size) if images and self.cameras else None
        return self._assemble(backend.proprioception(), frames)

    def _assemble(self, feel: Proprioception, frames: Mapping[str, Frame] | None) -> dict[str, Any]:
        objects = self._live()[1].objects
        seen: dict[str, np.ndarray] = {}
        for camera in self.cameras:
            if frames is None:
                seen |= layouts.blank_entries(camera, self.image_size, self.segmentation)
            else:
                seen |= layouts.camera_entries(camera, frames[camera], objects, self.partition, self.segmentation)
        seen |= layouts.state_entries(feel)
        return layouts.to_lerobot(seen) if self.obs_layout == "lerobot" else seen

    def render(self) -> np.ndarray | None:
        """The front view, uint8 (480, 480, 3), whatever cameras are observed; None without a render mode."""
        if self.render_mode is None:
            gym.logger.warn('this environment was made with render_mode=None; make it with render_mode="rgb_array"')
            return None
        backend, _ = self._live()
        return np.array(backend.render(("front",), RENDER_SIZE, objects=False)["front"].rgb, np.uint8)

    # ---------------------------------------------------------------- questions to the world

    @property
    def instruction(self) -> str:
        """What the robot is told in this episode."""
        self._live()
        return self._fixed_info["instruction"]

    @property
    def backend(self) -> Backend:
        """The world behind this episode, for tools that need more than an environment shows."""
        return self._live()[0]

    @property
    def binding(self) -> dict[str, str]:
        """What the names in the task's templates stand for in this episode."""
        return dict(self._live()[1].binding)

    def expert_chunk(self, horizon: int) -> np.ndarray:
        """(horizon, dim) float64 actions of the scripted expert from here, in this environment's control mode."""
        backend, _ = self._live()
        joints = np.array(backend.proprioception().joint_positions, float)
        targets = backend.expert_chunk(int(horizon))
        return control_modes.from_joint_targets(targets, self.action_spec, joints, backend.forward_kinematics)

    def present_factors(self) -> tuple[str, ...]:
        """Factors of the world that :meth:`counterfactual` can resample in this episode."""
        return tuple(self._live()[0].present_factors())

    def counterfactual(self, factors: Sequence[str] | str, seed: int, severity: float = 1.0) -> dict[str, Any]:
        """The present observation with ``factors`` of the world drawn again from ``seed``; nothing live changes.

        Images and masks are those of the resampled world, proprioception is the present one. ``severity`` scales the
        ranges of wall, floor and light. A factor that is not present raises with those that are.
        """
        backend, _ = self._live()
        wanted = (factors,) if isinstance(factors, str) else tuple(factors)
        present = self.present_factors()
        for factor in wanted:
            if factor not in present:
                raise lookup.unknown("factor of this episode", factor, present)
        frames = backend.counterfactual(wanted, int(seed), self.cameras, self.image_size, float(severity))
        return self._assemble(backend.proprioception(), frames)

    def task_contact(self) -> bool:
        """Whether an object is held or the robot touches a TARGET or FIXTURE."""
        return bool(self._live()[0].task_contact())

    def candidates(self) -> tuple[str, ...]:
        """The objects among which the task's right one must be found; empty when the task has no such choice."""
        return self.task_spec.candidates.props if self.task_spec.candidates else ()

    # ---------------------------------------------------------------- scene perturbations

    @property
    def perturbations(self) -> tuple[ScenePerturbation, ...]:
        """The scene perturbations in force from the next reset on."""
        return self._perturbations

    def add_perturbation(self, perturbation: ScenePerturbation) -> None:
        """Put a scene perturbation in force from the next reset on; a task that it cannot change raises."""
        perturbation.check(self.task_spec)
        if perturbation.name in {p.name for p in self._perturbations}:
            raise ConfigurationError(
                f"scene perturbation {perturbation.name!r} is already in force; call clear_perturbations() first"
            )
        self._perturbations = (*self._perturbations, perturbation)

    def clear_perturbations(self) -> None:
        """No scene perturbation from the next reset on."""
        self._perturbations = ()

    # ---------------------------------------------------------------- life

    def _new_backend(self) -> Backend:
        return arguments.backend_class(self.backend_name)(self.task_spec, **self.backend_options)

    def _live(self) -> tuple[Backend, Episode]:
        if self._backend is None or self._episode is None:
            raise gym.error.ResetNeeded("there is no episode yet; call reset() first")
        return self._backend, self._episode

    def close(self) -> None:
        """Free the simulator; harmless when done twice. A later reset starts a new one."""
        backend, self._backend, self._episode = getattr(self, "_backend", None), None, None
        if backend is not None:
            backend.close()

    def __getstate__(self) -> dict[str, Any]:
        return {
            "arguments": {**self._arguments, "variation": self._variation},
            "perturbations": self._perturbations,
            "observe_images": self.observe_images,
            "spec": self.spec,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A copy starts without a simulator: simulators do not travel between processes.
        HansGymEnv.__init__(self, **state["arguments"])
        self._perturbations, self.observe_images = state["perturbations"], state["observe_images"]
        self.spec = state["spec"]
