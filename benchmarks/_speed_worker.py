"""Starting the two sides of :mod:`hansgym.benchmarks.speed` as processes that speak JSON lines."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import hansgym
from hansgym.errors import HansGymError

REQUIREMENTS = ("robosuite==1.5.2", "mujoco==3.3.7", "numpy==1.26.4")
"""What is compared with; its own newest MuJoCo and NumPy do not work with it."""


class SpeedError(HansGymError):
    """The comparison could not be made."""


class Worker:
    """One side. Use it as a context manager: leaving it ends the process."""

    def __init__(self, name: str, command: Sequence[str], path: str | None) -> None:
        """``path`` is the PYTHONPATH of the process, None for none."""
        self.name = name
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the process)
        env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        if path is not None:
            env["PYTHONPATH"] = path
        if sys.platform.startswith("linux"):
            env["MUJOCO_GL"] = "egl"
        self._process = subprocess.Popen(
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._words, text=True, env=env
        )

    def ask(self, do: str, seconds: float = 0.0) -> dict[str, float]:
        """``count``, ``seconds`` and ``cpu_seconds`` of doing ``do`` for at least ``seconds``.

        Raises :class:`SpeedError` with the process's last words when it has died.
        """
        questions, answers = self._process.stdin, self._process.stdout
        assert questions is not None
        assert answers is not None
        try:
            questions.write(json.dumps({"do": do, "seconds": seconds}) + "\n")
            questions.flush()
            answer = answers.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise SpeedError(f"{self.name} ended in {do!r} (exit status {self._process.wait()}): {self._last_words()}")
        found: dict[str, float] = json.loads(answer)
        return found

    def _last_words(self) -> str:
        self._words.seek(0)
        return self._words.read().decode("utf-8", "replace").strip()[-2000:]

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(timeout=10.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._words.close()


def ours(task: str) -> Worker:
    """HansGym, in this interpreter's packages."""
    root = str(Path(hansgym.__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    return Worker("HansGym", [sys.executable, "-m", "hansgym.benchmarks._speed_ours", task], path)


def lift(python: Path) -> Worker:
    """robosuite's Lift, in the interpreter ``python``. Isolated: none of our packages may reach it."""
    script = Path(__file__).with_name("_robosuite_lift.py")
    return Worker("robosuite", [str(python), "-I", str(script)], None)


def default_venv() -> Path:
    """Where robosuite's virtual environment is kept: in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "hansgym" / "robosuite-1.5.2"


def robosuite_python(venv: Path) -> Path:
    """The interpreter of ``venv``, which is made and filled first when it does not hold :data:`REQUIREMENTS`."""
    python, ready = venv / "bin" / "python", venv / ".ready"
    wanted = "\n".join(REQUIREMENTS)
    if ready.is_file() and ready.read_text() == wanted:
        return python
    print(f"installing {', '.join(REQUIREMENTS)} into {venv} (once, a minute or two)", file=sys.stderr)
    if not (venv / "pyvenv.cfg").is_file() and venv.is_dir() and any(venv.iterdir()):
        raise SpeedError(f"{venv} is neither empty nor a virtual environment; name another folder with --venv")
    shutil.rmtree(venv, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(venv)])
    _run([str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *REQUIREMENTS])
    ready.write_text(wanted)
    return python


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise SpeedError(
            f"{' '.join(command)!r} failed: {done.stdout.strip()[-1500:]}\nrobosuite is needed for the comparison: "
            "check the network, or give a folder with --venv"
        )
