"""Our tasks for people who live in vla-eval: ``benchmark: "hansgym.integrations.vla_eval:HansGymBenchmark"``.

vla-eval imports this module before it has chosen how to render, so no simulator is loaded before the first episode.
``docs/vla_eval.md`` has a whole configuration file; ``pip install 'hansgym[vla-eval]'``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np

from hansgym.agents import vla_eval_interface
from hansgym.agents.mapping import load
from hansgym.batch import STATE_KEYS, Batch
from hansgym.benchmarks import listing
from hansgym.envs.registration import env_id, index
from hansgym.errors import ConfigurationError, InvalidActionError, MissingExtraError
from hansgym.integrations import _entries
from hansgym.lookup import unknown
from hansgym.specs import CAMERAS, ActionSpec

try:
    from vla_eval.benchmarks.base import StepBenchmark, StepResult
    from vla_eval.recording import NullEpisodeRecorder
    from vla_eval.specs import IMAGE_RGB, LANGUAGE, DimSpec
except ImportError as error:
    raise MissingExtraError(
        f"this needs 'vla_eval' 0.8 ({error}). Install it with: pip install 'hansgym[vla-eval]'"
    ) from error

BASE_AND_WRIST = ("front", "wrist")
COUNTS = ("clipped", "ik_unreached", "speed_limited")
MESA = "/usr/share/glvnd/egl_vendor.d/50_mesa.json"
HOLD = "hold"


class HansGymBenchmark(StepBenchmark):
    """HansGym's tasks under vla-eval's runner.

    What is not obvious:

    - **An episode is a pure function of (task, variation, seed).** Episode ``i`` of an entry is reset with
      ``seed + i``: the seeds, and so the episodes, of ``hansgym evaluate --seeds``. Which process or shard runs it,
      and what ran there before, changes no byte.
    - **A policy server may fill in parameters that your configuration leaves out**, the seed among them: give them all.
    - One entry of ``get_tasks`` per task and variation, named ``close_jar/3``, with the fields ``task``, ``variation``
      and ``seed``; ``variations="drawn"`` makes one per task, ``close_jar``, whose seed draws the variation.
    - ``images`` come base camera first, wrist second (servers take them by position), then the others.
    - ``states`` is one float32 vector of 22: joint positions (7, rad), joint velocities (7, rad/s), gripper open (1),
      tip pose (7, m and quaternion xyzw). ``mapping`` (a ready mapping or a file, see ``docs/policies.md``) makes both
      images and states what some checkpoint knows, and turns its actions into ours.
    - An observation is answered with one action, (dim,) or (1, dim), that lasts 50 ms (with a mapping: as many control
      steps as its rate says). A server that sends whole chunks is an error that says so.
    - Each task ends at its own step limit; ``max_steps`` is the greatest of them.
    - Between actions in live mode the arm holds its last target; run it with ``hz: 20``.
    """

    render_backends: ClassVar[frozenset[str]] = frozenset({"gpu", "cpu"})
    _ALL_RECORD_FIELDS: ClassVar[frozenset[str]] = frozenset({"reward", "done", "success", "margin"})

    @classmethod
    def configure_render(cls, mode: str) -> dict[str, str]:
        """``cpu``: EGL with Mesa's software driver, also beside a GPU; ``gpu``: EGL as the machine has it."""
        env = {"MUJOCO_GL": os.environ.get("MUJOCO_GL") or "egl"}
        if mode == "cpu":
            env |= {"MUJOCO_GL": "egl", "PYOPENGL_PLATFORM": "egl", "LIBGL_ALWAYS_SOFTWARE": "1"}
            env |= {"__EGL_VENDOR_LIBRARY_FILENAMES": MESA} if Path(MESA).is_file() else {}
        os.environ.update(env)
        return env

    def __init__(
        self,
        suite: str | None = None,
        tasks: Sequence[str] | str | None = None,
        variations: str | Sequence[int] = _entries.ALL,
        seed: int = 0,
        cameras: Sequence[str] | None = None,
        image_size: int | None = None,
        control: str | None = None,
        send_wrist_image: bool = True,
        send_state: bool = True,
        protocol: str = "default",
        mapping: str | None = None,
    ) -> None:
        """``suite`` or ``tasks`` (names, a list or with commas), one of the two. ``cameras``: front and wrist, or those
        of ``mapping``. ``image_size``: 224, or that of ``mapping``. ``control``: joint_position, or that of
        ``mapping``. ``protocol``: default or agnostos. What cannot work raises, saying what is allowed.
        """
        super().__init__()
        self.tasks, self.suite = listing.chosen(tasks, suite), suite or "hansgym"
        self.mapping = None if mapping is None else load(mapping)
        self.control = control or (self.mapping.control if self.mapping else "joint_position")
        self.action = ActionSpec.of(self.control)
        if self.mapping is not None:
            self.mapping.check(self.action)
        self.cameras = vla_eval_interface.ordered(cameras or (self.mapping.cameras if self.mapping else BASE_AND_WRIST))
        self.image_size = image_size or (self.mapping.image_size if self.mapping else None) or 224
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise ConfigurationError(f"seed is {seed!r}; give a whole number from 0 up")
        self.seed, self.protocol = seed, protocol
        self.send_wrist_image, self.send_state = bool(send_wrist_image), bool(send_state)
        self.variations = variations
        self._recorder = NullEpisodeRecorder()
        self._env: gym.Env | None = None
        self._env_task: str | None = None
        self._seen: dict[str, Any] = {}
        self._end: dict[str, Any] = {}
        self._last: np.ndarray | None = None
        _require_cameras(self.cameras)
        self.get_tasks()

    # ---------------------------------------------------------------- what there is

    def get_tasks(self) -> list[dict[str, Any]]:
        """One dict per task and variation: ``name``, ``suite``, ``task``, ``variation`` and ``seed`` (int)."""
        found = []
        for task in self.tasks:
            for k in _entries.variations(task, self.variations, self.protocol):
                entry = {"name": task, "suite": self.suite, "task": task, "seed": self.seed}
                found.append(entry if k is None else {**entry, "name": f"{task}/{k}", "variation": k})
        return found

    def get_metadata(self) -> dict[str, Any]:
        """``max_steps``: the greatest step limit of the chosen tasks, in actions."""
        limits = [row["max_episode_steps"] for row in index() if row["task"] in self.tasks]
        return {"max_steps": -(-max(limits) // self._steps_each)}

    @property
    def _steps_each(self) -> int:
        """Control steps of one action."""
        return 1 if self.mapping is None else self.mapping.steps(1)

    def get_metric_keys(self) -> dict[str, str]:
        """Success, the control steps it took, and how often an action could not be followed to the letter."""
        return {"success": "mean", "control_steps": "mean", **dict.fromkeys(COUNTS, "sum")}

    def get_action_spec(self) -> dict[str, DimSpec]:
        """Our control mode with its units, or the mapping's own convention."""
        if self.mapping is not None:
            dim = self.mapping.action.dim
            return {"actions": DimSpec("actions", dim, f"mapping_{self.mapping.name}", description=self.mapping.about)}
        return {n: DimSpec.from_dict(part) for n, part in vla_eval_interface.action_parts(self.action).items()}

    def get_observation_spec(self) -> dict[str, DimSpec]:
        """The cameras sent, the state vector and the instruction."""
        sent = {c: IMAGE_RGB for c in self.cameras if self.send_wrist_image or c != "wrist"}
        if self.send_state and self.mapping is None:
            width = sum(vla_eval_interface.STATE_WIDTHS[k] for k in STATE_KEYS)
            sent["state"] = DimSpec("state", width, vla_eval_interface.STATE_FORMAT)
        return {**sent, "language": LANGUAGE}

    # ---------------------------------------------------------------- an episode

    def reset(self, task: Mapping[str, Any]) -> Any:
        """Arrange the episode of ``task`` (an entry of :meth:`get_tasks`; ``episode_idx`` is added to its seed)."""
        env = self._environment(task["task"])
        options = {"variation": task["variation"]} if "variation" in task else {}
        observation, info = env.reset(seed=int(task["seed"]) + int(task.get("episode_idx", 0)), options=options)
        self._end = {"reset_seed": info["reset_seed"], "variation": info["variation"], "control_steps": 0}
        self._end |= {"success": bool(info["success"]), **dict.fromkeys(COUNTS, 0)}
        self._last = None
        self._seen = observation
        self._recorder.record_video(observation[f"{self.cameras[0]}_rgb"])
        return observation

    def step(self, action: Mapping[str, Any]) -> StepResult:
        """Carry out one action of the policy."""
        env, reward, done = self._environment(None), 0.0, False
        info: dict[str, Any] = {}
        for command in self._commands(action):
            self._last = command
            self._seen, one, terminated, truncated, info = env.step(command)
            reward, done = reward + float(one), bool(terminated or truncated)
            self._end["control_steps"] += 1
            for name in COUNTS:
                self._end[name] += int(info[name])
            if done:
                break
        self._end["success"] = bool(info["success"])
        # A margin that is not defined would be NaN, which JSON does not have.
        margin = {"margin": float(info["margin"])} if np.isfinite(info["margin"]) else {}
        self._end.pop("margin", None)
        self._end |= margin
        self._recorder.record_video(self._seen[f"{self.cameras[0]}_rgb"])
        self._recorder.record_step(reward=reward, done=done, success=self._end["success"], **margin)
        return StepResult(obs=self._seen, reward=reward, done=done, info=dict(self._end))

    def make_obs(self, raw_obs: Any, task: Mapping[str, Any]) -> dict[str, Any]:
        """``images``, ``task_description`` and, unless turned off, ``states``."""
        env = self._environment(None)
        instruction = env.get_wrapper_attr("instruction")
        if self.mapping is None:
            images = {c: raw_obs[f"{c}_rgb"] for c in self.cameras}
            sent = {"images": images, "task_description": instruction, "states": vla_eval_interface.states(raw_obs)}
        else:
            batch = Batch.from_observations([raw_obs], [instruction], self.cameras)
            sent = vla_eval_interface.observations(self.mapping, batch)[0]
        if not self.send_wrist_image:
            sent["images"] = {k: v for k, v in sent["images"].items() if k != "wrist"}
        if not self.send_state:
            sent.pop("states", None)
        return sent

    def get_step_result(self, step_result: StepResult) -> dict[str, Any]:
        """``success``; what the episode was: ``reset_seed``, ``variation``; and how it went: ``control_steps``, the
        counts of :data:`COUNTS`, ``margin`` (m or rad still missing) where the task defines one.
        """
        return dict(self._end)

    def get_hold_action(self, last_action: Mapping[str, Any] | None) -> dict[str, Any]:
        """Stay: the last target where targets are absolute, no change where they are changes."""
        return {HOLD: True}

    def _commands(self, action: Mapping[str, Any]) -> np.ndarray:
        """(n, dim) float64 in our control mode: one control step, or as many as the mapping's rate says."""
        if action.get(HOLD) is True:
            return np.repeat(self._hold()[None], self._steps_each, axis=0)
        given = action.get("actions", action.get("action"))
        if given is None:
            raise InvalidActionError(f"the server sent {sorted(map(str, action))}; it must send actions")
        array = np.asarray(given)
        dim = self.action.dim if self.mapping is None else self.mapping.action.dim
        if array.shape not in ((dim,), (1, dim)):
            raise InvalidActionError(
                f"the server sent actions of shape {array.shape}; ({dim},) was due, one action for each observation: "
                "give the server a chunk_size (hansgym serve: --execute 8), or choose the control or mapping that fits"
            )
        if self.mapping is None:
            return array.reshape(1, dim)
        batch = Batch.from_observations([self._seen], [""], ())
        return self.mapping.actions(np.asarray(array, np.float64).reshape(1, 1, dim), batch)[0]

    def _hold(self) -> np.ndarray:
        seen = self._seen
        gripper = np.asarray(seen["gripper_open"], float) if self._last is None else self._last[-1:]
        if self.action.delta:
            return np.append(np.zeros(self.action.dim - 1), gripper)
        if self._last is not None:
            return self._last
        key = "joint_positions" if self.action.frame == "joint" else "gripper_pose"
        return np.append(np.asarray(seen[key], float), gripper)

    # ---------------------------------------------------------------- the world

    def _environment(self, task: str | None) -> gym.Env:
        """The one environment, made anew for another ``task``; None asks for the present one."""
        if task is not None and task != self._env_task:
            self.cleanup()
            size, control = self.image_size, self.control
            self._env = gym.make(
                env_id(task),
                cameras=self.cameras,
                image_size=size,
                control=control,
                protocol=_entries.task_protocol(task, self.protocol),
            )
            self._env_task = task
        if self._env is None:
            raise gym.error.ResetNeeded("there is no episode yet; call reset(task) first")
        return self._env

    def render(self) -> np.ndarray | None:
        """The front view, uint8 (480, 480, 3); None before the first episode."""
        return None if self._env is None else np.asarray(self._env.render())

    def cleanup(self) -> None:
        """Free the simulator."""
        env, self._env, self._env_task = self._env, None, None
        if env is not None:
            env.close()


def _require_cameras(cameras: Sequence[str]) -> None:
    for camera in cameras:
        if camera not in CAMERAS:
            raise unknown("camera", str(camera), CAMERAS)
    if not cameras:
        raise ConfigurationError(f"at least one camera is needed; choose of {', '.join(CAMERAS)}")
