"""Random checkpoints: what is refused before anything is written. What they hold is tested beside the libraries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hansgym.benchmarks import random_checkpoint
from hansgym.errors import ConfigurationError, UnknownNameError

ROOT = Path(__file__).resolve().parents[2]


def test_a_policy_that_is_not_known(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown policy 'pi50'\. Did you mean 'pi05'"):
        random_checkpoint.make("pi50", tmp_path / "new")


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("mine")
    with pytest.raises(ConfigurationError, match="not empty; name a new folder"):
        random_checkpoint.make("pi05", tmp_path)
    with pytest.raises(ConfigurationError, match="not empty; name a new folder"):
        random_checkpoint.make("pi05", tmp_path / "weights")
    assert [p.name for p in tmp_path.iterdir()] == ["weights"]


@pytest.mark.parametrize("code", [None, "elsewhere"])
def test_openvla_needs_its_program(tmp_path: Path, code: str | None) -> None:
    where = None if code is None else tmp_path / code
    with pytest.raises(ConfigurationError, match="give --code <a clone of the OpenVLA repository>"):
        random_checkpoint.make("openvla", tmp_path / "new", code=where)
    assert not (tmp_path / "new").exists()


def test_code_for_a_policy_that_needs_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="pi05 needs none"):
        random_checkpoint.make("pi05", tmp_path / "new", code=tmp_path)


def test_an_error_is_one_plain_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hansgym.benchmarks.random_checkpoint", "openvla", str(tmp_path / "new")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("hansgym: OpenVLA's program is part of no library")
    assert "Traceback" not in done.stderr
