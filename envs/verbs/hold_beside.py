"""A hold of something round for a hand that leans to the side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hansgym.envs.expert import facing
from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._line import angle_between, best_turn, easy
from hansgym.envs.verbs._motion import about
from hansgym.envs.verbs.grip import Hold

HAND_M, ROOM_M = 0.25, 0.14
"""How far the hand reaches back from its tip, and how far from its middle line something must stand to be clear."""


@dataclass(frozen=True)
class HoldBeside(Hold):
    """A :class:`Hold` that is free to turn about an upright axis: the hand leans ``beside_rad`` off the arm's plane.

    Low down the arm folds with difficulty for a hand that leans straight away from the robot, and with ease for one
    that leans across. ``clear_of``: a body that the hand keeps clear of, where it may lean to either side (``ahead``).
    """

    symmetry: float = 0.0
    beside_rad: float = 1.4
    clear_of: str | None = None

    def pose(self, state: WorldState, room: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Tip position (3,) and hand rotation (3, 3) in the world; ``room`` changes nothing."""
        return self._leant(state, self.beside_rad)

    def poses(self, state: WorldState) -> list[tuple[np.ndarray, np.ndarray]]:
        """Leant across to either side, each with the fingers either way; only the roomier side, if there is one."""
        roll = np.diag([-1.0, -1.0, 1.0])
        sides = [self._leant(state, side * self.beside_rad) for side in (1, -1)]
        roomy = [side for side in sides if self._room(state, *side) > ROOM_M]
        return [(tip, hand @ turn) for tip, hand in roomy or sides for turn in (np.eye(3), roll)]

    def _room(self, state: WorldState, tip: np.ndarray, hand: np.ndarray) -> float:
        """Distance (m), seen from above, of ``clear_of`` from the hand at ``tip`` (3,) with ``hand`` (3, 3)."""
        if self.clear_of is None:
            return np.inf
        away = (state.position(fill(self.clear_of, state.binding)) - tip)[:2]
        back = -HAND_M * hand[:2, 2]
        along = float(np.clip(away @ back / (back @ back), 0.0, 1.0))
        return float(np.linalg.norm(away - along * back))

    def effort(self, start: tuple[np.ndarray, np.ndarray], end: tuple[np.ndarray, np.ndarray]) -> float:
        """How far (rad) the hand must be turned."""
        return angle_between(start[1], end[1])

    def way(self, start: tuple[np.ndarray, np.ndarray], end: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Straight there."""
        return end[1]

    def _leant(self, state: WorldState, beside_rad: float) -> tuple[np.ndarray, np.ndarray]:
        name = fill(self.at or self.name, state.binding)
        frame, local = state.rotation(name), facing(np.asarray(self.approach), np.asarray(self.close))
        where = state.position(name)
        lean = float(np.arccos(np.clip(-(frame @ local)[2, 2], -1.0, 1.0)))
        wanted = about(np.array([0.0, 0.0, 1.0]), beside_rad) @ easy(where, lean)
        turn = best_turn(frame, np.asarray(self.axis), local, wanted, self.symmetry)
        return where + frame @ turn @ np.asarray(self.offset), frame @ turn @ local
