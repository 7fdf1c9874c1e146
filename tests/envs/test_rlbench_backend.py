"""The backend and the environment over a test double: the contract of an environment, whatever simulates."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from _rlbench import OPEN, FakeSimulator, fake_backend, fake_env, task_of

from hansgym.envs.backend import ResetRequest
from hansgym.envs.control_modes import to_command
from hansgym.envs.registration import index
from hansgym.envs.rlbench import installation
from hansgym.envs.rlbench.backend import PLACINGS, RlbenchBackend
from hansgym.errors import ConfigurationError, MissingExtraError, SceneError, UnknownNameError
from hansgym.seeds import seed_of
from hansgym.specs import ActionSpec

SEED = ResetRequest(seed=4, variation=0)


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine check is tested elsewhere; here the double stands in for all of it."""
    monkeypatch.setattr(installation, "require", lambda task: None)


def test_the_environment_keeps_its_contract() -> None:
    env = fake_env("close_jar", segmentation=True)
    try:
        observation, info = env.reset(seed=3, options={"variation": 2, "paraphrase": 1})
        assert env.observation_space.contains(observation)
        assert info["instruction"] == "please 2"
        assert {o.name for o in info["objects"]} >= {"Panda", "jar0", "jar1", "jar_lid0", "Wall1"}
        mujoco = gym.make("hansgym/close_jar-v0", image_size=64, segmentation=True).unwrapped
        assert env.observation_space == mujoco.observation_space
        assert env.action_space == mujoco.action_space
        mujoco.close()
        observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert env.observation_space.contains(observation)
        assert (reward, terminated, truncated) == (0.0, False, False)
        assert np.isnan(info["margin"])
        assert info["speed_limited"] == 1
    finally:
        env.close()


def test_success_and_failure_are_upstreams() -> None:
    simulator = FakeSimulator()
    env = fake_env("beat_the_buzz", simulator, cameras=())
    env.reset(seed=0)
    action = env.action_space.sample()
    assert env.step(action)[1:3] == (0.0, False)
    simulator.outcome = (False, True)
    assert env.step(action)[1:3] == (0.0, True), "failed: it is over without success"
    simulator.outcome = (True, True)
    assert env.step(action)[1:3] == (1.0, True)
    env.close()


def test_each_step_is_one_step_of_the_world_the_fingers_moving_alongside() -> None:
    simulator = FakeSimulator()
    backend = fake_backend("close_jar", simulator)
    backend.reset(SEED)
    home = simulator.joints()
    for expected in (0.03, 0.02, 0.01, 0.0, 0.0):
        backend.step(home, 0.0)
        np.testing.assert_allclose(simulator.fingers(), expected, atol=1e-12)
    assert simulator.steps == 5
    assert simulator.calls == ["grasp"]
    assert simulator.held() == ("thing",)
    backend.step(home, 1.0)
    assert simulator.calls == ["grasp", "release"]
    np.testing.assert_allclose(simulator.fingers(), 0.01)
    backend.close()


def test_fingers_stopped_by_an_object_stop_pressing() -> None:
    simulator = FakeSimulator()
    simulator.stop_at = 0.025
    backend = fake_backend("close_jar", simulator)
    backend.reset(SEED)
    for _ in range(5):
        backend.step(simulator.joints(), 0.0)
    np.testing.assert_array_equal(simulator.finger_speed, [0.0, 0.0])
    assert backend.proprioception().opening == pytest.approx(0.025 / OPEN)
    backend.close()


@pytest.mark.parametrize("control", ["joint_position", "joint_delta", "ee_pose", "ee_delta"])
def test_all_control_modes_step(control: str) -> None:
    env = fake_env("close_jar", control=control, cameras=())
    observation, _ = env.reset(seed=1)
    action = np.zeros(env.action_space.shape, np.float32)
    if control == "ee_pose":
        action[:7] = observation["gripper_pose"]
    if control == "joint_position":
        action[:7] = observation["joint_positions"]
    *_, info = env.step(action)
    assert info["ik_unreached"] == 0
    env.close()


