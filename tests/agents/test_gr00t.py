"""The GR00T client against a ZeroMQ server of ours that is as strict about shapes and dtypes as theirs."""

from __future__ import annotations

import io
import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from wire_servers import Faulty, bad_actions, batch, chunk_of, seeds

msgpack = pytest.importorskip("msgpack", reason="NOT TESTED: GR00T's wire; pip install 'hansgym[gr00t]'")
zmq = pytest.importorskip("zmq", reason="NOT TESTED: GR00T's wire; pip install 'hansgym[gr00t]'")

from hansgym.agents import codec_gr00t as codec  # noqa: E402
from hansgym.agents.registry import make_agent  # noqa: E402
from hansgym.errors import AgentError, ConfigurationError  # noqa: E402
from hansgym.specs import check_chunk  # noqa: E402

MAPPING = """
control = "joint_position"
[action]
space = "joint"
[[camera]]
key = "ego"
camera = "front"
size = [64, 64]
[[camera]]
key = "hand"
camera = "wrist"
size = [64, 64]
[[state]]
key = "arm"
parts = ["joint_positions"]
[[state]]
key = "gripper"
parts = ["gripper_open"]
[instruction]
key = "annotation.human.task_description"
"""


def npy(array: np.ndarray) -> dict[str, Any]:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return {"__ndarray_class__": True, "as_npy": file.getvalue()}


def arrays(found: dict[str, Any]) -> Any:
    return np.load(io.BytesIO(found["as_npy"]), allow_pickle=False) if "__ndarray_class__" in found else found


def modality(keys: list[str], frames: int) -> dict[str, Any]:
    entry = {"delta_indices": list(range(1 - frames, 1)), "modality_keys": keys}
    return {"__ModalityConfig_class__": True, "as_json": entry}


def config(past: int = 1) -> dict[str, Any]:
    return {
        "video": modality(["ego", "hand"], past),
        "state": modality(["arm", "gripper"], 1),
        "action": modality(["arm", "gripper"], 16),
        "language": modality(["annotation.human.task_description"], 1),
    }


def strict(observation: dict[str, Any], past: int) -> np.ndarray:
    """The first camera's images, after the checks that the servers make."""
    rows = len(observation["video"]["ego"])
    for key in ("ego", "hand"):
        assert observation["video"][key].shape == (rows, past, 64, 64, 3)
        assert observation["video"][key].dtype == np.uint8
    for key, width in (("arm", 7), ("gripper", 1)):
        assert observation["state"][key].shape == (rows, 1, width)
        assert observation["state"][key].dtype == np.float32
    texts = observation["language"]["annotation.human.task_description"]
    assert len(texts) == rows
    assert all(len(t) == 1 and isinstance(t[0], str) for t in texts)
    return np.asarray(observation["video"]["ego"])


@contextmanager
def server(past: int = 1) -> Iterator[tuple[str, Faulty]]:
    state, stop = Faulty(), threading.Event()
    context = zmq.Context()
    socket = context.socket(zmq.REP)
    socket.setsockopt(zmq.LINGER, 0)
    port = socket.bind_to_random_port("tcp://127.0.0.1")

    def answer(request: dict[str, Any]) -> Any:
        if request["endpoint"] == "get_modality_config":
            return config(past)
        images = strict(request["data"]["observation"], past)
        good = np.stack([chunk_of(i) for i in images])
        fault = state.fault
        if fault == "error":
            return {"error": "KeyError: 'video.ego'"}
        if fault == "not a pair":
            return {"arm": npy(good)}
        if fault == "a part is missing":
            return [{"arm": npy(good[..., :7])}, {}]
        if fault == "object array":
            return [{"arm": npy(np.array([{}], object)), "gripper": npy(good[..., 7:])}, {}]
        if fault == "huge":
            return [b"0" * (65 * 2**20), {}]
        if fault in ("NaN", "wrong width", "wrong shape"):
            good = np.stack([bad_actions(fault, g) for g in good])
        return [{"arm": npy(good[..., :7]), "gripper": npy(good[..., 7:])}, {}]

    def serve() -> None:
        while not stop.is_set():
            if not socket.poll(20):
                continue
            request = msgpack.unpackb(socket.recv(), object_hook=arrays)
            state.seen.append(request)
            if state.fault == "slow":
                stop.wait(1.0)
            data = msgpack.packb(answer(request))
            socket.send(pickle.dumps([1]) if state.fault == "pickle" else data)
        socket.close(0)
        context.term()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"tcp://127.0.0.1:{port}", state
    finally:
        stop.set()
        thread.join(5)


