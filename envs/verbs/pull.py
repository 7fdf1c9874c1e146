"""Pull something open by its bar handle, held by friction between the fingers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.expert import TIP_SPEED_M, Goal, facing
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._motion import about, ramp

_UP = np.array([0.0, 0.0, 1.0])
ROOM_RAD = 0.2
"""Reserve of the reach test: so much straighter on, which needs more room, the handle must be reachable, too."""


@dataclass(frozen=True)
class Pull:
    """Grip the bar at the site ``handle`` and draw it along the site's z until ``joint`` has gone ``distance_m``.

    The site's x runs along the bar. The hand is level, its fingers close vertically, and it comes at the bar from
    ``skew_rad`` beside the site's -z, on its +x side: straight on there is no room between robot and cabinet.
    ``turned``: with the hand's other side up, for a handle beside the robot.
    ``depth_m``: how far the tip reaches past the bar; ``stand_off_m``: where the approach begins; ``top_m``: the height
    in the world over which the hand may cross what the handle is fixed to. ``enough_m``: it is done, too, once the
    joint has gone so far and the fingers are open or hold something, so that a nudge afterwards changes nothing.
    """

    handle: str
    joint: str
    distance_m: float = 0.18
    top_m: float = 1.28
    skew_rad: float = 1.0
    turned: bool = False
    depth_m: float = 0.006
    stand_off_m: float = 0.13
    tolerance_m: float = 0.012
    lead_m: float = 0.04
    enough_m: float | None = None

    def done(self, state: WorldState) -> bool:
        """Whether the joint has gone far enough."""
        joint = fill(self.joint, state.binding)
        moved = state.joint(joint) - state.joint_at_reset(joint)
        if self.enough_m is not None and (state.opening > 0.6 or state.held):
            return moved > self.enough_m
        return moved > self.distance_m

    def goal(self, state: WorldState) -> Goal:
        """Over the top and down in front of the handle, onto it, close, pull."""
        grip, out, rotation = self._grip(state)
        into, tip = rotation[:, 2], state.tip_position
        offset = tip - grip
        beside = offset - (offset @ into) * into
        astray = float(np.linalg.norm(beside)) + 0.08 * self._turned(state, rotation)
        # Far from the line of approach the hand waits in front of the handle; near it, it comes on.
        back = self.stand_off_m * ramp(astray, self.tolerance_m, 4 * self.tolerance_m)
        inside = max(0.0, 0.04 - float(offset @ out)) * ramp(astray, 2 * self.tolerance_m, 6 * self.tolerance_m)
        height = max(grip[2], min(grip[2] + 3.0 * inside, self.top_m))
        closing = self._within(state, offset)
        held = closing * (1.0 - ramp(state.opening, 0.32, 0.5))
        position = grip - back * into + held * self.lead_m * out
        position[2] = height
        return Goal(position, rotation, gripper=1.0 - closing, speed_m=TIP_SPEED_M * (1.0 - 0.35 * held))

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """In front of the handle and on it; and, with room to spare, along the way out, where the arm must fold up."""
        grip, out, rotation = self._grip(state)
        _, _, straighter = self._grip(state, self.skew_rad - ROOM_RAD)
        goals = [Goal(p, rotation, gripper=1.0) for p in (grip - self.stand_off_m * rotation[:, 2], grip)]
        goals += [Goal(grip + share * self.distance_m * out, straighter, gripper=0.0) for share in (0.5, 1.0)]
        return tuple(goals)

    def _grip(self, state: WorldState, skew_rad: float | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tip position (3,) on the bar, the way out (3,), and the hand's rotation (3, 3)."""
        name = fill(self.handle, state.binding)
        out = state.rotation(name)[:, 2]
        into = about(_UP, self.skew_rad if skew_rad is None else skew_rad) @ -out
        return state.position(name) + self.depth_m * into, out, facing(into, -_UP if self.turned else _UP)

    def _within(self, state: WorldState, offset: np.ndarray) -> float:
        """1 where the bar lies between the fingers, else 0; closed fingers let go later than open ones close."""
        slack = self.tolerance_m * (2.0 - state.opening)
        return float(np.linalg.norm(offset) < slack)

    def _turned(self, state: WorldState, rotation: np.ndarray) -> float:
        """Angle in rad between the hand's rotation and ``rotation``."""
        cosine = (float(np.trace(state.tip_rotation.T @ rotation)) - 1.0) / 2.0
        return float(np.arccos(np.clip(cosine, -1.0, 1.0)))
