"""``hansgym serve``: any of our agents behind openpi's or vla-eval's protocol, for people who live there.

Every connection is a lane of its own. The agent answers one question at a time. With a stock client, which has no way
to send noise seeds, they are counted up from the run seed, the lane and its episode's seed; an episode of our own tasks
under vla-eval's runner gets those that our own runner would use.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import numpy as np

from hansgym.agent import Agent
from hansgym.agents import codec_openpi, own_wire
from hansgym.agents._websocket import MOST_BYTES
from hansgym.batch import STATE_KEYS
from hansgym.benchmarks.desk import Desk, binary
from hansgym.benchmarks.serve_vla_eval import VlaEvalTalk
from hansgym.errors import AgentError, ConfigurationError, HansGymError
from hansgym.lookup import require, unknown
from hansgym.seeds import seed_of

PROTOCOLS = ("openpi", "vla-eval")

_log = logging.getLogger("hansgym.serve")


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
                answer = self.answer(codec_openpi.unpack(binary(data)))
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
