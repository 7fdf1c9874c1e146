"""One caller that speaks vla-eval's protocol, for :mod:`hansgym.benchmarks.serve`."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

import hansgym
from hansgym.agents import codec_vla_eval as codec
from hansgym.agents.codec_vla_eval import Message
from hansgym.agents.vla_eval_interface import STATE_WIDTHS, action_parts, ordered
from hansgym.batch import STATE_KEYS
from hansgym.benchmarks.desk import Desk, binary
from hansgym.errors import AgentError
from hansgym.seeds import agent_seed, noise_seed, seed_of

OUR_BENCHMARK = "hansgym.integrations."
"""What our own benchmark is called when it introduces itself to a server begins so."""

_log = logging.getLogger("hansgym.serve")


class VlaEvalTalk:
    """One connection that speaks vla-eval's protocol; ``execute`` 0 sends whole chunks, else single actions."""

    def __init__(self, desk: Desk, connection: int, execute: int) -> None:
        self.desk, self.execute = desk, execute
        self.lane = desk.lane(connection, 0)
        self._queue: deque[np.ndarray] = deque()
        self._task: str | None = None
        self._seed = self._asked = 0
        desk.reset(self.lane, 0)

    def run(self, socket: Any) -> None:
        """Answer until the caller leaves; an error is a message, and the talk goes on, as in vla-eval's server."""
        for data in socket:
            message = codec.unpack(binary(data))
            try:
                reply = self.reply(message)
            except Exception as error:
                _log.exception("vla-eval caller, lane %d", self.lane)
                said = f"{message.type}_failed: {type(error).__name__}: {error}"
                reply = Message("error", {"error": said}, message.seq)
            if reply is not None:
                socket.send(codec.pack(reply))

    def reply(self, message: Message) -> Message | None:
        """What one message is answered with; the beginning and end of an episode with nothing."""
        if message.type == "hello":
            return Message("hello", self._hello(message.payload.get("benchmark")), message.seq)
        if message.type == "observation":
            return Message("action", {"actions": self._actions(message.payload)}, message.seq)
        if message.type == "episode_start":
            self._begin(message.payload.get("task"))
        elif message.type == "episode_end":
            self._queue.clear()
        return None

    def _begin(self, told: Any) -> None:
        """A new episode. One of our own tasks gets the seeds that our own runner would give it."""
        task = told if isinstance(told, dict) else {}
        first, index = (v if type(v := task.get(k)) is int and v >= 0 else 0 for k in ("seed", "episode_idx"))
        self._seed = (first + index) % 2**64
        self._task = task["task"] if isinstance(task.get("task"), str) else None
        self._asked = 0
        self._queue.clear()
        run = self.desk.run_seed
        self.desk.reset(self.lane, self._seed if self._task is None else agent_seed(run, self._task, self._seed))

    def _noise_seed(self) -> int:
        run = self.desk.run_seed
        if self._task is None:
            return seed_of(run, "serve", self._seed, self._asked)
        return noise_seed(run, self._task, self._seed, self._asked)

    def _hello(self, benchmark: Any) -> dict[str, Any]:
        spec = self.desk.agent.spec
        wanted: dict[str, Any] = {"send_state": True, "send_wrist_image": "wrist" in spec.cameras}
        if isinstance(benchmark, str) and benchmark.startswith(OUR_BENCHMARK):
            # Others may mean something else by these names; ours fills in what its user's file leaves open.
            wanted |= {"cameras": list(ordered(spec.cameras)), "control": spec.action.mode}
            wanted |= {} if spec.image_size is None else {"image_size": spec.image_size}
        return {
            "harness_version": f"hansgym {hansgym.__version__}",
            "protocol_version": codec.VERSION,
            "model_server": spec.name,
            "capabilities": {},
            "observation_params": wanted,
            "action_spec": action_parts(spec.action),
        }

    def _actions(self, payload: Mapping[str, Any]) -> np.ndarray:
        """(dim,) or (horizon, dim) float32; while actions are queued, what is shown is not looked at."""
        if not self._queue:
            chunk = self._chunk(payload).astype(np.float32)
            if self.execute == 0:
                return chunk
            self._queue.extend(chunk[: self.execute])
        return self._queue.popleft()

    def _chunk(self, payload: Mapping[str, Any]) -> np.ndarray:
        seed = self._noise_seed()
        batch = self.desk.row(self._images(payload), self._state(payload), payload.get("task_description"), self.lane)
        self._asked += 1
        return self.desk.act(batch, seed)

    def _images(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """By name where the names are ours, else by position, which is the custom among vla-eval's servers."""
        cameras, images = self.desk.agent.spec.cameras, payload.get("images")
        if not isinstance(images, dict):
            raise AgentError(f"images arrived as {type(images).__name__}; they must be a map of pictures")
        if set(cameras) <= set(images):
            return {c: images[c] for c in cameras}
        if len(images) != len(cameras):
            raise AgentError(
                f"images are {list(images)}; the agent wants {list(cameras)}: send them by name, or in this order"
            )
        return dict(zip(cameras, images.values(), strict=True))

    def _state(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """A map by name, or one vector with everything in the order of :data:`hansgym.batch.STATE_KEYS`."""
        given = payload.get("states", payload.get("state"))
        if given is None or isinstance(given, dict):
            return dict(given or {})
        array = np.asarray(given)
        ends = np.cumsum([STATE_WIDTHS[k] for k in STATE_KEYS])
        if array.shape != (ends[-1],):
            layout = ", ".join(f"{k} ({STATE_WIDTHS[k]})" for k in STATE_KEYS)
            raise AgentError(f"states have shape {array.shape}; send a map by name, or {ends[-1]} numbers: {layout}")
        return dict(zip(STATE_KEYS, np.split(array, ends[:-1]), strict=True))
