"""LeRobot's own commands on our tasks, and our recordings as LeRobot's datasets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

pytest.importorskip(
    "lerobot.configs.policies", reason="LeRobot is not installed here: `make test-lerobot` runs these tests"
)

import torch
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.envs.factory import make_env
from typer.testing import CliRunner

from hansgym.benchmarks import lerobot_dataset as datasets
from hansgym.benchmarks.cli import app
from hansgym.benchmarks.episodes import read_episodes
from hansgym.errors import HansGymError
from hansgym.integrations.lerobot import HansGymEnvConfig

ROOT = Path(__file__).resolve().parents[2]
TASK, SIZE = "close_microwave", 64
SEVERAL = hasattr(HansGymEnvConfig.__mro__[1], "create_envs")
"""Whether this LeRobot takes several tasks at once (0.6 and newer)."""

ENV = (
    "--env.type=hansgym",
    f"--env.task={TASK}",
    f"--env.image_size={SIZE}",
    "--env.max_episode_steps=6",
)
FOUND = "--env.discover_packages_path=hansgym.integrations.lerobot"
TINY_ACT = (
    "--policy.type=act",
    "--policy.pretrained_backbone_weights=null",
    "--policy.dim_model=32",
    "--policy.n_heads=2",
    "--policy.dim_feedforward=32",
    "--policy.n_encoder_layers=1",
    "--policy.n_vae_encoder_layers=1",
    "--policy.latent_dim=4",
    "--policy.chunk_size=12",
    "--policy.n_action_steps=12",
    "--policy.device=cpu",
    "--policy.push_to_hub=false",
)


def command(name: str, *arguments: str, path: str = "") -> str:
    """Run one of LeRobot's commands with this Python; what it printed."""
    run = f"import sys; from lerobot.scripts.{name} import main; sys.argv[0] = '{name}'; main()"
    paths = [path, str(ROOT), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-c", run, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "HF_HUB_OFFLINE": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two episodes as a dataset of pictures, by our own command; they stay beside it."""
    out = tmp_path_factory.mktemp("data") / "set"
    arguments = ["record", "--tasks", TASK, "--episodes", "2", "--image-size", str(SIZE), "--workers", "1"]
    done = CliRunner().invoke(app, [*arguments, "--format", "lerobot", "--no-videos", "--out", str(out), "--json"])
    assert done.exit_code == 0, (done.output, done.exception)
    assert json.loads(done.stdout) == {"tasks": {TASK: {"episodes": 2, "failed": []}}}
    return out


def loaded(folder: Path) -> Any:
    return LeRobotDataset(f"local/{folder.name}", root=folder, video_backend="pyav")


# ---------------------------------------------------------------- datasets


def test_a_dataset_holds_the_recorded_episodes(recorded: Path) -> None:
    dataset, episodes = loaded(recorded), read_episodes(recorded.with_name("set.episodes"))
    assert (dataset.fps, dataset.num_episodes, len(episodes)) == (20, 2, 2)
    assert dataset.num_frames == sum(len(e) for e in episodes)
    assert set(dataset.meta.camera_keys) == {f"observation.images.{c}" for c in ("front", "overhead", "wrist")}
    row = 0
    for index, episode in enumerate(episodes):
        for step in range(len(episode)):
            if step % 7 == 0:
                frame = dataset[row]
                assert (int(frame["episode_index"]), frame["task"]) == (index, episode.header["instruction"])
                assert float(frame["timestamp"]) == pytest.approx(step / 20)
                np.testing.assert_array_equal(frame["action"].numpy(), episode.steps["action"][step])
                state = np.append(episode.steps["joint_positions"][step], episode.steps["gripper_open"][step])
                np.testing.assert_array_equal(frame["observation.state"].numpy(), state)
                for camera in episode.cameras:
                    seen = frame[f"observation.images.{camera}"].numpy().transpose(1, 2, 0)
                    np.testing.assert_allclose(seen * 255, episode.image(camera, step), atol=1e-3)
            row += 1
    info = json.loads((recorded / "meta" / "info.json").read_text())
    assert (info["codebase_version"], info["robot_type"]) == ("v3.0", "panda")
    note = json.loads((recorded / "meta" / "hansgym.json").read_text())
    assert [e["seed"] for e in note["episodes"]] == [e.header["seed"] for e in episodes]
    assert (note["control"], note["failed_seeds"]) == ("joint_position", {})


def test_videos_are_the_default_and_close_to_the_pictures(recorded: Path, tmp_path: Path) -> None:
    episodes = recorded.with_name("set.episodes")
    done = CliRunner().invoke(app, ["convert", str(episodes), "--out", str(tmp_path / "films")])
    assert done.exit_code == 0, (done.output, done.exception)
    assert len(list((tmp_path / "films").glob("videos/*/*/*.mp4"))) == 3
    frame, episode = loaded(tmp_path / "films")[5], read_episodes(episodes)[0]
    seen = frame["observation.images.front"].numpy().transpose(1, 2, 0) * 255
    assert np.abs(seen - episode.image("front", 5)).mean() < 8


def test_a_finished_dataset_is_left_alone_and_another_is_refused(recorded: Path, tmp_path: Path) -> None:
    episodes = recorded.with_name("set.episodes")
    before = {p: p.stat().st_mtime_ns for p in recorded.rglob("*")}
    datasets.convert(episodes, recorded, videos=False)
    assert {p: p.stat().st_mtime_ns for p in recorded.rglob("*")} == before
    with pytest.raises(HansGymError, match=r"holds another dataset.*choose another --out"):
        datasets.convert(episodes, recorded, videos=True)
    (tmp_path / "mine").mkdir()
    with pytest.raises(HansGymError, match="holds something else"):
        datasets.convert(episodes, tmp_path / "mine")


def test_an_interrupted_dataset_is_not_there(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    episodes, out = read_episodes(recorded.with_name("set.episodes")), tmp_path / "set"

    def die(done: int, wanted: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        datasets.write_dataset(episodes, out, videos=False, progress=die)
    assert not out.exists()
    assert loaded(datasets.write_dataset(episodes, out, videos=False, failed={TASK: [9]})).num_episodes == 2
    assert json.loads((out / "meta" / "hansgym.json").read_text())["failed_seeds"] == {TASK: [9]}
    assert not (tmp_path / "set.partial").exists()


def test_episodes_that_do_not_belong_together_are_refused(recorded: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    first, second = read_episodes(recorded.with_name("set.episodes"))
    with pytest.raises(HansGymError, match=r"differ in control \('ee_pose', 'joint_position'\)"):
        datasets.write_dataset([first, replace(second, header={**second.header, "control": "ee_pose"})], tmp_path / "x")
    with pytest.raises(HansGymError, match="0 episodes make no dataset"):
        datasets.write_dataset([], tmp_path / "x")


# ---------------------------------------------------------------- environments


def test_lerobots_environment_is_ours() -> None:
    """Same bytes as ``gymnasium.make`` under the same seed, with instruction, success and limit where LeRobot looks."""
    [(_, tasks)] = make_env(HansGymEnvConfig(task=TASK, image_size=SIZE, cameras="front"), n_envs=1).items()
    env = tasks[0]
    seen, _ = env.reset(seed=[5])
    plain: Any = gymnasium.make(f"hansgym/{TASK}-v0", obs_layout="lerobot", image_size=SIZE, cameras=("front",))
    due, info = plain.reset(seed=5)
    np.testing.assert_array_equal(seen["pixels"]["front"][0], due["pixels"]["front"])
    np.testing.assert_array_equal(seen["agent_pos"][0], due["agent_pos"])
    assert env.call("task_description") == (info["instruction"],)
    assert env.envs[0].task_description == info["instruction"]
    assert env.call("_max_episode_steps")[0] >= 200
    assert env.unwrapped.metadata["render_fps"] == 20
    *_, info = env.step(np.asarray(plain.action_space.sample())[None])
    assert not info["is_success"][0]
    env.close()
    plain.close()


def test_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(HansGymError, match="Did you mean 'close_microwave'"):
        HansGymEnvConfig(task="close_microwav")
    with pytest.raises(HansGymError, match="run at 20 Hz"):
        HansGymEnvConfig(task=TASK, fps=30)
    with pytest.raises(HansGymError, match="joint_dleta"):
        HansGymEnvConfig(task=TASK, control="joint_dleta")
    if not SEVERAL:
        with pytest.raises(HansGymError, match="several tasks at once need LeRobot"):
            HansGymEnvConfig(task=f"{TASK},open_drawer")


def test_train_with_evaluation_in_the_loop_then_evaluate_everywhere(recorded: Path, tmp_path: Path) -> None:
    """An ACT policy learns for two steps from our data, is evaluated by LeRobot, by LeRobot's command, and by us."""
    from hansgym.benchmarks.runner import evaluate

    often = "--env_eval_freq=2" if SEVERAL else "--eval_freq=2"
    said = command(
        "lerobot_train",
        f"--dataset.repo_id=local/{recorded.name}",
        f"--dataset.root={recorded}",
        *TINY_ACT,
        FOUND,
        *ENV,
        "--steps=2",
        "--batch_size=2",
        "--num_workers=0",
        "--save_freq=2",
        often,
        "--eval.n_episodes=1",
        "--eval.batch_size=1",
        f"--output_dir={tmp_path / 'train'}",
    )
    assert "Eval policy at step 2" in said
    checkpoint = tmp_path / "train" / "checkpoints" / "last"
    command(
        "lerobot_eval",
        FOUND,
        *ENV,
        f"--policy.path={checkpoint / 'pretrained_model'}",
        "--policy.device=cpu",
        "--eval.n_episodes=2",
        "--eval.batch_size=2",
        "--eval.use_async_envs=false",
        f"--output_dir={tmp_path / 'eval'}",
    )
    found = json.loads((tmp_path / "eval" / "eval_info.json").read_text())
    assert found["overall"]["n_episodes"] == 2
    assert found["per_task"][0]["metrics"]["successes"] == [False, False]
    # No control= is needed: the training run says that it was our environment's.
    table = evaluate(
        f"lerobot:{checkpoint},device=cpu", [TASK], seeds="0", workers=1, out=tmp_path / "run", progress=False
    )
    assert table["error"].isna().all()
    assert table["steps"].iloc[0] > 0


class Expert(torch.nn.Module):
    """Stands in for a policy in LeRobot's own rollout: does what the scripted expert would, or stands still."""

    def __init__(self, env: Any, solve: bool) -> None:
        super().__init__()
        self.nothing = torch.nn.Parameter(torch.zeros(1))
        self.env, self.solve, self.told = env, solve, []

    def reset(self) -> None:
        pass

    def select_action(self, observation: dict[str, Any]) -> torch.Tensor:
        self.told.append(list(observation["task"]))
        if not self.solve:
            return observation["observation.state"].float()
        return torch.tensor(np.stack([e.get_wrapper_attr("expert_chunk")(1)[0] for e in self.env.envs])).float()


def rolled_out(config: HansGymEnvConfig, seeds: list[int], solve: bool) -> tuple[Any, Expert, Any]:
    from lerobot.scripts.lerobot_eval import rollout

    [(_, tasks)] = make_env(config, n_envs=len(seeds)).items()
    policy = Expert(tasks[0], solve)
    same = [lambda given: given] * 4
    return rollout(tasks[0], policy, *same, seeds=seeds), policy, tasks[0]


def test_success_reaches_lerobots_rollout() -> None:
    found, _, env = rolled_out(HansGymEnvConfig(task=TASK, image_size=32, cameras="front"), [1000], solve=True)
    assert found["success"].any()
    assert not found["success"][0, :10].any()
    env.close()


def test_the_instruction_reaches_the_policy() -> None:
    """By LeRobot's own rollout, with a task whose words differ between episodes."""
    task = "slide_block_to_color_target"
    config = HansGymEnvConfig(task=task, image_size=32, cameras="front", max_episode_steps=2)
    _, policy, env = rolled_out(config, [0, 1], solve=False)
    alone: Any = gymnasium.make(f"hansgym/{task}-v0", image_size=32)
    due = [alone.reset(seed=seed)[1]["instruction"] for seed in (0, 1)]
    assert due[0] != due[1]
    assert policy.told[0] == due
    alone.close()
    env.close()


@pytest.mark.skipif(
    not SEVERAL, reason="LeRobot 0.4.4 has neither several tasks at once nor env plug-ins: 0.6 runs this"
)
def test_several_tasks_found_by_the_installed_plug_in(tmp_path: Path, recorded: Path) -> None:
    """``pip install ./plugins/lerobot_env_hansgym``, and ``--env.type=hansgym`` is known; processes side by side."""
    import shutil

    import lerobot_tiny as tiny

    plugin = shutil.copytree(ROOT / "plugins" / "lerobot_env_hansgym", tmp_path / "plugin")
    where = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(where), str(plugin)], check=True, capture_output=True)
    policy = tiny.act(tmp_path / "act", more={"cameras": ("front", "wrist")})
    command(
        "lerobot_eval",
        "--env.type=hansgym",
        f"--env.task={TASK},open_drawer",
        f"--env.image_size={SIZE}",
        "--env.cameras=front,wrist",
        "--env.max_episode_steps=6",
        f"--policy.path={policy}",
        "--policy.device=cpu",
        "--eval.n_episodes=2",
        "--eval.batch_size=2",
        "--eval.use_async_envs=true",
        f"--output_dir={tmp_path / 'eval'}",
        path=str(where),
    )
    found = json.loads((tmp_path / "eval" / "eval_info.json").read_text())
    assert sorted(found["per_group"]) == [TASK, "open_drawer"]
    assert found["overall"]["n_episodes"] == 4
