"""Bring a held object to a pose at a named place, along a line, and let go of it there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.conditions import Condition
from hansgym.envs.expert import Goal, facing
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._line import (
    ROOM_RAD,
    Line,
    angle_between,
    best_turn,
    easy,
    poised,
    speed,
    swung,
    turning,
    turns,
)
from hansgym.envs.verbs.grip import Hold, Vector

CLEAR_RAD = 2.75
"""A last joint that gets no farther from its middle than this, of 2.9, is clear of its limits."""


@dataclass(frozen=True)
class Carry:
    """Carry the object of ``hold`` until its ``point`` (in its own frame, m) is at ``offset`` in the frame of ``to``.

    ``own`` and ``onto`` are two pairs of directions, in the object's frame and in that of ``to``: the first of ``own``
    comes to lie along the first of ``onto``, the second as near as it can. Turned about the first by a multiple of
    ``symmetry`` (rad; 0 means by any angle) it fits as well; the turn is taken that suits the arm best, or
    brings the hand's approach nearest to ``heading`` (in the frame of ``to``).
    For a hold ``ahead`` the two are chosen together.
    By up to ``swing_rad`` all is swung about the vertical, so that the hand does not point straight away from the
    robot: low down, the arm can fold for that to one side only.
    ``into``: direction of the last ``stand_off_m`` in that frame. ``top_m``: height in the world over which the object
    may cross everything; ``slope``: how steeply it rises beside the line. ``release``: let go there and draw back along
    the hand's approach. ``when``: what then must hold for it to count as placed; without it, that it lies within
    ``near_m`` of the place. ``chained``: as in :class:`Grip`.
    """

    hold: Hold
    to: str
    offset: Vector = (0.0, 0.0, 0.0)
    point: Vector = (0.0, 0.0, 0.0)
    own: tuple[Vector, Vector] = ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0))
    onto: tuple[Vector, Vector] = ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0))
    symmetry: float = 2 * np.pi
    heading: Vector | None = None
    swing_rad: float = 0.0
    into: Vector = (0.0, 0.0, -1.0)
    stand_off_m: float = 0.08
    top_m: float = 1.05
    slope: float = 1.5
    tolerance_m: float = 0.003
    turn_tolerance_rad: float = 0.05
    release: bool = True
    when: Condition | None = None
    near_m: float = 0.03
    retreat_m: float = 0.10
    chained: bool = False

    def grip(self, state: WorldState, room: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """How to hold it: tip position (3,) and hand rotation (3, 3) in the world, as things lie now."""
        if not self.hold.ahead:
            return self.hold.pose(state, room)

        def effort(pose: tuple[np.ndarray, np.ndarray]) -> float:
            return self._ahead(state, *pose)[0]

        best = min(self.hold.poses(state), key=effort)
        return best if effort(best) < CLEAR_RAD else min((best, *self.hold.others(state)), key=effort)

    def placed(self, state: WorldState) -> bool:
        """Whether it is at its place and let go of."""
        if not self.release or fill(self.hold.name, state.binding) in state.held:
            return False
        if self.when is not None:
            return self.when.met(state)
        return bool(np.linalg.norm(self._now(state) - self._aim(state)) < self.near_m)

    def done(self, state: WorldState) -> bool:
        """Whether it is placed and the hand is out of the way, or busy with something else."""
        if not self.placed(state):
            return False
        return bool(state.held) or bool(np.linalg.norm(state.tip_position - self._now(state)) > self.retreat_m + 0.02)

    def goal(self, state: WorldState) -> Goal:
        """Over the obstacles to the beginning of the line, along it, then open, then back."""
        name, tip, hand = fill(self.hold.name, state.binding), state.tip_position, state.tip_rotation
        if name not in state.held:
            return Goal(tip - self.retreat_m * hand[:, 2], hand, gripper=1.0)
        now, aim, own = self._now(state), self._aim(state), state.rotation(name)
        rotation = self._rotation(state, own.T @ hand, tip, hand)
        line, missing = self._line(state), angle_between(hand, rotation)
        beside = line.beside(now, aim)
        error = beside + 0.08 * max(0.0, missing - self.turn_tolerance_rad / 2)
        where, gate = line.step(now, aim, error)
        distance = float(np.linalg.norm(now - aim))
        arrived = distance < 1.5 * self.tolerance_m and missing < self.turn_tolerance_rad
        there = self._tip_there(state, rotation, tip, hand)
        towards = poised(self.hold.way((tip, hand), (there, rotation)), tip, beside)
        return Goal(
            where - towards @ hand.T @ (now - tip),
            towards,
            gripper=1.0 if arrived and self.release else 0.0,
            speed_m=speed(distance),
            turn_rad=turning(gate),
        )

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """Up, across, down to the beginning of the line and along it, for the object as it is going to be held."""
        name, (held, grip) = fill(self.hold.name, state.binding), self.grip(state)
        own = state.rotation(name)
        tip, hand = own.T @ (held - state.position(name)), own.T @ grip
        rotation = self._rotation(state, hand, held, grip, room=ROOM_RAD)
        aim = self._aim(state) + rotation @ hand.T @ (tip - np.asarray(self.point))
        start = aim - self.stand_off_m * self._line(state).into
        if self.top_m - start[2] < 0.1:
            return (Goal(start, rotation, 0.0), Goal(aim, rotation, 1.0))
        lifted, above = (np.array([*point[:2], self.top_m]) for point in (held, start))
        ways = ((lifted, grip), (above, rotation), (start, rotation), (aim, rotation))
        return tuple(Goal(point, turned, 0.0) for point, turned in ways)

    def _now(self, state: WorldState) -> np.ndarray:
        name = fill(self.hold.name, state.binding)
        return state.position(name) + state.rotation(name) @ np.asarray(self.point)

    def _aim(self, state: WorldState) -> np.ndarray:
        to = fill(self.to, state.binding)
        return state.position(to) + state.rotation(to) @ np.asarray(self.offset)

    def _line(self, state: WorldState) -> Line:
        into = state.rotation(fill(self.to, state.binding)) @ np.asarray(self.into)
        return Line(into / np.linalg.norm(into), self.stand_off_m, self.top_m, self.slope, self.tolerance_m)

    def _placed(self, state: WorldState) -> np.ndarray:
        """Rotation (3, 3) in the world of the object at its place, one of those that fit."""
        own, onto = (facing(np.asarray(main), np.asarray(side)) for main, side in (self.own, self.onto))
        return state.rotation(fill(self.to, state.binding)) @ onto @ own.T

    def _ahead(self, state: WorldState, tip: np.ndarray, now: np.ndarray) -> tuple[float, np.ndarray]:
        """How hard it is to place it, held at ``tip`` (3,) with ``now`` (3, 3), and the best hand rotation there."""
        hand, placed = state.rotation(fill(self.hold.name, state.binding)).T @ now, self._placed(state)
        if self.symmetry:
            ends = [placed @ turn @ hand for turn in turns(self.own[0], self.symmetry)]
        else:
            ends = [self._easiest(state, hand)]
        efforts = [(self.hold.effort((tip, now), (self._tip_there(state, end, tip, now), end)), end) for end in ends]
        return min(efforts, key=lambda effort: effort[0])

    def _tip_there(self, state: WorldState, end: np.ndarray, tip: np.ndarray, now: np.ndarray) -> np.ndarray:
        """Where the tip (3,) is at the place, the hand as in ``end`` (3, 3), and now as in ``now`` at ``tip``."""
        return self._aim(state) + end @ now.T @ (tip - self._now(state))

    def _rotation(
        self, state: WorldState, hand: np.ndarray, tip: np.ndarray, now: np.ndarray, room: float = 0.0
    ) -> np.ndarray:
        """Hand rotation (3, 3) in the world at the place, where ``hand`` is that in the object's frame.

        The hand comes from ``tip`` (3,) with ``now`` (3, 3). Swung less by ``room`` (rad) than it could be, for a test
        with some reserve.
        """
        if self.hold.ahead:
            return self._ahead(state, tip, now)[1]
        return swung(self._easiest(state, hand), self._aim(state), self.swing_rad, room)

    def _easiest(self, state: WorldState, hand: np.ndarray) -> np.ndarray:
        """Of the hand rotations (3, 3) that fit, the one that suits the arm best, or the ``heading``."""
        frame, placed, axis = state.rotation(fill(self.to, state.binding)), self._placed(state), np.asarray(self.own[0])
        if self.heading is None:
            lean = float(np.arccos(np.clip(-(placed @ hand)[2, 2], -1.0, 1.0)))
            wanted = easy(self._aim(state), lean)
        else:
            wanted = np.zeros((3, 3))  # the approach alone counts
            wanted[:, 2] = frame @ np.asarray(self.heading)
        return placed @ best_turn(placed, axis, hand, wanted, self.symmetry) @ hand
