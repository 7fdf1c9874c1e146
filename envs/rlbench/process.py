"""One simulator per process: CoppeliaSim is a library with global state, and a second one would break both."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hansgym.errors import ConfigurationError


@dataclass
class _Holder:
    owner: object
    pid: int
    close: Callable[[], None]


_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_holder: _Holder | None = None
_registered = False


def claim(owner: object, close: Callable[[], None]) -> None:
    """Reserve this process's simulator for ``owner``; ``close`` is called if Python ends before ``owner`` does.

    Raises :class:`ConfigurationError` while somebody else has it, and in a process that was forked from one that had.
    """
    global _holder, _registered
    if _holder is not None and _holder.pid != os.getpid():
        raise ConfigurationError(
            f"process {os.getpid()} was forked from process {_holder.pid}, in which CoppeliaSim was running, and it "
            "does not survive that; use processes of the 'spawn' kind: "
            "gymnasium.vector.AsyncVectorEnv(..., context='spawn')"
        )
    if _holder is not None and _holder.owner is not owner:
        raise ConfigurationError(
            f"process {os.getpid()} already runs CoppeliaSim for another environment; there can be one per process: "
            "close() that one first, or use one process each: gymnasium.make_vec(..., vectorization_mode='async')"
        )
    _holder = _Holder(owner, os.getpid(), close)
    if not _registered:
        atexit.register(_leave)
        _registered = True


def free(owner: object) -> None:
    """Give up what :func:`claim` reserved for ``owner``; harmless when it has nothing."""
    global _holder
    if _holder is not None and _holder.owner is owner and _holder.pid == os.getpid():
        _holder = None


@contextmanager
def own_signals() -> Iterator[None]:
    """Afterwards Ctrl-C and requests to end are Python's again: CoppeliaSim takes them when it starts.

    It would shut itself down on them, and the next call to it would fail where a KeyboardInterrupt was meant.
    """
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():  # Python lets no other thread set them
            for number, handler in handlers.items():
                if handler is not None:  # set by somebody else's library: not ours to put back
                    signal.signal(number, handler)


def _leave() -> None:
    """Stop the simulator while the interpreter still works: left alone, its thread outlives what it stands on."""
    if _holder is not None and _holder.pid == os.getpid():
        _holder.close()
