"""openpi's policies (π0, π0-FAST, π0.5): ``openpi:CONFIG@DIR`` in this process, ``openpi:ws://HOST:PORT`` its server.

In process (:mod:`hansgym.agents._openpi_local`) chunks are sampled in batches, with noise of ours. The stock server
takes one observation at a time, keeps no episodes and draws its sampling noise from a generator of its own that no
message reaches: ``noise_control`` is ``none`` and results are labelled so. What its inputs are called and what its
actions mean is the ``mapping``: ``droid``, ``libero``, ``rlbench`` or a file of one's own. Where ``hansgym serve`` is
at the other end, it says all of that itself, and noise is paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hansgym.agent import Agent
from hansgym.agents import _remote, codec_openpi, own_wire
from hansgym.agents._arrays import actions_of
from hansgym.agents._websocket import Websocket
from hansgym.batch import Batch
from hansgym.errors import AgentError

EXAMPLE = "openpi:ws://localhost:8000,mapping=droid"


def make(rest: str, **options: Any) -> Agent:
    """``openpi:ws://HOST:PORT,mapping=droid,horizon=8,timeout_s=60``; see :class:`hansgym.agents._remote.Options`.

    Or ``openpi:pi05_droid@/checkpoints/pi05_droid``: openpi's training configuration (or yours, ``module:CONFIG``) at a
    folder of weights; ``mapping``, ``horizon``, ``num_steps``, ``device``, ``max_batch``, see
    :class:`hansgym.agents._openpi_local.Options`.
    """
    place, _, settings = rest.partition(",")
    config, at, folder = place.partition("@")
    if at and "://" not in config:
        from hansgym.agents._openpi_local import make as make_local

        return make_local(config, folder, settings, options)
    url, text = _remote.address(rest, ("ws", "wss"), EXAMPLE)
    return OpenpiAgent(url, _remote.options(text, options, "agent 'openpi'", {}))


class OpenpiAgent(_remote.RemoteAgent):
    """A client of openpi's protocol: one request, one reply, the server speaks first."""

    def __init__(self, url: str, options: _remote.Options) -> None:
        super().__init__(f"openpi:{url}", options)
        self.url = url
        self._socket: Websocket | None = None
        self._resets: dict[int, int] = {}
        metadata = self._connect(options.start_s)
        said = own_wire.read(metadata, self.name)
        self._ours = said is not None
        if said is not None:
            self.mapping = said[0]
        self.introduce(said[1] if said else None, wire="openpi", chunk_owner="agent", server=_plain(metadata))

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """The stock server has nothing to forget; ours is told with the next observation of each lane."""
        if self._ours:
            self._resets.update(zip(map(int, rows), map(int, seeds), strict=True))

    def query(self, batch: Batch, noise_seeds: np.ndarray, limit_s: float) -> list[np.ndarray]:
        """One request after the other: the server serves one at a time anyway."""
        return [self._one(message, limit_s) for message in self._messages(batch, noise_seeds)]

    def close(self) -> None:
        """End the connection; the next question opens another."""
        if self._socket is not None:
            self._socket.close()

    def _messages(self, batch: Batch, noise_seeds: np.ndarray) -> list[dict[str, Any]]:
        """One observation per row, under the names that the server knows."""
        rows = range(len(batch))
        if self._ours:
            lanes = [int(lane) for lane in batch.rows]
            first = [lanes.index(lane) == row for row, lane in enumerate(lanes)]
            resets = [self._resets.pop(lane, None) if new else None for lane, new in zip(lanes, first, strict=True)]
            return [own_wire.observation(batch, row, int(noise_seeds[row]), resets[row]) for row in rows]
        shown, told, key = self.mapping.observe(batch), self.mapping.tell(batch), self.mapping.instruction.key
        return [{**{name: values[row] for name, values in shown.items()}, key: told[row]} for row in rows]

    def _one(self, message: dict[str, Any], limit_s: float) -> np.ndarray:
        """(T, A): the server's answer to one observation."""
        if self._socket is None or not self._socket.open:
            self._connect(self.options.timeout_s)
        assert self._socket is not None
        self._socket.send(codec_openpi.pack(message))
        reply = self._read(limit_s)
        if "actions" not in reply:
            raise AgentError(f"{self.name} answered with {sorted(map(str, reply))[:8]}; it must send actions")
        actions = actions_of(reply["actions"], self.name)
        return actions if actions.ndim == 2 else actions[None]

    def _connect(self, limit_s: float) -> dict[str, Any]:
        """Open the connection; the server's first message says what it is."""
        self._socket = Websocket(self.url, self.options.connect_s)
        return self._read(limit_s)

    def _read(self, limit_s: float) -> dict[str, Any]:
        assert self._socket is not None
        data = self._socket.receive(limit_s)
        try:
            message = codec_openpi.unpack(data)
        except AgentError as error:
            self._socket.close()
            raise AgentError(f"{self.name}: {error}") from error
        if not isinstance(message, dict):
            self._socket.close()
            raise AgentError(
                f"{self.name} sent a {type(message).__name__}; a map was due: give the address of an openpi server"
            )
        return message


def _plain(metadata: dict[str, Any]) -> dict[str, Any]:
    """What of the server's first message can be kept in a result: short text and numbers."""
    plain = {str(k): v for k, v in metadata.items() if isinstance(v, str | int | float | bool) and len(str(v)) < 200}
    return dict(list(plain.items())[:32])
