"""Take hold of an object from any side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hansgym.envs.expert import Goal, facing
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._line import (
    ROOM_RAD,
    Line,
    angle_between,
    best_turn,
    easy,
    last_joint,
    part_way,
    poised,
    speed,
    swung,
    turns,
)
from hansgym.envs.verbs._motion import about

Vector = tuple[float, float, float]
SWAPPED = np.diag([-1.0, -1.0, 1.0])
"""The hand rolled half round: the same grip with the fingers swapped."""


class Placing(Protocol):
    """A verb that brings something to its place."""

    def grip(self, state: WorldState, room: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """How to take hold of it for that: tip position (3,) and hand rotation (3, 3); ``room`` as in :class:`Hold`."""
        ...

    def placed(self, state: WorldState) -> bool:
        """Whether it is there, let go of."""
        ...


@dataclass(frozen=True)
class Hold:
    """Where the hand is when it holds ``name``: a pose in the frame of that body, or of the body or site ``at``.

    The tip is at ``offset`` (m), the hand points along ``approach`` and its fingers close along ``close`` (which is
    made upright to it). Turned about ``axis`` (through the frame's origin) by a multiple of ``symmetry`` (rad; 0 means
    by any angle) it is as good a hold, and with fingers swapped, too; the one that suits the arm best is taken. By up
    to ``swing_rad`` the hand is swung about the vertical, as :func:`swung` says.
    ``ahead``, for a hand that points down and symmetries other than 0: the hold is chosen with the place in mind to
    which the object is brought, so that the last joint stays far from its limits, and turned to the way it has room.
    Where it does not stay clear of them, the hold may be turned about ``axis`` by one of the angles ``also`` (rad).
    """

    name: str
    offset: Vector = (0.0, 0.0, 0.0)
    approach: Vector = (0.0, 0.0, -1.0)
    close: Vector = (0.0, 1.0, 0.0)
    axis: Vector = (0.0, 0.0, 1.0)
    symmetry: float = 2 * np.pi
    at: str | None = None
    swing_rad: float = 0.0
    ahead: bool = False
    also: tuple[float, ...] = ()

    def pose(self, state: WorldState, room: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Tip position (3,) and hand rotation (3, 3) in the world, swung less by ``room`` (rad) than could be."""
        name = fill(self.at or self.name, state.binding)
        frame, local = state.rotation(name), facing(np.asarray(self.approach), np.asarray(self.close))
        where, axis = state.position(name), np.asarray(self.axis)
        wanted = easy(where, float(np.arccos(np.clip(-(frame @ local)[2, 2], -1.0, 1.0))))
        holds = []
        for roll in (np.eye(3), SWAPPED):
            turn = best_turn(frame, axis, local @ roll, wanted, self.symmetry)
            holds.append((where + frame @ turn @ np.asarray(self.offset), frame @ turn @ local @ roll))
        tip, hand = max(holds, key=lambda hold: float(np.trace(hold[1].T @ wanted)))
        return tip, swung(hand, tip, self.swing_rad, room)

    def poses(self, state: WorldState) -> list[tuple[np.ndarray, np.ndarray]]:
        """All that are as good, for a ``symmetry`` other than 0: tip positions (3,) and hand rotations (3, 3)."""
        return self._turned(state, turns(self.axis, self.symmetry))

    def others(self, state: WorldState) -> list[tuple[np.ndarray, np.ndarray]]:
        """Those turned by ``also``: tip positions (3,) and hand rotations (3, 3)."""
        axis = np.asarray(self.axis) / np.linalg.norm(self.axis)
        return self._turned(state, [about(axis, angle) for angle in self.also])

    def effort(self, start: tuple[np.ndarray, np.ndarray], end: tuple[np.ndarray, np.ndarray]) -> float:
        """How hard (rad) it is to bring the hand from ``start`` to ``end``: tip (3,) and hand rotation (3, 3) each.

        That is how far the last joint gets from its middle; of two as far, the shorter way counts a little less.
        """
        first, last = (last_joint(rotation, tip) for tip, rotation in (start, end))
        return max(abs(first), abs(last)) + 0.05 * abs(last - first)

    def way(self, start: tuple[np.ndarray, np.ndarray], end: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Hand rotation (3, 3) to turn to from ``start`` so as to come to ``end``, as above."""
        if not self.ahead:
            return end[1]
        return part_way(end[1], last_joint(end[1], end[0]) - last_joint(start[1], start[0]))

    def _turned(self, state: WorldState, by: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        name = fill(self.at or self.name, state.binding)
        frame, local = state.rotation(name), facing(np.asarray(self.approach), np.asarray(self.close))
        where, offset = state.position(name), np.asarray(self.offset)
        turned = [(frame @ turn, roll) for turn in by for roll in (np.eye(3), SWAPPED)]
        return [(where + now @ offset, now @ local @ roll) for now, roll in turned]


@dataclass(frozen=True)
class Grip:
    """Bring the open gripper to ``hold`` along its approach and close it.

    ``before``: it is done, too, once that verb has done its work; that verb may choose among holds that are as good.
    ``stand_off_m``: length of the straight approach; ``top_m``: height in the world over which the hand may cross
    everything; ``slope``: how steeply it rises beside the approach. ``chained``: the test of what can be reached
    follows the arm from waypoint to waypoint, for hands that are not upright.
    """

    hold: Hold
    before: Placing | None = None
    stand_off_m: float = 0.08
    top_m: float = 1.05
    slope: float = 1.5
    tolerance_m: float = 0.003
    chained: bool = False

    def done(self, state: WorldState) -> bool:
        """Whether it is attached, or already where it belongs."""
        held = fill(self.hold.name, state.binding) in state.held
        return held or (self.before is not None and self.before.placed(state))

    def goal(self, state: WorldState) -> Goal:
        """Over the obstacles to the beginning of the approach, along it, then closed."""
        tip, (grip, rotation) = state.tip_position, self._pose(state)
        line, missing = self._line(rotation), angle_between(state.tip_rotation, rotation)
        beside = line.beside(tip, grip)
        position, _ = line.step(tip, grip, beside + 0.08 * max(0.0, missing - 0.02))
        distance = float(np.linalg.norm(tip - grip))
        arrived = distance < 1.5 * self.tolerance_m and missing < 0.06
        towards = poised(self.hold.way((tip, state.tip_rotation), (grip, rotation)), tip, beside)
        return Goal(position, towards, 0.0 if arrived else 1.0, speed_m=speed(distance))

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """The beginning of the approach and the hold."""
        grip, rotation = self._pose(state, ROOM_RAD)
        return (Goal(grip - self.stand_off_m * rotation[:, 2], rotation, 1.0), Goal(grip, rotation, 0.0))

    def _pose(self, state: WorldState, room: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        return self.hold.pose(state, room) if self.before is None else self.before.grip(state, room)

    def _line(self, rotation: np.ndarray) -> Line:
        return Line(rotation[:, 2], self.stand_off_m, self.top_m, self.slope, self.tolerance_m)
