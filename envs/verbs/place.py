"""Set a held object down on or over another one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.expert import TIP_SPEED_M, Goal, down
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._motion import (
    BASE_XY,
    about,
    descent,
    easy_yaw,
    leaning,
    outwards,
    ramp,
    upright,
    wrapped,
    yaw_of,
)

_UP = np.array([0.0, 0.0, 1.0])
BESIDE_M = 0.06
"""A tip that is so far beside an object has nothing of it between its fingers."""

LEAN_BEYOND_M = (0.42, 0.55)
"""Distances from the robot's base: upright up to the first, tipped as far as asked for from the second on."""


@dataclass(frozen=True)
class Place:
    """Carry ``name`` over ``over``, lower it until its origin is ``height_m`` above that one's, and let go.

    ``clearance_m``: how far above the release height it travels at least. ``symmetry`` (rad) is the turn after which
    object and receptacle fit again; 0 means any. ``grip_m``: height of the tip above the object, for the check that the
    place can be reached.

    ``over`` may be a detection volume. ``within_m``: how far beside the place it may come to lie and count as placed,
    more where it is dropped. ``level=False``: how it hangs does not matter, the hand alone stays upright. ``clear_m``:
    it is done, and a next verb may begin, once it is placed and the tip is that far above its origin or well beside it.
    ``nth`` and ``count`` (a template): only so many of a row of placings are asked for; the others are done from the
    start. ``out_of`` names something that it stands in: within ``out_radius_m`` of that one's origin and under
    ``out_m`` above it, it is drawn straight up without a turn. ``lean_rad``: so far the object is tipped outwards, away
    from the robot, when it is let go, where the arm can. ``back_rad``: as in :class:`Grasp`, for ``level=False``.
    """

    name: str
    over: str
    height_m: float
    clearance_m: float
    symmetry: float = 0.0
    grip_m: float = 0.0
    tolerance_m: float = 0.002
    slope: float = 1.0
    cap_m: float = 0.30
    within_m: float = 0.01
    level: bool = True
    clear_m: float | None = None
    nth: int = 0
    count: str | None = None
    out_of: str | None = None
    out_m: float = 0.0
    out_radius_m: float = 0.05
    lean_rad: float = 0.0
    back_rad: float = 0.0

    def wanted(self, state: WorldState) -> bool:
        """Whether this variation asks for it."""
        return self.count is None or self.nth < int(fill(self.count, state.binding))

    def placed(self, state: WorldState) -> bool:
        """Whether it lies, let go of, at or under the release height within ``within_m`` of the place, or need not."""
        if not self.wanted(state):
            return True
        name, aim = fill(self.name, state.binding), self._aim(state)
        if name in state.held:
            return False
        away = state.position(name) - aim
        return bool(np.hypot(*away[:2]) < self.within_m and away[2] < 0.005)

    def done(self, state: WorldState) -> bool:
        """Never, so that the hand draws back at the end; with ``clear_m``, once it has drawn back so far."""
        if not self.wanted(state):
            return True
        if self.clear_m is None or not self.placed(state):
            return False
        away = state.tip_position - state.position(fill(self.name, state.binding))
        return bool(away[2] > self.clear_m or np.hypot(*away[:2]) > BESIDE_M)

    def goal(self, state: WorldState) -> Goal:
        """Up and across, then down, then open; once it is placed, up and away."""
        name, tip = fill(self.name, state.binding), state.tip_position
        if name not in state.held:
            above = max(float(tip[2]), float(self._aim(state)[2] + self.clearance_m + 0.05))
            return Goal(np.array([tip[0], tip[1], above]), state.tip_rotation, gripper=1.0)
        aim, now = self._aim(state), state.position(name)
        if self._inside(state, now):
            return Goal(tip + (self.out_m + 0.05) * _UP, state.tip_rotation, gripper=0.0)
        rotation, turn = self._rotation(state, aim)
        error = float(np.hypot(*(now - aim)[:2])) + 0.03 * turn
        where = descent(now, aim, error, self.tolerance_m, self.clearance_m, self.slope, self.cap_m)
        grip = state.tip_rotation.T @ (now - tip)
        arrived = error < self.tolerance_m and abs(now[2] - aim[2]) < self.tolerance_m
        return Goal(
            where - rotation @ grip,
            rotation,
            gripper=1.0 if arrived else 0.0,
            speed_m=float(np.clip(0.5 * abs(now[2] - aim[2]) + 0.003, 0.003, TIP_SPEED_M)),
        )

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """The release and the place above it, for an object held in its middle."""
        if not self.wanted(state):
            return ()
        low = self._aim(state) + self.grip_m * _UP
        rotation = down(easy_yaw(low))
        if self.lean_rad:
            rotation = outwards(rotation, low, self._lean(low))
        return (Goal(low + self.clearance_m * _UP, rotation, 0.0), Goal(low, rotation, 1.0))

    def _inside(self, state: WorldState, now: np.ndarray) -> bool:
        """Whether the object at ``now`` (3,) still stands in what it must be drawn out of."""
        if self.out_of is None:
            return False
        away = now - state.position(fill(self.out_of, state.binding))
        return bool(np.hypot(*away[:2]) < self.out_radius_m and away[2] < self.out_m)

    def _aim(self, state: WorldState) -> np.ndarray:
        return state.position(fill(self.over, state.binding)) + self.height_m * _UP

    def _lean(self, aim: np.ndarray) -> float:
        """How far (rad) to tip outwards at ``aim`` (3,): near its base the arm cannot."""
        return self.lean_rad * ramp(float(np.hypot(*(aim[:2] - BASE_XY))), *LEAN_BEYOND_M)

    def _rotation(self, state: WorldState, aim: np.ndarray) -> tuple[np.ndarray, float]:
        """Hand rotation that levels the object and turns it to fit, and the turn still missing (rad)."""
        own, hand = state.rotation(fill(self.name, state.binding)), state.tip_rotation
        tip = state.tip_position
        if not self.level:
            return upright(easy_yaw(aim), tip, self.back_rad), 0.0
        # The object's heading when the hand's is easy; of the headings that fit, the nearest to it.
        easy = easy_yaw(aim) - float(np.arctan2(hand[1, 1], hand[0, 1])) + yaw_of(own)
        if self.symmetry:
            easy += 0.2 * wrapped(yaw_of(own) - easy, 2 * np.pi)  # a little inertia, so that ties do not flip
            yaw = easy + wrapped(yaw_of(state.rotation(fill(self.over, state.binding))) - easy, self.symmetry)
            turn = abs(wrapped(yaw - yaw_of(own), 2 * np.pi))
        else:
            yaw, turn = easy, 0.0
        level = about(_UP, yaw) @ own.T @ hand
        if self.lean_rad:
            tipped = outwards(level, tip, self._lean(aim))
            return tipped, turn + float(np.arccos(np.clip((np.trace(tipped.T @ hand) - 1.0) / 2.0, -1.0, 1.0)))
        return leaning(level, tip, float(tip[2])), turn
