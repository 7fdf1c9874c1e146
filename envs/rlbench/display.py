"""The X display that CoppeliaSim draws on: the user's own, or a virtual one that lives as long as the simulator."""

from __future__ import annotations

import ctypes
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from hansgym.errors import ConfigurationError

SERVER = "Xvfb"
START_S = 20.0
STOP_S = 5.0
_SOCKETS = Path("/tmp/.X11-unix")
_PR_SET_PDEATHSIG = 1


def reachable(display: str) -> bool:
    """Whether ``display`` (``:99``, ``:0.0``) has a server here; displays of other machines are taken at their word."""
    found = re.fullmatch(r"(?:unix)?:(\d+)(?:\.\d+)?", display)
    return bool(display) and (found is None or (_SOCKETS / f"X{found[1]}").exists())


class VirtualDisplay:
    """An Xvfb of our own where there is no display: a child that ends with :meth:`close`, and with this process.

    The kernel ends it when this process dies, however it does, so that nothing stays behind; the server removes its own
    lock file on its way out. (Opened in another thread than the main one it ends with :meth:`close` only.)
    """

    def __init__(self) -> None:
        self._server: subprocess.Popen[bytes] | None = None

    def open(self) -> str:
        """The display's name, set in ``DISPLAY``, too. One that is there already is used as it is."""
        present = os.environ.get("DISPLAY", "")
        if self._server is not None or reachable(present):
            return present
        if present:
            raise ConfigurationError(
                f"DISPLAY is {present!r}, and no X server is there; run one, or unset DISPLAY to have a virtual one"
            )
        program = shutil.which(SERVER)
        if program is None:
            raise ConfigurationError(
                f"CoppeliaSim needs an X display: DISPLAY is not set and {SERVER} is not installed. Install it "
                "(Debian, Ubuntu: apt-get install xvfb); `hansgym doctor --backend rlbench` says what else is missing"
            )
        name = f":{self._start(program)}"
        os.environ["DISPLAY"] = name
        return name

    def _start(self, program: str) -> int:
        """Start the server and return its number, which it chooses itself: no race with other processes."""
        reading, writing = os.pipe()
        command = [program, "-displayfd", str(writing), "-screen", "0", "1280x1024x24", "+extension", "GLX", "+render"]
        try:
            self._server = subprocess.Popen(
                [*command, "-nolisten", "tcp", "-noreset"],
                pass_fds=(writing,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in the terminal is for us: the simulator closes first
                preexec_fn=_end_with(os.getpid()) if _in_main_thread() else None,
            )
        finally:
            os.close(writing)
        try:
            number = _number(reading)
        except BaseException:
            self.close()
            raise
        finally:
            os.close(reading)
        if number is None:
            self.close()
            raise ConfigurationError(
                f"{program} did not start within {START_S:g} s; run `{SERVER} :99` by hand to see why, or set DISPLAY"
            )
        return number

    def close(self) -> None:
        """End the server, if it is ours; harmless when done twice."""
        server, self._server = self._server, None
        if server is None:
            return
        os.environ.pop("DISPLAY", None)
        server.terminate()
        try:
            server.wait(STOP_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _number(reading: int) -> int | None:
    """The line that the server writes when it is ready; None if it ended or said nothing in time."""
    said = b""
    while not said.endswith(b"\n"):
        if not select.select([reading], [], [], START_S)[0]:
            return None
        more = os.read(reading, 64)
        if not more:
            return None
        said += more
    return int(said)


def _in_main_thread() -> bool:
    """Whether this is the thread that lives as long as the process: the kernel's promise is about threads."""
    return threading.current_thread() is threading.main_thread()


def _end_with(parent: int) -> Callable[[], None]:
    """What a child does before it becomes the server: ask the kernel to end it with ``parent``."""
    library = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def prepare() -> None:
        if library is not None:
            library.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:  # it died in between
                os._exit(1)

    return prepare
