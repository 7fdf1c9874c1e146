"""Push things over the table with a held tool: a block with a stick, dirt with a broom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.expert import TIP_SPEED_M, Goal
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._motion import GATE_M, ramp
from hansgym.envs.verbs._tool import hand_for, heading, level, turned
from hansgym.envs.verbs.take import Take


@dataclass(frozen=True)
class Drag:
    """Push ``pieces`` with the part ``part`` of the tool that ``take`` holds, towards ``onto``.

    The part's x is across the pushing edge (either way), its z up. ``straight``: along the x axis of ``onto`` and on
    its line, from behind the hindmost piece; otherwise straight from the (one) piece to ``onto``. ``height_m`` is the
    part's height above ``onto`` while pushing, ``behind_m`` how far behind the piece the approach ends, ``touch_m`` the
    least such distance at which the tool is behind it, not over it; ``stop_m``: how far past ``onto`` the tool goes.
    """

    take: Take
    part: str
    pieces: tuple[str, ...]
    onto: str
    height_m: float
    behind_m: float
    touch_m: float
    stop_m: float = 1.0
    straight: bool = False
    tolerance_m: float = 0.012
    slope: float = 2.5
    cap_m: float = 0.10
    lead_m: float = 0.05
    speed_m: float = TIP_SPEED_M

    def done(self, state: WorldState) -> bool:
        """Never: they are pushed until the episode ends."""
        return False

    def goal(self, state: WorldState) -> Goal:
        """Up and over to behind the pieces, down, then through them towards the place."""
        part = fill(self.part, state.binding)
        piece, ahead = self._line(state)
        rotation = level(ahead, heading(state, part), np.pi)
        now, low = state.position(part), self._place(state)[2] + self.height_m
        offset = now[:2] - piece
        behind = -float(offset @ ahead)
        aside = abs(float(offset @ np.array([-ahead[1], ahead[0]])))
        missing = turned(state.rotation(part), rotation)
        astray = max(0.0, aside - self.tolerance_m) + max(0.0, self.touch_m - behind) + 0.1 * max(0.0, missing - 0.05)
        height = low + min(self.slope * astray, self.cap_m)
        engaged = (1.0 - ramp(astray, 0.0, 0.02)) * (1.0 - ramp(now[2] - low, 0.004, 0.02))
        back = self.behind_m - engaged * (self.behind_m - self.touch_m + self.lead_m)
        aim = piece - back * ahead
        past = float((aim - self._place(state)[:2]) @ ahead) - self.stop_m
        aim = aim - max(0.0, past) * ahead
        gate = float(np.clip(1.0 - (height - now[2]) / GATE_M, 0.0, 1.0))
        target = np.array([*(now[:2] + gate * (aim - now[:2])), height])
        return self._held(state, target, rotation, self.speed_m)

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """Behind the pieces, there above them, and at the end of the push."""
        part = fill(self.part, state.binding)
        piece, ahead = self._line(state)
        place = self._place(state)
        rotation = level(ahead, heading(state, part), np.pi)
        last = place[:2] + min(self.stop_m, -self.touch_m) * ahead
        first = piece - self.behind_m * ahead
        points = [(*first, self.height_m), (*first, self.height_m + self.cap_m), (*last, self.height_m)]
        return tuple(self._held(state, np.array([x, y, place[2] + z]), rotation) for x, y, z in points)

    def _held(self, state: WorldState, target: np.ndarray, rotation: np.ndarray, speed_m: float = TIP_SPEED_M) -> Goal:
        position, hand = hand_for(state, self.take, fill(self.part, state.binding), target, rotation)
        return Goal(position, hand, gripper=0.0, speed_m=speed_m)

    def _place(self, state: WorldState) -> np.ndarray:
        return state.position(fill(self.onto, state.binding))

    def _line(self, state: WorldState) -> tuple[np.ndarray, np.ndarray]:
        """(2,) point to push from behind, and (2,) unit direction."""
        place = self._place(state)[:2]
        pieces = np.array([state.position(fill(p, state.binding))[:2] for p in self.pieces])
        if not self.straight:
            way = place - pieces[0]
            return pieces[0], way / max(float(np.linalg.norm(way)), 1e-6)
        ahead = state.rotation(fill(self.onto, state.binding))[:2, 0]
        ahead = ahead / np.linalg.norm(ahead)
        return place + float(np.min((pieces - place) @ ahead)) * ahead, ahead
