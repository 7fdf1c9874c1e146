"""The command line: help that is enough, one plain line for what the user can mend, JSON with nothing after it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hansgym.benchmarks.cli import app, main
from hansgym.envs.registration import index

COMMANDS = ("list", "evaluate", "report", "leaderboard", "check-agent", "train", "record", "play", "doctor")


def hansgym(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command with stdout and stderr as one stream, as a terminal would show them."""
    path = os.pathsep.join([*(p or os.getcwd() for p in sys.path)])
    environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", "hansgym.benchmarks.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_every_option(command: str) -> None:
    found = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "100"})
    assert found.exit_code == 0
    parser = typer.main.get_command(app).commands[command]  # type: ignore[attr-defined]
    assert parser.help
    for parameter in parser.params:
        assert parameter.name == "help" or parameter.help, f"{command} {parameter.name} says nothing"
        assert any(o in found.stdout for o in parameter.opts) or parameter.name.upper() in found.stdout


def test_help_lists_the_commands() -> None:
    found = hansgym("--help").stdout
    assert all(command in found for command in COMMANDS)


def test_list() -> None:
    rows = json.loads(CliRunner().invoke(app, ["list", "--suite", "quickstart", "--json"]).stdout)
    assert {row["task"] for row in rows} <= {row["task"] for row in index()}
    for row in rows:
        assert set(row) == {"id", "task", "suites", "variations", "instructions"}
        assert row["id"] == f"hansgym/{row['task']}-v0"
        assert len(row["instructions"]) == row["variations"]
        assert "{" not in "".join(row["instructions"])
    assert "open_drawer" in CliRunner().invoke(app, ["list"]).stdout


def test_listing_builds_no_scene() -> None:
    script = (
        "import sys; from hansgym.benchmarks import listing; listing.rows();"
        "assert not {'torch', 'mink'} & set(sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--suite", "quik"), "unknown suite 'quik'"),
        (("evaluate", "--agent", "exprt", "--tasks", "open_drawer"), "Did you mean 'expert'?"),
        (("evaluate", "--agent", "expert", "--tasks", "open_drawr"), "Did you mean 'open_drawer'?"),
        (("evaluate", "--agent", "expert"), "give either tasks or a suite"),
        (("evaluate", "--agent", "expert", "--tasks", "open_drawer", "--perturb", "cu"), "unknown perturbation 'cu'"),
        (("evaluate", "--agent", "expert", "--tasks", "open_drawer", "--seeds", "5:1"), "is empty"),
        (("evaluate", "--agent", "expert", "--tasks", "close_jar", "--do-factors", "postr"), "Did you mean 'poster'?"),
        (("report", "nowhere"), "nowhere is not a run directory"),
        (("leaderboard", "nowhere"), "nowhere is not a run directory"),
        (("check-agent", "nobody"), "unknown agent scheme 'nobody'"),
        (("train", "reference:nobody"), "unknown reference policy 'nobody'"),
    ],
)
def test_what_the_user_can_mend_is_said_plainly(
    arguments: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["hansgym", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    out, words = capsys.readouterr()
    assert out == ""
    assert said in words
    assert words.startswith("hansgym: ")
    assert words.strip().count("\n") == 0


def test_evaluate_ends_with_its_result(tmp_path: Path) -> None:
    arguments = ("evaluate", "--agent", "expert", "--tasks", "open_drawer,push_buttons", "--image-size", "16", "--json")
    found = hansgym(*arguments, "--seeds", "7", "--out", str(tmp_path / "run"))
    assert found.returncode == 0
    assert found.stdout.endswith("}\n")
    summary = json.loads(found.stdout.splitlines()[-1])
    keys = {"success", "interval", "n", "errors", "nmr@10", "nmr_interval", "ner", "ner_interval"}
    assert set(summary) == {"run", "tasks", *keys}
    assert (summary["n"], summary["errors"]) == (2, 0)
    assert set(summary["tasks"]) == {"open_drawer", "push_buttons"}
    assert all(set(part) == keys for part in summary["tasks"].values())
    again = hansgym(*arguments, "--seeds", "7", "--out", str(tmp_path / "run"))
    assert json.loads(again.stdout.splitlines()[-1]) == summary
    other = hansgym(*arguments, "--seeds", "8", "--out", str(tmp_path / "run"))
    assert other.returncode == 2
    assert "seeds: there [7], here [8]" in other.stdout
    board = hansgym("leaderboard", str(tmp_path / "run"), "--out", str(tmp_path / "board"), "--json")
    assert json.loads(board.stdout)["groups"][0]["rows"][0]["agent"] == "expert"


def test_check_agent() -> None:
    found = CliRunner().invoke(app, ["check-agent", "random", "--json"])
    assert found.exit_code == 0
    assert json.loads(found.stdout)["ok"] is True
    real = CliRunner().invoke(app, ["check-agent", "expert", "--task", "open_drawer"])
    assert real.exit_code == 0, real.stdout
    assert "expert does what it declares" in real.stdout
    assert "the plumbing looks right: distance to the expert arm 0 %" in real.stdout


def test_check_agent_names_a_mistake_of_the_plumbing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inverted_for_test.py").write_text(
        "from hansgym.agents.expert import ExpertAgent\n"
        "class Inverted(ExpertAgent):\n"
        "    def act(self, batch, noise_seeds):\n"
        "        chunk = super().act(batch, noise_seeds)\n"
        "        chunk[..., 7] = 1 - chunk[..., 7]\n"
        "        return chunk\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    command = ["check-agent", "python:inverted_for_test:Inverted", "--task", "open_drawer", "--json"]
    found = CliRunner().invoke(app, [*command, "--episodes", "1"])
    assert found.exit_code == 1
    assert json.loads(found.stdout)["plumbing"]["mistakes"] == ["inverted_gripper"]
    plain = CliRunner().invoke(app, [*command, "--episodes", "0"])
    assert plain.exit_code == 0
    assert "plumbing" not in json.loads(plain.stdout)
