"""The vla-eval client: its codec, faults by a server of ours, and vla-eval's own server where it is installed."""

from __future__ import annotations

import importlib.util
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

msgpack = pytest.importorskip("msgpack", reason="NOT TESTED: vla-eval's wire; pip install 'hansgym[remote]'")
pytest.importorskip("websockets", reason="NOT TESTED: vla-eval's wire; pip install 'hansgym[remote]'")

from websockets.exceptions import ConnectionClosed  # noqa: E402
from websockets.sync.server import ServerConnection, serve  # noqa: E402
from wire_servers import Faulty, bad_actions, batch, chunk_of, huge_frame, running, seeds  # noqa: E402

from hansgym.agents import codec_vla_eval as codec  # noqa: E402
from hansgym.agents.codec_vla_eval import Message  # noqa: E402
from hansgym.agents.registry import make_agent  # noqa: E402
from hansgym.errors import AgentError, ConfigurationError  # noqa: E402
from hansgym.specs import check_chunk  # noqa: E402

THEIRS = importlib.util.find_spec("vla_eval") is not None and importlib.util.find_spec("anyio") is not None
real = pytest.mark.skipif(not THEIRS, reason="NOT TESTED against vla-eval's own code: pip install vla-eval")

GOLDEN = bytes.fromhex(
    "84a474797065a6616374696f6ea77061796c6f616481a7616374696f6e7384ab5f5f6e6461727261795f5fc3a464617461c408"
    "0000803f000000c0a56474797065a33c6634a573686170659102a373657107a974696d657374616d70cb3ff8000000000000"
)
"""An action float32 [1, -2], number 7, at 1.5 s, as vla-eval 0.8.0 writes it."""


def test_golden_bytes() -> None:
    message = Message("action", {"actions": np.array([1, -2], np.float32)}, 7)
    assert codec.pack(message, timestamp=1.5) == GOLDEN
    found = codec.unpack(GOLDEN)
    assert (found.type, found.seq) == ("action", 7)
    np.testing.assert_array_equal(found.payload["actions"], [1, -2])


