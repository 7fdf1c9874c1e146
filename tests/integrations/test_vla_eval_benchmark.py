"""Our tasks under vla-eval's own runner, command line and servers; `make test-vla-eval` has them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("vla_eval", reason="NOT TESTED: our benchmark in vla-eval; run make test-vla-eval")

import gymnasium as gym
import yaml
from vla_eval import api
from vla_eval.model_servers.predict import PredictModelServer

from hansgym.agents.rotations import to_matrix
from hansgym.benchmarks import evaluate
from hansgym.errors import ConfigurationError, InvalidActionError, UnknownNameError
from hansgym.integrations.vla_eval import HansGymBenchmark

ROOT = Path(__file__).resolve().parents[2]
NAME = "hansgym.integrations.vla_eval:HansGymBenchmark"
SMALL: dict[str, Any] = {"image_size": 32, "seed": 7}


@contextmanager
def made(**settings: Any) -> Iterator[HansGymBenchmark]:
    benchmark = HansGymBenchmark(**{"tasks": ["open_drawer"], "variations": [0], **SMALL, **settings})
    try:
        yield benchmark
    finally:
        benchmark.cleanup()


def begun(benchmark: HansGymBenchmark, entry: int = 0, episode: int = 0) -> tuple[dict[str, Any], Any]:
    task = {**benchmark.get_tasks()[entry], "episode_idx": episode}
    raw = benchmark.reset(task)
    return benchmark.make_obs(raw, task), raw


# ------------------------------------------------------------------------------------------------ what there is


def test_one_entry_for_each_task_and_variation_with_a_seed() -> None:
    with made(tasks="open_drawer,lamp_on", variations="all") as benchmark:
        tasks = benchmark.get_tasks()
    assert [t["name"] for t in tasks] == ["open_drawer/0", "open_drawer/1", "open_drawer/2", "lamp_on/0"]
    assert tasks[1] == {"name": "open_drawer/1", "suite": "hansgym", "task": "open_drawer", "variation": 1, "seed": 7}
    with made(variations="drawn") as benchmark:
        assert [t["name"] for t in benchmark.get_tasks()] == ["open_drawer"]
    with made(tasks=None, suite="quickstart", variations=[0]) as benchmark:
        assert {t["suite"] for t in benchmark.get_tasks()} == {"quickstart"}
        assert len(benchmark.get_tasks()) == 6


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"suite": "quickstart"}, ConfigurationError, "give either tasks or a suite"),
        ({"tasks": ["open_draw"]}, UnknownNameError, "Did you mean 'open_drawer'"),
        ({"variations": [3]}, ConfigurationError, "variation 3 of task 'open_drawer' is out of range; choose 0 to 2"),
        ({"variations": "some"}, UnknownNameError, "all, drawn"),
        ({"cameras": ["agentview"]}, UnknownNameError, "front, overhead, wrist"),
        ({"control": "joint_velocity"}, UnknownNameError, "joint_position"),
        ({"seed": -1}, ConfigurationError, "whole number from 0 up"),
        ({"protocol": "rlbench"}, UnknownNameError, "agnostos"),
        ({"mapping": "libera"}, UnknownNameError, "Did you mean 'libero'"),
        ({"mapping": "libero", "control": "joint_delta"}, ConfigurationError, "control"),
    ],
)
def test_what_cannot_work_says_so_at_once(settings: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises((error, ValueError), match=said):
        HansGymBenchmark(**{"tasks": ["open_drawer"], "variations": [0], **settings})


def test_no_simulator_is_loaded_before_the_renderer_is_chosen() -> None:
    code = (
        "import sys; from hansgym.integrations.vla_eval import HansGymBenchmark as B; "
        "print([m for m in ('mujoco', 'torch', 'OpenGL') if m in sys.modules], B.configure_render('cpu')['MUJOCO_GL'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split("\n")[0] == "[] egl"


def test_specs_say_units_and_the_hold_stays() -> None:
    for control, parts in (
        ("joint_position", {"joints", "gripper"}),
        ("ee_delta", {"position", "rotation", "gripper"}),
    ):
        with made(control=control) as benchmark:
            spec = benchmark.get_action_spec()
            assert set(spec) == parts
            assert sum(part.dims for part in spec.values()) == benchmark.action.dim
            hold = benchmark.get_hold_action(None)  # asked for before there is an episode
            _, before = begun(benchmark)
            for _ in range(5):
                after = benchmark.step(hold)
            moved = np.abs(after.obs["joint_positions"] - before["joint_positions"]).max()
            assert moved < 2e-3, (control, moved)
            assert after.info["clipped"] == 0
    with made() as benchmark:
        _, raw = begun(benchmark)
        target = np.append(raw["joint_positions"].astype(float) + 0.05, 0.0)
        benchmark.step({"actions": target})
        benchmark.step(benchmark.get_hold_action({"actions": target}))
        np.testing.assert_array_equal(benchmark._commands({"hold": True})[0], target)  # gripper still closed


# ------------------------------------------------------------------------------------------------ an episode


def test_base_first_wrist_second_states_float32() -> None:
    with made(cameras=["wrist", "overhead", "front"]) as benchmark:
        sent, raw = begun(benchmark)
    assert list(sent["images"]) == ["overhead", "wrist", "front"]
    np.testing.assert_array_equal(sent["images"]["wrist"], raw["wrist_rgb"])
    assert {(i.shape, i.dtype.name) for i in sent["images"].values()} == {((32, 32, 3), "uint8")}
    assert (sent["states"].dtype, sent["states"].shape) == (np.float32, (22,))
    np.testing.assert_array_equal(sent["states"][:7], raw["joint_positions"])
    np.testing.assert_array_equal(sent["states"][15:], raw["gripper_pose"])
    assert "drawer" in sent["task_description"]
    with made(send_wrist_image=False, send_state=False) as benchmark:
        sent, _ = begun(benchmark)
        assert set(sent) == {"images", "task_description"}
        assert list(sent["images"]) == ["front"]
        assert set(benchmark.get_observation_spec()) == {"front", "language"}


def test_an_episode_is_a_function_of_task_variation_and_seed() -> None:
    """Whatever ran before in the same process, and as gym.make gives it."""
    actions = np.random.default_rng(0).normal(0, 0.05, (4, 8))

    def play(benchmark: HansGymBenchmark, entry: int, episode: int) -> list[Any]:
        sent, raw = begun(benchmark, entry, episode)
        found = [sent["images"]["front"], sent["states"]]
        for action in actions:
            step = benchmark.step({"actions": np.append(raw["joint_positions"] + action[:7], 1.0)})
            found += [step.obs["front_rgb"], step.obs["joint_positions"]]
        return [*found, json.dumps(benchmark.get_step_result(step), sort_keys=True)]

    with made(tasks=["open_drawer", "lamp_on"], variations=[0]) as first:
        play(first, 1, 3)
        play(first, 0, 0)
        used = play(first, 0, 2)
        first.cleanup()
        again = play(first, 0, 2)
    with made() as fresh:
        alone = play(fresh, 0, 2)
        other = play(fresh, 0, 1)
    for a, b, c in zip(used, again, alone, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)
    assert not np.array_equal(used[0], other[0])
    env = gym.make("hansgym/open_drawer-v0", image_size=32, cameras=("front",))
    ours, _ = env.reset(seed=9, options={"variation": 0})
    np.testing.assert_array_equal(ours["front_rgb"], used[0])
    env.close()


def test_success_and_the_step_limit_end_an_episode() -> None:
    with made(tasks=["lamp_on"]) as benchmark:
        begun(benchmark)
        env = benchmark._env
        assert env is not None
        for _ in range(benchmark.get_metadata()["max_steps"]):
            for action in env.get_wrapper_attr("expert_chunk")(8):
                step = benchmark.step({"actions": action})
                if step.done:
                    break
            if step.done:
                break
        result = benchmark.get_step_result(step)
        assert (result["success"], result["reset_seed"], result["variation"]) == (True, 7, 0)
        assert result["control_steps"] > 8
        _, raw = begun(benchmark)
        still = {"actions": np.append(raw["joint_positions"], 1.0)}
        for count in range(1, 1000):  # noqa: B007
            step = benchmark.step(still)
            if step.done:
                break
        assert count == benchmark.get_metadata()["max_steps"]
        assert not benchmark.get_step_result(step)["success"]


def test_a_checkpoints_own_convention_by_mapping() -> None:
    with made(mapping="libero", image_size=64) as benchmark:
        sent, raw = begun(benchmark)
        assert sent["states"].shape == (8,)
        np.testing.assert_array_equal(sent["images"]["wrist"].shape[2], 3)
        assert set(benchmark.get_action_spec()) == {"actions"}
        start = raw["gripper_pose"]
        for _ in range(8):
            step = benchmark.step({"actions": np.array([0.2, 0, 0, 0, 0, 0, -1.0])})
        (command,) = benchmark._commands({"actions": np.array([0.2, 0, 0, 0, 0, 0, -1.0])})
        np.testing.assert_allclose(command, [0.01, 0, 0, 0, 0, 0, 1], atol=1e-9)  # 1 is 0.05 m there, -1 opens
        moved = step.obs["gripper_pose"][:3] - start[:3]
        assert moved[0] > 0.03  # from where the arm is, which lags behind
        assert np.abs(moved[1:]).max() < moved[0]
        turned = to_matrix(step.obs["gripper_pose"][3:], "quaternion_xyzw") @ to_matrix(start[3:], "quaternion_xyzw").T
        assert np.abs(turned - np.eye(3)).max() < 0.05


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"actions": np.zeros((16, 8))}, r"shape \(16, 8\); \(8,\) was due, one action for each observation"),
        ({"actions": np.zeros(7)}, r"choose the control or mapping that fits"),
        ({"action_chunk": np.zeros(8)}, r"\['action_chunk'\]; it must send actions"),
        ({"actions": np.full(8, np.nan)}, "every number must be finite"),
    ],
)
def test_actions_that_are_none(action: dict[str, Any], said: str) -> None:
    with made() as benchmark:
        begun(benchmark)
        with pytest.raises(InvalidActionError, match=said):
            benchmark.step(action)


# ------------------------------------------------------------------------------------------------ their runner


class Stay(PredictModelServer):
    """Sends the arm where it is; ``chunks`` sends whole chunks, ``params`` is what it asks of benchmarks."""

    def __init__(self, chunks: bool = False, params: dict[str, Any] | None = None, **settings: Any) -> None:
        super().__init__(chunk_size=None if chunks else 4, **settings)
        self.params, self.seen = params or {}, []

    def get_observation_params(self) -> dict[str, Any]:
        return self.params

    def get_action_spec(self) -> dict[str, Any]:
        return {}

    def get_observation_spec(self) -> dict[str, Any]:
        return {}

    def predict(self, obs: dict[str, Any], ctx: Any) -> dict[str, Any]:
        self.seen.append(obs)
        return {"actions": np.tile(np.append(obs["states"][:7], 1.0), (4, 1))}


def ran(server: Any, tmp_path: Path, mode: str = "sync", **params: Any) -> dict[str, Any]:
    given = {"tasks": ["open_drawer"], "variations": [0], "image_size": 32, **params}
    entry = {"benchmark": NAME, "name": "ours", "mode": mode, "episodes_per_task": 2, "max_steps": 6, "params": given}
    entry |= {"hz": 20, "paced": False} if mode == "live" else {}
    config = {"benchmarks": [entry], "render": "cpu"}
    (found,) = api.evaluate(server, config, docker=False, output_dir=tmp_path)
    return found


def test_under_their_runner_with_a_server_of_theirs(tmp_path: Path) -> None:
    server = Stay()
    found = ran(server, tmp_path, seed=5)
    assert (found["num_episodes_total"], found["num_errors"]) == (2, 0)
    assert [e["metrics"]["reset_seed"] for e in found["tasks"][0]["episodes"]] == [5, 6]
    assert found["tasks"][0]["episodes"][0]["seed"] == 5
    assert found["mean_control_steps"] == 6
    assert list(server.seen[0]["images"]) == ["front", "wrist"]
    assert server.seen[0]["states"].dtype == np.float32
    assert len(server.seen) == 4  # two chunks of four for each six steps


def test_a_seed_that_the_file_leaves_out_is_the_servers(tmp_path: Path) -> None:
    wanted = {"seed": 41, "env_seed": 3, "send_wrist_image": False}
    left_out = ran(Stay(params=wanted), tmp_path / "a")
    given = ran(Stay(params=wanted), tmp_path / "b", seed=5, send_wrist_image=True)
    first = [run["tasks"][0]["episodes"][0]["metrics"]["reset_seed"] for run in (left_out, given)]
    assert first == [41, 5]


def test_whole_chunks_are_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    found = ran(Stay(chunks=True), tmp_path, seed=5)
    episode = found["tasks"][0]["episodes"][0]
    assert (found["num_errors"], episode["failure_reason"]) == (2, "env_step")
    assert "give the server a chunk_size" in episode["failure_detail"]


def test_in_live_mode(tmp_path: Path) -> None:
    found = ran(Stay(), tmp_path, mode="live", seed=5)
    assert (found["num_episodes_total"], found["num_errors"]) == (2, 0)
    assert found["mean_control_steps"] == 6


@contextmanager
def served(*options: str) -> Iterator[str]:
    """``hansgym serve`` in a process of its own."""
    command = [sys.executable, "-m", "hansgym.benchmarks.cli", "serve", *options, "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


def vla_eval(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Their command, of this interpreter's environment."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("vla-eval")), *arguments],
        cwd=cwd, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def episodes(folder: Path) -> dict[tuple[str, int], Any]:
    (path,) = folder.glob("*_aggregate.json")
    found = json.loads(path.read_text())
    assert found["num_errors"] == 0, found
    return {(t["task"], e["episode_id"]): e["metrics"] for t in found["tasks"] for e in t["episodes"]}


def test_the_command_line_the_documented_file_and_shards(tmp_path: Path) -> None:
    """``vla-eval run --no-docker`` with ``hansgym serve``: whole, dealt out to two shards, and as in our own runner."""
    config = yaml.safe_load((ROOT / "docs" / "vla_eval.yaml").read_text())
    (entry,) = config["benchmarks"]
    entry |= {"episodes_per_task": 2, "max_steps": 80}
    entry["params"] |= {"suite": None, "tasks": ["open_drawer"], "variations": [0, 2], "image_size": 64}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(config))
    common = ("run", "--no-docker", "-c", "run.yaml", "--output-dir")
    with served("reference:pfungst", "--protocol", "vla-eval", "--execute", "8") as url:
        whole = vla_eval(*common, "whole", "--server-url", url, cwd=tmp_path)
        assert "Spec mismatch" not in whole.stderr
        sharded = (*common, "dealt", "--server-url", url, "--eval-id", "dealt", "--num-shards", "2", "--shard-id")
        with ThreadPoolExecutor(2) as both:
            list(both.map(lambda shard: vla_eval(*sharded, shard, cwd=tmp_path), ("0", "1")))
    (database,) = (tmp_path / "dealt").glob("*.sqlite")
    vla_eval("export", str(database), cwd=tmp_path)
    found = episodes(tmp_path / "whole")
    assert set(found) == {(f"open_drawer/{v}", k) for v in (0, 2) for k in (0, 1)}
    assert {m["reset_seed"] for m in found.values()} == {90000, 90001}
    assert episodes(tmp_path / "dealt") == found
    frame = evaluate(
        "reference:pfungst", ["open_drawer"], seeds="90000:90002", variation=2, out=tmp_path / "ours", workers=1,
        progress=False,
    )  # fmt: skip
    for k in (0, 1):
        there, here = found["open_drawer/2", k], frame.iloc[k]
        assert there["success"] == here["success"]
        # Actions travel as float32 there: a step more or less is possible, another episode is not.
        assert abs(there["control_steps"] - here["steps"]) <= 2
