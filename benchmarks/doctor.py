"""What this installation can do and what it lacks, step by step: ``hansgym doctor``.

Nothing is installed or changed. The first picture is drawn in a process of its own: a broken driver ends that one.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

import hansgym
from hansgym.envs.arguments import BACKENDS
from hansgym.envs.registration import index
from hansgym.envs.rlbench import installation
from hansgym.envs.rlbench.installation import Step
from hansgym.lookup import unknown

LEAST_PYTHON = (3, 11)
PICTURE_S = 180
NOT_FOR_USERS = ("dev",)
"""Extras for those who change this package; nobody who uses it lacks them."""

_PICTURE = """
import gymnasium, hansgym
env = gymnasium.make("hansgym/open_drawer-v0", image_size=32)
observation, _ = env.reset(seed=0)
env.close()
from OpenGL import GL
print("drawn" if observation["front_rgb"].any() else "black")
"""

_IMPORT = "import rlbench.environment"


@dataclass(frozen=True)
class Section:
    """Steps that belong together. ``required``: what was asked for does not work without them."""

    name: str
    about: str
    required: bool
    steps: tuple[Step, ...]

    @property
    def ok(self) -> bool:
        """Whether every step is there."""
        return all(step.ok for step in self.steps)

    def to_json(self) -> dict[str, Any]:
        """In plain types."""
        return {**asdict(self), "ok": self.ok, "steps": [asdict(step) for step in self.steps]}


def examine(backends: Sequence[str] = ("mujoco",), extras: Sequence[str] = ()) -> list[Section]:
    """Everything, with what ``backends`` and ``extras`` need being required; an unknown name raises and lists."""
    declared = declared_extras()
    for kind, names, valid in (("backend", backends, BACKENDS), ("extra", extras, declared)):
        for name in names:
            if name not in valid:
                raise unknown(kind, name, valid)
    base = (python(), *(package(r) for r in requirements("")))
    sections = [
        Section("hansgym", "the package itself", True, base),
        Section("mujoco", "the embedded backend", "mujoco" in backends, (platform_of_opengl(), first_picture())),
        Section("rlbench", "the original tasks in CoppeliaSim", "rlbench" in backends, original_tasks()),
    ]
    for extra in declared:
        about = f"pip install 'hansgym[{extra}]'"
        sections.append(Section(f"extra {extra}", about, extra in extras, tuple(map(package, requirements(extra)))))
    return sections


def verdict(sections: Sequence[Section]) -> bool:
    """Whether everything that is required is there."""
    return all(section.ok for section in sections if section.required)


def lines(sections: Sequence[Section]) -> Iterator[str]:
    """For people: each section, each step, and what to do about those that fail."""
    for section in sections:
        state = "ok" if section.ok else "MISSING" if section.required else "not installed"
        yield f"{section.name}: {state} ({section.about})"
        for step in section.steps:
            yield f"  [{'x' if step.ok else ' '}] {step.name}: {step.found}"
            if not step.ok and step.fix:
                yield f"      -> {step.fix}"
    yield "everything that was asked for is there" if verdict(sections) else "something that was asked for is missing"


# -------------------------------------------------------------------------------------------------- the package


def python() -> Step:
    """The interpreter."""
    least = ".".join(map(str, LEAST_PYTHON))
    return Step(
        "Python", sys.version_info >= LEAST_PYTHON, f"{platform.python_version()} at {sys.executable}", f"Use {least}"
    )


def declared() -> dict[str, list[str]]:
    """Extra ("" for the package itself) -> requirement texts, from the clone's pyproject.toml or from the metadata."""
    clone = Path(hansgym.__file__).resolve().parent.parent / "pyproject.toml"
    if clone.is_file():
        project = tomllib.loads(clone.read_text(encoding="utf-8"))["project"]
        return {"": project["dependencies"], **project["optional-dependencies"]}
    found: dict[str, list[str]] = {"": []}
    meta = metadata.metadata("hansgym")
    for extra in meta.get_all("Provides-Extra") or ():
        found[extra] = []
    for text in metadata.requires("hansgym") or ():
        wanted = Requirement(text)
        for extra, texts in found.items():
            plain = wanted.marker is None or wanted.marker.evaluate({"extra": ""})
            if plain if extra == "" else not plain and wanted.marker and wanted.marker.evaluate({"extra": extra}):
                texts.append(text)
    return found


