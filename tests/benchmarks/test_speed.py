"""The speed command: its arithmetic on known figures, its processes with planted faults, our side for real."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hansgym.benchmarks import _speed_iss, _speed_resets, _speed_worker, speed
from hansgym.benchmarks._speed_worker import SpeedError, Worker, ours, robosuite_python

LIFT = Path(_speed_worker.__file__).with_name("_robosuite_lift.py")


def rounds(*triples: tuple[float, float, float]) -> list[speed.Round]:
    return [speed.Round(*t, *t) for t in triples]


def test_ratios_pair_what_was_measured_together() -> None:
    # The machine is ten times slower in the second round, and in the third only our side was disturbed.
    found = speed.summary(
        rounds((10.0, 150.0, 700.0), (1.0, 16.0, 80.0), (10.0, 20.0, 90.0)),
        made=[(1.0, 5.0), (10.0, 40.0), (1.0, 10.0)],
        shares=[0.05, 0.5, 0.02],
    )
    assert found == {"control_ratio": 15.0, "chunked_ratio": 70.0, "reset_ratio": 0.2, "iss_overhead": 0.05}
    assert tuple(found) == speed.KEYS == tuple(speed.GOALS)


@pytest.mark.parametrize(
    ("key", "just", "short"),
    [
        ("control_ratio", 12.0, 11.9),
        ("chunked_ratio", 60.0, 59.9),
        ("reset_ratio", 0.25, 0.26),
        ("iss_overhead", 0.1, 0.11),
    ],
)
def test_goals(key: str, just: float, short: float) -> None:
    assert speed.met(key, just)
    assert not speed.met(key, short)


def canned(*_: object) -> dict[str, object]:
    made = [(1.0, 5.0)]
    found = rounds((10.0, 110.0, 700.0))
    return {
        **speed.summary(found, made, [0.05]),
        "detail": speed._detail("close_jar", found, made, [0.05], {"open_drawer": [0.2, 0.4, 0.3], "lamp_on": [0.1]}),
    }


def test_json_is_four_figures_on_one_line_and_all_else_is_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "measure", canned)
    app = typer.Typer()
    app.command()(speed.main)
    shown = CliRunner().invoke(app, ["--json", "--out", str(tmp_path), "--venv", str(tmp_path / "v")])
    assert shown.exit_code == 0, shown.output
    four = json.loads(shown.stdout)
    assert set(four) == {"control_ratio", "chunked_ratio", "reset_ratio", "iss_overhead"}
    stored = json.loads((tmp_path / "speed.json").read_text())
    assert {k: stored[k] for k in four} == four
    assert stored["detail"]["control_steps_per_second"] == {"lift": 10.0, "control": 110.0, "chunked": 700.0}
    table = (tmp_path / "speed.md").read_text()
    assert "| control_ratio | 11.0 | at least 12 | no |" in table
    assert "| chunked_ratio | 70.0 | at least 60 | yes |" in table
    assert "| reset_ratio | 0.200 | at most 0.25 | yes |" in table
    assert "| reset of a task (s) | 0.250 | at most 0.3 | yes | slowest task open_drawer, 0.30 s |" in table


def test_a_failure_is_one_plain_line_and_exit_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise SpeedError("no network")

    monkeypatch.setattr(speed, "measure", broken)
    app = typer.Typer()
    app.command()(speed.main)
    shown = CliRunner().invoke(app, ["--json", "--out", str(tmp_path)])
    assert shown.exit_code == 1
    assert "hansgym: no network" in shown.output
    assert not list(tmp_path.iterdir())


SERVER = """
import sys
sys.path.insert(0, {folder!r})
from _robosuite_lift import serve

def start():
    print("a library says hello")
    return {{"step": lambda: 3, "die": lambda: sys.exit("out of memory")}}

serve(start)
"""


def server(tmp_path: Path) -> Worker:
    script = tmp_path / "server.py"
    script.write_text(SERVER.format(folder=str(LIFT.parent)))
    return Worker("a fake", [sys.executable, "-I", str(script)], None)


def test_what_libraries_print_does_not_get_between_answers(tmp_path: Path) -> None:
    with server(tmp_path) as worker:
        assert worker.ask("start")["count"] == 1
        answer = worker.ask("step", 0.01)
    assert answer["count"] >= 3
    assert answer["count"] % 3 == 0
    assert answer["seconds"] >= 0.01


def test_a_process_that_dies_is_reported_with_its_last_words(tmp_path: Path) -> None:
    with server(tmp_path) as worker:
        worker.ask("start")
        with pytest.raises(SpeedError, match=r"(?s)a fake ended in 'die' \(exit status 1\).*out of memory"):
            worker.ask("die", 0.01)


def test_the_other_side_needs_nothing_of_ours() -> None:
    tree = ast.parse(LIFT.read_text())
    names = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {n.split(".")[0] for n in names} - set(sys.stdlib_module_names) == {"numpy", "robosuite"}


def test_a_ready_environment_is_used_and_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    ready.mkdir()
    (ready / ".ready").write_text("\n".join(_speed_worker.REQUIREMENTS))
    assert robosuite_python(ready) == ready / "bin" / "python"
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("years of work")
    with pytest.raises(SpeedError, match="neither empty nor a virtual environment; name another folder with --venv"):
        robosuite_python(mine)
    assert (mine / "thesis.tex").read_text() == "years of work"


def test_our_side_renders_steps_and_chunks() -> None:
    with ours("open_drawer") as worker:
        assert worker.ask("start")["seconds"] > 0
        assert worker.ask("step", 0.01)["count"] >= 1
        chunks = worker.ask("chunk", 0.01)
    assert chunks["count"] >= 8
    assert chunks["count"] % 8 == 0


class Clock:
    """Time passes in a sleep, and where a test says so."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(("own_s", "share"), [(0.0, 0.0), (0.33, 0.75)])
def test_what_the_policy_did_not_sleep_is_the_explanations(
    monkeypatch: pytest.MonkeyPatch, own_s: float, share: float
) -> None:
    clock, explain = Clock(), _speed_iss.explain

    def slow(*args: object, **settings: object) -> object:
        clock.now += own_s
        return explain(*args, **settings)

    monkeypatch.setattr(_speed_iss, "time", clock)
    monkeypatch.setattr(_speed_iss, "explain", slow)
    monkeypatch.setattr(_speed_iss, "N_MASKS", 10)  # eleven evaluations of 10 ms
    assert _speed_iss.overheads("open_drawer", 1) == pytest.approx([share])


def test_resets_are_timed_task_by_task() -> None:
    heard: list[str] = []
    times = _speed_resets.reset_times(["close_microwave"], 2, lambda task, seconds: heard.append(task))
    assert heard == ["close_microwave"]
    assert [len(v) for v in times.values()] == [2]
    assert min(times["close_microwave"]) > 0
