"""``hansgym serve``: our agents behind both protocols, for our own clients and for the stock ones."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import runner_fakes
from rich.console import Console

pytest.importorskip("msgpack", reason="NOT TESTED: serving; pip install 'hansgym[remote]'")
pytest.importorskip("websockets", reason="NOT TESTED: serving; pip install 'hansgym[remote]'")

from hansgym.agents.base import SimpleAgent
from hansgym.agents.check import check_agent, synthetic_batch
from hansgym.agents.registry import make_agent
from hansgym.benchmarks import evaluate, leaderboard
from hansgym.benchmarks.report import write_report
from hansgym.benchmarks.serve import serving
from hansgym.benchmarks.show import print_run
from hansgym.errors import AgentError, ConfigurationError, UnknownNameError
from hansgym.seeds import agent_seed, noise_seed, seed_of

THEIRS = importlib.util.find_spec("vla_eval") is not None and importlib.util.find_spec("anyio") is not None


class Policy(SimpleAgent):
    """Feels everything, and has a memory per lane."""

    name: ClassVar[str] = "policy"
    horizon: ClassVar[int] = 4
    image_size: ClassVar[int | None] = 16
    cameras: ClassVar[tuple[str, ...]] = ("front", "wrist")
    noise_control: ClassVar[Any] = "exact"

    def __init__(self) -> None:
        self.resets: list[tuple[int, int]] = []

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        self.resets += zip(rows, seeds, strict=True)

    def predict(self, images: Any, state: Any, instructions: Any, seeds: np.ndarray) -> np.ndarray:
        assert images["front"].shape[1:] == (16, 16, 3)
        base = images["front"].mean((1, 2, 3)) + 2 * images["wrist"].mean((1, 2, 3)) + [len(i) for i in instructions]
        base = base + sum(v.sum(1) for v in state.values()) / 3 + (seeds % np.uint64(97)).astype(float)
        return base[:, None, None] + np.arange(4)[:, None] + np.arange(8) / 7


@contextmanager
def served(agent: Any, protocol: str, **settings: Any) -> Iterator[str]:
    with serving(agent, protocol, **settings) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join(5)


def test_there_and_back_with_openpi_is_bit_equal_and_paired() -> None:
    policy = Policy()
    with served(policy, "openpi") as url:
        agent = make_agent(f"openpi:{url}")
        spec = agent.spec
        assert (spec.horizon, spec.image_size, spec.cameras) == (4, 16, ("front", "wrist"))
        assert (spec.noise_control, spec.action.mode) == ("exact", "joint_position")
        batch = synthetic_batch(policy.spec, rows=3)
        seeds = np.array([5, 2**64 - 1, 7], np.uint64)
        agent.reset([0, 1, 2], [10, 11, 2**63])
        np.testing.assert_array_equal(agent.act(batch, seeds), policy.act(batch, seeds))
        assert [s for _, s in policy.resets[-3:]] == [10, 11, 2**63]
        assert len({lane for lane, _ in policy.resets[-3:]}) == 3
        count = len(policy.resets)
        agent.act(batch, seeds)
        assert len(policy.resets) == count
        report = check_agent(agent)
        assert report.ok, str(report)


def test_stock_openpi_clients_are_served_and_told_what_is_missing() -> None:
    client = pytest.importorskip("openpi_client.websocket_client_policy", reason="NOT TESTED with openpi-client")
    policy = Policy()
    with served(policy, "openpi") as url:
        theirs = client.WebsocketClientPolicy("127.0.0.1", int(url.rsplit(":", 1)[1]))
        assert theirs.get_server_metadata()["hansgym"]["horizon"] == 4
        seen = {
            "observation/front_rgb": np.full((32, 32, 3), 9, np.uint8),
            "observation/wrist_rgb": np.full((32, 32, 3), 9, np.uint8),
            "observation/joint_positions": np.zeros(7),
            "prompt": "close the jar",
        }
        assert theirs.infer(seen)["actions"].shape == (4, 8)
        with pytest.raises(RuntimeError, match="it needs observation/wrist_rgb too"):
            theirs.infer({k: v for k, v in seen.items() if "wrist" not in k})


@pytest.mark.parametrize("execute", [0, 3])
def test_there_and_back_with_vla_eval(execute: int) -> None:
    policy = Policy()
    with served(policy, "vla-eval", execute=execute) as url, served(policy, "openpi") as other:
        agent = make_agent(f"vla-eval:{url}", mapping=make_agent(f"openpi:{other}").mapping)
        assert agent.spec.horizon == (execute or 4)
        assert agent.spec.details["hidden_chunk"] == (execute or 1)
        batch = synthetic_batch(policy.spec, rows=2)
        chunks = agent.act(batch, np.zeros(2, np.uint64))
        assert chunks.shape == (2, execute or 4, 8)
        np.testing.assert_allclose(np.diff(chunks, axis=1), 1.0, atol=1e-4)


@pytest.mark.skipif(not THEIRS, reason="NOT TESTED with vla-eval's own client: pip install vla-eval")
def test_vla_evals_own_client() -> None:
    import anyio
    from vla_eval.connection import Connection

    policy = Policy()
    picture = np.full((20, 20, 3), 7, np.uint8)
    observation = {"images": {"base": picture, "hand": picture}, "states": np.zeros(22), "task_description": "go"}

    async def talk(url: str) -> list[Any]:
        async with Connection(url) as connection:
            await connection.start_episode({"task": {"name": "go", "seed": 77}})
            return [await connection.act(observation) for _ in range(4)]

    with served(policy, "vla-eval", execute=2) as url:
        answers = anyio.run(talk, url)
    assert [a["actions"].shape for a in answers] == [(8,)] * 4
    steps = [a["actions"][0] for a in answers]
    np.testing.assert_allclose([steps[1] - steps[0], steps[3] - steps[2]], 1.0, atol=1e-4)
    assert policy.resets[-1][1] == 77


def test_a_bad_observation_is_answered_with_the_reason_and_the_talk_goes_on() -> None:
    from websockets.sync.client import connect

    from hansgym.agents import codec_vla_eval as codec

    picture = np.zeros((16, 16, 3), np.uint8)
    good = {"images": {"front": picture, "wrist": picture}, "task_description": "go"}
    bad = [
        ({**good, "images": {"a": picture}}, "images are ['a']; the agent wants ['front', 'wrist']"),
        ({**good, "images": {"front": picture, "wrist": picture[..., 0]}}, "camera 'wrist' is (16, 16) uint8"),
        ({**good, "states": np.zeros(8)}, "22 numbers: joint_positions (7)"),
        ({**good, "states": {"joint_positions": np.full(7, np.nan)}}, "7 finite numbers were due"),
        ({"images": good["images"]}, "the instruction is a NoneType; it must be text"),
    ]
    with served(Policy(), "vla-eval") as url, connect(url, proxy=None) as socket:
        for seq, (observation, reason) in enumerate(bad, 1):
            socket.send(codec.pack(codec.Message("observation", observation, seq)))
            answer = codec.unpack(socket.recv(timeout=20))
            assert (answer.type, answer.seq) == ("error", seq)
            assert reason in answer.payload["error"]
        socket.send(codec.pack(codec.Message("observation", good, 9)))
        assert codec.unpack(socket.recv(timeout=20)).payload["actions"].shape == (4, 8)


def test_what_cannot_be_served() -> None:
    with pytest.raises(ConfigurationError, match="needs \\['expert_chunk'\\], which only an environment has"):
        make_served("expert")
    with pytest.raises(UnknownNameError, match="unknown protocol 'grpc'"):
        make_served("random", "grpc")
    with pytest.raises(ConfigurationError, match="execute=17, but agent 'random' predicts 16 steps; choose 1 to 16"):
        make_served("random", "vla-eval", execute=17)
    with pytest.raises(ConfigurationError, match="cannot be listened at"):
        make_served("random", port=99999)


def make_served(uri: str, protocol: str = "openpi", **settings: Any) -> None:
    with serving(make_agent(uri), protocol, **settings):
        pass


def test_agents_that_fail_say_so_to_the_caller() -> None:
    class Broken(Policy):
        def predict(self, images: Any, state: Any, instructions: Any, seeds: np.ndarray) -> np.ndarray:
            raise ZeroDivisionError("by nothing")

    with (
        served(Broken(), "openpi") as url,
        pytest.raises(AgentError, match=r"(?s)Traceback.*ZeroDivisionError: by nothing"),
    ):
        make_agent(f"openpi:{url}")


def test_a_run_goes_on_after_a_server_has_failed(tmp_path: Path) -> None:
    class Flaky(Policy):
        calls = 0

        def predict(self, images: Any, state: Any, instructions: Any, seeds: np.ndarray) -> np.ndarray:
            self.calls += 1  # the first call is the client's introduction
            if self.calls == 2:
                raise MemoryError("no room on the device")
            return super().predict(images, state, instructions, seeds)

    with served(Flaky(), "openpi") as url:
        frame = evaluate(
            f"openpi:{url}", "plain", out=tmp_path / "run", env_factory=runner_fakes.FACTORY, seeds="0:3",
            workers=1, execute=4, progress=False,
        )  # fmt: skip
    errors = list(frame["error"])
    assert "no room on the device" in errors[0]
    assert errors[1:] == [None, None]
    header = json.loads((tmp_path / "run" / "run.json").read_text())
    assert header["agent"]["details"]["wire"] == "openpi"
    assert header["agent"]["noise_control"] == "exact"


def test_what_a_server_hides_stands_beside_its_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cameras = "".join(f'[[camera]]\nkey = "{c}"\ncamera = "{c}"\n' for c in ("front", "wrist"))
    mapping = tmp_path / "two.toml"
    mapping.write_text(f'[action]\nspace = "joint"\nkind = "absolute"\nrate_hz = 20\n{cameras}')
    with served(Policy(), "vla-eval", execute=2) as url:
        frame = evaluate(
            f"vla-eval:{url},mapping={mapping}", "plain", out=tmp_path / "run", env_factory=runner_fakes.FACTORY,
            seeds="0:2", workers=1, execute=2, progress=False,
        )  # fmt: skip
    print_run(frame)
    board = leaderboard.build([tmp_path / "run"])
    leaderboard.show(board, Console())
    words = " ".join(capsys.readouterr().out.split())
    places = [leaderboard.markdown(board), leaderboard.page(board), write_report(tmp_path / "run").read_text()]
    for said in ("sampling noise cannot be paired", "the server hides chunks of 2 actions"):
        assert words.count(said) == 2  # the summary and the leaderboard
        assert all(said in place for place in places)
    assert len(board["groups"][0]["rows"][0]["labels"]) == 2


@pytest.mark.parametrize("task", [{"name": "go", "seed": 77}, {"task": "close_jar", "seed": 70, "episode_idx": 7}])
def test_an_episode_of_our_own_tasks_gets_the_seeds_of_our_own_runner(task: dict[str, Any]) -> None:
    from websockets.sync.client import connect

    from hansgym.agents import codec_vla_eval as codec

    picture = np.zeros((16, 16, 3), np.uint8)
    seen = {"images": {"front": picture, "wrist": picture}, "task_description": "go"}
    policy = Policy()
    with served(policy, "vla-eval", run_seed=3) as url, connect(url, proxy=None) as socket:
        socket.send(codec.pack(codec.Message("hello", {"benchmark": "hansgym.integrations.vla_eval:B"}, 1)))
        hello = codec.unpack(socket.recv(timeout=20)).payload
        socket.send(codec.pack(codec.Message("episode_start", {"task": task}, 2)))
        for seq in (3, 4):
            socket.send(codec.pack(codec.Message("observation", seen, seq)))
            answer = codec.unpack(socket.recv(timeout=20)).payload["actions"]
    wanted = hello["observation_params"]
    assert (wanted["cameras"], wanted["control"], wanted["image_size"]) == (["front", "wrist"], "joint_position", 16)
    assert "seed" not in wanted
    assert sum(part["dims"] for part in hello["action_spec"].values()) == 8
    ours = "task" in task
    assert policy.resets[-1][1] == (agent_seed(3, "close_jar", 77) if ours else 77)
    noise = noise_seed(3, "close_jar", 77, 1) if ours else seed_of(3, "serve", 77, 1)
    assert answer[0, 0] == np.float32(2 + noise % 97)  # the policy adds the length of "go"


def test_the_command_line_says_where_it_listens() -> None:
    command = [sys.executable, "-m", "hansgym.benchmarks.cli", "serve", "random", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            assert (said["protocol"], said["agent"]) == ("openpi", "random")
            agent = make_agent(f"openpi:{said['url']}")
            assert agent.spec.noise_control == "exact"
            batch, seeds = synthetic_batch(agent.spec, rows=2), np.array([3, 4], np.uint64)
            np.testing.assert_array_equal(agent.act(batch, seeds), make_agent("random").act(batch, seeds))
        finally:
            process.terminate()
