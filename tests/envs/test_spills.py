"""What is inside something goes where that goes, until the task's ``spills`` sets it free for good."""

from __future__ import annotations

import numpy as np
import pytest
from _toy import toy

from hansgym.envs.conditions import Detected, JointMoved
from hansgym.envs.mujoco import control, grasp, placement
from hansgym.envs.mujoco.scene import build_scene
from hansgym.envs.mujoco.sim import Sim
from hansgym.envs.spec import Prop
from hansgym.errors import ConfigurationError

OPEN = JointMoved("gate_hinge", by=0.5)


@pytest.fixture(scope="module")
def world() -> Sim:
    """A block inside the gate's flap; it falls out once the flap has turned by half a radian."""
    task = toy()
    bead = Prop("bead", task.props[0].asset, at=(0.18, 0.02, 0.045, 0.0), free=True, inside="gate_flap")
    return Sim(build_scene(toy(props=(*task.props, bead), spills=OPEN)))


def arranged(sim: Sim) -> Sim:
    sim.clear({"colour": "red"}, sim.scene.task.success)
    for name, pose in (
        ("block", (-0.1, 0.2, 0.0, 0.0)),
        ("post", (-0.1, -0.2, 0.0, 0.0)),
        ("gate", (0.2, 0.0, 0.0, 0.0)),
    ):
        placement.put(sim, name, pose)
    placement.put(sim, "bead", sim.scene.props["bead"].prop.at)
    sim.refresh()
    grasp.cage(sim)
    return sim


def turn_flap(sim: Sim, angle: float, steps: int = 20) -> None:
    """Swing the flap to ``angle`` (rad) step by step, as a hand would."""
    address = sim.scene.joint_qpos("gate_hinge")
    joint = int(np.flatnonzero(sim.model.jnt_qposadr == address)[0])
    for way in np.linspace(sim.data.qpos[address], angle, steps):
        sim.data.qpos[address], sim.data.qvel[sim.model.jnt_dofadr[joint]] = way, 0.0
        sim.step(control.HOME, 1.0)


def inside(sim: Sim) -> np.ndarray:
    """(3,) m where the bead is in the flap's frame."""
    return sim.view.rotation("gate_flap").T @ (sim.view.position("bead") - sim.view.position("gate_flap"))


def test_it_is_carried_along_and_touches_nothing_of_its_carrier(world: Sim) -> None:
    sim = arranged(world)
    before, height = inside(sim), sim.view.position("bead")[2]
    turn_flap(sim, 0.4)
    np.testing.assert_allclose(inside(sim), before, atol=2e-3)
    assert sim.view.position("bead")[2] == pytest.approx(height, abs=2e-3)
    touching = {frozenset(pair) for pair in sim.contacts()}
    assert frozenset(("bead", "gate_flap")) not in touching
    assert frozenset(("bead", "gate")) not in touching


def test_once_spilt_it_is_free_for_good(world: Sim) -> None:
    sim = arranged(world)
    turn_flap(sim, 0.7)
    turn_flap(sim, 0.0)  # the reason is gone, and the bead stays out
    for _ in range(10):
        sim.step(control.HOME, 1.0)
    assert sim.view.position("bead")[2] == pytest.approx(sim.root[2], abs=5e-3), "it lies on the table"
    spilt = sim.snapshot()
    arranged(sim)
    assert sim.view.position("bead")[2] > sim.root[2] + 0.04
    sim.load(spilt)
    turn_flap(sim, 0.3)
    assert sim.view.position("bead")[2] == pytest.approx(sim.root[2], abs=5e-3), "a snapshot remembers it"


def test_spilling_needs_things_that_exist() -> None:
    with pytest.raises(ConfigurationError, match="no sensor 'sink'"):
        toy(spills=Detected("block", "sink"))
