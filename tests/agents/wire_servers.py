"""Policy servers for tests, on localhost, that speak the real protocols and can be told to misbehave.

They write their messages themselves, without the codecs under test.
"""

from __future__ import annotations

import base64
import json
import pickle
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgpack
import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from hansgym.batch import Batch

TRACEBACK = "Traceback (most recent call last):\n  File \"policy.py\", line 3\nKeyError: 'observation/image'"


def batch(rows: int = 1, size: int = 32, lanes: list[int] | None = None, shade: int = 0) -> Batch:
    """Rows that differ from one another, cameras and all."""
    images = {
        c: np.stack([np.full((size, size, 3), shade + 10 * k + i, np.uint8) for k in range(rows)])
        for i, c in enumerate(("front", "overhead", "wrist"))
    }
    state = {
        "joint_positions": np.tile(np.arange(7, dtype=np.float32) / 10, (rows, 1)),
        "joint_velocities": np.zeros((rows, 7), np.float32),
        "gripper_open": np.ones((rows, 1), np.float32),
        "gripper_pose": np.tile(np.array([0.3, 0, 1.2, 0, 1, 0, 0], np.float32), (rows, 1)),
    }
    return Batch(images, state, ("close the jar",) * rows, np.arange(rows) if lanes is None else np.array(lanes))


def seeds(rows: int = 1) -> np.ndarray:
    return np.arange(rows, dtype=np.uint64)


def chunk_of(image: np.ndarray, steps: int = 16, dim: int = 8) -> np.ndarray:
    """What the servers answer: the mean brightness of the first image, in steps, so that rows can be told apart."""
    return (np.asarray(image, np.float32).mean() / 255 + np.arange(steps)[:, None] / 100 + np.zeros(dim)).astype("<f4")


# ------------------------------------------------------------------------------------------------ openpi


def openpi_array(a: np.ndarray) -> dict[bytes, Any]:
    return {b"__ndarray__": True, b"data": a.tobytes(), b"dtype": a.dtype.str, b"shape": list(a.shape)}


def openpi_read(found: dict[Any, Any]) -> Any:
    if b"__ndarray__" not in found:
        return found
    return np.frombuffer(found[b"data"], found[b"dtype"]).reshape(found[b"shape"])


class Faulty:
    """What is wrong with the next answers; ``None`` for nothing."""

    def __init__(self) -> None:
        self.fault: str | None = None
        self.seen: list[Any] = []


def huge_frame(ws: ServerConnection) -> None:
    """The header of a binary message of 2 GB, and its first bytes."""
    ws.socket.sendall(b"\x82\x7f" + struct.pack(">Q", 2 * 2**30) + b"\x00" * 1024)
    time.sleep(0.5)


def bad_actions(fault: str, good: np.ndarray) -> np.ndarray:
    """``good`` spoilt."""
    if fault == "NaN":
        good = good.copy()
        good[1, 2] = np.nan
        return good
    return {
        "wrong shape": good[None, None],
        "wrong width": good[:, :5],
        "wrong dtype": np.full(good.shape, "up", "<U2"),
        "shorter": good[:3],
    }[fault]


@contextmanager
def openpi_server(port: int = 0, steps: int = 16, dim: int = 8) -> Iterator[tuple[str, Faulty]]:
    """An openpi server: metadata first, then one reply per observation."""
    state = Faulty()

    def handle(ws: ServerConnection) -> None:
        ws.send(msgpack.packb({"reset_pose": [0.0], "policy": "test"}))
        try:
            for data in ws:
                observation = msgpack.unpackb(data, object_hook=openpi_read)
                state.seen.append(observation)
                image = next(v for k, v in observation.items() if "image" in k)
                good = chunk_of(image, steps, dim)
                if not openpi_fault(ws, state.fault, good):
                    ws.send(msgpack.packb({"actions": openpi_array(good), "server_timing": {"infer_ms": 1.0}}))
        except ConnectionClosed:
            pass

    with running(serve(handle, "127.0.0.1", port, compression=None, max_size=None)) as bound:
        yield f"ws://127.0.0.1:{bound}", state


def openpi_fault(ws: ServerConnection, fault: str | None, good: np.ndarray) -> bool:
    """Misbehave; False if nothing is wrong."""
    if fault is None:
        return False
    if fault == "traceback":
        ws.send(TRACEBACK)
        ws.close(1011, "Internal server error.")
    elif fault == "pickle":
        ws.send(pickle.dumps({"actions": good}))
    elif fault == "object array":
        ws.send(msgpack.packb({"actions": {**openpi_array(good), b"dtype": "|O", b"data": pickle.dumps(good)}}))
    elif fault == "short data":
        ws.send(msgpack.packb({"actions": {**openpi_array(good), b"shape": [2**20, 2**20]}}))
    elif fault == "huge":
        huge_frame(ws)
    elif fault == "slow":
        time.sleep(1.0)
    elif fault == "dies":
        ws.socket.close()
    elif fault == "no actions":
        ws.send(msgpack.packb({"state": 1}))
    elif fault == "a list":
        ws.send(msgpack.packb([1, 2]))
    else:
        ws.send(msgpack.packb({"actions": openpi_array(bad_actions(fault, good))}))
    return True


@contextmanager
def running(server: Any) -> Iterator[int]:
    """The port of a websockets or HTTP server that runs in a thread of its own."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        listening = server.socket
        yield int(listening.getsockname()[1])
    finally:
        server.shutdown()
        thread.join(5)


# ------------------------------------------------------------------------------------------------ OpenVLA


def json_array(a: np.ndarray) -> dict[str, Any]:
    return {"__numpy__": base64.b64encode(a.tobytes()).decode(), "dtype": a.dtype.str, "shape": list(a.shape)}


@contextmanager
def openvla_server(answer: Callable[[dict[str, Any]], Any]) -> Iterator[tuple[str, Faulty]]:
    """A REST server: ``answer`` gives the body's value; bytes are sent as they are, an int is a status."""
    state = Faulty()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.seen.append((self.path, json.loads(body)))
            if state.fault == "dies":
                self.connection.close()
                return
            if state.fault == "slow":
                time.sleep(1.0)
            value = answer(json.loads(body)) if state.fault in (None, "slow") else FAULTY_BODIES[state.fault]
            status = 422 if state.fault == "refuses" else 200
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(2 * 2**30 if state.fault == "huge" else len(data)))
            self.end_headers()
            if state.fault == "huge":
                for _ in range(80):
                    self.wfile.write(b"0" * 2**20)
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    with running(server) as port:
        yield f"http://127.0.0.1:{port}", state
    server.server_close()


FAULTY_BODIES: dict[str, Any] = {
    "error": "error",
    "refuses": {"detail": "Field required"},
    "not JSON": b"<html>",
    "pickle": pickle.dumps([1.0]),
    "NaN": b"[NaN, 0, 0, 0, 0, 0, 0]",
    "wrong width": [0.0, 1.0],
    "text": [["up"] * 7],
    "ragged": [[0.0] * 7, [0.0] * 3],
    "a map": {"action": [0.0] * 7},
    "object array": {"__numpy__": base64.b64encode(pickle.dumps([1.0])).decode(), "dtype": "|O", "shape": [1]},
    "huge": b"",
}
