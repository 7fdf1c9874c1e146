"""``gr00t:tcp://HOST:PORT``: a policy behind GR00T's server (N1.6 and N1.7), over ZeroMQ.

The server takes whole batches, says which inputs it wants, and samples from a generator that no message reaches, so
``noise_control`` is ``none``. Names of cameras, states and actions differ from checkpoint to checkpoint: give a mapping
of your own, ``mapping=my_robot.toml``; where its names differ from the server's, the error lists both. Columns of an
action are the server's parts one after the other, in its own order.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from hansgym.agents import _remote, codec_gr00t
from hansgym.agents._arrays import actions_of
from hansgym.agents._websocket import MOST_BYTES, tail
from hansgym.batch import Batch
from hansgym.errors import AgentError, ConfigurationError
from hansgym.lookup import require

EXAMPLE = "gr00t:tcp://localhost:5555,mapping=my_robot.toml"
TOKEN = "GR00T_API_TOKEN"
"""Environment variable with the server's token, if it wants one (never part of a URI: results keep those)."""


def make(rest: str, **options: Any) -> Gr00tAgent:
    """``gr00t:tcp://HOST:PORT,mapping=my_robot.toml``; the options of all remote agents beside.

    ``history=repeat`` shows a policy that wants several past frames the present one several times, and flags it.
    """
    url, text = _remote.address(rest, ("tcp",), EXAMPLE)
    return Gr00tAgent(url, _remote.options(text, options, "agent 'gr00t'", {"history": str}))


class _Line:
    """A request, a reply; a line that failed is thrown away, for ZeroMQ would wait on it for ever."""

    def __init__(self, url: str, connect_s: float) -> None:
        self.zmq = require("zmq", codec_gr00t.EXTRA)
        self.url = url
        parts = urlsplit(url)
        try:
            socket.create_connection((parts.hostname or "", parts.port or 5555), timeout=connect_s).close()
        except (OSError, ValueError) as error:
            raise AgentError(
                f"no policy server answers at {url} ({error}); start it first, or use connect_s=… to wait longer"
            ) from error
        self._socket = self.zmq.Context.instance().socket(self.zmq.REQ)
        self._socket.setsockopt(self.zmq.LINGER, 0)
        self._socket.setsockopt(self.zmq.MAXMSGSIZE, MOST_BYTES)
        self._monitor = self._socket.get_monitor_socket(self.zmq.EVENT_DISCONNECTED)
        self._socket.connect(url if parts.port else f"{url}:5555")

    def ask(self, endpoint: str, data: Any, limit_s: float) -> Any:
        """The server's answer; every failure closes the line and raises :class:`AgentError`."""
        request = {"endpoint": endpoint} if data is None else {"endpoint": endpoint, "data": data}
        if TOKEN in os.environ:
            request["api_token"] = os.environ[TOKEN]
        try:
            return self._answer(codec_gr00t.pack(request), limit_s)
        except BaseException:
            self.close()
            raise

    def _answer(self, request: bytes, limit_s: float) -> Any:
        self._socket.send(request, self.zmq.NOBLOCK)
        poller = self.zmq.Poller()
        for one in (self._socket, self._monitor):
            poller.register(one, self.zmq.POLLIN)
        end = time.monotonic() + limit_s
        while True:
            ready = dict(poller.poll(max(0.0, end - time.monotonic()) * 1000))
            if self._socket in ready:
                break
            if self._monitor in ready:
                raise AgentError(
                    f"{self.url} broke the connection: the server died (start it again), or sent more than "
                    f"{MOST_BYTES} bytes, which is refused (use a server that answers with actions)"
                )
            if not ready:
                raise AgentError(f"{self.url} gave no answer within {limit_s:g} s; use timeout_s=… to wait longer")
        answer = codec_gr00t.unpack(self._socket.recv())
        if isinstance(answer, Mapping) and "error" in answer:
            raise AgentError(f"{self.url} says: {tail(str(answer['error']))}. See its log, and use names that it knows")
        return answer

    def close(self) -> None:
        """Leave at once."""
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close(0)


