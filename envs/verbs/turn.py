"""Grip a knob or a tap's handle and turn it about the line of approach, held by contact between the fingers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.expert import TIP_SPEED_M, Goal, facing
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._motion import about, ramp, wrapped

OUT_FIRST_M = 0.04
"""In front of the handle by less than this, far from its line, the hand first draws back."""


@dataclass(frozen=True)
class Turn:
    """Turn what carries the site ``handle`` until ``joint`` has gone ``by_rad``.

    The site's z is the axis, out of the handle towards the hand; the fingers close along its x, or any direction a
    multiple of ``symmetry`` (rad) from it. ``grip_m``: how wide the fingers are when they hold it; ``depth_m``: how far
    the tip reaches past the site; ``stand_off_m``: where the approach begins; ``lead_rad``: how far ahead of the handle
    the hand turns, positive about the axis. ``tilt_rad``: how far the line of approach is turned away from the axis
    about the fingers' closing direction, which brings a level hand's wrist up: near the robot it needs that.
    ``chained``: the reach test goes from one goal to the next as the arm does.
    """

    handle: str
    joint: str
    by_rad: float
    grip_m: float
    symmetry: float = np.pi
    depth_m: float = 0.0
    stand_off_m: float = 0.07
    lead_rad: float = 0.30
    tilt_rad: float = 0.0
    tolerance_m: float = 0.005
    chained: bool = True

    def done(self, state: WorldState) -> bool:
        """Whether the joint has gone far enough."""
        joint = fill(self.joint, state.binding)
        return abs(state.joint(joint) - state.joint_at_reset(joint)) > self.by_rad

    def goal(self, state: WorldState) -> Goal:
        """In front of the handle, onto it, close, turn."""
        grip, out, rotation = self._grip(state)
        tip = state.tip_position
        offset = tip - grip
        along = float(offset @ out)
        beside = float(np.linalg.norm(offset - along * out))
        astray = beside + 0.04 * self._turned(state, rotation)
        back = self.stand_off_m * ramp(astray, self.tolerance_m, 3 * self.tolerance_m)
        position = grip + back * out
        if beside > 3 * self.tolerance_m:
            # What the handle is on lies behind it: out first, then across.
            free = ramp(along, 0.0, OUT_FIRST_M)
            position = position + (1.0 - free) * ((tip - position) - ((tip - position) @ out) * out)
        closing = float(np.linalg.norm(offset) < self.tolerance_m * (2.0 - state.opening))
        wide = self.grip_m / 0.08
        held = closing * (1.0 - ramp(state.opening, wide + 0.05, wide + 0.20))
        return Goal(
            position,
            about(out, held * self.lead_rad) @ rotation,
            gripper=1.0 - closing,
            speed_m=float(np.clip(0.5 * abs(along) + 0.004, 0.004, TIP_SPEED_M)) if beside < 0.03 else TIP_SPEED_M,
        )

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """In front of the handle, on it, and from there on with the wrist turned farther and farther."""
        grip, out, rotation = self._grip(state)
        goals = [Goal(grip + self.stand_off_m * out, rotation, gripper=1.0)]
        for share in np.linspace(0.0, 1.0, 6):
            turned = about(out, share * (self.by_rad + self.lead_rad)) @ rotation
            goals.append(Goal(grip, turned, gripper=0.0))
        return tuple(goals)

    def _grip(self, state: WorldState) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tip position (3,) on the handle, its axis (3,), and the hand's rotation (3, 3) nearest to the present one."""
        name = fill(self.handle, state.binding)
        frame = state.rotation(name)
        close, out = frame[:, 0], frame[:, 2]
        now = frame.T @ state.tip_rotation[:, 1]
        angle = float(np.arctan2(now[1], now[0]))
        nearest = angle - wrapped(angle, self.symmetry)
        close = about(out, nearest) @ close
        rotation = facing(about(close, self.tilt_rad) @ -out, close)
        return state.position(name) - self.depth_m * out, out, rotation

    def _turned(self, state: WorldState, rotation: np.ndarray) -> float:
        """Angle in rad between the hand's rotation and ``rotation``."""
        cosine = (float(np.trace(state.tip_rotation.T @ rotation)) - 1.0) / 2.0
        return float(np.arccos(np.clip(cosine, -1.0, 1.0)))