def test_png_images_are_read_and_their_size_is_held_against_what_was_said() -> None:
    from PIL import Image

    image = np.random.default_rng(0).integers(0, 255, (5, 4, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    said: dict[str, Any] = {"__image__": True, "format": "png", "data": file.getvalue(), "shape": [5, 4, 3]}

    def read(entry: dict[str, Any]) -> np.ndarray:
        raw = {"type": "observation", "payload": {"i": entry}, "seq": 1, "timestamp": 0.0}
        return np.asarray(codec.unpack(msgpack.packb(raw)).payload["i"])

    np.testing.assert_array_equal(read(said), image)
    for change in ({"shape": [4, 5, 3]}, {"shape": [5, 4, 1]}, {"format": "gif"}, {"data": b"GIF89a"}):
        with pytest.raises(AgentError, match=r"must agree|must be raw|are not a png"):
            read({**said, **change})


@pytest.mark.parametrize(
    "raw", [b"\xc1", b"junk", msgpack.packb([1]), msgpack.packb({"type": "x", "payload": {}, "seq": 1})]
)
def test_nonsense_is_refused(raw: bytes) -> None:
    with pytest.raises(AgentError, match=r"take a vla-eval|it must be one of"):
        codec.unpack(raw)


# ------------------------------------------------------------------------------------------------ a server of ours


def write(kind: str, payload: Any, seq: int) -> bytes:
    """A message, written without the codec under test."""

    def plain(value: Any) -> Any:
        return {"__ndarray__": True, "data": value.tobytes(), "dtype": value.dtype.str, "shape": list(value.shape)}

    packed: bytes = msgpack.packb({"type": kind, "payload": payload, "seq": seq, "timestamp": 0.0}, default=plain)
    return packed


def read(data: bytes) -> dict[str, Any]:
    def plain(found: dict[str, Any]) -> Any:
        if "__ndarray__" in found:
            return np.frombuffer(found["data"], found["dtype"]).reshape(found["shape"])
        return found

    message: dict[str, Any] = msgpack.unpackb(data, object_hook=plain)
    return message


@contextmanager
def server(hidden: int = 0, careless: bool = False) -> Iterator[tuple[str, Faulty]]:
    """A vla-eval server that sends whole chunks, or (``hidden``) queues them; ``careless``: it answers anything."""
    state = Faulty()

    def handle(ws: ServerConnection) -> None:
        queue: list[np.ndarray] = []
        try:
            for data in ws:
                message = read(data)
                state.seen.append(message)
                if message["type"] == "hello":
                    ws.send(write("hello", {"harness_version": "0.8.0", "model_server": "Test"}, message["seq"]))
                elif message["type"] == "episode_start":
                    queue.clear()
                elif message["type"] == "observation":
                    answer(ws, message, queue)
        except ConnectionClosed:
            pass

    def answer(ws: ServerConnection, message: dict[str, Any], queue: list[np.ndarray]) -> None:
        seq, fault = message["seq"], state.fault
        if not queue:
            image = next(iter(message["payload"]["images"].values()))
            if isinstance(image, str):
                if not careless:
                    ws.send(write("error", {"error": "observation_failed: TypeError: no image"}, seq))
                    return
                image = np.zeros(1)
            good = chunk_of(image)
            if fault is not None:
                misbehave(ws, fault, good, seq)
                return
            if not hidden:
                ws.send(write("action", {"actions": good}, seq))
                return
            queue.extend(good[:hidden])
        ws.send(write("action", {"actions": queue.pop(0)}, seq))

    with running(serve(handle, "127.0.0.1", 0, compression=None, max_size=None)) as port:
        yield f"ws://127.0.0.1:{port}", state


def misbehave(ws: ServerConnection, fault: str, good: np.ndarray, seq: int) -> None:
    if fault == "error":
        ws.send(write("error", {"error": "observation_failed: KeyError: 'states'"}, seq))
    elif fault == "text":
        ws.send("Traceback (most recent call last):")
    elif fault == "another number":
        ws.send(write("action", {"actions": good}, seq + 1))
    elif fault == "huge":
        huge_frame(ws)
    elif fault == "slow":
        threading.Event().wait(1.0)
    elif fault == "dies":
        ws.socket.close()
    elif fault == "no actions":
        ws.send(write("action", {"action": good}, seq))
    else:
        ws.send(write("action", {"actions": bad_actions(fault, good)}, seq))


FAULTS = {
    "error": r"the server says: observation_failed: KeyError: 'states'",
    "text": r"sent text where a binary message was due; it says: Traceback",
    "another number": r"'action' number \d+; 'action' number \d+ was due",
    "huge": r"a message of more than 67108864 bytes, which is refused",
    "slow": r"gave no answer within 0\.3 s",
    "dies": r"did the server die",
    "no actions": r"sent \['action'\]; it must send actions",
    "NaN": r"sent nan at index \(1, 2\)",
    "wrong shape": r"sent actions of shape \(1, 1, 16, 8\)",
    "wrong width": r"mapping 'rlbench' means 8 numbers each",
    "wrong dtype": r"dtype '<U2' arrived",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_own_error_and_the_next_episode_works(fault: str) -> None:
    with server() as (url, state):
        agent = make_agent(f"vla-eval:{url}", timeout_s=0.3 if fault == "slow" else 5.0)
        state.fault = fault
        with pytest.raises(AgentError, match=f"(?s){FAULTS[fault]}") as caught:
            agent.act(batch(2), seeds(2))
        assert url in str(caught.value)
        state.fault = None
        agent.reset([0, 1], [1, 2])
        assert agent.act(batch(2), seeds(2)).shape == (2, 16, 8)


def test_no_server_at_the_start() -> None:
    with pytest.raises(AgentError, match="no policy server answers"):
        make_agent("vla-eval:ws://127.0.0.1:9")


def test_whole_chunks_rows_lanes_and_episodes() -> None:
    with server() as (url, state):
        agent = make_agent(f"vla-eval:{url}")
        details = agent.spec.details
        assert (agent.spec.horizon, details["hidden_chunk"], details["chunk_owner"], details["flags"]) == (
            16, 1, "agent", [],
        )  # fmt: skip
        given = batch(3, lanes=[4, 7, 4])  # lane 4 is asked about twice, as attributions do
        agent.reset([4, 7], [0, 0])
        chunks = check_chunk(agent.act(given, seeds(3)), 3, agent.spec)
        for row in range(3):
            np.testing.assert_allclose(chunks[row], chunk_of(given.images["front"][row]), atol=1e-6)
        starts = [m for m in state.seen if m["type"] == "episode_start"]
        agent.act(given, seeds(3))
        assert [m for m in state.seen if m["type"] == "episode_start"] == starts  # the same episodes go on
        agent.reset([7], [1])
        agent.act(given, seeds(3))
        assert len([m for m in state.seen if m["type"] == "episode_start"]) == len(starts) + 1
        last = state.seen[-1]["payload"]
        assert list(last["images"]) == ["front", "overhead", "wrist"]
        assert last["states"].shape == (8,)
        assert last["task_description"] == "close the jar"


def test_hidden_chunks_are_found_flagged_and_drawn_out_whole() -> None:
    with server(hidden=5) as (url, _):
        agent = make_agent(f"vla-eval:{url}")
        assert (agent.spec.horizon, agent.spec.details["hidden_chunk"]) == (5, 5)
        assert agent.spec.details["chunk_owner"] == "server"
        assert "hides chunks of 5" in agent.spec.details["flags"][0]
        for shade in (0, 100):  # the second question is answered about what it shows, not from a queue
            given = batch(2, shade=shade)
            chunks = agent.act(given, seeds(2))
            np.testing.assert_allclose(chunks[1], chunk_of(given.images["front"][1])[:5], atol=1e-6)
        assert make_agent(f"vla-eval:{url},chunk=3").spec.horizon == 3
        with pytest.raises(AgentError, match="observation_failed"):
            make_agent(f"vla-eval:{url},chunk=6")


def test_a_server_that_answers_anything_is_asked_afresh_each_time() -> None:
    with server(hidden=4, careless=True) as (url, _):
        agent = make_agent(f"vla-eval:{url}")
        assert (agent.spec.horizon, agent.spec.details["hidden_chunk"]) == (1, None)
        assert "unknown" in agent.spec.details["flags"][0]
        for shade in (0, 100):
            given = batch(1, shade=shade)
            chunks = agent.act(given, seeds(1))
            np.testing.assert_allclose(chunks[0], chunk_of(given.images["front"][0])[:1], atol=1e-6)


def test_wrong_settings() -> None:
    for wrong in ("none", "0", "500"):
        with server() as (url, _), pytest.raises(ConfigurationError, match=f"chunk='{wrong}'; choose auto, open, or"):
            make_agent(f"vla-eval:{url},chunk={wrong}")


# ------------------------------------------------------------------------------------------------ vla-eval's own


@real
def test_their_codec_writes_the_same_bytes() -> None:
    from vla_eval.protocol.messages import Message as Theirs
    from vla_eval.protocol.messages import MessageType, pack_message, unpack_message

    actions = np.array([1, -2], np.float32)
    assert pack_message(Theirs(MessageType.ACTION, {"actions": actions}, 7, 1.5)) == GOLDEN
    image = np.random.default_rng(0).integers(0, 255, (5, 4, 3), np.uint8)
    sent = pack_message(Theirs(MessageType.OBSERVATION, {"images": {"front": image}}, 1))
    np.testing.assert_array_equal(codec.unpack(sent).payload["images"]["front"], image)
    read_back = unpack_message(codec.pack(Message("observation", {"images": {"front": image}}, 3)))
    np.testing.assert_array_equal(read_back.payload["images"]["front"], image)


@contextmanager
def their_server(**settings: Any) -> Iterator[str]:
    """vla-eval's own server around a model of ours."""
    import anyio
    from vla_eval.model_servers.predict import PredictModelServer
    from vla_eval.model_servers.serve import serve_async

    class Model(PredictModelServer):
        def predict(self, obs: dict[str, Any], ctx: Any) -> dict[str, Any]:
            return {"actions": chunk_of(np.asarray(obs["images"]["front"], np.uint8))}

        def predict_batch(self, obs_batch: Any, ctx_batch: Any) -> Any:
            return [self.predict(o, c) for o, c in zip(obs_batch, ctx_batch, strict=True)]

    ready, ports, scopes = threading.Event(), [], []

    async def main() -> None:
        async with anyio.create_task_group() as group:
            scopes.append(group.cancel_scope)
            ports.append(await group.start(serve_async, Model(**settings), "127.0.0.1", 0))
            scopes.append(anyio.lowlevel.current_token())
            ready.set()

    thread = threading.Thread(target=lambda: anyio.run(main), daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield f"ws://127.0.0.1:{ports[0]}"
    finally:
        anyio.from_thread.run_sync(scopes[0].cancel, token=scopes[1])
        thread.join(10)


@real
@pytest.mark.parametrize(("settings", "steps"), [({}, 16), ({"chunk_size": 6}, 6), ({"max_batch_size": 4}, 16)])
def test_against_their_server(settings: dict[str, Any], steps: int) -> None:
    with their_server(**settings) as url:
        agent = make_agent(f"vla-eval:{url}")
        assert agent.spec.details["server"] == "Model"
        assert (agent.spec.horizon, agent.spec.details["hidden_chunk"]) == (steps, 6 if steps == 6 else 1)
        for shade in (0, 50):
            given = batch(3, shade=shade)
            chunks = check_chunk(agent.act(given, seeds(3)), 3, agent.spec)
            for row in range(3):
                np.testing.assert_allclose(chunks[row], chunk_of(given.images["front"][row])[:steps], atol=1e-6)
