"""What is missing for the RLBench backend: folders that the tests make, each wrong in one way."""

from __future__ import annotations

import importlib.machinery
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hansgym.envs.registration import index
from hansgym.envs.rlbench import display, installation
from hansgym.errors import ConfigurationError, MissingExtraError

EXTENSION = importlib.machinery.EXTENSION_SUFFIXES[0]


def _write(path: Path, size: int = 4) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like a complete installation, for looking only."""
    for name in ("pyrep", "rlbench"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    root, packages = tmp_path / "CoppeliaSim", tmp_path / "site"
    _write(root / installation.LIBRARY)
    (root / "readme.txt").write_text("CoppeliaSim V4.1.0 (rev. 1)\nQt 5.12.5\n")
    for name in ("__init__.py", "backend/sim.py", f"backend/_sim_cffi{EXTENSION}"):
        _write(packages / "pyrep" / name)
    _write(packages / "rlbench" / "__init__.py")
    _write(packages / "rlbench" / "task_design.ttt", 5000)
    for row in index():
        _write(packages / "rlbench" / "tasks" / f"{row['task']}.py")
        _write(packages / "rlbench" / "task_ttms" / f"{row['task']}.ttm", 5000)
    _write(tmp_path / "sockets" / "X9")
    monkeypatch.setattr(display, "_SOCKETS", tmp_path / "sockets")
    monkeypatch.setenv("DISPLAY", ":9")
    monkeypatch.setenv(installation.ROOT, str(root))
    monkeypatch.setenv("LD_LIBRARY_PATH", f"/usr/lib:{root}")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.syspath_prepend(packages)
    return tmp_path


def test_a_whole_installation_lacks_nothing(machine: Path) -> None:
    assert [step.name for step in installation.steps()] == [
        "CoppeliaSim",
        "library path",
        "display",
        "PyRep",
        "RLBench",
    ]
    assert installation.missing() == ()
    for row in index():
        installation.require(row["task"])
    assert "non-commercial" in installation.rlbench().found


def _says(step: installation.Step, found: str, fix: str) -> None:
    assert not step.ok
    assert found in step.found, step
    assert fix in step.fix, step


def test_coppeliasim(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine / "CoppeliaSim" / "readme.txt").write_text("CoppeliaSim V4.6.0, needs Qt 5.15.2")
    _says(installation.coppeliasim(), "version 4.6.0", "Unpack CoppeliaSim 4.1")
    (machine / "CoppeliaSim" / "readme.txt").unlink()
    assert installation.coppeliasim().ok, "a folder without a read-me is taken at its library's word"
    (machine / "CoppeliaSim" / installation.LIBRARY).unlink()
    _says(installation.coppeliasim(), "holds no libcoppeliaSim.so.1", "set COPPELIASIM_ROOT")
    monkeypatch.delenv(installation.ROOT)
    _says(installation.coppeliasim(), "COPPELIASIM_ROOT is not set", "set COPPELIASIM_ROOT")


def test_library_path(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/usr/lib")
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    _says(installation.library_path(), str(machine / "CoppeliaSim"), "export LD_LIBRARY_PATH")
    monkeypatch.setattr("ctypes.util.find_library", lambda name: f"lib{name}.so.1")
    assert installation.library_path().ok, "the loader's own list will do"


def test_display(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":8")
    _says(installation.x_display(), "no X server at DISPLAY=:8", "unset DISPLAY")
    monkeypatch.delenv("DISPLAY")
    _says(installation.x_display(), "Xvfb is not installed", "apt-get install xvfb")
    _write(machine / "nothing" / "Xvfb")
    (machine / "nothing" / "Xvfb").chmod(0o755)
    assert installation.x_display().ok


def test_pypis_pyrep_is_another_package(machine: Path) -> None:
    (machine / "site" / "pyrep" / "backend" / f"_sim_cffi{EXTENSION}").unlink()
    _says(installation.pyrep(), "never compiled", "stepjam/PyRep")
    (machine / "site" / "pyrep" / "backend" / "sim.py").unlink()
    _says(installation.pyrep(), "another package of that name, from PyPI", "pip uninstall pyrep")
    with pytest.raises(MissingExtraError, match=r"PyRep: .*from PyPI.*pip uninstall pyrep.*hansgym doctor"):
        installation.require("close_jar")


def test_rlbench(machine: Path) -> None:
    home = machine / "site" / "rlbench"
    for task in installation.PERACT_ONLY:
        (home / "tasks" / f"{task}.py").unlink()
    assert installation.rlbench().ok
    assert "slide_block_to_color_target" in installation.rlbench().found
    with pytest.raises(ConfigurationError, match=r"slide_block_to_color_target.*PerAct's fork.*MohitShridhar"):
        installation.require("slide_block_to_color_target")
    (home / "tasks" / "close_jar.py").unlink()
    with pytest.raises(ConfigurationError, match=r"has no close_jar.*full one"):
        installation.require("close_jar")
    _write(home / "task_ttms" / "turn_tap.ttm", 130)  # what Git LFS leaves
    with pytest.raises(ConfigurationError, match=r"turn_tap\.ttm is not there or not whole"):
        installation.require("turn_tap")
    (home / "task_design.ttt").unlink()
    _says(installation.rlbench(), "no base scene", "full checkout")


def test_packages_that_are_not_there(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "_home", lambda package: None)
    _says(installation.pyrep(), "not installed", "not `pip install pyrep`")
    _says(installation.rlbench(), "not installed", "non-commercial")
    assert [step.name for step in installation.missing("close_jar")] == ["PyRep", "RLBench"]
    with pytest.raises(MissingExtraError, match=r"PyRep: not installed.*\(1 more step after that\)"):
        installation.require("close_jar")


def test_the_live_tests_say_loudly_that_they_did_not_run() -> None:
    root = Path(__file__).resolve().parents[2]
    environment = {k: v for k, v in os.environ.items() if k != installation.ROOT}
    command = ["sh", ".ci/rlbench", sys.executable]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "SKIPPED. The RLBench tests did not run: COPPELIASIM_ROOT is not set." in done.stdout
    assert "doctor --backend rlbench" in done.stdout
    assert "test-rlbench: setup\n\t@sh .ci/rlbench" in (root / "Makefile").read_text()
