"""Every registered id behaves as Gymnasium, LeRobot and this package's own contract say."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from hansgym.envs.env import RENDER_SIZE, HansGymEnv
from hansgym.envs.registration import env_id, index
from hansgym.errors import ConfigurationError, InvalidActionError
from hansgym.specs import CAMERAS, CONTROL_MODES

TASKS = [row["task"] for row in index()]
PROBE = "push_buttons"


@pytest.mark.parametrize("task", TASKS)
def test_gymnasium_finds_nothing_wrong(task: str) -> None:
    env = gym.make(env_id(task), image_size=64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Our action limits are physical units on purpose.
        warnings.filterwarnings("ignore", message=".*symmetric and normalized.*")
        check_env(env.unwrapped)
    env.close()


@pytest.mark.parametrize("task", TASKS)
def test_reset_and_step_say_what_the_contract_promises(task: str, shared_env: Callable[..., HansGymEnv]) -> None:
    env = shared_env(task, segmentation=True)
    observation, info = env.reset(seed=5)
    assert env.observation_space.contains(observation)
    for camera in CAMERAS:
        assert observation[f"{camera}_rgb"].shape == (64, 64, 3)
        assert observation[f"{camera}_mask"].shape == (64, 64)
        assert observation[f"{camera}_objects"].dtype == np.uint16
    assert (info["reset_seed"], info["success"], info["is_success"]) == (5, False, False)
    assert info["instruction"] == env.instruction
    assert {o.role.value for o in info["objects"]} >= {"robot", "surface", "background", "target"}
    hold = np.append(observation["joint_positions"], 1.0)
    observation, reward, terminated, truncated, info = env.step(hold)
    assert env.observation_space.contains(observation)
    assert (reward, terminated, truncated) == (0.0, False, False)
    assert type(reward) is float
    assert type(terminated) is bool
    assert info["clipped"] == info["speed_limited"] == info["ik_unreached"] == 0
    assert info["margin"] > 0


@pytest.mark.parametrize("task", TASKS)
def test_success_is_false_at_reset_and_after_a_second_of_stillness(
    task: str, shared_env: Callable[..., HansGymEnv]
) -> None:
    env = shared_env(task)
    env.observe_images = False
    observation, info = env.reset(seed=11)
    hold = np.append(observation["joint_positions"], 1.0)
    verdicts = [info["success"]] + [env.step(hold)[4]["success"] for _ in range(20)]
    assert not any(verdicts)


def test_home_is_rlbenchs(shared_env: Callable[..., HansGymEnv]) -> None:
    observation, _ = shared_env(PROBE).reset(seed=0)
    home = [0.0, 0.1752, 0.0, -0.8732, 0.0, 1.2216, 0.7854]
    np.testing.assert_allclose(observation["joint_positions"], home, atol=2e-3)
    np.testing.assert_allclose(observation["gripper_pose"][:3], [0.2785, -0.0082, 1.4719], atol=5e-3)
    assert observation["gripper_open"] == 1.0


def test_what_is_returned_shares_no_memory_and_the_action_is_not_changed(
    shared_env: Callable[..., HansGymEnv],
) -> None:
    env = shared_env(PROBE)
    first, info = env.reset(seed=1)
    kept, kept_info = copy.deepcopy(first), copy.deepcopy(info)
    action = np.append(first["joint_positions"], 7.0).astype(np.float32)
    before = action.copy()
    second = env.step(action)[0]
    env.observe()
    env.render()
    np.testing.assert_array_equal(action, before)
    assert info == kept_info
    for key, value in first.items():
        np.testing.assert_array_equal(value, kept[key])
        assert not np.shares_memory(value, second[key])
        value[...] = 0
    again = env.reset(seed=1)[0]
    for key, value in again.items():
        np.testing.assert_array_equal(value, kept[key])


def test_lazy_images_are_black_and_observe_shows_what_an_eager_step_would(
    shared_env: Callable[..., HansGymEnv],
) -> None:
    env = shared_env(PROBE)
    observation, _ = env.reset(seed=2)
    action = np.append(observation["joint_positions"] + 0.05, 1.0)
    eager = env.step(action)[0]
    env.observe_images = False
    observation, _ = env.reset(seed=2)
    assert not observation["front_rgb"].any()
    lazy = env.step(action)[0]
    assert not any(lazy[f"{c}_{kind}"].any() for c in CAMERAS for kind in ("rgb", "mask"))
    np.testing.assert_array_equal(lazy["joint_positions"], eager["joint_positions"])
    for key, value in env.observe().items():
        np.testing.assert_array_equal(value, eager[key])


def test_options(shared_env: Callable[..., HansGymEnv]) -> None:
    env = shared_env(PROBE)
    assert env.reset(seed=3, options={"variation": 7, "someone_elses": 1})[1]["variation"] == 7
    canonical = env.instruction
    assert env.reset(seed=3, options={"variation": 7, "paraphrase": 1})[1]["instruction"] != canonical
    assert env.reset(seed=3, options={"variation": 7})[1]["instruction"] == canonical
    with pytest.raises(ConfigurationError, match=r"variation 50 .* choose 0 to 49"):
        env.reset(options={"variation": 50})
    with pytest.raises(ConfigurationError, match=r"paraphrase 99 .* choose 0 to"):
        env.reset(options={"paraphrase": 99})


def test_a_seed_is_drawn_from_np_random_when_none_is_given(shared_env: Callable[..., HansGymEnv]) -> None:
    env = shared_env(PROBE)
    env.observe_images = False

    def following() -> list[int]:
        env.reset(seed=4)
        return [env.reset()[1]["reset_seed"] for _ in range(2)]

    first = following()
    assert first == following()
    assert len({4, *first}) == 3


def test_asking_before_reset_raises() -> None:
    env = gym.make(env_id(PROBE), image_size=64).unwrapped
    for ask in (env.observe, env.task_contact, env.present_factors, lambda: env.step(np.zeros(8))):
        with pytest.raises(gym.error.ResetNeeded, match="reset"):
            ask()
    env.close()
    env.close()


def test_an_invalid_action_raises_and_moves_nothing(shared_env: Callable[..., HansGymEnv]) -> None:
    env = shared_env(PROBE)
    before, _ = env.reset(seed=6)
    with pytest.raises(InvalidActionError, match="finite"):
        env.step(np.full(8, np.nan))
    with pytest.raises(InvalidActionError, match="shape"):
        env.step(np.zeros(9))
    np.testing.assert_array_equal(env.observe()["joint_positions"], before["joint_positions"])


def test_clipping_and_speed_limits_are_counted_and_the_target_is_reached_in_the_end(
    shared_env: Callable[..., HansGymEnv],
) -> None:
    env = shared_env(PROBE)
    env.observe_images = False
    observation, _ = env.reset(seed=7)
    far = np.append(observation["joint_positions"], 1.0)
    far[0] = 0.5
    info = env.step(far)[4]
    assert info["speed_limited"] >= 1
    assert info["clipped"] == 0
    for _ in range(12):
        observation, *_, info = env.step(far)
    assert info["speed_limited"] == 0
    np.testing.assert_allclose(observation["joint_positions"], far[:7], atol=5e-3)
    assert env.step(np.append(far[:7], 3.0))[4]["clipped"] == 1


@pytest.mark.parametrize("control", CONTROL_MODES)
def test_every_mode_moves_the_arm_along_the_same_path(control: str, shared_env: Callable[..., HansGymEnv]) -> None:
    """The expert's chunk, converted, leads the tip to where the joint targets lead it."""
    plain, env = shared_env(PROBE), shared_env(PROBE, control=control)
    tips = []
    for each in (plain, env):
        each.observe_images = False
        each.reset(seed=8)
        for action in each.expert_chunk(8):
            observation, *_, info = each.step(action)
            assert info["ik_unreached"] == 0
            assert info["clipped"] == 0
        tips.append(observation["gripper_pose"])
    np.testing.assert_allclose(tips[0][:3], tips[1][:3], atol=5e-3)
    assert abs(float(tips[0][3:] @ tips[1][3:])) > 0.9998


