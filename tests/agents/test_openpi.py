"""The openpi client against servers on localhost: a strict one of ours, and openpi's own where they can be had."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

msgpack = pytest.importorskip("msgpack", reason="NOT TESTED: openpi's wire; pip install 'hansgym[remote]'")
pytest.importorskip("websockets", reason="NOT TESTED: openpi's wire; pip install 'hansgym[remote]'")

from wire_servers import batch, chunk_of, openpi_server, seeds  # noqa: E402

from hansgym.agents import codec_openpi  # noqa: E402
from hansgym.agents.registry import make_agent  # noqa: E402
from hansgym.errors import AgentError, ConfigurationError, UnknownNameError  # noqa: E402
from hansgym.specs import check_chunk  # noqa: E402

GOLDEN = bytes.fromhex(
    "82a67072 6f6d7074 a2676f a7616374 696f6e73 84c40b5f 5f6e6461 72726179 5f5fc3 c40464617461 c408"
    "0000803f000000c0 c4056474797065 a33c6634 c4057368617065 920102".replace(" ", "")
)
"""{"prompt": "go", "actions": float32 [[1, -2]]} as openpi-client 0.1.2 writes it."""


def test_golden_bytes() -> None:
    message = {"prompt": "go", "actions": np.array([[1.0, -2.0]], np.float32)}
    assert codec_openpi.pack(message) == GOLDEN
    found = codec_openpi.unpack(GOLDEN)
    assert found["prompt"] == "go"
    np.testing.assert_array_equal(found["actions"], [[1, -2]])
    assert found["actions"].dtype == np.float32
    found["actions"][:] = 0  # a copy of one's own, not a view of the message


def test_scalars_and_every_kind_of_number_survive() -> None:
    message = {"a": np.float32(1.5), "b": np.arange(6).reshape(2, 3), "c": np.zeros((0, 2), bool), "d": [1, None, "x"]}
    found = codec_openpi.unpack(codec_openpi.pack(message))
    assert found["a"] == 1.5
    assert found["a"].dtype == np.float32
    np.testing.assert_array_equal(found["b"], message["b"])
    assert found["c"].shape == (0, 2)
    assert found["d"] == [1, None, "x"]


@pytest.mark.parametrize("value", [np.array([object()]), np.array([1j]), {1, 2}])
def test_what_cannot_be_sent_is_refused(value: object) -> None:
    with pytest.raises(AgentError, match="cannot be sent; give"):
        codec_openpi.pack({"x": value})


def test_the_clients_own_package_reads_and_writes_the_same_bytes() -> None:
    theirs = pytest.importorskip(
        "openpi_client.msgpack_numpy", reason="NOT TESTED against openpi-client: not installed"
    )
    message = {"prompt": "go", "actions": np.arange(6, dtype="<f8").reshape(2, 3), "n": np.int64(4)}
    assert theirs.packb(message) == codec_openpi.pack(message)
    assert theirs.packb({"prompt": "go", "actions": np.array([[1.0, -2.0]], np.float32)}) == GOLDEN


def test_a_chunk_for_every_row() -> None:
    with openpi_server() as (url, state):
        agent = make_agent(f"openpi:{url}")
        assert (agent.spec.horizon, agent.spec.noise_control) == (16, "none")
        assert agent.spec.details["server"] == {"policy": "test"}
        given = batch(3)
        chunks = check_chunk(agent.act(given, seeds(3)), 3, agent.spec)
        for row in range(3):
            np.testing.assert_allclose(chunks[row], chunk_of(given.images["front"][row]), atol=1e-6)
        last = state.seen[-1]
        assert set(last) == {
            "observation/front_image", "observation/overhead_image", "observation/wrist_image", "observation/state",
            "prompt",
        }  # fmt: skip
        assert last["observation/front_image"].shape == (224, 224, 3)
        assert last["prompt"] == "close the jar"
        np.testing.assert_allclose(last["observation/state"], [*np.arange(7) / 10, 1.0], atol=1e-6)


def test_droid_and_libero_keys() -> None:
    with openpi_server(steps=15) as (url, state):
        agent = make_agent(f"openpi:{url},mapping=droid")
        assert agent.spec.horizon == 20  # 15 steps of 15 Hz last one second
        assert agent.spec.action.mode == "joint_position"
        assert set(state.seen[-1]) == {
            "observation/exterior_image_1_left", "observation/wrist_image_left", "observation/joint_position",
            "observation/gripper_position", "prompt",
        }  # fmt: skip
    with openpi_server(steps=10, dim=7) as (url, state):
        agent = make_agent(f"openpi:{url},mapping=libero,horizon=5")
        assert (agent.spec.horizon, agent.spec.action.mode) == (5, "ee_delta")
        assert set(state.seen[-1]) == {"observation/image", "observation/wrist_image", "observation/state", "prompt"}
        assert state.seen[-1]["observation/state"].shape == (8,)
        assert agent.act(batch(2), seeds(2)).shape == (2, 5, 7)


FAULTS = {
    "traceback": r"sent text .* it says: Traceback .*KeyError: 'observation/image'",
    "pickle": r"bytes beginning b'\\x80.*take an openpi server",
    "object array": r"an array of dtype '\|O' arrived; it must be of plain numbers",
    "short data": r"shape \(1048576, 1048576\) .* arrived with 512 bytes; it needs",
    "huge": r"sent a message of more than 67108864 bytes, which is refused",
    "slow": r"gave no answer within 0\.3 s; use timeout_s=",
    "dies": r"did the server die\? Start it again",
    "no actions": r"answered with \['state'\]; it must send actions",
    "a list": r"sent a list; a map was due",
    "NaN": r"sent nan at index \(1, 2\) of its actions; every number must be finite",
    "wrong shape": r"sent actions of shape \(1, 1, 16, 8\); \(T, dim\) or \(dim,\) was due",
    "wrong width": r"shape \(16, 5\); mapping 'rlbench' means 8 numbers each: choose the mapping that fits",
    "wrong dtype": r"an array of dtype '<U2' arrived; it must be of plain numbers",
    "shorter": r"lasts 3 control steps; 16 were due",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_own_error_and_the_next_episode_works(fault: str) -> None:
    with openpi_server() as (url, state):
        agent = make_agent(f"openpi:{url}", timeout_s=0.3 if fault == "slow" else 5.0)
        state.fault = fault
        with pytest.raises(AgentError, match=f"(?s){FAULTS[fault]}") as caught:
            agent.act(batch(), seeds())
        assert url in str(caught.value)
        state.fault = None
        agent.reset([0], [1])
        assert np.isfinite(agent.act(batch(), seeds())).all()


def test_no_server_at_the_start() -> None:
    with pytest.raises(AgentError, match=r"no policy server answers at ws://127\.0\.0\.1:9 .*start it first"):
        make_agent("openpi:ws://127.0.0.1:9")


def test_a_server_that_comes_back_is_found_again() -> None:
    with openpi_server() as (url, _):
        agent = make_agent(f"openpi:{url}")
    with pytest.raises(AgentError, match=r"closed the connection|did the server die|no policy server"):
        agent.act(batch(), seeds())
    with pytest.raises(AgentError, match="no policy server answers"):
        agent.act(batch(), seeds())
    with openpi_server(port=int(url.rsplit(":", 1)[1])):
        assert agent.act(batch(), seeds()).shape == (1, 16, 8)


def test_wrong_settings_say_what_is_right() -> None:
    with pytest.raises(ConfigurationError, match=r"'localhost:8000' is not the address .* write ws://HOST:PORT"):
        make_agent("openpi:localhost:8000")
    with pytest.raises(UnknownNameError, match=r"option of agent 'openpi' 'horizn'.*Did you mean 'horizon'"):
        make_agent("openpi:ws://localhost:1,horizn=3")
    with pytest.raises(UnknownNameError, match=r"unknown mapping 'driod'.*Did you mean 'droid'"):
        make_agent("openpi:ws://localhost:1,mapping=driod")
    with openpi_server() as (url, _):
        with pytest.raises(ConfigurationError, match="predicts 16 control steps, horizon=17 is more; choose 1 to 16"):
            make_agent(f"openpi:{url},horizon=17")
        assert make_agent(f"openpi:{url},noise=deterministic").spec.noise_control == "deterministic"
        assert make_agent(f"openpi:{url},noise=auto").spec.noise_control == "deterministic"


@pytest.mark.skipif(
    "HANSGYM_OPENPI" not in os.environ, reason="NOT TESTED: openpi's server; HANSGYM_OPENPI=<its clone>"
)
def test_against_openpis_own_server() -> None:
    """With openpi-client installed, and the clone's server file run as it stands."""
    path = Path(os.environ["HANSGYM_OPENPI"]) / "src/openpi/serving/websocket_policy_server.py"
    spec = importlib.util.spec_from_file_location("openpi_server_file", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)

    class Policy:
        def infer(self, observation: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            return {"actions": chunk_of(observation["observation/front_image"])}

    import asyncio
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = module.WebsocketPolicyServer(Policy(), "127.0.0.1", port, {"reset_pose": [1.0]})
    threading.Thread(target=lambda: asyncio.run(server.run()), daemon=True).start()
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        threading.Event().wait(0.05)
    agent = make_agent(f"openpi:ws://127.0.0.1:{port}")
    given = batch(2)
    chunks = agent.act(given, seeds(2))
    np.testing.assert_allclose(chunks[1], chunk_of(given.images["front"][1]), atol=1e-6)
    with pytest.raises(AgentError, match="KeyError: 'observation/front_image'"):
        make_agent(f"openpi:ws://127.0.0.1:{port},mapping=droid")