@pytest.fixture
def mapping(tmp_path: Path) -> str:
    path = tmp_path / "robot.toml"
    path.write_text(MAPPING)
    return str(path)


def test_golden_bytes() -> None:
    packed = codec.pack({"a": np.array([1, 2], np.uint8)})
    assert packed[:24] == b"\x81\xa1a\x82\xb1__ndarray_class__\xc3\xa6"[:24]
    assert b"\x93NUMPY\x01\x00" in packed
    np.testing.assert_array_equal(msgpack.unpackb(packed, object_hook=arrays)["a"], [1, 2])
    for array in (np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.float32(3.5), np.zeros((0, 4), np.int16)):
        np.testing.assert_array_equal(codec.unpack(msgpack.packb(npy(np.asarray(array)))), array)


def test_files_that_are_none_are_refused() -> None:
    whole = npy(np.arange(4.0))
    for change in (b"junk", whole["as_npy"][:-1], npy(np.array([{}], object))["as_npy"], 7):
        with pytest.raises(AgentError, match=r"\.npy file|needs 32|dtype '\|O'"):
            codec.unpack(msgpack.packb({**whole, "as_npy": change}))


def test_a_batch_is_one_request(mapping: str) -> None:
    with server() as (url, state):
        agent = make_agent(f"gr00t:{url},mapping={mapping}")
        assert (agent.spec.horizon, agent.spec.noise_control) == (16, "none")
        asked = len(state.seen)
        given = batch(3)
        chunks = check_chunk(agent.act(given, seeds(3)), 3, agent.spec)
        assert len(state.seen) == asked + 1
        for row in range(3):
            np.testing.assert_allclose(chunks[row], chunk_of(given.images["front"][row]), atol=1e-6)


def test_names_and_frames_that_differ(mapping: str) -> None:
    with (
        server() as (url, _),
        pytest.raises(ConfigurationError, match=r"the server wants \['ego', 'hand'\]; give a map"),
    ):
        make_agent(f"gr00t:{url}")
    with server(past=2) as (url, _):
        with pytest.raises(ConfigurationError, match=r"\{'video': 2\} frames of the past.*history=repeat"):
            make_agent(f"gr00t:{url},mapping={mapping}")
        agent = make_agent(f"gr00t:{url},mapping={mapping},history=repeat")
        assert "past frames" in agent.spec.details["flags"][0]


FAULTS = {
    "error": r"says: KeyError: 'video\.ego'",
    "not a pair": r"sent dict; \[actions, info\] was due",
    "a part is missing": r"sent no action 'gripper' but \['arm'\]",
    "object array": r"an array of dtype '\|O' arrived",
    "pickle": r"are not MessagePack",
    "huge": r"sent more than 67108864 bytes, which is refused",
    "NaN": r"sent nan at index \(1, 2\)",
    "wrong width": r"shape \(16, 5\); mapping 'robot' means 8 numbers each",
    "wrong shape": r"sent action 'arm' as \(1, 1, 1, 16, 7\); an array \(1, T, D\) was due",
    "slow": r"gave no answer within 0\.3 s",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_own_error_and_the_next_question_works(fault: str, mapping: str) -> None:
    with server() as (url, state):
        agent = make_agent(f"gr00t:{url},mapping={mapping}", timeout_s=0.3 if fault == "slow" else 20.0)
        state.fault = fault
        with pytest.raises(AgentError, match=FAULTS[fault]):
            agent.act(batch(), seeds())
        state.fault = None
        agent.options = type(agent.options)(**{**vars(agent.options), "timeout_s": 20.0})
        assert agent.act(batch(), seeds()).shape == (1, 16, 8)


def test_dead_servers(mapping: str) -> None:
    with pytest.raises(AgentError, match=r"no policy server answers at tcp://127\.0\.0\.1:9 .*start it first"):
        make_agent(f"gr00t:tcp://127.0.0.1:9,mapping={mapping}")
    with server() as (url, _):
        agent = make_agent(f"gr00t:{url},mapping={mapping}", timeout_s=5.0)
    with pytest.raises(AgentError, match=r"broke the connection|no policy server answers"):
        agent.act(batch(), seeds())
