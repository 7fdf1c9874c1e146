"""Processes with CoppeliaSim: how they end, vector environments, whole runs, the doctor. ``make test-rlbench``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import _rlbench_live as live
import gymnasium as gym
import numpy as np
import pytest

import hansgym  # noqa: F401  (registers the ids)
from hansgym.attribution.ner import ner_of
from hansgym.specs import CAMERAS

pytestmark = live.MARKS
GONE_S = 60.0
SCRIPT = Path(__file__).with_name("_rlbench_left.py")


@pytest.fixture(autouse=True, scope="module")
def complete() -> None:
    live.need_whole_simulator()


def _started(way: str) -> tuple[subprocess.Popen[str], list[Path]]:
    """A process with a simulator on a display of its own, and what must not outlive it."""
    environment = {k: v for k, v in os.environ.items() if k != "DISPLAY"}
    environment["PYTHONPATH"] = os.pathsep.join([str(SCRIPT.parent), *(p or os.getcwd() for p in sys.path)])
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    process = subprocess.Popen([sys.executable, str(SCRIPT), way], env=environment, text=True, **pipes)  # type: ignore[call-overload]
    assert process.stdout is not None
    line = next((text for text in process.stdout if text.startswith("READY")), "")
    assert line, process.stderr.read() if process.stderr else ""
    _, display, *children = line.split()
    assert children, "an Xvfb of its own"
    number = display.removeprefix(":")
    traces = [Path(f"/tmp/.X{number}-lock"), Path(f"/tmp/.X11-unix/X{number}")]
    return process, traces + [Path(f"/proc/{child}") for child in children]


def _gone(traces: list[Path]) -> list[Path]:
    """What is still there when there has been time to go."""
    end = time.monotonic() + GONE_S
    while any(path.exists() for path in traces) and time.monotonic() < end:
        time.sleep(0.05)
    return [path for path in traces if path.exists()]


@pytest.mark.parametrize(
    ("way", "sent", "code"),
    [
        ("return", None, 0),
        ("exit", None, 3),
        ("raise", None, 1),
        ("step", signal.SIGINT, -signal.SIGINT),
        ("step", signal.SIGTERM, -signal.SIGTERM),
        ("step", signal.SIGKILL, -signal.SIGKILL),
    ],
    ids=["return", "exit", "raise", "ctrl-c", "terminated", "killed"],
)
def test_however_a_process_ends_nothing_stays(way: str, sent: signal.Signals | None, code: int) -> None:
    process, traces = _started(way)
    if sent is not None:
        process.send_signal(sent)
    try:
        _, said = process.communicate(timeout=GONE_S)
    finally:
        process.kill()
    assert process.returncode == code, said
    assert _gone(traces) == []
    if sent is signal.SIGINT:
        assert "KeyboardInterrupt" in said
    if way == "raise":
        assert "on purpose" in said.splitlines()[-1]


def test_close_ends_the_display_while_the_process_goes_on() -> None:
    process, traces = _started("close")
    assert process.stdout is not None
    assert "CLOSED\n" in process.stdout
    assert process.poll() is None
    assert _gone(traces) == []
    process.communicate(timeout=live.LIMIT_S)
    assert process.returncode == 0


def test_vector_environments_use_processes() -> None:
    options = {"backend": "rlbench", "image_size": 64, "backend_options": {"renderer": "opengl"}}
    envs = gym.make_vec("hansgym/close_jar-v0", num_envs=2, vectorization_mode="async", **options)
    try:
        seen, info = envs.reset(seed=[0, 1])
        assert seen["front_rgb"].shape == (2, 64, 64, 3)
        assert (seen["front_rgb"][0] != seen["front_rgb"][1]).any()
        assert len(info["instruction"]) == 2
        seen, *_ = envs.step(np.stack([np.append(q, 1.0) for q in seen["joint_positions"]]).astype(np.float32))
        assert seen["joint_positions"].shape == (2, 7)
    finally:
        envs.close()


def _hansgym(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hansgym.benchmarks.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=live.LIMIT_S, check=False)


def test_a_whole_run_with_attribution_films_and_do_effects(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="SKIPPED: reference policies need the extra torch")
    settings = ["--tasks", "push_buttons", "--seeds", "0", "--backend", "rlbench:opengl", "--json"]
    extras = ["--attribute", "iss,do", "--masks", "8", "--attribute-stride", "16", "--do-draws", "2", "--videos", "1"]
    out = tmp_path / "run"
    done = _hansgym("evaluate", "--agent", "reference:pfungst", *settings, *extras, "--out", str(out))
    assert done.returncode == 0, done.stderr
    episode = json.loads((out / "episodes.jsonl").read_text(encoding="utf-8"))
    assert episode["error"] is None
    assert 0.0 <= episode["nmr"]["10"] <= 1.0
    assert episode["ner"] is None
    assert episode["ner_reason"] == ner_of({"nuisance": {"d2": 0.1}, "wall": {"d2": 0.1}})[1]
    assert "task" in episode["ner_reason"]
    assert {"wall", "floor", "nuisance"} <= set(episode["do"])
    assert (out / episode["video"]).stat().st_size > 1000
    assert _hansgym("report", str(out)).returncode == 0


def test_the_attribution_wrapper_explains_and_measures() -> None:
    pytest.importorskip("torch", reason="SKIPPED: reference policies need the extra torch")
    seen, said = live.apart(live.explained)
    assert said["decision"] == 1
    assert {c: m.shape for c, m in said["maps"].items()} == dict.fromkeys(CAMERAS, seen["front_rgb"].shape[:2])
    assert max(float(np.abs(m).max()) for m in said["maps"].values()) > 0
    assert 0.0 <= said["nmr"]["10"] <= 1.0
    assert said["ner"] is None
    assert "task" in said["ner_reason"]


def test_a_random_run_is_the_same_with_one_worker_and_with_two(tmp_path: Path) -> None:
    lines = []
    for workers in ("1", "2"):
        out = tmp_path / workers
        settings = ["--tasks", "close_jar", "--seeds", "0:2", "--backend", "rlbench:opengl", "--image-size", "64"]
        done = _hansgym("evaluate", "--agent", "random", *settings, "--workers", workers, "--out", str(out))
        assert done.returncode == 0, done.stderr
        rows = [json.loads(line) for line in (out / "episodes.jsonl").read_text(encoding="utf-8").splitlines()]
        lines.append(sorted(({k: v for k, v in row.items() if k != "wall_s"} for row in rows), key=lambda r: r["seed"]))
    assert len(lines[0]) == 2
    assert lines[0] == lines[1]


def test_the_doctor_knows_what_is_there() -> None:
    said = _hansgym("doctor", "--backend", "rlbench").stdout
    section = said[said.index("rlbench:") : said.index("extra ")]
    for name in ("CoppeliaSim", "library path", "display", "PyRep", "RLBench", "import"):
        assert f"[x] {name}" in section, section
    assert "non-commercial" in section
