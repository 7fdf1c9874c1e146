"""What verbs share that work with a held tool: where the hand must be for a part of the tool to be somewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hansgym.envs.spec import fill
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._motion import about, wrapped, yaw_of

if TYPE_CHECKING:
    from hansgym.envs.verbs.take import Take

_UP = np.array([0.0, 0.0, 1.0])


def turned(first: np.ndarray, second: np.ndarray) -> float:
    """Angle in rad between two rotations (3, 3)."""
    cosine = (float(np.trace(first.T @ second)) - 1.0) / 2.0
    return float(np.arccos(np.clip(cosine, -1.0, 1.0)))


def level(ahead: np.ndarray, yaw_now: float, symmetry: float) -> np.ndarray:
    """Rotation (3, 3) with z up and x along the level direction ``ahead`` (2,) or (3,).

    Of the headings that ``symmetry`` (rad; 0: just this one) makes equal, the nearest to ``yaw_now``.
    """
    yaw = float(np.arctan2(ahead[1], ahead[0]))
    return about(_UP, yaw_now + wrapped(yaw - yaw_now, symmetry) if symmetry else yaw)


def heading(state: WorldState, part: str) -> float:
    """Heading in rad of the x axis of the tool's part ``part``."""
    return yaw_of(state.rotation(part))


def hand_for(
    state: WorldState, take: Take, part: str, position: np.ndarray, rotation: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Tip position (3,) and rotation (3, 3) that bring frame ``part`` of the tool to ``position``, ``rotation``.

    The tool keeps the place that it has in the hand or, as long as it is not held, the one that ``take`` will give it.
    """
    if fill(take.name, state.binding) in state.held:
        tip, hand = state.tip_position, state.tip_rotation
    else:
        tip, hand = take.grip(state)
    own = state.rotation(part)
    lever, turn = own.T @ (tip - state.position(part)), own.T @ hand
    return position + rotation @ lever, rotation @ turn
