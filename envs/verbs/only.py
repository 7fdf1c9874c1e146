"""A waypoint verb for some variations."""

from __future__ import annotations

from dataclasses import dataclass

from hansgym.envs.expert import Goal, Verb
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState


@dataclass(frozen=True)
class Only:
    """``verb`` where the template ``given`` fills to ``value``; elsewhere it is done from the start."""

    given: str
    value: str
    verb: Verb

    def done(self, state: WorldState) -> bool:
        """Whether it is done or not asked for."""
        return not self._asked(state) or self.verb.done(state)

    def goal(self, state: WorldState) -> Goal:
        """The verb's."""
        return self.verb.goal(state)

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """The verb's, where it is asked for."""
        return self.verb.reach(state) if self._asked(state) else ()

    def _asked(self, state: WorldState) -> bool:
        return fill(self.given, state.binding) == self.value
