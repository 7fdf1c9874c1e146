"""Verbs that hold and bring things along lines, as functions of a state that is written down here: closed forms."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansgym.assets.panda import HOME
from hansgym.envs.expert import down
from hansgym.envs.mujoco.ik import InverseKinematics
from hansgym.envs.verbs._line import (
    LONG_WAY_RAD,
    ROOM_M,
    Line,
    angle_between,
    best_turn,
    last_joint,
    part_way,
    swung,
    turns,
)
from hansgym.envs.verbs._motion import BASE_XY, about, azimuth, easy_yaw, tipped_back
from hansgym.envs.verbs.carry import CLEAR_RAD, Carry
from hansgym.envs.verbs.grip import Grip, Hold
from hansgym.envs.verbs.hold_beside import HoldBeside

UP, SIDE = np.array([0.0, 0.0, 1.0]), np.array([0.6, 0.8, 0.0])
THING, PLACE = np.array([0.3, 0.15, 0.85]), np.array([0.35, -0.2, 1.0])
yaws = st.floats(-np.pi, np.pi, allow_nan=False)
DOWNWARDS = Line(-UP, stand_off_m=0.08, top_m=1.2, slope=1.5, tolerance_m=0.003)


@dataclass(frozen=True)
class World:
    """A thing and a place to bring it to, each turned about the vertical, and a hand."""

    tip_position: np.ndarray = field(default_factory=lambda: np.array([0.28, 0.0, 1.4]))
    tip_rotation: np.ndarray = field(default_factory=lambda: down(np.pi / 2))
    thing: np.ndarray = field(default_factory=lambda: THING)
    yaw: float = 0.0
    place_yaw: float = 0.0
    held: tuple[str, ...] = ()
    binding: dict[str, str] = field(default_factory=dict)

    def position(self, name: str) -> np.ndarray:
        """(3,) of the thing or of the place."""
        return self.thing if name == "thing" else PLACE

    def rotation(self, name: str) -> np.ndarray:
        """(3, 3) of the thing or of the place."""
        return about(UP, self.yaw if name == "thing" else self.place_yaw)


def test_a_line_is_followed_from_its_beginning_to_its_end() -> None:
    aim = np.array([0.4, 0.1, 0.9])
    on_it = aim + 0.05 * UP
    where, gate = DOWNWARDS.step(on_it, aim, error=0.0)
    np.testing.assert_allclose(where, aim)
    assert gate == 1.0
    assert DOWNWARDS.beside(on_it, aim) == pytest.approx(0.0)
    assert DOWNWARDS.beside(on_it + 0.05 * SIDE, aim) == pytest.approx(0.05)


def test_beside_a_line_one_goes_over_the_top_to_its_beginning() -> None:
    aim = np.array([0.4, 0.1, 0.9])
    far = aim + 0.5 * SIDE
    where, gate = DOWNWARDS.step(far, aim, error=0.5)
    np.testing.assert_allclose(where, [*far[:2], DOWNWARDS.top_m])  # straight up first
    assert gate == 0.0
    near = aim + (ROOM_M + 0.06) * SIDE + 0.5 * UP
    where, gate = DOWNWARDS.step(near, aim, error=0.2)
    # High enough to travel: to the beginning of the line, as high as the slope asks for at that distance.
    np.testing.assert_allclose(where, [*aim[:2], aim[2] + 0.08 + 1.5 * 0.06])
    assert gate == 1.0


@given(yaws, yaws, yaws)
def test_the_best_turn_is_the_best_of_all(first: float, second: float, third: float) -> None:
    before, after, wanted = about(UP, first), down(second), about(np.array([1.0, 0.0, 0.0]), third) @ down(0.4)

    def score(turn: np.ndarray) -> float:
        return float(np.trace((before @ turn @ after).T @ wanted))

    found = score(best_turn(before, UP, after, wanted, 0.0))
    assert found >= max(score(about(UP, a)) for a in np.linspace(-np.pi, np.pi, 181)) - 1e-9
    quarter = score(best_turn(before, UP, after, wanted, np.pi / 2))
    assert quarter == pytest.approx(max(score(turn) for turn in turns(UP, np.pi / 2)), abs=1e-9)


def test_turns_are_a_closed_group() -> None:
    quarters = turns((0.0, 0.0, 2.0), np.pi / 2)
    assert len(quarters) == 4
    np.testing.assert_allclose(quarters[1] @ quarters[3], np.eye(3), atol=1e-12)
    assert len(turns(UP, 2 * np.pi)) == 1


@pytest.mark.parametrize("at", [(0.4, 0.2, 1.0), (0.5, -0.15, 0.9), (0.3, 0.0, 1.1)])
@pytest.mark.parametrize("joint", [-1.5, 0.0, 1.6])
def test_the_last_joint_is_about_where_the_arm_turns_it(at: tuple[float, float, float], joint: float) -> None:
    hand = down(easy_yaw(np.array(at)) + np.pi / 4 - joint)
    assert last_joint(hand, np.array(at)) == pytest.approx(joint)
    joints, reached = InverseKinematics().solve(np.array(at), hand, np.array(HOME))
    assert reached
    assert joints[6] == pytest.approx(joint, abs=0.5)


@given(st.floats(-6.0, 6.0))
def test_a_long_turn_goes_the_way_it_was_told(way: float) -> None:
    start = down(0.3)
    end = about(UP, -way) @ start  # the last joint turns against the hand's heading
    part = part_way(end, way)
    asked = float(np.clip(way, -LONG_WAY_RAD, LONG_WAY_RAD))
    np.testing.assert_allclose(part, about(UP, -asked) @ start, atol=1e-9)


@given(yaws, st.floats(0.0, 1.0))
def test_a_level_hand_is_swung_off_the_arms_plane_but_no_farther(yaw: float, most: float) -> None:
    level = about(UP, yaw) @ np.column_stack([(0.0, 0.0, -1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)])
    turned = swung(level, PLACE, most)
    assert angle_between(level, turned) <= most + 1e-6
    off = abs((float(np.arctan2(*turned[1::-1, 2])) - azimuth(PLACE) + np.pi) % (2 * np.pi) - np.pi)
    before = abs((float(np.arctan2(*level[1::-1, 2])) - azimuth(PLACE) + np.pi) % (2 * np.pi) - np.pi)
    assert off == pytest.approx(max(before, min(0.65, before + most)), abs=1e-6)


def test_a_hand_is_tipped_back_near_the_base_only() -> None:
    straight = down(0.2)
    near, far = (np.array([BASE_XY[0] + r, BASE_XY[1], 0.8]) for r in (0.3, 0.5))
    np.testing.assert_array_equal(tipped_back(straight, near, 0.0), straight)
    np.testing.assert_allclose(tipped_back(straight, far, 0.4), straight)
    np.testing.assert_allclose(tipped_back(straight, near + 0.4 * UP, 0.4), straight)
    back = tipped_back(straight, near, 0.4)
    assert angle_between(straight, back) == pytest.approx(0.4)
    assert back[0, 2] < 0.0, "it looks back at the robot"


@given(yaws)
def test_a_grip_takes_the_easier_of_two_rolls_and_closes_when_it_is_there(yaw: float) -> None:
    grip = Grip(Hold("thing"))
    away = World(yaw=yaw)
    tip, rotation = grip.hold.pose(away)
    np.testing.assert_allclose(tip, THING)
    assert abs(last_joint(rotation, tip) - np.pi / 4) <= np.pi / 2 + 0.31
    assert grip.goal(away).gripper == 1.0
    there = replace(away, tip_position=tip, tip_rotation=rotation)
    assert grip.goal(there).gripper == 0.0
    np.testing.assert_allclose(grip.goal(there).position, tip, atol=1e-9)
    above = replace(there, tip_position=tip + 0.05 * UP)
    assert grip.goal(above).gripper == 1.0
    np.testing.assert_allclose(grip.goal(above).position, tip, atol=1e-9)
    assert not grip.done(there)
    assert grip.done(replace(there, held=("thing",)))


def test_carrying_ends_with_letting_go_and_drawing_back() -> None:
    hold = Hold("thing")
    carry = Carry(hold, to="place", offset=(0.0, 0.0, 0.02))
    aim = PLACE + 0.02 * UP
    start = World(held=("thing",))
    tip, rotation = hold.pose(start)
    assert carry.goal(replace(start, tip_position=tip, tip_rotation=rotation)).gripper == 0.0
    arrived = World(held=("thing",), thing=aim, tip_position=aim, tip_rotation=rotation)
    goal = carry.goal(arrived)
    assert goal.gripper == 1.0
    np.testing.assert_allclose(goal.position, aim, atol=1e-9)
    assert not carry.placed(arrived)
    let_go = replace(arrived, held=())
    assert carry.placed(let_go)
    assert not carry.done(let_go)
    assert carry.goal(let_go).position[2] == pytest.approx(aim[2] + carry.retreat_m)
    assert carry.done(replace(let_go, tip_position=aim + 0.13 * UP))
    assert Grip(hold, before=carry).done(let_go), "nobody need grip it again"
    kept = replace(carry, release=False)
    assert kept.goal(arrived).gripper == 0.0
    assert not kept.placed(let_go)


@given(yaws, yaws)
def test_hold_and_place_leave_the_last_joint_room(yaw: float, place_yaw: float) -> None:
    hold = Hold("thing", symmetry=np.pi / 2, ahead=True)
    carry, world = Carry(hold, to="place"), World(yaw=yaw, place_yaw=place_yaw)
    tip, hand = Grip(hold, before=carry).reach(world)[1].position, carry.grip(world)[1]
    end = carry.reach(world)[-1]
    ends = (last_joint(hand, tip), last_joint(end.rotation, end.position))
    # Of four rolls one is within 45 degrees of the middle between the two ends, which are half a turn apart at most.
    assert max(map(abs, ends)) <= 3 * np.pi / 4 + 1e-6
    # Held like that, the same end is chosen on the way.
    held = replace(world, tip_position=tip, tip_rotation=hand, held=("thing",))
    np.testing.assert_allclose(carry._ahead(held, tip, hand)[1], end.rotation, atol=1e-9)


def test_a_hold_that_leaves_no_room_is_turned_by_what_else_it_may_be() -> None:
    plain = Hold("thing", ahead=True)
    other = replace(plain, also=(np.pi / 2, -np.pi / 2))
    easy = easy_yaw(THING) - easy_yaw(PLACE)
    # The thing lies so that its fingers close in the middle of the last joint's range, its place half a turn on.
    yaw = easy_yaw(THING) + np.pi / 4 - np.pi / 2
    world = World(yaw=yaw, place_yaw=yaw - easy + np.pi)
    stuck, free = (
        Carry(hold, to="place")._ahead(world, *Carry(hold, to="place").grip(world))[0] for hold in (plain, other)
    )
    assert stuck > CLEAR_RAD > free


def test_a_slanting_hold_leans_so_that_the_hand_need_not_roll() -> None:
    hold = HoldBeside("thing", approach=(-1.0, 0.0, -1.0), ahead=True)
    carry = Carry(
        hold,
        to="place",
        own=((0.0, 0.0, 1.0), (1.0, 0.0, 0.0)),
        onto=((1.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
        symmetry=0.0,
        heading=(-1.0, 0.0, -1.0),
        into=(-1.0, 0.0, 0.0),
    )
    for place_yaw in np.linspace(-np.pi, np.pi, 12):
        world = World(place_yaw=float(place_yaw))
        best, usual = (carry._ahead(world, *pose)[0] for pose in (carry.grip(world), hold.pose(world)))
        assert best <= usual + 1e-9
        assert best < 0.8 * np.pi
