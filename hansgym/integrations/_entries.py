"""Which tasks and variations a user of somebody else's tool has asked for."""

from __future__ import annotations

from collections.abc import Sequence

from hansgym.benchmarks import listing
from hansgym.benchmarks.config import protocol_of
from hansgym.envs.arguments import checked_protocol
from hansgym.errors import ConfigurationError
from hansgym.lookup import unknown

ALL, DRAWN = "all", "drawn"


def task_protocol(task: str, protocol: str) -> str:
    """The protocol of ``task`` under ``"default"``, ``"agnostos"`` or ``"push_buttons=balanced"``."""
    return checked_protocol(listing.task_spec(task), protocol_of(protocol, task))


def variations(task: str, asked: str | Sequence[int], protocol: str) -> Sequence[int | None]:
    """The variations ``asked`` for: ``"all"``, numbers, or ``"drawn"``, which is one None: the seed draws it."""
    if isinstance(asked, str) and asked not in (ALL, DRAWN):
        raise unknown("variations", asked, (ALL, DRAWN, "a list of numbers"))
    spec, own = listing.task_spec(task), task_protocol(task, protocol)
    count = 1 if own == "agnostos" and "agnostos" not in spec.protocols else len(spec.variations_under(own))
    if isinstance(asked, str):
        return [None] if asked == DRAWN else range(count)
    strange = [k for k in asked if isinstance(k, bool) or not isinstance(k, int) or not 0 <= k < count]
    if strange:
        raise ConfigurationError(
            f"variation {strange[0]!r} of task {task!r} is out of range; choose 0 to {count - 1}, or all, or drawn"
        )
    return list(asked)
