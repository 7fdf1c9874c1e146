"""The RLBench backend in the real simulator: ``make test-rlbench``. Skipped, and said so, where there is none."""

from __future__ import annotations

import os

import _rlbench_live as live
import numpy as np
import pytest

from hansgym import lookup
from hansgym.envs.registration import index
from hansgym.envs.rlbench import installation
from hansgym.envs.spec import fill

pytestmark = [
    pytest.mark.rlbench,
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.environ.get(installation.ROOT),
        reason="SKIPPED: the RLBench backend was not run in CoppeliaSim, COPPELIASIM_ROOT is not set (docs/rlbench.md)",
    ),
]
TASKS = [row["task"] for row in index()]
DEMONSTRATED = ("close_jar", "open_drawer", "push_buttons", "take_lid_off_saucepan", "lamp_on")
TRACKING_RAD, TIP_M, REACH_M = 5e-3, 5e-3, 0.01


@pytest.fixture(autouse=True, scope="module")
def complete() -> None:
    """A simulator that was asked for and is not whole is a failure, not a reason to skip."""
    lacking = installation.missing()
    assert not lacking, f"{[(s.name, s.found, s.fix) for s in lacking]}: run hansgym doctor --backend rlbench"


@pytest.mark.parametrize("task", TASKS)
def test_the_contract_holds_in_every_task(task: str) -> None:
    files = installation.task_files(task)
    if not files.ok:
        pytest.skip(f"{task}: {files.found}")
    found = live.apart(live.contract, task)
    assert found["inside"]
    assert found["black"] == []
    assert found["empty"] < 0.01, "the room closes every view"
    assert {"robot", "surface", "background"} <= found["roles"]
    assert found["roles"] & {"target", "fixture"}
    spec = lookup.load("hansgym.envs.tasks", task, "TASK", "task")
    spoken = {_plain(fill(spec.instructions[0], {**v, **_any(spec)})) for v in spec.variations}
    assert _plain(found["instruction"]) in spoken


def _any(spec: object) -> dict[str, str]:
    return {key: draw.values[0] for draw in spec.draws for key in draw.keys}  # type: ignore[attr-defined]


def _plain(text: str) -> str:
    """Without the articles in which the forks of RLBench differ."""
    return " ".join(word for word in text.lower().split() if word != "the")


def test_a_seed_fixes_the_episode_in_any_process() -> None:
    first, again, other = (live.apart(live.episode, "close_jar", seed) for seed in (7, 7, 8))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_allclose(np.asarray(a, float), np.asarray(b, float), atol=1e-4)
    assert (first[2] != other[2]).any()


def test_the_arm_tracks_the_tip_agrees_and_the_fingers_close() -> None:
    found = live.apart(live.tracking)
    assert found["error_rad"] < TRACKING_RAD
    assert found["tip_m"] < TIP_M
    assert found["open"] == 0.0
    assert found["limited"] == 0


def test_a_far_pose_is_reached_by_the_planner() -> None:
    assert live.apart(live.reaching) < REACH_M


def test_looking_changes_nothing() -> None:
    found = live.apart(live.looking)
    assert "distractor:jar1" in found["factors"]
    assert found["changed"]["distractor:jar1"] > 0
    assert found["same"]


@pytest.mark.parametrize("task", DEMONSTRATED)
def test_upstreams_demonstrations_succeed_here(task: str) -> None:
    assert live.apart(live.demonstration, task) > 10


def test_a_second_environment_in_one_process_is_refused() -> None:
    assert "one per process" in live.apart(live.twice)


def test_vector_environments_use_processes() -> None:
    import gymnasium as gym

    options = {"backend": "rlbench", "cameras": (), "backend_options": {"renderer": "opengl"}}
    envs = gym.make_vec("hansgym/close_jar-v0", num_envs=2, vectorization_mode="async", **options)
    try:
        seen, _ = envs.reset(seed=[0, 1])
        assert seen["joint_positions"].shape == (2, 7)
        envs.step(envs.action_space.sample())
    finally:
        envs.close()
