"""The three ways to have HansGym: a clone, an editable install, a wheel. Each must hold everything and work."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS: dict[str, str] = CONFIG["tool"]["setuptools"]["package-dir"]
DATA = (".json", ".toml", ".html", ".j2", ".css", ".js", ".safetensors", ".typed")
NOT_SHIPPED = ("benchmarks/results/",)  # what studies of this repository found: tests read it, the package does not
LICENCE_FILES = ("LICENSE",)

USE = """
import json, sys
import gymnasium as gym, numpy as np
import hansgym
from hansgym.benchmarks.cli import app
import hansgym.assets, hansgym.attribution.explain, hansgym.agents.registry, hansgym.wrappers

env = gym.make("hansgym/open_drawer-v0", image_size=32)
observation, info = env.reset(seed=0)
env.step(env.action_space.sample())
env.close()
files = [m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == "hansgym" and m.__file__]
print(json.dumps({"files": files, "seen": bool(observation["front_rgb"].any()), "said": info["instruction"]}))
"""


def copied(place: Path) -> Path:
    """A copy of what a build needs, so that building leaves nothing in the clone and finds nothing stale."""
    for folder in (*FOLDERS.values(), "tests/data"):
        shutil.copytree(ROOT / folder, place / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", *LICENCE_FILES):
        shutil.copy(ROOT / name, place / name)
    return place


def build(clone: Path, kind: str, out: Path) -> Path:
    """The file that ``setuptools`` makes in ``clone``: kind ``wheel`` or ``editable``. No network."""
    code = f"from setuptools import build_meta; build_meta.build_{kind}({str(out)!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=clone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(copied(tmp_path_factory.mktemp("clone")), "wheel", tmp_path_factory.mktemp("wheel"))


def shipped() -> set[str]:
    """Names in the wheel of every module and data file of the tree."""
    found = set()
    for package, folder in FOLDERS.items():
        for path in (ROOT / folder).rglob("*"):
            inside = path.relative_to(ROOT / folder).as_posix()
            if path.suffix not in (".py", *DATA) or any(p == "__pycache__" for p in path.parts):
                continue
            if not any(f"{folder}/{inside}".startswith(skipped) for skipped in NOT_SHIPPED):
                found.add(f"{package.replace('.', '/')}/{inside}")
    return found


def test_the_wheel_holds_every_module_and_data_file_and_nothing_else(wheel: Path) -> None:
    names = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    assert names == shipped()
    assert {"hansgym/envs/index.json", "hansgym/envs/tasks/close_jar.py", "hansgym/py.typed"} <= names
    assert "hansgym/benchmarks/_robosuite_lift.py" in names


def test_the_wheel_names_its_licence_and_its_command(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    texts = {n.split(".dist-info/")[1]: archive.read(n).decode() for n in archive.namelist() if ".dist-info/" in n}
    assert "licenses/LICENSE" in texts
    assert "License-Expression: Apache-2.0" in texts["METADATA"]
    assert "hansgym = hansgym.benchmarks.cli:main" in texts["entry_points.txt"]


def used(site: Path, cwd: Path, code: str = USE) -> subprocess.CompletedProcess[str]:
    """Run ``code`` where ``site`` is the only place that can hold a ``hansgym``: other installations are not seen."""
    libraries = list(dict.fromkeys((sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"])))
    # First on the path: an editable install of this very package among the libraries has a finder of the same name.
    start = f"import site, sys; sys.path[:0] = {[str(site), *libraries]!r}; site.addsitedir({str(site)!r})\n"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", start + code], cwd=cwd, capture_output=True, text=True, check=False
    )


def check_use(done: subprocess.CompletedProcess[str], home: Path) -> None:
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["seen"]
    assert "drawer" in answer["said"]
    assert all(Path(f).resolve().is_relative_to(home.resolve()) for f in answer["files"]), answer["files"]


def test_the_wheel_works_outside_a_clone(wheel: Path, tmp_path: Path) -> None:
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    zipfile.ZipFile(wheel).extractall(site)
    check_use(used(site, elsewhere), site)
    listed = used(site, elsewhere, "from hansgym.benchmarks.cli import main; sys.argv[1:] = ['list', '--json']; main()")
    assert listed.returncode == 0, listed.stderr[-2000:]
    assert "hansgym/close_jar-v0" in {row["id"] for row in json.loads(listed.stdout)}


def test_an_editable_install_works_outside_the_clone(tmp_path: Path) -> None:
    clone, out, site, elsewhere = (tmp_path / n for n in ("clone", "out", "site", "elsewhere"))
    for folder in (clone, out, elsewhere):
        folder.mkdir()
    zipfile.ZipFile(build(copied(clone), "editable", out)).extractall(site)
    check_use(used(site, elsewhere), clone)


def test_a_clone_works_as_it_is(tmp_path: Path) -> None:
    nothing = tmp_path / "site"
    nothing.mkdir()
    check_use(used(nothing, tmp_path, f"sys.path.insert(0, {str(ROOT)!r})\n" + USE), ROOT)


def test_a_missing_folder_would_be_noticed(tmp_path: Path) -> None:
    clone, out = tmp_path / "clone", tmp_path / "out"
    clone.mkdir()
    out.mkdir()
    config = copied(clone) / "pyproject.toml"
    config.write_text(config.read_text().replace('    "hansgym.envs.tasks",\n', ""))
    names = set(zipfile.ZipFile(build(clone, "wheel", out)).namelist())
    assert "hansgym/envs/tasks/close_jar.py" in shipped() - names
