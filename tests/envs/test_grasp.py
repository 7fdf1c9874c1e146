"""Attaching and letting go: what is between the fingers, where it is, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from _toy import BLOCK, toy

from hansgym.envs.expert import down
from hansgym.envs.mujoco import control, placement
from hansgym.envs.mujoco.scene import build_scene
from hansgym.envs.mujoco.sim import Sim


@pytest.fixture(scope="module")
def world() -> Sim:
    return Sim(build_scene(toy()))


def above_block(sim: Sim, offset: tuple[float, float, float] = (0.0, 0.0, 0.0), yaw: float = 0.3) -> Sim:
    """The open hand around the block's centre, displaced by ``offset`` in the tip frame; nothing else near."""
    sim.clear({"colour": "red"}, sim.scene.task.success)
    placement.put(sim, "block", (0.0, 0.0, 0.0, yaw))
    placement.put(sim, "post", (0.0, 0.35, 0.0, 0.0))
    placement.put(sim, "gate", (0.2, -0.35, 0.0, 0.0))
    sim.refresh()
    rotation = down(yaw)
    goal = sim.view.position("block") + [0, 0, BLOCK] + rotation @ np.asarray(offset)
    joints, reached = sim.scene.ik.solve(goal, rotation, control.HOME)
    assert reached
    sim.data.qpos[sim.scene.arm_qpos] = joints
    sim.reference = joints.copy()
    sim.refresh()
    sim.step(joints, 1.0)
    return sim


@pytest.mark.parametrize(
    ("offset", "attached"),
    [((0.0, 0.0, 0.0), True), ((0.035, 0.0, 0.0), True), ((0.045, 0.0, 0.0), False), ((0.0, 0.0, -0.04), False)],
)
def test_only_what_meets_the_box_between_the_fingers_is_attached(
    world: Sim, offset: tuple[float, float, float], attached: bool
) -> None:
    sim = above_block(world, offset)
    sim.step(sim.reference, 0.0)
    assert sim.held == (("block",) if attached else ())


def test_it_is_attached_where_it_is_and_stays_there_while_carried(world: Sim) -> None:
    sim = above_block(world, (0.006, 0.004, -0.005))
    start = sim.reference.copy()

    def in_hand() -> np.ndarray:
        return sim.view.tip_rotation.T @ (sim.view.position("block") - sim.view.tip_position)

    before = in_hand()
    sim.step(start, 0.0)
    for k in range(60):
        target = start + np.array([0.8, -0.4, 0.0, 0.0, 0.0, 0.0, 0.6]) * np.sin(k / 8)
        sim.step(control.limited(sim.reference, target, 0.05), 0.0)
        assert np.linalg.norm(in_hand() - before) < 2e-3
    assert sim.view.position("block")[2] > 0.76


def test_opening_lets_go_and_the_block_falls(world: Sim) -> None:
    sim = above_block(world)
    start = sim.reference.copy()
    sim.step(start, 0.0)
    lifted, _ = sim.scene.ik.solve(sim.view.tip_position + np.array([0, 0, 0.1]), sim.view.tip_rotation, start)
    for _ in range(10):
        sim.step(lifted, 0.0)
    assert sim.view.position("block")[2] > 0.83
    for _ in range(10):
        sim.step(lifted, 1.0)
    assert sim.held == ()
    assert sim.view.position("block")[2] < 0.76


def test_staying_closed_attaches_nothing_more(world: Sim) -> None:
    """The command's edge attaches, so a closed hand that meets a block does not pick it up."""
    sim = above_block(world, (0.0, 0.0, -0.08))
    start = sim.reference.copy()
    for _ in range(5):
        sim.step(start, 0.0)
    placement.put(sim, "block", (0.0, 0.0, 0.08, 0.3))
    sim.refresh()
    sim.step(start, 0.0)
    assert sim.held == ()


def test_what_is_not_graspable_is_not_attached() -> None:
    props = tuple(p if p.name != "block" else type(p)("block", p.asset, free=True) for p in toy().props)
    sim = above_block(Sim(build_scene(toy(props=props))))
    sim.step(sim.reference, 0.0)
    assert sim.held == ()


def test_a_held_block_rests_quietly(world: Sim) -> None:
    """Fingers and weld must not fight: the block keeps still in a still hand."""
    sim = above_block(world, (0.0, 0.008, 0.0))
    start = sim.reference.copy()
    lifted, _ = sim.scene.ik.solve(sim.view.tip_position + np.array([0, 0, 0.05]), sim.view.tip_rotation, start)
    sim.step(start, 0.0)
    for _ in range(30):
        sim.step(lifted, 0.0)
    index = sim.scene.props["block"]
    assert np.abs(sim.data.qvel[index.dof : index.dof + 6]).max() < 5e-3
