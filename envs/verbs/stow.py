"""Put a held object into something that has been drawn open, over the top of what it was drawn from."""

from __future__ import annotations

from dataclasses import dataclass

from hansgym.envs.expert import Goal
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs.place import Place

TOLERANCE_M = 0.008
"""So far beside the place the object may be lowered: a drawer is wide."""


@dataclass(frozen=True)
class Stow:
    """Carry ``name`` at the height ``top_m`` (world) over the site ``inside`` and lower it straight down.

    ``inside`` rides on ``joint``; the site ``handle`` has its z along the way out, and the reach test supposes the
    joint at ``out_m``. ``height_m``: of the object's origin above the site when it is let go.
    """

    name: str
    inside: str
    handle: str
    joint: str
    out_m: float
    height_m: float
    top_m: float
    grip_m: float = 0.0
    clearance_m: float = 0.05
    slope: float = 8.0

    def placed(self, state: WorldState) -> bool:
        """Whether the object lies where it belongs, let go of."""
        return self._place(state).placed(state)

    def wanted(self, state: WorldState) -> bool:
        """Always."""
        return True

    def done(self, state: WorldState) -> bool:
        """Never: afterwards the hand draws back."""
        return False

    def goal(self, state: WorldState) -> Goal:
        """Over the cabinet's edge, then down, then open."""
        return self._place(state).goal(state)

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """The release and the place above it, with the joint drawn out."""
        left = self.out_m - state.joint(fill(self.joint, state.binding))
        shift = left * state.rotation(fill(self.handle, state.binding))[:, 2]
        return tuple(Goal(g.position + shift, g.rotation, g.gripper) for g in self._place(state).reach(state))

    def _place(self, state: WorldState) -> Place:
        """The placing at its travelling height."""
        low = float(state.position(fill(self.inside, state.binding))[2]) + self.height_m
        return Place(
            self.name,
            over=self.inside,
            height_m=self.height_m,
            clearance_m=self.clearance_m,
            grip_m=self.grip_m,
            tolerance_m=TOLERANCE_M,
            slope=self.slope,
            cap_m=self.top_m - low,
        )
