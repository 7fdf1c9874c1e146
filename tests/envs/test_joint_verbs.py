"""Verbs for what turns and slides, as functions of a state that is written down here: no simulator."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from hansgym.envs.expert import down, facing
from hansgym.envs.verbs.press import Press
from hansgym.envs.verbs.pull import Pull
from hansgym.envs.verbs.raise_lid import RaiseLid
from hansgym.envs.verbs.shut import Shut
from hansgym.envs.verbs.turn import Turn
from hansgym.envs.verbs.withdraw import Withdraw

THING = np.array([0.3, 0.0, 1.0])


@dataclass(frozen=True)
class World:
    """A state with one thing of any name, one joint, and a hand."""

    tip_position: np.ndarray
    tip_rotation: np.ndarray = field(default_factory=lambda: down(np.pi / 2))
    joint_now: float = 0.0
    opening: float = 1.0
    held: tuple[str, ...] = ()
    frame: np.ndarray = field(default_factory=lambda: np.eye(3))
    progress: int = 0
    binding: dict[str, str] = field(default_factory=dict)

    def position(self, name: str) -> np.ndarray:
        """(3,) of everything."""
        return THING.copy() if name != "hinge" else THING + np.array([0.2, 0.0, 0.0])

    def rotation(self, name: str) -> np.ndarray:
        """(3, 3) of everything."""
        return self.frame

    def joint(self, name: str) -> float:
        """The joint."""
        return self.joint_now

    def joint_at_reset(self, name: str) -> float:
        """Where it began."""
        return 0.0


def test_a_drawer_that_is_open_enough_stays_done_once_the_hand_has_let_go() -> None:
    near, pull = World(THING, joint_now=0.17, opening=0.2), Pull("bar", "slide", distance_m=0.2, enough_m=0.15)
    assert not pull.done(near), "still pulling"
    assert pull.done(replace(near, opening=1.0))
    assert pull.done(replace(near, opening=0.5, held=("cube",)))
    assert pull.done(replace(near, joint_now=0.21))
    assert not Pull("bar", "slide", distance_m=0.2).done(replace(near, opening=1.0)), "unless it is not asked for"


def test_the_hand_withdraws_only_from_the_handle_and_only_when_level() -> None:
    level = facing(np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0]))
    at_handle = World(THING, tip_rotation=level)
    withdraw = Withdraw("bar")
    assert not withdraw.done(at_handle)
    assert withdraw.goal(at_handle).position[0] < THING[0]
    np.testing.assert_allclose(withdraw.goal(replace(at_handle, opening=0.1)).position, THING)
    assert withdraw.done(replace(at_handle, tip_position=THING - np.array([0.2, 0.0, 0.0])))
    assert withdraw.done(World(THING)), "a hand that points down has other business"


@pytest.mark.parametrize("yaw", [0.1, 0.7, 1.5, 2.9, -2.0])
def test_a_cross_is_gripped_the_nearest_way_and_turned_to_the_left(yaw: float) -> None:
    turn = Turn("cross", "hinge", by_rad=1.6, grip_m=0.033, symmetry=np.pi / 2)
    coming = World(THING + np.array([0.0, 0.0, 0.07]), tip_rotation=down(yaw))
    goal = turn.goal(coming)
    step = coming.tip_rotation.T @ goal.rotation
    assert np.arccos((np.trace(step) - 1) / 2) <= np.pi / 4 + 1e-6
    assert goal.gripper == 1.0
    gripping = World(THING, tip_rotation=goal.rotation, opening=0.033 / 0.08)
    turned = goal.rotation @ turn.goal(gripping).rotation.T
    assert turn.goal(gripping).gripper == 0.0
    assert turned[1, 0] < -0.2, "the hand leads the handle, positive about its axis"


def test_a_lid_is_pushed_from_behind_only() -> None:
    # Upright: x up, y along the hinge, z away from where it will lie.
    upright = np.column_stack([(0.0, 0.0, 1.0), (0.0, -1.0, 0.0), (1.0, 0.0, 0.0)])
    shut = Shut("lid", "hinge", radius_m=0.2, face_m=0.015, over_m=0.06)
    contact = THING + np.array([0.015, 0.0, 0.2])
    behind = World(contact, frame=upright, joint_now=1.57)
    assert shut.goal(behind).position[0] < contact[0] - 0.01
    before = replace(behind, tip_position=contact - np.array([0.1, 0.0, 0.0]))
    assert shut.goal(before).position[2] > contact[2] + 0.05, "over the edge first"


def test_a_lid_rises_only_once_its_bar_is_held() -> None:
    frame = np.column_stack([(-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 1.0)])
    lift = RaiseLid("hinge", "bar", "joint", open_rad=0.9)
    # The bar runs along the hinge: here every frame's y, so the site's x must be turned there.
    site = np.column_stack([(0.0, -1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)])

    class Lid(World):
        def rotation(self, name: str) -> np.ndarray:
            return frame if name == "hinge" else site

    _, rotation = lift._grip(Lid(THING))
    open_handed = lift.goal(Lid(THING, tip_rotation=rotation))
    assert open_handed.gripper == 0.0
    assert abs(open_handed.position[2] - THING[2]) < 1e-6
    assert lift.goal(Lid(THING, tip_rotation=rotation, opening=0.15)).position[2] > THING[2] + 0.01


def test_a_press_keeps_its_height_beside_the_button_unless_told_otherwise() -> None:
    beside = World(THING + np.array([0.3, 0.0, 0.0]))
    usual, tall = (Press(0, "b", **k).goal(beside).position[2] for k in ({}, {"slope": 2.0, "cap_m": 0.3}))
    assert usual - THING[2] == pytest.approx(0.14 + 0.018 + 0.002, abs=0.02)
    assert tall > usual + 0.1
