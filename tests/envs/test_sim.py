"""The world as state: snapshots, the double that looks ahead, the life cycle of a reset, and the view."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import mujoco
import numpy as np
import pytest
from _toy import toy

from hansgym.envs.backend import ResetRequest
from hansgym.envs.conditions import All, JointMoved, NothingGrasped
from hansgym.envs.mujoco import control
from hansgym.envs.mujoco.backend import MujocoBackend
from hansgym.envs.mujoco.sim import PHYSICS, Sim
from hansgym.errors import ConfigurationError, SceneError
from hansgym.roles import Role


@pytest.fixture(scope="module")
def backend() -> MujocoBackend:
    return MujocoBackend(toy())


def state_bytes(sim: Sim) -> bytes:
    buffer = np.zeros(mujoco.mj_stateSize(sim.model, PHYSICS))
    mujoco.mj_getState(sim.model, sim.data, buffer, PHYSICS)
    return buffer.tobytes()


def model_bytes(sim: Sim) -> bytes:
    buffer = np.zeros(mujoco.mj_sizeModel(sim.model), np.uint8)
    mujoco.mj_saveModel(sim.model, None, buffer)
    return buffer.tobytes()


def play(backend: MujocoBackend, steps: int) -> None:
    """Let the expert act."""
    for _ in range(steps):
        action = backend.expert_chunk(1)[0]
        backend.step(action[:7], action[7])


def play_until_held(backend: MujocoBackend, name: str, most: int = 150) -> None:
    """Let the expert act until ``name`` is in the hand, then a little further."""
    for _ in range(most):
        if name in backend.live.held:
            break
        play(backend, 1)
    play(backend, 3)
    assert name in backend.live.held


def test_a_loaded_scratch_steps_bit_for_bit_like_the_live_world(backend: MujocoBackend) -> None:
    backend.reset(ResetRequest(4, 0))
    play_until_held(backend, "block")
    actions = backend.expert_chunk(12)
    scratch = Sim(backend.scene)  # a new one: the backend's own has seen the grasp in its look-ahead
    scratch.load(backend.live.snapshot())
    assert model_bytes(scratch) == model_bytes(backend.live)
    for action in actions:
        backend.live.step(action[:7], action[7])
        scratch.step(action[:7], action[7])
        assert state_bytes(backend.live) == state_bytes(scratch)
    assert (backend.live.held, backend.live.progress) == (scratch.held, scratch.progress)
    assert backend.live.data.xpos.tobytes() == scratch.data.xpos.tobytes()


def test_looking_ahead_and_judging_leave_the_live_world_alone(backend: MujocoBackend) -> None:
    backend.reset(ResetRequest(4, 0))
    play(backend, 20)
    physics, model, poses = state_bytes(backend.live), model_bytes(backend.live), backend.live.data.xpos.tobytes()
    backend.expert_chunk(16)
    backend.verdict()
    backend.task_contact()
    backend.proprioception()
    backend.forward_kinematics(np.zeros((2, 7)))
    assert state_bytes(backend.live) == physics
    assert model_bytes(backend.live) == model
    assert backend.live.data.xpos.tobytes() == poses


def test_the_same_request_arranges_the_same_bytes_whatever_came_before(backend: MujocoBackend) -> None:
    backend.reset(ResetRequest(7, 1))
    first = state_bytes(backend.live), model_bytes(backend.live)
    backend.reset(ResetRequest(8, 0))
    play(backend, 30)
    backend.reset(ResetRequest(7, 1))
    assert (state_bytes(backend.live), model_bytes(backend.live)) == first
    fresh = MujocoBackend(toy())
    fresh.reset(ResetRequest(7, 1))
    assert state_bytes(fresh.live) == first[0]


DIGEST = """
import hashlib, sys
sys.path[:0] = [{root!r}, {root!r} + "/tests/envs"]
from _toy import toy
from test_sim import play, state_bytes
from hansgym.envs.backend import ResetRequest
from hansgym.envs.mujoco.backend import MujocoBackend
backend = MujocoBackend(toy())
backend.reset(ResetRequest(11, 0))
play(backend, 10)
print(hashlib.sha256(state_bytes(backend.live)).hexdigest())
"""


def test_another_process_makes_the_same_bytes() -> None:
    root = str(Path(__file__).resolve().parents[2])
    answers = set()
    for hash_seed in ("1", "2"):
        environ = {**os.environ, "PYTHONHASHSEED": hash_seed}
        code = DIGEST.format(root=root)
        done = subprocess.run([sys.executable, "-c", code], cwd=root, env=environ, capture_output=True, check=True)
        answers.add(done.stdout)
    assert len(answers) == 1


def test_the_life_cycle_has_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    class Counting(MujocoBackend):
        pass

    for name in ("_sample", "_build", "_place", "_settle"):

        def wrap(self: MujocoBackend, *args: object, _name: str = name) -> object:
            if _name != "_build" or self._built is None:
                seen.append(_name)
            return getattr(MujocoBackend, _name)(self, *args)

        monkeypatch.setattr(Counting, name, wrap)

    class Poke:
        name = "poke"

        def apply(self, stage: MujocoBackend, *_: object) -> dict[str, str]:
            assert stage.live.rest
            seen.append("perturb")
            return {"did": "nothing"}

    episode = Counting(toy()).reset(ResetRequest(0, 0, perturbations=(Poke(),)))
    assert seen == ["_sample", "_build", "_place", "_settle", "perturb"]
    assert episode.details == {"perturbations": {"poke": {"did": "nothing"}}}


def test_reset_binds_paints_and_names(backend: MujocoBackend) -> None:
    episode = backend.reset(ResetRequest(0, 1))
    assert episode.instructions == ("put the gray block into the bin", "bin it")
    roles = {o.name: o.role for o in episode.objects}
    assert roles["Panda"] is Role.ROBOT
    assert roles["diningTable_visible"] is Role.SURFACE
    assert roles["Wall1"] is roles["poster"] is Role.BACKGROUND
    assert (roles["block"], roles["gate_flap"], roles["post"]) == (Role.TARGET, Role.FIXTURE, Role.DISTRACTOR)
    paint = backend.live.model.geom("block/paint").rgba
    np.testing.assert_allclose(paint, [0.5, 0.5, 0.5, 1.0], atol=2e-3)
    # Exactly mid grey would read as "not set" where a geom has a material.
    assert tuple(paint) != (0.5, 0.5, 0.5, 1.0)
    assert backend.live.view.joint("gate_hinge") == pytest.approx(0.4, abs=0.02)
    assert backend.live.view.joint_at_reset("gate_hinge") == backend.live.view.joint("gate_hinge")


def test_detection_volumes_follow_what_they_are_fixed_to(backend: MujocoBackend) -> None:
    backend.reset(ResetRequest(4, 0))
    view = backend.live.view
    np.testing.assert_allclose(view.position("above")[:2], view.position("block")[:2], atol=1e-9)
    assert view.position("above")[2] == pytest.approx(backend.live.root[2] + 0.1)
    before = view.position("bin")
    play(backend, 50)
    assert np.linalg.norm(view.position("block") - before) < 0.4
    np.testing.assert_allclose(view.position("above")[:2], view.position("block")[:2], atol=1e-9)
    np.testing.assert_allclose(view.position("bin"), before)
    # No geom of the block is farther from the volume above it than the gap between them.
    assert view.distance("block", "above") == pytest.approx(
        abs(view.position("block")[2] + 0.02 - view.position("above")[2]) - 0.03, abs=0.02
    )


def test_ordered_success_is_latched_step_by_step(backend: MujocoBackend) -> None:
    backend.reset(ResetRequest(4, 0))
    assert not backend.verdict().success
    for _ in range(120):
        play(backend, 1)
        if backend.verdict().success:
            break
    verdict = backend.verdict()
    assert verdict.success
    assert verdict.margin == 0.0
    assert backend.live.progress == 2
    assert set(verdict.terms) == {"0.Detected", "1.0.Detected", "1.1.NothingGrasped"}


def test_contact_with_the_task_is_noticed(backend: MujocoBackend) -> None:
    backend.reset(ResetRequest(4, 0))
    assert not backend.task_contact()
    play(backend, 50)
    assert backend.live.held
    assert backend.task_contact()


def test_unstable_physics_raises_and_the_next_reset_works(backend: MujocoBackend) -> None:
    backend.reset(ResetRequest(0, 0))
    backend.live.data.qvel[backend.scene.arm_dof] = 1e12
    with pytest.raises(SceneError, match="became unstable"):
        backend.step(control.HOME, 1.0)
    backend.reset(ResetRequest(0, 0))
    backend.step(control.HOME, 1.0)


def test_unknown_names_list_the_known_ones(backend: MujocoBackend) -> None:
    backend.reset(ResetRequest(0, 0))
    view = backend.live.view
    with pytest.raises(ConfigurationError, match=r"no body or frame 'blok'.*block"):
        view.position("blok")
    with pytest.raises(ConfigurationError, match=r"no joint 'hinge'.*gate_hinge"):
        view.joint("hinge")
    with pytest.raises(ConfigurationError, match=r"'block' and 'tray'.*above.*bin"):
        view.distance("block", "tray")


def test_a_misspelt_joint_is_found_when_the_scene_is_built() -> None:
    for wrong in ({"success": All(JointMoved("gate_hing", 0.1))}, {"joints_at_reset": {"gate_hing": 0.1}}):
        with pytest.raises(ConfigurationError, match=r"no joint 'gate_hing'.*gate_hinge"):
            MujocoBackend(toy(**wrong)).reset(ResetRequest(0, 0))


def test_an_unknown_variation_says_which_there_are(backend: MujocoBackend) -> None:
    with pytest.raises(ConfigurationError, match=r"no variation 2 .*choose 0 to 1"):
        backend.reset(ResetRequest(0, 2))


def test_a_pose_without_a_rotation_is_refused(backend: MujocoBackend) -> None:
    with pytest.raises(ConfigurationError, match="has no length"):
        backend.solve_ik(np.array([0.3, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]), control.HOME)


def test_inverse_and_forward_kinematics_agree(backend: MujocoBackend) -> None:
    pose = backend.forward_kinematics(control.HOME)[0]
    pose[:3] += [0.05, -0.1, -0.2]
    joints, reached = backend.solve_ik(pose, control.HOME)
    assert reached
    np.testing.assert_allclose(backend.forward_kinematics(joints)[0], pose, atol=5e-4)


def test_front_image_coordinates_order_left_to_right(backend: MujocoBackend) -> None:
    """The front camera looks along -x, so what lies at larger y is on the right."""
    backend.reset(ResetRequest(4, 0))
    x = backend.image_x(["block", "gate"])
    y = [backend.live.view.position(n)[1] for n in ("block", "gate")]
    assert (x[0] < x[1]) == (y[0] < y[1])
    assert ((x > 0) & (x < 1)).all()


def test_a_protocol_brings_its_own_success() -> None:
    from hansgym.envs.spec import Protocol

    task = toy(protocols={"agnostos": Protocol(success=All(NothingGrasped()))})
    backend = MujocoBackend(task)
    backend.reset(ResetRequest(0, 0, protocol="agnostos"))
    assert backend.verdict().success
    backend.reset(ResetRequest(0, 0))
    assert not backend.verdict().success
