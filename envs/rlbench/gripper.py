"""The fingers' law of motion, upstream's: a constant speed until a finger arrives or is stopped."""

from __future__ import annotations

import numpy as np

SPEED = 0.2
"""Finger speed in m/s of upstream's discrete gripper action."""

STILL_M = 1e-3
"""A finger nearer than this to its goal has arrived; one that moved less than this in a step is stopped."""

OPEN_SHARE = 0.9
"""The gripper counts as open when every finger is over this share of its way."""


def finger_speeds(positions: np.ndarray, previous: np.ndarray | None, goals: np.ndarray) -> np.ndarray:
    """Speeds (2,) m/s for fingers at ``positions`` (2,) m on their way to ``goals`` (2,) m.

    ``previous``: where they were one step earlier; None at the start of a movement, when nothing has moved yet.
    """
    ahead = np.asarray(goals, float) - positions
    moving = np.abs(ahead) >= STILL_M
    if previous is not None:
        moving &= np.abs(positions - previous) >= STILL_M
    return np.where(moving, np.sign(ahead) * SPEED, 0.0)


def opening(positions: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """(2,) share of its way, 0 closed to 1 open, of each finger; ``limits`` (2, 2) m are (closed, open)."""
    return np.clip((positions - limits[:, 0]) / (limits[:, 1] - limits[:, 0]), 0.0, 1.0)


class Gripper:
    """Turns the command of each step into an attachment or release, and into finger speeds."""

    def __init__(self, limits: np.ndarray) -> None:
        self._limits = np.asarray(limits, float)
        self._open, self._moving = True, False
        self._previous: np.ndarray | None = None

    def commanded(self, wants_open: bool, positions: np.ndarray) -> str | None:
        """What to do before this step moves: ``"grasp"``, ``"release"`` or nothing.

        A close command attaches once, when it comes, and again as long as the fingers stand open all the same.
        """
        turned = wants_open != self._open
        self._open = wants_open
        if turned:
            self._moving, self._previous = True, None
        if wants_open:
            return "release" if turned else None
        stuck_open = bool((opening(positions, self._limits) > OPEN_SHARE).all())
        return "grasp" if turned or stuck_open else None

    def speeds(self, positions: np.ndarray) -> np.ndarray:
        """Finger speeds (2,) m/s of this step, and zero once both have arrived or are stopped."""
        if not self._moving:
            return np.zeros(2)
        goals = self._limits[:, 1] if self._open else self._limits[:, 0]
        speeds = finger_speeds(positions, self._previous, goals)
        self._previous = np.array(positions, float)
        self._moving = bool(speeds.any())
        return speeds
