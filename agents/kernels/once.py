"""What is the same for all masked copies of one observation is made once, however many slices they come in."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from hansgym.batch import Batch

T = TypeVar("T")


class Once:
    """Remembers what was made of one observation, until another one is asked about.

    Slices of a masked batch share their ``base`` (:meth:`hansgym.batch.MaskedBatch.take`), and it is this very object
    that is recognised: equal contents in another object are made again. A batch is not written to after it was made.
    """

    def __init__(self) -> None:
        self._base: weakref.ref[Batch] | None = None
        self._made: dict[str, Any] = {}

    def of(self, base: Batch, name: str, make: Callable[[], T]) -> T:
        """``make()`` the first time that ``name`` of ``base`` is wanted, what it returned after that."""
        if self._base is None or self._base() is not base:
            self._base, self._made = weakref.ref(base), {}
        if name not in self._made:
            self._made[name] = make()
        found: T = self._made[name]
        return found
