"""``hansgym serve``: any of our agents behind openpi's or vla-eval's protocol, for people who live there.

Every connection is a lane of its own. The agent answers one question at a time. With a stock client, which has no way
to send noise seeds, they are counted up from the run seed, the lane and its episode's seed.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import numpy as np

import hansgym
from hansgym.agent import Agent
from hansgym.agents import codec_openpi, own_wire
from hansgym.agents import codec_vla_eval as vla_eval
from hansgym.agents._websocket import MOST_BYTES
from hansgym.agents.codec_vla_eval import Message
from hansgym.batch import STATE_KEYS, Batch
from hansgym.errors import AgentError, ConfigurationError, HansGymError
from hansgym.lookup import require, unknown
from hansgym.seeds import seed_of
from hansgym.specs import check_chunk

PROTOCOLS = ("openpi", "vla-eval")
WIDTHS = {"joint_positions": 7, "joint_velocities": 7, "gripper_open": 1, "gripper_pose": 7}

_log = logging.getLogger("hansgym.serve")


class Desk:
    """An agent that answers one caller at a time."""

    def __init__(self, agent: Agent, run_seed: int = 0) -> None:
        if agent.spec.needs:
            raise ConfigurationError(
                f"agent {agent.spec.name!r} needs {sorted(agent.spec.needs)}, which only an environment has; "
                "serve an agent that acts on what it sees"
            )
        self.agent, self.run_seed = agent, run_seed
        self._lock = threading.Lock()
        self._lanes: dict[tuple[int, int], int] = {}

    def lane(self, connection: int, theirs: int) -> int:
        """The agent's lane for one of a connection's."""
        with self._lock:
            return self._lanes.setdefault((connection, theirs), len(self._lanes))

    def reset(self, lane: int, seed: int) -> None:
        """A new episode on ``lane``."""
        with self._lock:
            self.agent.reset([lane], [seed])

    def act(self, batch: Batch, noise_seed: int) -> np.ndarray:
        """The chunk (horizon, dim) float64 for a batch of one row."""
        with self._lock:
            chunk = self.agent.act(batch, np.array([noise_seed], np.uint64))
        return check_chunk(chunk, 1, self.agent.spec)[0]

    def row(self, images: Mapping[str, Any], state: Mapping[str, Any], instruction: Any, lane: int) -> Batch:
        """One row out of what a caller sent, every part checked; sizes are brought to the agent's."""
        if not isinstance(instruction, str):
            raise AgentError(f"the instruction is a {type(instruction).__name__}; it must be text")
        pictures = {c: self._picture(c, images.get(c))[None] for c in self.agent.spec.cameras}
        vectors = {k: _vector(k, state[k])[None] for k in STATE_KEYS if k in state}
        return Batch(pictures, vectors, (instruction,), np.array([lane]))

    def _picture(self, camera: str, image: Any) -> np.ndarray:
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            got = f"{image.shape} {image.dtype}" if isinstance(image, np.ndarray) else type(image).__name__
            raise AgentError(f"the image of camera {camera!r} is {got}; (height, width, 3) uint8 was due")
        size = self.agent.spec.image_size
        if size is None or image.shape[:2] == (size, size):
            return image
        import cv2

        shrinking = image.shape[0] * image.shape[1] > size * size
        return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)


def _vector(name: str, value: Any) -> np.ndarray:
    try:
        array = np.asarray(value, np.float32)
    except (TypeError, ValueError):
        array = np.empty(0, np.float32)
    if array.shape != (WIDTHS[name],) or not np.isfinite(array).all():
        raise AgentError(f"state {name!r} is {value!r:.120}; {WIDTHS[name]} finite numbers were due")
    return array


class OpenpiTalk:
    """One connection that speaks openpi's protocol."""

    def __init__(self, desk: Desk, connection: int) -> None:
        self.desk, self.connection = desk, connection
        self._asked: dict[int, int] = {}

    def run(self, socket: Any) -> None:
        """Say what is served, then answer until the caller leaves; an error ends the talk, as in openpi's server."""
        socket.send(codec_openpi.pack(own_wire.announce(self.desk.agent.spec)))
        for data in socket:
            try:
                answer = self.answer(codec_openpi.unpack(_bytes(data)))
            except Exception as error:
                _log.exception("openpi caller %d", self.connection)
                socket.send(_complaint(error))
                socket.close(1011, "see the text message before this")
                return
            socket.send(codec_openpi.pack({"actions": answer}))

    def answer(self, observation: Any) -> np.ndarray:
        """The chunk for one observation."""
        if not isinstance(observation, dict):
            raise AgentError(f"an observation arrived as {type(observation).__name__}; it must be a map")
        spec, aside = self.desk.agent.spec, observation.get(own_wire.KEY, {})
        if not isinstance(aside, dict) or any(type(v) is not int or not 0 <= v < 2**64 for v in aside.values()):
            raise AgentError(f"{own_wire.KEY!r} is {aside!r:.120}; it must be a map of whole numbers")
        lane = self.desk.lane(self.connection, aside.get("lane", 0))
        if "reset_seed" in aside or lane not in self._asked:
            self.desk.reset(lane, aside.get("reset_seed", 0))
            self._asked[lane] = 0
        images = {c: observation.get(own_wire.image_key(c)) for c in spec.cameras}
        missing = [own_wire.image_key(c) for c, image in images.items() if image is None]
        if missing:
            raise AgentError(f"the observation has {sorted(map(str, observation))}; it needs {', '.join(missing)} too")
        state = {k: observation[own_wire.state_key(k)] for k in STATE_KEYS if own_wire.state_key(k) in observation}
        batch = self.desk.row(images, state, observation.get(own_wire.PROMPT), lane)
        seed = aside.get("noise_seed", seed_of(self.desk.run_seed, "serve", lane, self._asked[lane]))
        self._asked[lane] += 1
        return self.desk.act(batch, seed)


