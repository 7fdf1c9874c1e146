"""The run directory: whole lines only, one writer, one configuration, and nothing half-written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from hansgym.benchmarks.config import RunConfig, differences, from_identity, parse_names, parse_seeds, protocol_of
from hansgym.benchmarks.records import RunDirectory, plain, read_records, read_run
from hansgym.errors import ConfigurationError, UnknownNameError

CONFIG = RunConfig(agent="random", tasks=("a", "b"), seeds=(0, 1), control="joint_position", trials=2)
HEADER = {"config": CONFIG.identity()}


def line(seed: int) -> dict[str, object]:
    return {"task": "a", "seed": seed, "trial": 0, "success": True}


def test_lines_survive_and_are_found_again(tmp_path: Path) -> None:
    with RunDirectory(tmp_path, HEADER) as run:
        run.append({**line(0), "margin": float("nan"), "array": np.arange(2), "set": {"b", "a"}})
    with RunDirectory(tmp_path, HEADER) as run:
        assert run.done == {("a", 0, 0)}
        run.append(line(1))
    assert [r["seed"] for r in read_records(tmp_path)] == [0, 1]
    assert read_records(tmp_path)[0] == {**line(0), "margin": None, "array": [0, 1], "set": ["a", "b"]}
    assert read_run(tmp_path)["config"] == CONFIG.identity()
    assert not (tmp_path / "lock").exists()


@pytest.mark.parametrize("tail", [b'{"task": "a", "se', b'{"task": "a", "seed": 9, "trial": 0}', b"\0\0\0\n", b"{}}\n"])
def test_a_half_line_is_cut_off(tmp_path: Path, tail: bytes) -> None:
    with RunDirectory(tmp_path, HEADER) as run:
        run.append(line(0))
    path = tmp_path / "episodes.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + tail)
    assert len(read_records(tmp_path)) == 1
    assert path.read_bytes() == whole + tail, "reading changes nothing"
    with RunDirectory(tmp_path, HEADER) as run:
        assert run.done == {("a", 0, 0)}
        run.append(line(1))
    assert [json.loads(text)["seed"] for text in path.read_text().splitlines()] == [0, 1]


def test_a_broken_line_in_the_middle_is_not_skipped_silently(tmp_path: Path) -> None:
    with RunDirectory(tmp_path, HEADER) as run:
        run.append(line(0))
    with (tmp_path / "episodes.jsonl").open("ab") as file:
        file.write(b"nonsense\n" + json.dumps(line(1)).encode() + b"\n")
    with pytest.raises(ConfigurationError, match="line 2 cannot be read"):
        read_records(tmp_path)


def test_another_configuration_is_refused_by_field(tmp_path: Path) -> None:
    with RunDirectory(tmp_path, HEADER) as run:
        run.append(line(0))
    other = replace(CONFIG, trials=3, execute=4)
    with (
        pytest.raises(ConfigurationError, match=r"execute: there 8, here 4; trials: there 2, here 3.*another --out"),
        RunDirectory(tmp_path, {"config": other.identity()}),
    ):
        pass
    assert len(read_records(tmp_path)) == 1
    with RunDirectory(tmp_path, HEADER) as run:  # the refusal left no lock
        assert len(run.done) == 1


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with (
        RunDirectory(tmp_path, HEADER),
        pytest.raises(ConfigurationError, match=f"is being written by process {os.getpid()}"),
        RunDirectory(tmp_path, HEADER),
    ):
        pass


def test_a_lock_left_by_a_kill_is_no_obstacle(tmp_path: Path) -> None:
    script = (
        "import os, sys, signal; from pathlib import Path; from hansgym.benchmarks.records import RunDirectory;"
        "import json; RunDirectory(Path(sys.argv[1]), json.loads(sys.argv[2])).__enter__();"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)}
    subprocess.run([sys.executable, "-c", script, str(tmp_path), json.dumps(HEADER)], env=environment, check=False)
    assert (tmp_path / "lock").read_text().strip().isdigit()
    with RunDirectory(tmp_path, HEADER) as run:
        assert run.records == []
    for content in ("", "1\n", f"{os.getpid()}\n", "rubbish"):
        (tmp_path / "lock").write_text(content)
        with RunDirectory(tmp_path, HEADER):
            pass


def test_a_lock_held_by_a_child_of_the_dead_is_no_obstacle(tmp_path: Path) -> None:
    script = (
        "import os, sys, signal, time, json; from pathlib import Path;"
        "from hansgym.benchmarks.records import RunDirectory;"
        "RunDirectory(Path(sys.argv[1]), json.loads(sys.argv[2])).__enter__();"
        "child = os.fork();"
        "(print(child, flush=True), os.kill(os.getpid(), signal.SIGKILL)) if child else (os.close(1), time.sleep(60))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)}
    found = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), json.dumps(HEADER)],
        env=environment,
        check=False,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        with RunDirectory(tmp_path, HEADER) as run:
            assert run.records == []
    finally:
        os.kill(int(found.stdout), signal.SIGKILL)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot be written"), RunDirectory(tmp_path / "file", HEADER):
        pass


def test_arrays_are_whole_or_absent(tmp_path: Path) -> None:
    with RunDirectory(tmp_path, HEADER) as run:
        path = run.save_arrays("a_0_0", {"cells_front": np.eye(7)})
    with np.load(path, allow_pickle=False) as found:
        np.testing.assert_array_equal(found["cells_front"], np.eye(7))
    assert [p.name for p in path.parent.iterdir()] == ["a_0_0.npz"]


def test_no_run_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not a run directory"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(ConfigurationError, match="is not a run header"):
        read_run(tmp_path)


def test_plain_refuses_nothing_json_cannot_hold() -> None:
    value = plain({1: np.float64("inf"), "path": Path("x"), "n": np.int64(3), "t": (True, None)})
    assert json.loads(json.dumps(value, allow_nan=False)) == {"1": None, "path": "x", "n": 3, "t": [True, None]}


def test_every_field_moves_the_hash() -> None:
    changed = {
        "agent": "expert", "tasks": ("a",), "seeds": (0,), "control": "ee_pose", "trials": 3, "suite": "s",
        "protocol": "agnostos", "variation": 1, "perturb": ("cue",), "cameras": ("front",), "image_size": 64,
        "partition": "table_is_nuisance", "execute": 4, "attribute": ("do",), "attribute_stride": 2,
        "method": "iss_published", "n_masks": 50, "do_stride": 2, "do_draws": 4, "do_severity": 2.0,
        "do_factors": ("wall",), "videos": 1, "run_seed": 1, "agent_limit_s": 1.0, "env_limit_s": 1.0,
        "env_factory": "m:f",
    }  # fmt: skip
    assert set(changed) == {f.name for f in fields(RunConfig)}
    hashes = {replace(CONFIG, **{name: value}).hash for name, value in changed.items()}
    assert len(hashes | {CONFIG.hash}) == len(changed) + 1
    for name, value in changed.items():
        other = replace(CONFIG, **{name: value})
        assert [d.split(":")[0] for d in differences(CONFIG.identity(), other.identity())] == [name]
        assert from_identity(other.identity()) == other


def test_jobs_and_their_seeds() -> None:
    jobs = CONFIG.jobs()
    assert len(jobs) == 2 * 2 * 2
    assert len({job.key for job in jobs}) == len(jobs)
    assert all(job.reset_seed == job.seed for job in jobs if job.trial == 0)
    later = {job.reset_seed for job in jobs if job.trial == 1}
    assert len(later) == 2
    assert not later & {0, 1}
    assert replace(CONFIG, videos=3).filmed() == {(t, s, k) for t in "ab" for s, k in ((0, 0), (0, 1), (1, 0))}


def test_seeds_are_read() -> None:
    assert parse_seeds("90000:90050") == tuple(range(90000, 90050))
    assert parse_seeds("3, 1,7:9") == (3, 1, 7, 8)
    for text, said in (("5:5", "is empty"), ("x", "neither a number nor a range"), ("1:2:3", "neither")):
        with pytest.raises(ConfigurationError, match=said):
            parse_seeds(text)
    assert parse_names("iss, do") == ("iss", "do")
    assert parse_names("none") == parse_names(None) == ()


def test_protocols_by_task() -> None:
    assert [protocol_of("agnostos", t) for t in "ab"] == ["agnostos", "agnostos"]
    assert [protocol_of("a=x, c=y", t) for t in "abc"] == ["x", "default", "y"]
    with pytest.raises(ConfigurationError, match=r"names \['c'\], the tasks of this run are \['a', 'b'\]"):
        replace(CONFIG, protocol="a=x,c=y")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        replace(CONFIG, protocol="a=")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"trials": 0}, "trials must be at least 1"),
        ({"seeds": (1, 1)}, "more than once"),
        ({"seeds": (-1,)}, "must not be negative"),
        ({"tasks": ()}, "needs tasks"),
        ({"agent_limit_s": 0.0}, "must be positive"),
        ({"do_severity": -1.0}, "must not be negative"),
    ],
)
def test_settings_that_cannot_work(change: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        replace(CONFIG, **change)  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="Choose one of: do, iss, none"):
        replace(CONFIG, attribute=("isss",))
