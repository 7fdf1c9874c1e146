"""Lanes: environments in processes of their own, asked one thing at a time over a pipe.

Gymnasium's asynchronous vector environments are not used: they send every environment the same call, one crash takes
all of them down, and a dead process cannot be replaced. Here each lane has its own arguments, its own time limit and
its own death. Workers are started as plain subprocesses rather than by :mod:`multiprocessing`'s spawn, so that the
caller's main module is never imported a second time (a script without a main guard, a notebook).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from hansgym.benchmarks.config import backend_of

if TYPE_CHECKING:
    from hansgym.benchmarks.workers import EnvSettings

START_S = 120.0
"""What the first answer of a fresh process may take more: it imports a simulator."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_BOOT = "import sys; from hansgym.benchmarks.workers import serve; serve(int(sys.argv[1]))"


@dataclass(frozen=True)
class Reply:
    """What came back from a lane: ``value``, or the reason in ``error`` and, if there is one, its ``trace``.

    ``fatal`` errors are the user's (a setting that cannot work) and end the run; the others end the episode.
    """

    value: Any = None
    error: str | None = None
    trace: str = ""
    fatal: bool = False


class Lane:
    """One environment process; started when first asked, again after it has failed, and on RLBench for every episode.

    CoppeliaSim's physics engine remembers earlier episodes of its process, and upstream walks through sets in the order
    of the hash seed: a process of its own makes an episode the same whichever lane has it, whatever that did before.
    """

    def __init__(self, index: int, settings: EnvSettings, limit_s: float) -> None:
        self.index = index
        self._settings = settings
        self._limit_s = limit_s
        self._once = backend_of(settings.factory).partition(":")[0] == "rlbench"
        self._process: subprocess.Popen[bytes] | None = None
        self.connection: Connection | None = None
        self._asked = ""
        self._deadline = float("inf")

    @property
    def busy(self) -> bool:
        """Whether an answer is due."""
        return bool(self._asked)

    @property
    def deadline(self) -> float:
        """When the answer is due, on :func:`time.monotonic`'s clock."""
        return self._deadline

    def ask(self, method: str, *arguments: Any) -> None:
        """Send a request; the answer comes through :meth:`collect`."""
        limit = self._limit_s
        if method == "reset" and self._once:
            self.stop()
        if self._process is None:
            self._start()
            limit += START_S
        self._asked = method
        self._deadline = time.monotonic() + limit
        assert self.connection is not None
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # a dead lane is noticed when it is collected
            self.connection.send((method, arguments))

    def collect(self) -> Reply | None:
        """The answer if it is there, an error if the lane is dead or late, else None."""
        assert self.connection is not None
        try:
            if self.connection.poll():
                kind, value = self.connection.recv()
                method, self._asked = self._asked, ""
                if kind == "ok":
                    return Reply(value)
                self.stop()  # what an exception leaves behind is not worth trusting
                (words, trace), fatal = value, kind == "fatal"
                said = words if fatal else f"environment failed in {method}: {words}"
                return Reply(error=said, trace=trace, fatal=fatal)
        except (EOFError, OSError):
            return self._died()
        if time.monotonic() > self._deadline:
            method = self._asked
            self.stop()
            return Reply(error=f"environment did not answer {method} within {self._limit_s:g} s")
        return None

    def part(self) -> None:
        """Tell the process to leave when it has answered: it does when its pipe closes."""
        if self.connection is not None:
            self.connection.close()

    def stop(self) -> None:
        """End the process, at once when it is in the middle of something."""
        process, self._process = self._process, None
        if process is None:
            return
        self.part()
        if self._asked:
            process.kill()
        try:
            process.wait(timeout=10.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._asked, self._deadline = "", float("inf")
        self._words.close()

    def _start(self) -> None:
        here, there = Pipe()
        path = os.pathsep.join(p or os.getcwd() for p in sys.path)
        # One thread per environment: lanes are the parallelism, and sums in another order are other bytes.
        threads = dict.fromkeys(_THREADS, "1")
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the process)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, str(there.fileno())],
            pass_fds=[there.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the run: a lane that died of it would look like a failed one
            stdout=self._words,
            stderr=self._words,
            env={**os.environ, **threads, "PYTHONPATH": path, "PYTHONHASHSEED": "0"},
        )
        there.close()
        self.connection = here
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            here.send(self._settings)

    def _died(self) -> Reply:
        assert self._process is not None
        method = self._asked
        try:
            code = self._process.wait(timeout=10.0)
            how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        except (subprocess.TimeoutExpired, ValueError):
            how = "an unknown signal"
        words = self._last_words()
        self.stop()
        return Reply(error=f"environment process died in {method} ({how}){': ' + words if words else ''}")

    def _last_words(self) -> str:
        size = self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, size - 2000))
        lines = self._words.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1].strip()[:300] if lines else ""


class LanePool:
    """Several lanes. Use it as a context manager: leaving it ends every process."""

    def __init__(self, count: int, settings: EnvSettings, limit_s: float) -> None:
        self.lanes = [Lane(index, settings, limit_s) for index in range(count)]

    def __enter__(self) -> LanePool:
        return self

    def __exit__(self, *reason: object) -> None:
        for lane in self.lanes:
            lane.part()  # all at once, so that they tear down side by side
        for lane in self.lanes:
            lane.stop()

    def wait(self, block: bool) -> Sequence[tuple[Lane, Reply]]:
        """Answers that are there; with ``block``, wait until there is at least one (or a lane is late)."""
        while True:
            busy = [lane for lane in self.lanes if lane.busy]
            if block and busy:
                first = min(lane.deadline for lane in busy)
                wait([lane.connection for lane in busy if lane.connection], max(0.0, first - time.monotonic()) + 0.01)
            answers = [(lane, reply) for lane in busy if (reply := lane.collect()) is not None]
            if answers or not block or not busy:
                return answers
