"""The virtual display: a child process that never outlives us. The server is a small program of the test's own.

It stands in for Xvfb, which not every machine has: it announces a display number, keeps a lock file while it lives and
removes it on SIGTERM, as Xvfb does. Processes, pipes and signals are real.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hansgym.envs.rlbench import display
from hansgym.envs.rlbench.display import VirtualDisplay, reachable
from hansgym.errors import ConfigurationError

SERVER = """#!{python}
import os, pathlib, signal, sys
lock = pathlib.Path({folder!r}) / "lock"
lock.write_text(str(os.getpid()))
def end(*_):
    lock.unlink()
    os._exit(0)
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGINT, end)
os.write(int(sys.argv[sys.argv.index("-displayfd") + 1]), b"73\\n")
while True:
    signal.pause()
"""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder where the stand-in keeps its lock, with no display in the environment."""
    _program(tmp_path, SERVER.format(python=sys.executable, folder=str(tmp_path)))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("DISPLAY", raising=False)
    yield tmp_path
    lock = tmp_path / "lock"
    if lock.exists():  # a failed test leaves nothing behind either
        os.kill(int(lock.read_text()), signal.SIGKILL)


def _program(folder: Path, text: str) -> None:
    path = folder / "Xvfb"
    path.write_text(text)
    path.chmod(0o755)


def _gone(lock: Path) -> bool:
    for _ in range(200):
        if not lock.exists():
            return True
        time.sleep(0.05)
    return False


def test_a_display_is_made_announced_and_taken_down(server: Path) -> None:
    made = VirtualDisplay()
    assert made.open() == ":73" == os.environ["DISPLAY"]
    assert made.open() == ":73", "once is enough"
    assert (server / "lock").exists()
    made.close()
    assert "DISPLAY" not in os.environ
    assert not (server / "lock").exists()
    made.close()


USER = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit that it is ignored
from hansgym.envs.rlbench.display import VirtualDisplay
made = VirtualDisplay()
made.open()
print("ready", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_process_that_dies_takes_its_display_along(server: Path, how: signal.Signals) -> None:
    user = subprocess.Popen([sys.executable, "-c", USER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert user.stdout is not None
    assert user.stdout.readline().strip() == "ready"
    assert (server / "lock").exists()
    user.send_signal(how)
    user.wait(60)
    user.stdout.close()
    assert _gone(server / "lock")


def test_a_display_that_is_there_is_used_and_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "X5").touch()
    monkeypatch.setattr(display, "_SOCKETS", tmp_path)
    monkeypatch.setenv("DISPLAY", ":5.0")
    made = VirtualDisplay()
    assert made.open() == ":5.0"
    made.close()
    assert os.environ["DISPLAY"] == ":5.0"


def test_reachable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "X99").touch()
    monkeypatch.setattr(display, "_SOCKETS", tmp_path)
    assert reachable(":99")
    assert reachable("desk.example.org:0"), "another machine's is taken at its word"
    assert not reachable(":98")
    assert not reachable("")


def test_a_dead_display_and_a_missing_server_say_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(display, "_SOCKETS", tmp_path)
    monkeypatch.setenv("DISPLAY", ":5")
    with pytest.raises(ConfigurationError, match=r"':5'.*no X server.*unset DISPLAY"):
        VirtualDisplay().open()
    monkeypatch.delenv("DISPLAY")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"Xvfb is not installed.*apt-get install xvfb.*hansgym doctor"):
        VirtualDisplay().open()


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\nsleep 600\n"])
def test_a_server_that_never_starts_is_said_and_leaves_nothing(
    server: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    _program(server, text)
    monkeypatch.setattr(display, "START_S", 0.5)
    made = VirtualDisplay()
    with pytest.raises(ConfigurationError, match=r"did not start within.*DISPLAY"):
        made.open()
    assert made._server is None


@pytest.mark.skipif(shutil.which(display.SERVER) is None, reason="Xvfb is not installed: the stand-in alone was tested")
def test_the_real_server_comes_and_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    made = VirtualDisplay()
    name = made.open()
    assert made._server is not None
    process = made._server.pid
    try:
        assert reachable(name)
    finally:
        made.close()
    assert not Path(f"/tmp/.X{name.removeprefix(':')}-lock").exists()
    assert not reachable(name)
    assert not Path(f"/proc/{process}").exists()