def declared_extras() -> tuple[str, ...]:
    """Names of the extras that a user may want."""
    return tuple(name for name in declared() if name not in ("", *NOT_FOR_USERS))


def requirements(extra: str) -> list[Requirement]:
    """What ``extra`` ("": the package itself) needs on this platform."""
    found = [Requirement(text) for text in declared()[extra]]
    return [r for r in found if r.marker is None or r.marker.evaluate({"extra": extra})]


def package(wanted: Requirement) -> Step:
    """Whether a package is installed in a version that will do."""
    fix = f"pip install '{wanted.name}{wanted.specifier}'"
    try:
        version = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return Step(wanted.name, False, "not installed", fix)
    good = wanted.specifier.contains(version, prereleases=True)
    return Step(wanted.name, good, version if good else f"{version}, and {wanted.specifier} is needed", fix)


# -------------------------------------------------------------------------------------------------- MuJoCo


def platform_of_opengl() -> Step:
    """What MuJoCo draws with, and whether its library can be loaded."""
    chosen = os.environ.get("MUJOCO_GL", "")
    library = {"osmesa": "libOSMesa.so", "glfw": "libGL.so.1"}.get(chosen, "libEGL.so.1")
    code = f"import ctypes; ctypes.CDLL({library!r})"
    good = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
    said = f"MUJOCO_GL={chosen}" if chosen else "MUJOCO_GL is not set: EGL without a display"
    fix = "Debian, Ubuntu: apt-get install libegl1 libgl1 libegl-mesa0 libgl1-mesa-dri"
    return Step("OpenGL", good, f"{said}, {library} {'loads' if good else 'cannot be loaded'}", fix)


def first_picture() -> Step:
    """Whether an environment comes up and draws something."""
    fix = 'Set MUJOCO_GL=egl (or osmesa, glfw) and see `python -c "import mujoco"`'
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PICTURE],
            capture_output=True,
            text=True,
            timeout=PICTURE_S,
            cwd=_home(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Step("first picture", False, f"none within {PICTURE_S} s", fix)
    if done.returncode:
        told = done.stderr.strip().splitlines()
        return Step("first picture", False, told[-1] if told else f"the process ended with {done.returncode}", fix)
    good = "drawn" in done.stdout
    return Step("first picture", good, "open_drawer, 32 px" if good else "it is black", fix)


def _home() -> Path:
    """Where ``import hansgym`` finds this very package."""
    return Path(hansgym.__file__).resolve().parent.parent


# -------------------------------------------------------------------------------------------------- RLBench


def original_tasks() -> tuple[Step, ...]:
    """What the RLBench backend needs, and how many tasks it then has."""
    return (*installation.steps(), task_models(), upstream_import())


def upstream_import() -> Step:
    """Whether PyRep and RLBench can be imported: what the loader lacks shows here, and nowhere earlier."""
    lacking = installation.missing()
    if lacking:
        return Step("import", False, f"{lacking[0].name} comes first", "")
    done = subprocess.run([sys.executable, "-c", _IMPORT], capture_output=True, text=True, check=False)
    told = done.stderr.strip().splitlines()
    fix = "Check LD_LIBRARY_PATH, and reinstall PyRep with COPPELIASIM_ROOT set"
    return Step("import", done.returncode == 0, told[-1] if done.returncode and told else "rlbench.environment", fix)


def task_models() -> Step:
    """How many of the tasks the installed RLBench has in full."""
    tasks = [row["task"] for row in index()]
    if not installation.rlbench().ok:
        return Step("tasks", False, "RLBench comes first", "")
    lacking = [task for task in tasks if not installation.task_files(task).ok]
    if not lacking:
        return Step("tasks", True, f"all {len(tasks)}")
    fix = f"Take PerAct's fork from a full checkout: {installation.PERACT}"
    return Step("tasks", False, f"{len(tasks) - len(lacking)} of {len(tasks)}, without {', '.join(lacking)}", fix)
