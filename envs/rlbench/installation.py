"""What the RLBench backend needs from the machine, one step after the other, and what to do about each.

Nothing here imports PyRep or RLBench, or starts anything: files and settings are looked at.
"""

from __future__ import annotations

import ctypes.util
import importlib.machinery
import importlib.util
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from hansgym.envs.rlbench import display
from hansgym.errors import ConfigurationError, MissingExtraError

ROOT = "COPPELIASIM_ROOT"
LIBRARY = "libcoppeliaSim.so.1"
PERACT_ONLY = ("place_wine_at_rack_location", "slide_block_to_color_target", "sweep_to_dustpan_of_size")
PERACT = "pip install 'git+https://github.com/MohitShridhar/RLBench.git@peract'"
UPSTREAM = "pip install 'git+https://github.com/stepjam/RLBench.git'"
PYREP = "pip install 'git+https://github.com/stepjam/PyRep.git'"
ARCHIVE = "https://downloads.coppeliarobotics.com/V4_1_0/CoppeliaSim_Edu_V4_1_0_Ubuntu20_04.tar.xz"
LICENCE = "RLBench's licence allows academic, non-commercial use only, and so do its scenes and task models"
_MODEL_BYTES = 1024
"""A task model smaller than this is not one: what lies there is a pointer that Git LFS left."""


@dataclass(frozen=True)
class Step:
    """One thing that must be there: whether it is, what was found, and what to do if it is not."""

    name: str
    ok: bool
    found: str
    fix: str = ""


def steps() -> tuple[Step, ...]:
    """All that the backend needs, in the order in which it is installed."""
    return (coppeliasim(), library_path(), x_display(), pyrep(), rlbench())


def missing(task: str | None = None) -> tuple[Step, ...]:
    """What is not there; with ``task``, what that task needs besides."""
    lacking = tuple(step for step in steps() if not step.ok)
    if lacking or task is None:
        return lacking
    model = task_files(task)
    return () if model.ok else (model,)


def require(task: str) -> None:
    """Raise :class:`MissingExtraError` naming the first thing that ``task`` lacks on this machine."""
    lacking = missing(task)
    if not lacking:
        return
    first, more = lacking[0], len(lacking) - 1
    rest = f" ({more} more step{'s' if more > 1 else ''} after that)" if more else ""
    error = ConfigurationError if first.name == "task" else MissingExtraError
    raise error(
        f"backend 'rlbench' cannot run {task!r} here: {first.name}: {first.found}. {first.fix}{rest}. "
        "Run `hansgym doctor --backend rlbench` for the whole list"
    )


def coppeliasim() -> Step:
    """CoppeliaSim 4.1 where ``COPPELIASIM_ROOT`` says."""
    fix = f"Unpack CoppeliaSim 4.1 ({ARCHIVE}) and set {ROOT} to its folder"
    root = os.environ.get(ROOT)
    if not root:
        return Step("CoppeliaSim", False, f"{ROOT} is not set", fix)
    library = Path(root) / LIBRARY
    if not library.exists():
        return Step("CoppeliaSim", False, f"{ROOT} is {root}, which holds no {LIBRARY}", fix)
    version = _version(Path(root))
    if version is not None and not version.startswith("4.1"):
        return Step("CoppeliaSim", False, f"version {version} at {root}, and PyRep needs 4.1", fix)
    return Step("CoppeliaSim", True, f"{version or '4.1 by its library'} at {root}")


def _version(root: Path) -> str | None:
    """The version that the folder's own read-me names beside the simulator's name, where it does."""
    try:
        text = (root / "readme.txt").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = re.search(r"CoppeliaSim[^\n\d]{0,20}(\d+\.\d+(?:\.\d+)?)", text)
    return found[1] if found else None


def library_path() -> Step:
    """``LD_LIBRARY_PATH`` holds the simulator's folder: the loader reads it when a process starts, not later."""
    root = os.environ.get(ROOT)
    places = [Path(p).resolve() for p in os.environ.get("LD_LIBRARY_PATH", "").split(":") if p]
    if root and Path(root).resolve() in places:
        return Step("library path", True, f"LD_LIBRARY_PATH holds {root}")
    known = ctypes.util.find_library("coppeliaSim")
    if known:
        return Step("library path", True, f"the loader knows {known}")
    return Step(
        "library path",
        False,
        f"LD_LIBRARY_PATH does not hold {root or '$' + ROOT}",
        f"Before Python starts: export LD_LIBRARY_PATH=$LD_LIBRARY_PATH:${ROOT}",
    )


def x_display() -> Step:
    """A display that answers, or Xvfb to make one."""
    present = os.environ.get("DISPLAY", "")
    if display.reachable(present):
        return Step("display", True, f"DISPLAY is {present}")
    program = shutil.which(display.SERVER)
    if present:
        return Step(
            "display", False, f"no X server at DISPLAY={present}", "Start it, or unset DISPLAY to have one made"
        )
    if program:
        return Step("display", True, f"{program}, started when it is needed")
    return Step("display", False, f"DISPLAY is not set and {display.SERVER} is not installed", "apt-get install xvfb")


def pyrep() -> Step:
    """The robotics PyRep, which is not what PyPI calls ``pyrep``."""
    home = _home("pyrep")
    if home is None:
        return Step("PyRep", False, "not installed", f"With {ROOT} set: {PYREP} (not `pip install pyrep`)")
    if not (home / "backend" / "sim.py").is_file():
        return Step(
            "PyRep", False, f"{home} is another package of that name, from PyPI", f"pip uninstall pyrep; then {PYREP}"
        )
    endings = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    if not any(p.name.endswith(endings) for p in (home / "backend").glob("_sim_cffi*")):
        return Step("PyRep", False, f"{home} was never compiled", f"With {ROOT} set: {PYREP}")
    return Step("PyRep", True, str(home))


def rlbench() -> Step:
    """RLBench, stepjam's or PerAct's fork, with its base scene."""
    home = _home("rlbench")
    if home is None:
        return Step("RLBench", False, "not installed", f"{UPSTREAM}, or for all 41 tasks {PERACT}. {LICENCE}")
    if not _is_model(home / "task_design.ttt"):
        return Step("RLBench", False, f"{home} has no base scene (task_design.ttt)", f"{UPSTREAM} from a full checkout")
    lacking = [task for task in PERACT_ONLY if not (home / "tasks" / f"{task}.py").is_file()]
    kind = f"without {', '.join(lacking)}: they come with PerAct's fork" if lacking else "PerAct's fork"
    return Step("RLBench", True, f"{home} ({kind}). {LICENCE}")


def task_files(task: str) -> Step:
    """Upstream's class and model of ``task``."""
    home = _home("rlbench")
    if home is None:
        return rlbench()
    if not (home / "tasks" / f"{task}.py").is_file():
        if task in PERACT_ONLY:
            return Step("task", False, f"{task} is in PerAct's fork of RLBench only", f"Install that: {PERACT}")
        return Step("task", False, f"the RLBench at {home} has no {task}", f"Install a full one: {UPSTREAM}")
    model = home / "task_ttms" / f"{task}.ttm"
    if not _is_model(model):
        return Step("task", False, f"{model} is not there or not whole", f"Take it from a full checkout: {UPSTREAM}")
    return Step("task", True, str(model))


def _home(package: str) -> Path | None:
    """The folder of ``package``, found without importing it."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    return Path(places[0]) if places else (Path(spec.origin) if spec is not None and spec.origin else None)


def _is_model(path: Path) -> bool:
    return path.is_file() and path.stat().st_size >= _MODEL_BYTES
