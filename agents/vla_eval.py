"""``vla-eval:ws://HOST:PORT``: any vla-eval model server, one connection per row.

Most of these servers hide their chunks: they predict k actions, hand them out one per observation, and do not look at
what they are shown in between. That would make most replans fictions, so it is found out at the start: after one true
observation the server is sent ones that no policy can read; as long as it answers, it answers from its queue. Then
every question starts an episode of its own, which empties the queue, and the rest of the chunk is asked for with
k - 1 observations that the server will not look at. ``details["hidden_chunk"]`` says k, and results keep it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hansgym.agents import _remote, vla_eval_interface
from hansgym.agents._arrays import actions_of
from hansgym.agents._websocket import Websocket, tail
from hansgym.agents.codec_vla_eval import VERSION, Message, pack, unpack
from hansgym.batch import Batch
from hansgym.errors import AgentError, ConfigurationError

EXAMPLE = "vla-eval:ws://localhost:8000,mapping=libero"

MOST_HIDDEN = 128
"""A queue that is still answering after so many unreadable observations is of unknown length, or none at all."""

UNREADABLE = {"images": {"unreadable": "no image"}, "states": "no state", "state": "no state", "task_description": ""}


def make(rest: str, **options: Any) -> VlaEvalAgent:
    """``vla-eval:ws://HOST:PORT,mapping=libero,chunk=auto``; see :class:`VlaEvalAgent` and the options of all servers.

    ``chunk``: ``auto``, ``open`` (the server sends whole chunks, or single actions of its own) or the number of actions
    that it is known to hide. ``suite``: what the server is told as the task's suite.
    """
    url, text = _remote.address(rest, ("ws", "wss"), EXAMPLE)
    return VlaEvalAgent(url, _remote.options(text, options, "agent 'vla-eval'", {"chunk": str, "suite": str}))


class _Session:
    """One connection: an episode at a time, one reply per observation."""

    def __init__(self, url: str, options: _remote.Options) -> None:
        self.socket = Websocket(url, options.connect_s)
        self.episode: tuple[Any, ...] | None = None
        self._seq = 0
        hello = {"harness_version": "0.8.0", "protocol_version": VERSION, "benchmark": "hansgym"}
        # The stock server answers at once, but only after its weights are loaded.
        self.server = self.answer(self.send("hello", hello), options.start_s, "hello")

    def send(self, kind: str, payload: dict[str, Any]) -> int:
        """Send a message and return its number, which a reply repeats."""
        self._seq += 1
        self.socket.send(pack(Message(kind, payload, self._seq)))
        return self._seq

    def answer(self, seq: int, limit_s: float, kind: str = "action") -> dict[str, Any]:
        """The payload of the reply to message ``seq``; anything else raises :class:`AgentError`."""
        try:
            message = unpack(self.socket.receive(limit_s))
        except AgentError:
            self.socket.close()
            raise
        if message.type == "error":
            raise _Refused(
                f"the server says: {tail(str(message.payload.get('error', message.payload)))}. "
                "See its log, and use a mapping whose inputs it knows"
            )
        if message.type != kind or message.seq != seq:
            self.socket.close()
            raise AgentError(
                f"the server sent {message.type!r} number {message.seq}; {kind!r} number {seq} was due: "
                "use a vla-eval server that answers each observation once"
            )
        return message.payload


class _Refused(AgentError):
    """The server said that it cannot answer an observation; the connection is as good as before."""


class VlaEvalAgent(_remote.RemoteAgent):
    """A client of vla-eval's protocol; rows are asked side by side, so that a server that batches can."""

    def __init__(self, url: str, options: _remote.Options) -> None:
        super().__init__(f"vla-eval:{url}", options)
        self.url = url
        self._sessions: dict[str, _Session] = {}
        self._epochs: dict[int, int] = {}
        said = str(options.more.get("chunk", "auto"))
        self.hidden = self._told(said)
        hello = self._session("lane 0").server
        if said == "auto":
            self.hidden = self._find_out()
        self.introduce(
            wire="vla-eval",
            server=str(hello.get("model_server", "unknown"))[:80],
            server_version=str(hello.get("harness_version", "unknown"))[:20],
            hidden_chunk=self.hidden,
            chunk_owner="agent" if self.hidden == 1 else "server",
            flags=[] if self.hidden == 1 else [_flag(self.hidden)],
        )

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Lanes ``rows`` begin new episodes; the server is told with their next observations."""
        for row in rows:
            self._epochs[int(row)] = self._epochs.get(int(row), 0) + 1

    def query(self, batch: Batch, noise_seeds: np.ndarray, limit_s: float) -> list[np.ndarray]:
        """All rows are sent before the first answer is awaited."""
        observations = vla_eval_interface.observations(self.mapping, batch)
        try:
            sessions = self._for(batch)
            asked = [self._send(s, batch, row, observations[row]) for row, s in enumerate(sessions)]
            return [self._receive(session, seqs, limit_s) for session, seqs in asked]
        except BaseException as error:
            self.close()  # answers may still be under way: nothing may be taken for the reply to a later question
            if isinstance(error, AgentError):
                raise AgentError(f"{self.name}: {error}") from error
            raise

    def close(self) -> None:
        """End all connections."""
        for session in self._sessions.values():
            session.socket.close()
        self._sessions.clear()

    def _for(self, batch: Batch) -> list[_Session]:
        """A connection for each row: that of its lane, or a spare one where a lane is asked about more than once."""
        taken: set[str] = set()
        names = []
        for lane in batch.rows:
            name = f"lane {int(lane)}"
            if name in taken:
                name = f"spare {len(taken)}"
            taken.add(name)
            names.append(name)
        return [self._session(name) for name in names]

    def _session(self, name: str) -> _Session:
        session = self._sessions.get(name)
        if session is None or not session.socket.open:
            session = self._sessions[name] = _Session(self.url, self.options)
        return session

    def _send(
        self, session: _Session, batch: Batch, row: int, observation: dict[str, Any]
    ) -> tuple[_Session, list[int]]:
        lane, told = int(batch.rows[row]), batch.instructions[row]
        episode = (lane, self._epochs.get(lane, 0), told)
        if self.hidden != 1 or session.episode != episode:
            task = {"name": told, "task_description": told}
            if "suite" in self.options.more:
                task["suite"] = str(self.options.more["suite"])
            session.send("episode_start", {"task": task})
            session.episode = episode
        seqs = [session.send("observation", observation)]
        seqs += [session.send("observation", UNREADABLE) for _ in range((self.hidden or 1) - 1)]
        return session, seqs

    def _receive(self, session: _Session, seqs: list[int], limit_s: float) -> np.ndarray:
        """(T, A): the one answer, or as many as the queue held."""
        answers = [self._actions(session.answer(seq, limit_s)) for seq in seqs]
        if len(answers) == 1:
            return answers[0] if answers[0].ndim == 2 else answers[0][None]
        if any(a.ndim != 1 or a.shape != answers[0].shape for a in answers):
            raise AgentError(
                f"the server sent actions of shapes {sorted({a.shape for a in answers})} where it used to hand out "
                f"{len(seqs)} single ones; use chunk=auto again"
            )
        return np.stack(answers)

    def _actions(self, payload: dict[str, Any]) -> np.ndarray:
        if "actions" not in payload:
            raise AgentError(f"the server sent {sorted(map(str, payload))}; it must send actions")
        return actions_of(payload["actions"], self.name)

    def _told(self, said: str) -> int | None:
        if said in ("auto", "open"):
            return 1
        if said.isdigit() and 1 <= int(said) <= MOST_HIDDEN:
            return int(said)
        raise ConfigurationError(
            f"chunk={said!r}; choose auto, open, or the number of hidden actions up to {MOST_HIDDEN}"
        )

    def _find_out(self) -> int | None:
        """How many actions the server hides: 1 for none, None if it answers whatever it is shown."""
        first = self.query(self.made_up(), np.zeros(1, np.uint64), self.options.start_s)[0]
        if len(first) > 1:
            return 1
        session = self._session("lane 0")
        for count in range(1, MOST_HIDDEN + 1):
            try:
                session.answer(session.send("observation", UNREADABLE), self.options.timeout_s)
            except _Refused:
                session.episode = None
                return count
        session.episode = None
        return None


def _flag(hidden: int | None) -> str:
    if hidden is None:
        return (
            "the server answers whatever it is shown, so how many actions it hides is unknown; every question starts "
            "an episode of its own and only the first action is used: give chunk=<number> to use the whole chunk"
        )
    return f"the server hides chunks of {hidden} actions; every question starts an episode of its own to see them whole"