class VlaEvalTalk:
    """One connection that speaks vla-eval's protocol; ``execute`` 0 sends whole chunks, else single actions."""

    def __init__(self, desk: Desk, connection: int, execute: int) -> None:
        self.desk, self.execute = desk, execute
        self.lane = desk.lane(connection, 0)
        self._queue: deque[np.ndarray] = deque()
        self._seed = self._asked = 0
        desk.reset(self.lane, 0)

    def run(self, socket: Any) -> None:
        """Answer until the caller leaves; an error is a message, and the talk goes on, as in vla-eval's server."""
        for data in socket:
            message = vla_eval.unpack(_bytes(data))
            try:
                reply = self.reply(message)
            except Exception as error:
                _log.exception("vla-eval caller, lane %d", self.lane)
                said = f"{message.type}_failed: {type(error).__name__}: {error}"
                reply = Message("error", {"error": said}, message.seq)
            if reply is not None:
                socket.send(vla_eval.pack(reply))

    def reply(self, message: Message) -> Message | None:
        """What one message is answered with; the beginning and end of an episode with nothing."""
        if message.type == "hello":
            return Message("hello", self._hello(), message.seq)
        if message.type == "observation":
            return Message("action", {"actions": self._actions(message.payload)}, message.seq)
        if message.type == "episode_start":
            task = message.payload.get("task")
            seed = task.get("seed") if isinstance(task, dict) else None
            self._seed = seed if type(seed) is int and 0 <= seed < 2**64 else 0
            self._asked = 0
            self._queue.clear()
            self.desk.reset(self.lane, self._seed)
        elif message.type == "episode_end":
            self._queue.clear()
        return None

    def _hello(self) -> dict[str, Any]:
        spec = self.desk.agent.spec
        return {
            "harness_version": f"hansgym {hansgym.__version__}",
            "protocol_version": vla_eval.VERSION,
            "model_server": spec.name,
            "capabilities": {},
            "observation_params": {"send_state": True, "send_wrist_image": "wrist" in spec.cameras},
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
        seed = seed_of(self.desk.run_seed, "serve", self._seed, self._asked)
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
        ends = np.cumsum([WIDTHS[k] for k in STATE_KEYS])
        if array.shape != (ends[-1],):
            layout = ", ".join(f"{k} ({WIDTHS[k]})" for k in STATE_KEYS)
            raise AgentError(f"states have shape {array.shape}; send a map by name, or {ends[-1]} numbers: {layout}")
        return dict(zip(STATE_KEYS, np.split(array, ends[:-1]), strict=True))


def _bytes(data: Any) -> bytes:
    if isinstance(data, str):
        raise AgentError(f"a text message arrived ({data[:80]!r}); it must be a binary one")
    return bytes(data)


def _complaint(error: Exception) -> str:
    """What the caller is told: our own errors as they are, others with where they came from."""
    return str(error) if isinstance(error, HansGymError) else "".join(traceback.format_exception(error))


@contextmanager
def serving(
    agent: Agent, protocol: str = "openpi", host: str = "127.0.0.1", port: int = 0, execute: int = 0, run_seed: int = 0
) -> Iterator[Any]:
    """A server of ``agent``, listening: call its ``serve_forever()``, and ``shutdown()`` from another thread.

    ``protocol``: one of :data:`PROTOCOLS`. ``port`` 0 takes a free one; ``server.socket.getsockname()`` says which.
    ``execute`` (vla-eval): send so many actions of each chunk one by one; 0 sends whole chunks.
    """
    require("websockets", codec_openpi.EXTRA)
    require("msgpack", codec_openpi.EXTRA)
    from websockets.sync.server import serve

    if protocol not in PROTOCOLS:
        raise unknown("protocol", protocol, PROTOCOLS)
    if not 0 <= execute <= agent.spec.horizon:
        raise ConfigurationError(
            f"execute={execute}, but agent {agent.spec.name!r} predicts {agent.spec.horizon} steps; choose 1 to "
            f"{agent.spec.horizon}, or 0 for whole chunks"
        )
    desk, numbers = Desk(agent, run_seed), iter(range(2**62))

    def talk(socket: Any) -> None:
        from websockets.exceptions import ConnectionClosed

        one = OpenpiTalk(desk, next(numbers)) if protocol == "openpi" else VlaEvalTalk(desk, next(numbers), execute)
        try:
            one.run(socket)
        except ConnectionClosed:
            _log.info("a caller left")
        except AgentError as error:
            _log.warning("a caller was shown out: %s", error)

    def health(socket: Any, request: Any) -> Any:
        page = {"/healthz": "OK\n", "/health": '{"status": "ok"}\n'}.get(request.path)
        return None if page is None else socket.respond(HTTPStatus.OK, page)

    try:
        server = serve(
            talk, host, port, process_request=health, compression=None, max_size=MOST_BYTES, ping_interval=None
        )
    except (OSError, OverflowError) as error:
        raise ConfigurationError(f"{host}:{port} cannot be listened at ({error}); choose another --port") from error
    with server:
        yield server
