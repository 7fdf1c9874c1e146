"""Set one of several held objects down, then make way for the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs.place import Place


@dataclass(frozen=True)
class Put(Place):
    """A :class:`Place` that is over once the object is placed and the hand has drawn back from it.

    ``away_m``: how far the tip must be from the object's origin, upwards or sideways.
    """

    away_m: float = 0.12

    def done(self, state: WorldState) -> bool:
        """Whether it lies where it belongs and the hand is off it."""
        off = state.tip_position - state.position(fill(self.name, state.binding))
        return self.placed(state) and bool(off[2] > self.away_m or np.hypot(*off[:2]) > self.away_m)
