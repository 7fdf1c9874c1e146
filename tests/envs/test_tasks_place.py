"""Things picked up and put elsewhere: words, proportions, success at its thresholds, and verbs in a row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from test_tasks_b import extent, move

from hansgym.envs.backend import ResetRequest
from hansgym.envs.conditions import InOrder
from hansgym.envs.expert import current
from hansgym.envs.mujoco.backend import MujocoBackend
from hansgym.envs.spec import COLOURS, TaskSpec, fill
from hansgym.envs.tasks.basketball_in_hoop import TASK as BALL
from hansgym.envs.tasks.meat_off_grill import TASK as MEAT
from hansgym.envs.tasks.phone_on_base import TASK as PHONE
from hansgym.envs.tasks.put_knife_on_chopping_board import TASK as KNIFE
from hansgym.envs.tasks.put_rubbish_in_bin import TASK as RUBBISH
from hansgym.envs.tasks.stack_blocks import TASK as STACK
from hansgym.envs.tasks.take_lid_off_saucepan import TASK as LID
from hansgym.envs.tasks.take_plate_off_colored_dish_rack import TASK as PLATE
from hansgym.seeds import stream

CANONICAL: dict[str, list[str]] = {
    MEAT.name: ["take the chicken off the grill", "take the steak off the grill"],
    RUBBISH.name: ["put rubbish in bin"],
    BALL.name: ["put the ball in the hoop"],
    LID.name: ["take lid off the saucepan"],
    PHONE.name: ["put the phone on the base"],
    STACK.name: [f"stack {n} {c} blocks" for c in COLOURS for n in (2, 3, 4)],
    KNIFE.name: ["put the knife on the chopping board"],
    PLATE.name: [f"take plate off the {c} colored rack" for c in ("black", "red", "purple")],
}
PARAPHRASES = {
    MEAT.name: 2,
    RUBBISH.name: 4,
    BALL.name: 5,
    LID.name: 5,
    PHONE.name: 5,
    STACK.name: 5,
    KNIFE.name: 4,
    PLATE.name: 5,
}

TASKS = (MEAT, RUBBISH, BALL, LID, PHONE, STACK, KNIFE, PLATE)

# Full edge lengths in metres of what upstream's objects measure, along each prop's own axes.
MEASURED = {
    "bin_visual": (RUBBISH, (0.199, 0.199, 0.189)),
    "rubbish": (RUBBISH, (0.050, 0.087, 0.034)),
    "tomato1_visual": (RUBBISH, (0.066, 0.066, 0.071)),
    "ball": (BALL, (0.060, 0.060, 0.060)),
    "ball_stop": (BALL, (0.065, 0.065, 0.010)),
    "saucepan_visual": (LID, (0.432, 0.229, 0.088)),
    "saucepan_lid_grasp_point": (LID, (0.060, 0.060, 0.022)),
    "phone_case_visual": (PHONE, (0.283, 0.205, 0.071)),
    "phone": (PHONE, (0.065, 0.269, 0.055)),
    "stack_blocks_target0": (STACK, (0.050, 0.050, 0.050)),
    "stack_blocks_target_plane": (STACK, (0.075, 0.075, 0.000)),
    "chopping_board_visual": (KNIFE, (0.411, 0.207, 0.015)),
    "knife_block": (KNIFE, (0.081, 0.088, 0.164)),
    "knife": (KNIFE, (0.020, 0.024, 0.216)),
    "plate": (PLATE, (0.025, 0.201, 0.201)),
    "plate_target": (PLATE, (0.100, 0.100, 0.100)),
    "dish_rack_pillar0": (PLATE, (0.160, 0.010, 0.150)),
}


@pytest.fixture(scope="module")
def arranged() -> Callable[..., MujocoBackend]:
    """``arranged(task, seed, variation, protocol)``: one backend per task, freshly reset."""
    made: dict[str, MujocoBackend] = {}

    def get(task: TaskSpec, seed: int = 0, variation: int = 0, protocol: str = "default") -> MujocoBackend:
        backend = made.setdefault(task.name, MujocoBackend(task))
        backend.reset(ResetRequest(seed=seed, variation=variation, protocol=protocol))
        return backend

    return get


@pytest.mark.parametrize("task", TASKS, ids=lambda t: t.name)
def test_canonical_instructions_letter_for_letter(task: TaskSpec) -> None:
    bound = [task.bind(k, stream(0, "binding")) for k in range(len(task.variations))]
    assert [fill(task.instructions[0], b) for b in bound] == CANONICAL[task.name]
    assert len(task.instructions) - 1 == PARAPHRASES[task.name]


@pytest.mark.parametrize("name", sorted(MEASURED))
def test_sizes_are_within_15_percent_of_the_measured_ones(name: str, arranged: Callable[..., MujocoBackend]) -> None:
    task, size = MEASURED[name]
    assert extent(arranged(task), name) == pytest.approx(size, rel=0.15, abs=0.0025)


def test_the_paper_is_in_each_place_equally_often() -> None:
    where = [RUBBISH.bind(0, stream(seed, "binding"))["rubbish_at"] for seed in range(300)]
    assert all(70 < where.count(slot) < 130 for slot in RUBBISH.slots)


def test_a_ball_over_the_ring_falls_through_it(arranged: Callable[..., MujocoBackend]) -> None:
    backend = arranged(BALL)
    live = backend.live
    ring = live.view.position("basket_ball_hoop_ring")
    move(backend, "ball", ring + np.array((0.012, -0.010, 0.06)))
    assert not backend.verdict().success
    seen = []
    for _ in range(12):
        backend.step(live.view.arm_joints, 1.0)
        seen.append(backend.verdict().success)
    assert any(seen)
    move(backend, "ball", ring + np.array((0.0, -0.06, 0.04)))  # on the edge, it does not sink in
    backend.step(live.view.arm_joints, 1.0)
    assert live.view.position("ball")[2] > ring[2]


def test_the_lid_must_be_held_up(arranged: Callable[..., MujocoBackend]) -> None:
    backend = arranged(LID)
    live, lid = backend.live, "saucepan_lid_grasp_point"
    move(backend, lid, live.view.position("success"))
    assert not backend.verdict().success
    live.held = (lid,)
    assert backend.verdict().success


def _in_column(backend: MujocoBackend, places: list[tuple[float, float, float]]) -> bool:
    """Success with the first targets at ``places``, from the square's middle on the table (m)."""
    middle = backend.live.view.position("stack_blocks_target_plane")
    for k, place in enumerate(places):
        move(backend, f"stack_blocks_target{k}", middle + np.array(place))
    return backend.verdict().success


