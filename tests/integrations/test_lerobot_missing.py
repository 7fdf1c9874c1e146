"""Where LeRobot is not installed, everything that needs it says so and names the extra."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hansgym.agents.registry import make_agent, schemes
from hansgym.benchmarks.cli import app
from hansgym.errors import MissingExtraError

ADVICE = r"pip install 'hansgym\[lerobot\]'"


@pytest.fixture(autouse=True)
def without_lerobot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is installed: None in ``sys.modules`` makes the import fail."""
    for name in [m for m in sys.modules if m.partition(".")[0] == "lerobot"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "lerobot", None)
    monkeypatch.delitem(sys.modules, "hansgym.integrations.lerobot", raising=False)
    monkeypatch.delitem(sys.modules, "hansgym.integrations.lerobot.config", raising=False)


def test_the_agent(tmp_path: Path) -> None:
    assert schemes()["lerobot"].startswith("lerobot:")
    with pytest.raises(MissingExtraError, match=ADVICE):
        make_agent(f"lerobot:{tmp_path},control=joint_position")


def test_the_environments() -> None:
    with pytest.raises(MissingExtraError, match=ADVICE):
        __import__("hansgym.integrations.lerobot")


def test_recording_and_converting_refuse_before_they_begin(tmp_path: Path) -> None:
    for command in (
        ["record", "--tasks", "close_microwave", "--format", "lerobot", "--out", str(tmp_path / "set")],
        ["convert", str(tmp_path), "--out", str(tmp_path / "set")],
    ):
        result = CliRunner().invoke(app, command)
        assert isinstance(result.exception, MissingExtraError), result.output
        assert "pip install 'hansgym[lerobot]'" in str(result.exception)
        assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_lists_the_known_ones(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["record", "--format", "lerobt", "--out", str(tmp_path / "set")])
    assert "Did you mean 'lerobot'?" in str(result.exception)
    assert "hansgym, lerobot" in str(result.exception)


def test_integrations_are_light() -> None:
    code = "import hansgym.integrations, sys; print([m for m in ('torch', 'mujoco', 'lerobot') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
