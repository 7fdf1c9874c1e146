"""``openvla:PATH``: an OpenVLA checkpoint in this process. ``openvla:http://HOST:PORT``: OpenVLA's and OFT's servers.

In process (:mod:`hansgym.agents._openvla_local`) actions are decoded in batches, and the log-probabilities of their
tokens can be had. Both servers answer ``POST /act``; what they want to be sent is the mapping's: ``openvla_bridge``
and ``openvla_libero_single`` (one image, one action) or ``openvla_libero`` (OFT's names, two images, proprioception, a
chunk). When something goes wrong inside, they answer "error" with status 200 and nothing more: their own log has the
reason.
"""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from hansgym.agent import Agent
from hansgym.agents import _remote, codec_json_numpy
from hansgym.agents._arrays import actions_of
from hansgym.agents._websocket import MOST_BYTES, tail
from hansgym.batch import Batch
from hansgym.errors import AgentError

EXAMPLE = "openvla:http://localhost:8000,unnorm_key=bridge_orig"


def make(rest: str, **options: Any) -> Agent:
    """``openvla:http://HOST:PORT,mapping=openvla_libero,unnorm_key=…``; the options of all remote agents beside.

    Or ``openvla:PATH,unnorm_key=…,trust_remote_code=true``, a checkpoint folder. The model's program is not part of any
    library: ``trust_remote_code=true`` lets the files of that folder run, ``code=<folder>`` those of another one.
    Beside: ``mapping``, ``horizon``, ``prompt``, ``device``, ``dtype``, ``max_batch``, see
    :class:`hansgym.agents._openvla_local.Options`.

    ``unnorm_key``: whose statistics scale the actions; needed where there are several data sets. An OFT server has it
    fixed.
    """
    place, _, settings = rest.partition(",")
    if place and "://" not in place:
        from hansgym.agents._openvla_local import make as make_local

        return make_local(place, settings, options)
    url, text = _remote.address(rest, ("http",), EXAMPLE)
    chosen = _remote.options(
        text, options, "agent 'openvla'", {"unnorm_key": str}, mapping="openvla_bridge", noise="auto", start_s=120.0
    )
    return OpenvlaAgent(url, chosen)


class OpenvlaAgent(_remote.RemoteAgent):
    """A client of the REST protocol; every request stands alone."""

    def __init__(self, url: str, options: _remote.Options) -> None:
        super().__init__(f"openvla:{url}", options)
        parts = urlsplit(url)
        try:
            self._host, self._port = parts.hostname or "", parts.port or 8000
        except ValueError as error:
            raise AgentError(f"{url!r} is not an address ({error}); write http://HOST:PORT") from error
        self._path = (
            parts.path.rstrip("/") if parts.path.rstrip("/").endswith("/act") else f"{parts.path.rstrip('/')}/act"
        )
        self.introduce(wire="openvla", chunk_owner="agent")

    def query(self, batch: Batch, noise_seeds: np.ndarray, limit_s: float) -> list[np.ndarray]:
        """One request per row."""
        shown, told, key = self.mapping.observe(batch), self.mapping.tell(batch), self.mapping.instruction.key
        return [
            self._one({**{name: values[row] for name, values in shown.items()}, key: told[row]}, limit_s)
            for row in range(len(batch))
        ]

    def _one(self, payload: dict[str, Any], limit_s: float) -> np.ndarray:
        """(T, A): the server's answer to one observation."""
        if "unnorm_key" in self.options.more:
            payload["unnorm_key"] = str(self.options.more["unnorm_key"])
        answer = codec_json_numpy.loads(self._post(codec_json_numpy.dumps(payload), limit_s))
        if isinstance(answer, str) and answer != "error":
            answer = codec_json_numpy.loads(answer)  # servers that were asked in JSON within JSON answer so
        if isinstance(answer, str):
            raise AgentError(
                f"{self.name} answered {answer!r:.80}, as these servers do when anything goes wrong; see its log: "
                "often a missing unnorm_key=<data set>, or a mapping whose inputs it does not know"
            )
        if isinstance(answer, dict):
            raise AgentError(f"{self.name} answered a map of {sorted(answer)}; an array of actions was due")
        actions = actions_of(answer, self.name)
        return actions if actions.ndim == 2 else actions[None]

    def _post(self, body: str, limit_s: float) -> bytes:
        """The body of the reply to ``body``; every failure raises :class:`AgentError`."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self.options.connect_s)
        try:
            try:
                connection.connect()
            except OSError as error:
                raise AgentError(
                    f"no policy server answers at {self._host}:{self._port} ({error}); start it first, "
                    "or use connect_s=… to wait longer"
                ) from error
            connection.sock.settimeout(limit_s)
            connection.request("POST", self._path, body.encode(), {"Content-Type": "application/json"})
            reply = connection.getresponse()
            data = reply.read(MOST_BYTES + 1)
        except TimeoutError as error:
            raise AgentError(
                f"{self.name} gave no answer within {limit_s:g} s; use timeout_s=… to wait longer"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise AgentError(
                f"{self.name} broke the connection ({type(error).__name__}: {error}); did the server die? "
                "Start it again"
            ) from error
        finally:
            connection.close()
        if len(data) > MOST_BYTES:
            raise AgentError(
                f"{self.name} sent more than {MOST_BYTES} bytes, which is refused; use a server that sends actions"
            )
        if reply.status != 200:
            raise AgentError(
                f"{self.name} answered status {reply.status}: {tail(data.decode(errors='replace'))}. "
                "Give the address of an OpenVLA server (it answers POST /act), and see its log"
            )
        return data