SIDE_BY_SIDE = [(-0.027, 0.0, 0.025), (0.027, 0.0, 0.025)]
STACKED = [(0.0, 0.004, 0.025), (0.003, 0.0, 0.075), (0.0, 0.0, 0.125), (0.0, 0.0, 0.175)]


def test_blocks_must_be_stacked_and_enough_of_them(arranged: Callable[..., MujocoBackend]) -> None:
    for variation, count in ((3, 2), (4, 3), (5, 4)):
        backend = arranged(STACK, variation=variation)
        assert not _in_column(backend, STACKED[: count - 1])
        assert _in_column(backend, STACKED[:count])
        backend.live.held = ("stack_blocks_target0",)
        assert not backend.verdict().success
    assert not _in_column(arranged(STACK, variation=3), SIDE_BY_SIDE)
    assert _in_column(arranged(STACK, protocol="agnostos"), SIDE_BY_SIDE)


def test_blocks_are_stacked_in_turn_and_no_more_than_wanted(arranged: Callable[..., MujocoBackend]) -> None:
    backend = arranged(STACK, variation=3)
    view, verbs = backend.live.view, STACK.expert
    assert current(verbs, view) is verbs[0]
    _in_column(backend, STACKED[:1])
    assert current(verbs, view) is verbs[2], "the hand is far away: the next one"
    assert all(verb.done(view) for verb in verbs[4:]), "two blocks are asked for"
    assert all(verb.reach(view) == () for verb in verbs[4:])


def test_the_published_knife_latches(arranged: Callable[..., MujocoBackend]) -> None:
    backend = arranged(KNIFE, protocol="agnostos")
    live = backend.live
    assert isinstance(live.success, InOrder)
    home = live.view.position("knife")
    over = live.view.position("success")
    live.held = ("knife",)
    move(backend, "knife", over + np.array((0.0, 0.0, 0.10)))
    live.progress = live.success.advance(live.view)
    assert live.progress == 1
    move(backend, "knife", home)
    live.held = ()
    assert live.success.advance(live.view) == 2
    assert not KNIFE.success.met(live.view), "by default it must still be there"


def test_the_plate_must_leave_the_rack(arranged: Callable[..., MujocoBackend]) -> None:
    for variation, section in enumerate((-0.1, 0.0, 0.1)):
        backend = arranged(PLATE, seed=variation, variation=variation)
        view = backend.live.view
        frame = view.rotation("dish_rack")
        offset = frame.T @ (view.position("plate") - view.position("dish_rack"))
        assert offset[:2] == pytest.approx((0.0, section), abs=0.01)
        block = view.position("plate_target")
        assert not backend.verdict().success
        move(backend, "plate", block + np.array((0.0, 0.0, 0.20)))
        assert not backend.verdict().success, "too high over the block"
        move(backend, "plate", block + np.array((0.0, 0.0, 0.152)))
        assert backend.verdict().success
