"""Killed in the middle, a run goes on with the same command: nothing lost, nothing counted twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import runner_fakes as fakes

from hansgym.benchmarks import evaluate
from hansgym.benchmarks.records import read_records
from hansgym.errors import ConfigurationError

SETTINGS: dict[str, Any] = {
    "seeds": "0:12", "workers": 2, "attribute": "iss,do", "n_masks": 6, "do_draws": 2,
    "env_factory": fakes.FACTORY, "progress": False,
}  # fmt: skip
SCRIPT = """
import sys, json
from hansgym.benchmarks import evaluate
evaluate("python:runner_fakes:Walker", "slow", out=sys.argv[1], **json.loads(sys.argv[2]))
"""


def start(out: Path, **changes: Any) -> subprocess.Popen[bytes]:
    import json

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(out), json.dumps({**SETTINGS, **changes})],
        env=environment,
        start_new_session=True,
        # A shell's background job ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def comparable(run: Path) -> list[dict[str, Any]]:
    lines = [{k: v for k, v in r.items() if k != "wall_s"} for r in read_records(run)]
    return sorted(lines, key=lambda r: r["seed"])


def test_kill_and_resume(tmp_path: Path) -> None:
    whole = evaluate("python:runner_fakes:Walker", "slow", out=tmp_path / "whole", **SETTINGS)
    killed = tmp_path / "killed"
    for wanted in (3, 7):
        process = start(killed)
        while len(read_records(killed)) < wanted and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert wanted <= len(read_records(killed)) < 12
        with (killed / "episodes.jsonl").open("ab") as file:
            file.write(b'{"task":"slow","seed":11,"tri')
    before = (killed / "episodes.jsonl").read_bytes().rpartition(b"\n")[0]
    frame = evaluate("python:runner_fakes:Walker", "slow", out=killed, **SETTINGS)
    assert (killed / "episodes.jsonl").read_bytes().startswith(before), "finished lines are never rewritten"
    assert [r["seed"] for r in comparable(killed)] == list(range(12))
    assert comparable(killed) == comparable(tmp_path / "whole")
    mine, theirs = dict(frame.attrs["summary"]), dict(whole.attrs["summary"])
    assert mine.pop("run") != theirs.pop("run")
    assert mine == theirs

    after = (killed / "episodes.jsonl").read_bytes()
    again = evaluate("python:runner_fakes:Walker", "slow", out=killed, **{**SETTINGS, "workers": 1})
    assert again.attrs["summary"] == frame.attrs["summary"]
    assert (killed / "episodes.jsonl").read_bytes() == after

    with pytest.raises(ConfigurationError, match=r"n_masks: there 6, here 7\).*Choose another --out"):
        evaluate("python:runner_fakes:Walker", "slow", out=killed, **{**SETTINGS, "n_masks": 7})


def test_an_interrupted_run_keeps_no_half_episode(tmp_path: Path) -> None:
    process = start(tmp_path, seeds="0:400")  # too many to be done before the signal comes
    while len(read_records(tmp_path)) < 2:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait() != 0
    assert all(r["error"] is None for r in read_records(tmp_path))
    assert not (tmp_path / "lock").exists()


def test_lanes_end_with_a_killed_run(tmp_path: Path) -> None:
    process = start(tmp_path, seeds="0:400")
    while not read_records(tmp_path):
        time.sleep(0.02)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) == 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    for _ in range(100):
        alive = [c for c in children if Path(f"/proc/{c}/cmdline").exists() and Path(f"/proc/{c}/cmdline").read_bytes()]
        if not alive:
            return
        time.sleep(0.1)
    pytest.fail(f"processes {alive} outlive the run")
