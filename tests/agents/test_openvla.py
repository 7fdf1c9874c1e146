"""The OpenVLA REST client against a server of ours, and against FastAPI with json_numpy where they are installed."""

from __future__ import annotations

import base64
import importlib.util
import threading
from typing import Any

import numpy as np
import pytest
from wire_servers import batch, json_array, openvla_server, seeds

from hansgym.agents import codec_json_numpy as codec
from hansgym.agents.registry import make_agent
from hansgym.errors import AgentError, ConfigurationError
from hansgym.specs import check_chunk

ONE = np.array([0.01, 0, -0.02, 0, 0, 0.1, 1.0])


def test_golden_json() -> None:
    text = codec.dumps({"image": np.array([[1, 2]], np.uint8), "instruction": "go"})
    assert text == '{"image": {"__numpy__": "AQI=", "dtype": "|u1", "shape": [1, 2]}, "instruction": "go"}'
    np.testing.assert_array_equal(codec.loads(text)["image"], [[1, 2]])


def test_their_codec_reads_and_writes_the_same() -> None:
    theirs = pytest.importorskip("json_numpy", reason="NOT TESTED against json_numpy: not installed")
    message = {"a": np.arange(6, dtype="<f4").reshape(2, 3)}
    assert codec.loads(theirs.dumps(message))["a"].tolist() == message["a"].tolist()
    assert theirs.loads(codec.dumps(message))["a"].tolist() == message["a"].tolist()


@pytest.mark.parametrize("data", ["%%%", 5, base64.b64encode(b"123").decode()])
def test_arrays_that_are_none_are_refused(data: Any) -> None:
    with pytest.raises(AgentError, match=r"base64|with 3 bytes; it needs"):
        codec.loads(
            '{"__numpy__": %s, "dtype": "<f4", "shape": [1]}' % (f'"{data}"' if isinstance(data, str) else data)
        )


def test_one_action_of_5_hz_becomes_four_of_ours() -> None:
    with openvla_server(lambda _: json_array(ONE)) as (url, state):
        agent = make_agent(f"openvla:{url},unnorm_key=bridge_orig")
        assert (agent.spec.horizon, agent.spec.action.mode, agent.spec.noise_control) == (
            4,
            "ee_delta",
            "deterministic",
        )
        chunk = check_chunk(agent.act(batch(2), seeds(2)), 2, agent.spec)
        np.testing.assert_allclose(chunk[1].sum(0), [*ONE[:6], 4.0], atol=1e-6)
        path, body = state.seen[-1]
        assert path == "/act"
        assert set(body) == {"image", "instruction", "unnorm_key"}
        assert body["image"]["shape"] == [224, 224, 3]
        assert body["instruction"] == "close the jar"


def test_a_list_of_actions_and_json_within_json() -> None:
    def answer(body: dict[str, Any]) -> Any:
        assert set(body) == {"full_image", "wrist_image", "state", "instruction"}
        return [json_array(ONE)] * 8

    with openvla_server(answer) as (url, _):
        agent = make_agent(f"openvla:{url},mapping=openvla_libero")
        assert agent.spec.horizon == 8
    with openvla_server(lambda body: codec.dumps([ONE] * 8)) as (url, _):
        assert make_agent(f"openvla:{url},mapping=openvla_libero,horizon=3").act(batch(), seeds()).shape == (1, 3, 7)


def test_a_server_that_samples_is_found_out() -> None:
    drawn = iter(np.random.default_rng(0).normal(size=(20, 7)))
    with openvla_server(lambda _: json_array(next(drawn))) as (url, _):
        assert make_agent(f"openvla:{url}").spec.noise_control == "none"
        with pytest.raises(ConfigurationError, match="noise=deterministic, but asked twice"):
            make_agent(f"openvla:{url},noise=deterministic")


FAULTS = {
    "error": r"answered 'error', as these servers do .* a missing unnorm_key=",
    "refuses": r"answered status 422: .*Field required.*Give the address of an OpenVLA server",
    "not JSON": r"the answer is not JSON .*b'<html>'",
    "pickle": r"the answer is not JSON",
    "NaN": r"sent nan at index \(0,\)",
    "wrong width": r"shape \(1, 2\); mapping 'openvla_bridge' means 7 numbers each",
    "text": r"actions of dtype <U2; they must be real numbers",
    "ragged": r"actions of unequal lengths",
    "a map": r"answered a map of \['action'\]",
    "object array": r"an array of dtype '\|O' arrived",
    "huge": r"more than 67108864 bytes, which is refused",
    "slow": r"gave no answer within 0\.3 s",
    "dies": r"broke the connection .*did the server die",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_own_error_and_the_next_question_works(fault: str) -> None:
    with openvla_server(lambda _: json_array(ONE)) as (url, state):
        agent = make_agent(f"openvla:{url}", timeout_s=0.3 if fault == "slow" else 20.0)
        state.fault = fault
        with pytest.raises(AgentError, match=f"(?s){FAULTS[fault]}"):
            agent.act(batch(), seeds())
        state.fault = None
        agent.options = type(agent.options)(**{**vars(agent.options), "timeout_s": 20.0})
        assert agent.act(batch(), seeds()).shape == (1, 4, 7)


def test_no_server_at_the_start_and_wrong_addresses() -> None:
    with pytest.raises(AgentError, match=r"no policy server answers at 127\.0\.0\.1:9 .*start it first"):
        make_agent("openvla:http://127.0.0.1:9")
    with pytest.raises(ConfigurationError, match="write http://HOST:PORT"):
        make_agent("openvla:ftp://127.0.0.1")


FASTAPI = all(importlib.util.find_spec(m) for m in ("fastapi", "uvicorn", "json_numpy"))


@pytest.mark.skipif(
    not FASTAPI, reason="NOT TESTED against FastAPI and json_numpy: pip install fastapi uvicorn json-numpy"
)
def test_against_the_stack_that_the_servers_use() -> None:
    """The stack of the published servers: json_numpy patched into FastAPI, errors swallowed into "error"."""
    import fastapi
    import json_numpy
    import uvicorn
    from fastapi.responses import JSONResponse

    json_numpy.patch()
    app = fastapi.FastAPI()

    @app.post("/act")
    def act(payload: dict) -> Any:  # type: ignore[type-arg]
        try:
            assert payload["image"].shape == (224, 224, 3)
            assert isinstance(payload["instruction"], str)
            return JSONResponse(ONE * (payload["unnorm_key"] == "bridge_orig"))
        except Exception:
            return "error"

    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.05)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        agent = make_agent(f"openvla:{url},unnorm_key=bridge_orig")
        np.testing.assert_allclose(agent.act(batch(), seeds())[0].sum(0), [*ONE[:6], 4.0], atol=1e-6)
        with pytest.raises(AgentError, match="unnorm_key=<data set>"):
            make_agent(f"openvla:{url}")
    finally:
        server.should_exit = True
        thread.join(10)
