"""``hansgym doctor`` on this machine, and with one thing after another made to fail."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from typer.testing import CliRunner

import hansgym
from hansgym.benchmarks import doctor
from hansgym.benchmarks.cli import app
from hansgym.envs.rlbench import installation
from hansgym.envs.rlbench.installation import Step
from hansgym.errors import UnknownNameError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes the first picture, which needs a process and some seconds, for granted; a test of its own draws it."""
    monkeypatch.setattr(doctor, "first_picture", lambda: Step("first picture", True, "taken for granted"))
    monkeypatch.delenv("COPPELIASIM_ROOT", raising=False)


def test_this_machine_is_well_and_json_says_so() -> None:
    done = CliRunner().invoke(app, ["doctor", "--json"])
    assert done.exit_code == 0, done.stdout
    answer = json.loads(done.stdout)
    assert answer["ok"]
    sections = {s["name"]: s for s in answer["sections"]}
    assert sections["hansgym"]["ok"]
    assert sections["mujoco"]["ok"]
    assert {step["name"] for step in sections["mujoco"]["steps"]} == {"OpenGL", "first picture"}
    assert [s["name"] for s in sections["rlbench"]["steps"]] == [
        "CoppeliaSim",
        "library path",
        "display",
        "PyRep",
        "RLBench",
        "tasks",
        "import",
    ]
    for section in answer["sections"]:
        assert set(section) == {"name", "about", "required", "ok", "steps"}
        for step in section["steps"]:
            assert set(step) == {"name", "ok", "found", "fix"}
            assert step["ok"] or step["fix"] or "comes first" in step["found"], step


@pytest.mark.usefixtures("quick")
def test_what_was_not_asked_for_may_be_missing_and_what_was_may_not() -> None:
    plain = CliRunner().invoke(app, ["doctor"])
    assert plain.exit_code == 0
    assert "rlbench: not installed" in plain.stdout
    assert "everything that was asked for is there" in plain.stdout
    asked = CliRunner().invoke(app, ["doctor", "--backend", "rlbench"])
    assert asked.exit_code == 1
    for said in ("rlbench: MISSING", "COPPELIASIM_ROOT is not set", "-> Unpack CoppeliaSim 4.1", "non-commercial"):
        assert said in asked.stdout


@pytest.mark.usefixtures("quick")
def test_a_missing_extra_fails_only_when_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {**doctor.declared(), "wings": ["no-such-package-of-ours>=1"]}
    monkeypatch.setattr(doctor, "declared", lambda: texts)
    assert doctor.verdict(doctor.examine())
    found = doctor.examine(extras=("wings",))
    assert not doctor.verdict(found)
    text = "\n".join(doctor.lines(found))
    assert "extra wings: MISSING (pip install 'hansgym[wings]')" in text
    assert "-> pip install 'no-such-package-of-ours>=1'" in text
    assert "something that was asked for is missing" in text


@pytest.mark.usefixtures("quick")
def test_unknown_names_are_answered_with_the_valid_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"backend 'rlbanch'.*Did you mean 'rlbench'"):
        doctor.examine(("rlbanch",))
    with pytest.raises(UnknownNameError, match=r"extra 'torsch'.*Did you mean 'torch'"):
        doctor.examine(extras=("torsch",))


def test_versions_are_compared() -> None:
    assert doctor.package(Requirement("numpy>=1.26")).ok
    old = doctor.package(Requirement("numpy>=1000"))
    assert not old.ok
    assert ">=1000 is needed" in old.found
    assert not doctor.package(Requirement("no-such-package-of-ours")).ok


def test_every_extra_of_the_project_is_examined_except_the_developers() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(doctor.declared_extras()) == set(project["optional-dependencies"]) - {"dev"}
    assert {str(r) for r in doctor.requirements("torch")} == set(project["optional-dependencies"]["torch"])


def test_outside_a_clone_the_metadata_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "hansgym-9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.4\nName: hansgym\nVersion: 9\nProvides-Extra: torch\nProvides-Extra: wings\n"
        'Requires-Dist: numpy>=1\nRequires-Dist: torch>=2; extra == "torch"\n'
        'Requires-Dist: feathers; extra == "wings"\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(hansgym, "__file__", str(tmp_path / "hansgym" / "__init__.py"))
    texts = {extra: [Requirement(t).name for t in found] for extra, found in doctor.declared().items()}
    assert texts == {"": ["numpy"], "torch": ["torch"], "wings": ["feathers"]}
    assert [r.name for r in doctor.requirements("wings")] == ["feathers"]


def test_a_platform_that_cannot_draw_is_reported_and_not_fatal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "nonsense")
    step = doctor.first_picture()
    assert not step.ok
    assert step.found
    assert "MUJOCO_GL" in step.fix


def test_a_picture_that_never_comes_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_PICTURE", "import time; time.sleep(60)")
    monkeypatch.setattr(doctor, "PICTURE_S", 0.5)
    assert "none within" in doctor.first_picture().found
    monkeypatch.setattr(doctor, "PICTURE_S", 60)
    monkeypatch.setattr(doctor, "_PICTURE", "print('black')")
    assert doctor.first_picture().found == "it is black"


def test_what_the_loader_says_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "missing", lambda: ())
    monkeypatch.setattr(doctor, "_IMPORT", "raise ImportError('libQt5Core.so.5: cannot open')")
    step = doctor.upstream_import()
    assert not step.ok
    assert "libQt5Core.so.5: cannot open" in step.found
    assert "LD_LIBRARY_PATH" in step.fix
    monkeypatch.setattr(doctor, "_IMPORT", "pass")
    assert doctor.upstream_import().ok
