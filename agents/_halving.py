"""Batches as large as memory allows: found by halving when it runs out, not guessed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hansgym.errors import AgentError

T = TypeVar("T")

# Torch's accelerators, Torch on the host, JAX, and the interpreter say it in these words.
_TYPES = ("OutOfMemoryError", "MemoryError")
_WORDS = ("out of memory", "resource_exhausted", "can't allocate memory", "failed to allocate")


def out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` says that memory ran out, in any framework."""
    named = any(kind.__name__ in _TYPES for kind in type(error).__mro__)
    return named or any(words in str(error).lower() for words in _WORDS)


class Halving:
    """Remembers how many rows fitted. ``most``: the largest batch that is tried, halved whenever memory runs out."""

    def __init__(self, most: int, name: str, free: Callable[[], None] = lambda: None) -> None:
        """``free`` gives memory back before the next try; ``name`` is the agent's, for the error."""
        self.most, self._name, self._free = most, name, free

    def run(self, ask: Callable[[slice], T], rows: int) -> list[T]:
        """``ask(part)`` for consecutive parts of ``rows``; when one row is too many, :class:`AgentError`."""
        answers: list[T] = []
        done = 0
        while done < rows:
            part = slice(done, min(done + self.most, rows))
            answer = self._try(ask, part)
            if answer is not None:
                answers += answer
                done = part.stop
        return answers

    def _try(self, ask: Callable[[slice], T], part: slice) -> list[T] | None:
        """The answer in a list, or None after memory ran out and ``most`` was halved."""
        size = part.stop - part.start
        try:
            return [ask(part)]
        except Exception as error:
            if not out_of_memory(error):
                raise
            if size == 1:
                raise AgentError(
                    f"{self._name}: the memory does not hold a single row ({type(error).__name__}: "
                    f"{str(error)[:200]}); use a larger device, or a smaller dtype"
                ) from error
            self.most = size // 2
        # Outside the handler, where the error no longer keeps the failed call's arrays alive.
        self._free()
        return None
