"""Put a held object into something that has been drawn open, over the top of what it was drawn from."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hansgym.envs.expert import Goal
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs.place import Place


@dataclass(frozen=True)
class Stow(Place):
    """A :class:`Place` that carries the object at the height ``top_m`` (world) and lowers it straight down.

    What it is put ``over`` rides on ``joint``; the site ``handle`` has its z along the way out, and the reach test
    supposes the joint at ``out_m``.
    """

    handle: str = ""
    joint: str = ""
    out_m: float = 0.0
    top_m: float = 1.27
    slope: float = 8.0
    tolerance_m: float = 0.008

    def goal(self, state: WorldState) -> Goal:
        """Over the cabinet's edge, then down, then open."""
        low = float(state.position(fill(self.over, state.binding))[2]) + self.height_m
        return Place.goal(replace(self, cap_m=self.top_m - low), state)

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """The release and the place above it, with the joint drawn out."""
        left = self.out_m - state.joint(fill(self.joint, state.binding))
        shift = left * state.rotation(fill(self.handle, state.binding))[:, 2]
        return tuple(Goal(g.position + shift, g.rotation, g.gripper) for g in Place.reach(self, state))