def test_a_pose_without_a_way_is_counted_and_holds_the_arm() -> None:
    simulator = FakeSimulator()
    simulator.path_answer = None
    env = fake_env("close_jar", simulator, control="ee_pose", cameras=())
    env.reset(seed=1)
    before = simulator.joints()
    *_, info = env.step(np.array([0.7, 0.5, 1.9, 0, 1, 0, 0, 1], np.float32))
    assert info["ik_unreached"] == 1
    np.testing.assert_allclose(simulator.joints(), before)
    env.close()


def test_kinematics_are_those_of_the_same_arm() -> None:
    backend = fake_backend("close_jar")
    backend.reset(SEED)
    home = np.array([[0.0, 0.1752, 0.0, -0.8732, 0.0, 1.2216, 0.7854]])
    pose = backend.forward_kinematics(home)[0]
    np.testing.assert_allclose(pose[:3], [0.2785, -0.0082, 1.4719], atol=2e-3)
    np.testing.assert_allclose(np.abs(pose[3:]), [0.0, 0.9927, 0.0, 0.1209], atol=2e-3)
    spec = ActionSpec.of("ee_pose")
    command = to_command(np.append(pose, 1.0), spec, home[0], pose, lambda p, q: (q, True))
    assert not command.ik_unreached
    backend.close()


# ---------------------------------------------------------------- reset


def test_a_seed_decides_what_upstream_draws() -> None:
    first, second, third = FakeSimulator(), FakeSimulator(), FakeSimulator()
    for simulator, seed in ((first, 8), (second, 8), (third, 9)):
        backend = fake_backend("close_jar", simulator)
        backend.reset(ResetRequest(seed, 0))
        backend.step(simulator.joints(), 1.0)
        backend.close()
    assert first.draws == second.draws != third.draws
    assert first.step_draw == second.step_draw


def test_the_outside_generators_never_notice() -> None:
    np.random.seed(0)  # noqa: NPY002
    expected = np.random.RandomState(0).uniform(size=3)
    got = [float(np.random.uniform())]  # noqa: NPY002
    backend = fake_backend("close_jar")
    backend.reset(SEED)
    got.append(float(np.random.uniform()))  # noqa: NPY002
    backend.step(np.zeros(7), 1.0)
    got.append(float(np.random.uniform()))  # noqa: NPY002
    backend.close()
    np.testing.assert_array_equal(got, expected)


def test_an_impossible_scene_is_tried_a_bounded_number_of_times() -> None:
    simulator = FakeSimulator(failures=PLACINGS - 1)
    backend = fake_backend("close_jar", simulator)
    backend.reset(SEED)
    assert simulator.arranged == PLACINGS
    np.testing.assert_equal(
        simulator.draws[0], np.random.RandomState(seed_of(4, "rlbench", PLACINGS - 1) & 0xFFFFFFFF).uniform()
    )
    simulator.failures = PLACINGS
    with pytest.raises(SceneError, match=r"close_jar.*variation 0, seed 4.*5 attempts.*boundary.*another seed"):
        backend.reset(SEED)
    backend.reset(SEED)
    backend.close()


def test_variations_and_protocols_that_upstream_lacks_are_named() -> None:
    backend = fake_backend("push_buttons")
    with pytest.raises(ConfigurationError, match=r"'balanced' is not RLBench's.*'default' or 'agnostos'"):
        backend.reset(ResetRequest(0, 0, "balanced"))
    with pytest.raises(ConfigurationError, match=r"no variation 70.*choose 0 to 49"):
        backend.reset(ResetRequest(0, 70))
    backend.close()


@pytest.mark.parametrize("row", index(), ids=lambda row: row["task"])
def test_words_are_upstreams(row: dict) -> None:
    backend = fake_backend(row["task"])
    episode = backend.reset(ResetRequest(0, row["variations"] - 1))
    assert episode.instructions[0] == f"do {row['task']} number {row['variations'] - 1}"
    backend.close()


# ---------------------------------------------------------------- the rest of the seam


def test_the_expert_and_demonstrations() -> None:
    simulator = FakeSimulator()
    backend = fake_backend("close_jar", simulator)
    backend.reset(SEED)
    with pytest.raises(ConfigurationError, match=r"no expert.*8 steps.*demonstrate\(\).*backend='mujoco'"):
        backend.expert_chunk(8)
    assert backend.demonstrate() == 77
    simulator.failures = 1
    with pytest.raises(SceneError, match=r"demonstration of 'close_jar' failed.*another seed"):
        backend.demonstrate()
    backend.close()


