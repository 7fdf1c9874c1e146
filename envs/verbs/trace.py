"""Lead a part of a held tool along a path in the frame of something else."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hansgym.envs.expert import TIP_SPEED_M, TIP_TURN_RAD, Goal
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._motion import about, ramp
from hansgym.envs.verbs._tool import hand_for
from hansgym.envs.verbs.take import Take

TURN_M = 0.1
"""Metres of path that a radian of pitch is worth, so that turning on the spot is progress as well."""

_Y = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class Trace:
    """Lead the frame ``part`` of the tool that ``take`` holds along ``path``, and at its end let go if ``release``.

    A point of ``path`` is (x, y, z, pitch) in the frame of ``on``, metres and rad; the part's axes are those of ``on``,
    turned by the pitch about y. Farther than ``tolerance_m`` from the path it comes back to it before it goes on.
    """

    take: Take
    part: str
    on: str
    path: tuple[tuple[float, float, float, float], ...]
    release: bool = False
    tolerance_m: float = 0.005
    ahead_m: float = 0.03
    speed_m: float = TIP_SPEED_M
    turn_rad: float = TIP_TURN_RAD

    def done(self, state: WorldState) -> bool:
        """Never: it stays at the end of the path."""
        return False

    def goal(self, state: WorldState) -> Goal:
        """Back to the nearest point of the path, then along it."""
        origin, frame = self._frame(state)
        part = fill(self.part, state.binding)
        local = frame.T @ state.rotation(part)
        pitch = float(np.arctan2(local[0, 2], local[2, 2]))
        now = np.array([*(frame.T @ (state.position(part) - origin)), TURN_M * pitch])
        points = np.array(self.path) * (1.0, 1.0, 1.0, TURN_M)
        run, error = _nearest(points, now)
        aim = _at(points, run + self.ahead_m * (1.0 - ramp(error, self.tolerance_m, 3 * self.tolerance_m)))
        arrived = float(np.linalg.norm(now - points[-1])) < 1.5 * self.tolerance_m
        position, hand = self._hand(state, aim)
        gripper = 1.0 if self.release and (arrived or not state.held) else 0.0
        return Goal(position, hand, gripper, self.speed_m, self.turn_rad)

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """Every point of the path."""
        points = np.array(self.path) * (1.0, 1.0, 1.0, TURN_M)
        return tuple(Goal(*self._hand(state, point), gripper=0.0) for point in points)

    def _frame(self, state: WorldState) -> tuple[np.ndarray, np.ndarray]:
        name = fill(self.on, state.binding)
        return state.position(name), state.rotation(name)

    def _hand(self, state: WorldState, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Tip position (3,) and rotation (3, 3) for the part at ``point`` (x, y, z, weighted pitch)."""
        origin, frame = self._frame(state)
        rotation = frame @ about(_Y, float(point[3]) / TURN_M)
        return hand_for(state, self.take, fill(self.part, state.binding), origin + frame @ point[:3], rotation)


def _nearest(points: np.ndarray, now: np.ndarray) -> tuple[float, float]:
    """Length along the line ``points`` (n, 4) to its point nearest to ``now`` (4,), and the distance to that."""
    best, start = (0.0, np.inf), 0.0
    for first, second in pairwise(points):
        way = second - first
        length = float(np.linalg.norm(way))
        share = float(np.clip((now - first) @ way / max(length, 1e-9) ** 2, 0.0, 1.0))
        error = float(np.linalg.norm(now - first - share * way))
        # Of equally near places the later one: a path may touch itself.
        if error < best[1] + 1e-6:
            best = (start + share * length, error)
        start += length
    return best


def _at(points: np.ndarray, run: float) -> np.ndarray:
    """(4,) the point of the line ``points`` (n, 4) after ``run`` of its length."""
    for first, second in pairwise(points):
        length = float(np.linalg.norm(second - first))
        if run < length:
            return first + (second - first) * max(run, 0.0) / length
        run -= length
    return points[-1]