class Gr00tAgent(_remote.RemoteAgent):
    """A client of GR00T's protocol; a batch is one request."""

    def __init__(self, url: str, options: _remote.Options) -> None:
        super().__init__(f"gr00t:{url}", options)
        self.url = url
        self._line: _Line | None = None
        self._frames = {"video": 1, "state": 1}
        self._parts: list[str] = []
        flags = self._agree(self._request("get_modality_config", None, options.start_s))
        self.introduce(wire="gr00t", chunk_owner="agent", flags=flags)

    def query(self, batch: Batch, noise_seeds: np.ndarray, limit_s: float) -> list[np.ndarray]:
        """All rows in one request."""
        data = {"observation": self._observation(batch), "options": None}
        answer = self._request("get_action", data, limit_s)
        if not isinstance(answer, list | tuple) or not answer or not isinstance(answer[0], dict):
            raise AgentError(
                f"{self.name} sent {type(answer).__name__}; [actions, info] was due: use a server of N1.6 or N1.7"
            )
        parts = [self._part(answer[0], key, len(batch)) for key in self._parts]
        if len({p.shape[1] for p in parts}) != 1:
            raise AgentError(
                f"{self.name} sent parts of {[p.shape[1] for p in parts]} steps; they must be of one length"
            )
        return [actions_of(row, self.name) for row in np.concatenate(parts, axis=2)]

    def _part(self, actions: dict[Any, Any], key: str, rows: int) -> np.ndarray:
        if key not in actions:
            raise AgentError(
                f"{self.name} sent no action {key!r} but {sorted(map(str, actions))}; it must send those that its "
                "modality configuration names"
            )
        array = actions[key]
        if not isinstance(array, np.ndarray) or array.ndim != 3 or len(array) != rows:
            got = array.shape if isinstance(array, np.ndarray) else type(array).__name__
            raise AgentError(f"{self.name} sent action {key!r} as {got}; an array ({rows}, T, D) was due")
        return array

    def _observation(self, batch: Batch) -> dict[str, Any]:
        """``video`` (B, T, H, W, 3) uint8, ``state`` (B, T, D) float32, ``language`` B lists of one text."""
        shown, mapping = self.mapping.observe(batch), self.mapping

        def repeated(keys: list[str], frames: int) -> dict[str, np.ndarray]:
            return {key: np.repeat(shown[key][:, None], frames, axis=1) for key in keys}

        return {
            "video": repeated([v.key for v in mapping.views], self._frames["video"]),
            "state": repeated([s.key for s in mapping.states], self._frames["state"]),
            "language": {mapping.instruction.key: [[text] for text in mapping.tell(batch)]},
        }

    def _agree(self, said: Any) -> list[str]:
        """Hold the mapping against what the server says that it wants; returns what a result should mention."""
        wants = {name: _wanted(said, name, self.name) for name in ("video", "state", "language", "action")}
        self._parts = wants["action"][0]
        given = {
            "video": [view.key for view in self.mapping.views],
            "state": [state.key for state in self.mapping.states],
            "language": [self.mapping.instruction.key],
        }
        for name, ours in given.items():
            if set(ours) != set(wants[name][0]):
                raise ConfigurationError(
                    f"mapping {self.mapping.name!r} has {name} {sorted(ours)}, "
                    f"the server wants {sorted(wants[name][0])}; "
                    "give a mapping file whose keys of camera, state and instruction are the server's"
                )
        self._frames = {name: wants[name][1] for name in ("video", "state")}
        past = {name: n for name, n in self._frames.items() if n > 1}
        if past and self.options.more.get("history") != "repeat":
            raise ConfigurationError(
                f"the server wants {past} frames of the past, which a single observation has not; "
                "use history=repeat to show the present one several times"
            )
        return [f"the server wants past frames {past}; it is shown the present one several times"] if past else []

    def _request(self, endpoint: str, data: Any, limit_s: float) -> Any:
        if self._line is None:
            self._line = _Line(self.url, self.options.connect_s)
        try:
            return self._line.ask(endpoint, data, limit_s)
        except BaseException:
            self._line = None
            raise


def _wanted(said: Any, name: str, who: str) -> tuple[list[str], int]:
    """Keys and number of frames of one modality, from what the server says of itself."""
    entry = said.get(name) if isinstance(said, Mapping) else None
    if isinstance(entry, Mapping):
        keys, frames = entry.get("modality_keys"), entry.get("delta_indices")
        if isinstance(keys, list) and isinstance(frames, list) and frames:
            return [str(k).removeprefix(f"{name}.") for k in keys], len(frames)
    raise AgentError(
        f"{who} says {entry!r:.120} of its {name}; modality_keys and delta_indices were due: "
        "use a server of N1.6 or N1.7"
    )
