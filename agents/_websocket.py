"""A websocket to a policy server, whose every way of failing has words of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hansgym.errors import AgentError
from hansgym.lookup import require

EXTRA = "remote"

MOST_BYTES = 64 * 2**20
"""Largest message that is taken from a peer: a chunk of actions is a few kilobytes, images a few megabytes."""

_TAIL = 2000


def tail(text: str) -> str:
    """The end of a long text, where a traceback says what happened."""
    text = text.strip()
    return text if len(text) <= _TAIL else f"…{text[-_TAIL:]}"


class Websocket:
    """One connection; every failure closes it and raises :class:`AgentError` that names ``url``."""

    def __init__(
        self, url: str, open_s: float, most_bytes: int = MOST_BYTES, headers: Mapping[str, str] | None = None
    ) -> None:
        require("websockets", EXTRA)
        from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidURI
        from websockets.sync.client import connect

        self.url, self.most_bytes = url, most_bytes
        try:
            # No keepalive pings: servers compute on the thread that would answer them. No proxy: servers are near.
            # Entered by hand, since newer versions connect only as context managers and ours outlives this block.
            self._socket = connect(
                url,
                open_timeout=open_s,
                close_timeout=1.0,
                ping_interval=None,
                compression=None,
                max_size=most_bytes,
                proxy=None,
                additional_headers=dict(headers or {}),
            ).__enter__()
        except InvalidURI as error:
            raise AgentError(f"{url!r} is not an address ({error}); write ws://HOST:PORT") from error
        except (InvalidHandshake, InvalidMessage, EOFError) as error:
            raise AgentError(
                f"what listens at {url} does not speak websocket ({error}); give the address of the policy server"
            ) from error
        except TimeoutError as error:
            raise AgentError(
                f"{url} did not open a connection within {open_s:g} s (a busy server?); use connect_s=… to wait longer"
            ) from error
        except OSError as error:
            raise AgentError(
                f"no policy server answers at {url} ({error}); start it first, or use connect_s=…"
            ) from error

    def send(self, data: bytes) -> None:
        """Send one binary message."""
        from websockets.exceptions import ConnectionClosed

        try:
            self._socket.send(data)
        except ConnectionClosed as error:
            raise self._closed(error) from error

    def receive(self, limit_s: float) -> bytes:
        """The next binary message, waited for at most ``limit_s`` seconds; a text frame is the server's complaint."""
        from websockets.exceptions import ConnectionClosed

        try:
            data = self._socket.recv(timeout=limit_s)
        except TimeoutError as error:
            self.close()
            raise AgentError(
                f"{self.url} gave no answer within {limit_s:g} s; use timeout_s=… to wait longer"
            ) from error
        except ConnectionClosed as error:
            raise self._closed(error) from error
        if isinstance(data, str):
            self.close()
            raise AgentError(f"{self.url} sent text where a binary message was due; it says: {tail(data)}")
        return bytes(data)

    def close(self) -> None:
        """Close the connection, without waiting for the other side's consent for long."""
        self._socket.close()

    @property
    def open(self) -> bool:
        """Whether messages can still be exchanged."""
        from websockets.protocol import State

        return self._socket.protocol.state is State.OPEN

    def _closed(self, error: Any) -> AgentError:
        self.close()
        sent, received = error.sent, error.rcvd
        if sent is not None and sent.code == 1009:
            return AgentError(
                f"{self.url} sent a message of more than {self.most_bytes} bytes, which is refused; "
                "a chunk of actions takes a few kilobytes: use a server that answers with actions alone"
            )
        if received is None:
            return AgentError(f"{self.url} broke the connection without a word; did the server die? Start it again")
        return AgentError(
            f"{self.url} closed the connection (code {received.code}: {received.reason or 'no reason given'}); "
            "see the server's own log, and start it again if it has ended"
        )