def test_an_unreachable_pose_is_counted_and_the_arm_goes_as_near_as_it_can(
    shared_env: Callable[..., HansGymEnv],
) -> None:
    env = shared_env(PROBE, control="ee_pose")
    env.observe_images = False
    observation, _ = env.reset(seed=9)
    start = observation["gripper_pose"]
    beyond = np.array([0.75, 1.0, 2.1, *start[3:], 1.0])
    for _ in range(10):
        observation, *_, info = env.step(beyond)
    assert info["ik_unreached"] == 1
    gone = [np.linalg.norm(p[:3] - beyond[:3]) for p in (start, observation["gripper_pose"])]
    assert gone[1] < gone[0]


def test_render_gives_a_video_frame(shared_env: Callable[..., HansGymEnv]) -> None:
    env = shared_env(PROBE)
    env.reset(seed=0)
    picture = env.render()
    assert picture.shape == (RENDER_SIZE, RENDER_SIZE, 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 10
    assert env.metadata["render_fps"] == 20


def test_the_expert_succeeds_once_is_rewarded_once_and_terminates(shared_env: Callable[..., HansGymEnv]) -> None:
    env = shared_env("close_microwave")
    env.observe_images = False
    env.reset(seed=0)
    rewards, ended = [], False
    while not ended and len(rewards) < 400:
        for action in env.expert_chunk(8):
            _, reward, ended, truncated, info = env.step(action)
            rewards.append(reward)
            assert not truncated
            if ended:
                break
    assert ended
    assert info["success"] is True
    assert rewards[-1] == 1.0
    assert sum(rewards) == 1.0
    assert info["margin"] <= 0
    assert env.step(action)[1] == 0.0, "the reward is given once"


def test_lerobot_layout() -> None:
    env = gym.make(env_id(PROBE), image_size=64, obs_layout="lerobot")
    observation, info = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    assert set(observation) == {"pixels", "agent_pos"}
    assert set(observation["pixels"]) == set(CAMERAS)
    assert observation["agent_pos"].shape == (8,)
    assert env.task == PROBE
    assert env.task_description == info["instruction"]
    assert env.get_wrapper_attr("_max_episode_steps") > 0
    env.close()


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_vector_environments_with_masked_seeded_resets(mode: str, shared_env: Callable[..., HansGymEnv]) -> None:
    envs = gym.make_vec(
        env_id(PROBE),
        num_envs=2,
        vectorization_mode=mode,
        vector_kwargs={"autoreset_mode": AutoresetMode.DISABLED},
        image_size=64,
    )
    try:
        observations, infos = envs.reset(seed=[21, 22])
        assert list(infos["reset_seed"]) == [21, 22]
        assert list(infos["instruction"]) == list(envs.call("instruction"))
        chunks = envs.call("expert_chunk", 4)
        envs.set_attr("observe_images", False)
        envs.step(np.stack([c[0] for c in chunks]))
        envs.set_attr("observe_images", True)
        again, infos = envs.reset(seed=[None, 21], options={"reset_mask": np.array([False, True])})
        assert infos["reset_seed"][1] == 21
        alone, _ = shared_env(PROBE).reset(seed=21)
        for key, value in alone.items():
            np.testing.assert_array_equal(again[key][1], value)
            np.testing.assert_array_equal(observations[key][0], value)
    finally:
        envs.close()
