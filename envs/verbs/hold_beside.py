"""A hold of something round for a hand that leans to the side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.expert import facing
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._line import best_turn, easy
from hansgym.envs.verbs._motion import about
from hansgym.envs.verbs.grip import SWAPPED, Hold

NEAR_M, NEAR_COSINE = 0.24, 0.7
"""A thing nearer than this is in the way of a hand that comes from its direction, give or take 45 degrees."""

LEAST_RAD = 0.8
"""Least lean off the arm's plane with which the arm still folds."""


@dataclass(frozen=True)
class HoldBeside(Hold):
    """A :class:`Hold` that is free to turn about an upright axis: the hand leans ``beside_rad`` off the arm's plane.

    Low down the arm folds with difficulty for a hand that leans straight away from the robot, and with ease for one
    that leans across, to either side. On each side the last joint has room for the fingers one way round. A hold
    ``ahead`` is to the side that suits the place to which the object is brought. Where the body ``clear_of`` stands
    near on the side from which the hand would come, the hand comes nearer to the arm's plane.
    """

    symmetry: float = 0.0
    beside_rad: float = 1.4
    clear_of: str | None = None

    def pose(self, state: WorldState, room: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Tip position (3,) and hand rotation (3, 3) in the world; ``room`` changes nothing."""
        return self.poses(state)[0]

    def poses(self, state: WorldState) -> list[tuple[np.ndarray, np.ndarray]]:
        """To either side, not through ``clear_of`` if that can be: tip positions (3,) and hand rotations (3, 3)."""
        name = fill(self.at or self.name, state.binding)
        frame, local = state.rotation(name), facing(np.asarray(self.approach), np.asarray(self.close))
        where = state.position(name)
        lean = float(np.arccos(np.clip(-(frame @ local)[2, 2], -1.0, 1.0)))
        found = []
        for beside_rad, roll in self._sides():
            wanted = about(np.array([0.0, 0.0, 1.0]), beside_rad) @ easy(where, lean)
            turned = frame @ best_turn(frame, np.asarray(self.axis), local, wanted, self.symmetry)
            found.append((where + turned @ np.asarray(self.offset), turned @ local @ roll))
        return [hold for hold in found if not self._crowded(state, where, hold[1])] or found

    def _sides(self) -> list[tuple[float, np.ndarray]]:
        """Leans (rad) off the arm's plane, each with the roll (3, 3) that leaves the last joint room."""
        leans = (self.beside_rad,) if self.clear_of is None else (self.beside_rad, LEAST_RAD)
        return [(sign * lean, roll) for lean in leans for sign, roll in ((1.0, np.eye(3)), (-1.0, SWAPPED))]

    def _crowded(self, state: WorldState, where: np.ndarray, hand: np.ndarray) -> bool:
        """Whether a ``hand`` (3, 3) that goes to ``where`` (3,) comes from where ``clear_of`` stands near."""
        if self.clear_of is None:
            return False
        other, into = (state.position(fill(self.clear_of, state.binding)) - where)[:2], hand[:2, 2]
        distance = float(np.linalg.norm(other))
        return distance < NEAR_M and float(-into @ other) > NEAR_COSINE * distance * float(np.linalg.norm(into))