def test_contact_with_the_task() -> None:
    simulator = FakeSimulator()
    backend = fake_backend("close_jar", simulator)
    backend.reset(SEED)
    assert not backend.task_contact()
    other = next(o.name for o in backend.objects if o.role.value == "distractor")
    simulator.contacts = {simulator.handle(other), simulator.handle("Floor")}
    assert not backend.task_contact(), "touching the other jar does not count"
    simulator.contacts = {simulator.handle("jar_lid0")}
    assert backend.task_contact()
    simulator.contacts = set()
    simulator.attached = ["jar_lid0"]
    assert backend.task_contact()
    backend.close()


def test_pictures_have_the_size_and_cameras_asked_for() -> None:
    backend = fake_backend("close_jar")
    backend.reset(SEED)
    frames = backend.render(("wrist", "front"), 48)
    assert list(frames) == ["wrist", "front"]
    assert frames["front"].rgb.shape == (48, 48, 3)
    assert frames["front"].objects.dtype == np.uint16
    assert not backend.render(("front",), 48, objects=False)["front"].objects.any()
    backend.close()


# ---------------------------------------------------------------- life


def test_two_environments_in_one_process_get_a_clear_error_and_the_first_lives_on() -> None:
    first, second = fake_env("close_jar", cameras=()), fake_env("open_drawer", cameras=())
    first.reset(seed=0)
    with pytest.raises(ConfigurationError, match="one per process"):
        second.reset(seed=0)
    first.step(first.action_space.sample())
    first.close()
    second.reset(seed=0)
    second.close()


def test_closing_stops_the_simulator_once_and_a_reset_starts_another() -> None:
    simulator = FakeSimulator()
    backend = fake_backend("close_jar", simulator)
    backend.reset(SEED)
    backend.close()
    backend.close()
    assert simulator.closed == 1
    backend.reset(SEED)
    backend.close()
    assert simulator.closed == 2


@pytest.mark.parametrize("trouble", [RuntimeError("the call failed on the V-REP side"), KeyboardInterrupt()])
def test_a_start_that_fails_or_is_interrupted_leaves_the_process_free(trouble: BaseException) -> None:
    class Broken(FakeSimulator):
        def load(self, task: str) -> None:
            raise trouble

        def close(self) -> None:
            super().close()
            raise RuntimeError("never launched")

    simulator = Broken()
    backend = RlbenchBackend(task_of("close_jar"), simulator=lambda renderer: simulator)
    with pytest.raises(type(trouble)):
        backend.reset(SEED)
    assert simulator.closed == 1
    other = fake_backend("open_drawer")
    other.reset(SEED)
    other.close()


def test_the_renderer_reaches_the_simulator() -> None:
    seen: list[str] = []

    def make(renderer: str) -> FakeSimulator:
        seen.append(renderer)
        return FakeSimulator(renderer)

    for options in ({}, {"renderer": "opengl"}):
        backend = RlbenchBackend(task_of("close_jar"), simulator=make, **options)
        backend.reset(SEED)
        backend.close()
    assert seen == ["opengl3", "opengl"]


def test_options_of_the_backend_are_checked_when_the_environment_is_made() -> None:
    make = {"id": "hansgym/close_jar-v0", "backend": "rlbench"}
    with pytest.raises(UnknownNameError, match=r"renderer of backend 'rlbench'.*Did you mean 'opengl'"):
        gym.make(**make, backend_options={"renderer": "opengel"})
    with pytest.raises(UnknownNameError, match=r"option of backend 'rlbench' 'render'.*renderer"):
        gym.make(**make, backend_options={"render": "opengl"})
    env = gym.make(**make, backend_options={"renderer": "opengl"})
    assert env.spec is not None
    again = gym.make(env.spec)
    assert again.unwrapped.backend_options == {"renderer": "opengl"}
    again.close()
    env.close()


def test_without_the_pieces_the_error_points_to_the_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.delenv("COPPELIASIM_ROOT", raising=False)
    with pytest.raises(MissingExtraError, match=r"COPPELIASIM_ROOT is not set.*hansgym doctor --backend rlbench"):
        gym.make("hansgym/close_jar-v0", backend="rlbench")
