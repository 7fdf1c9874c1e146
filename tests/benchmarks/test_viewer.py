"""``hansgym play TASK --viewer`` on a real display, which is a virtual one here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from hansgym.benchmarks import play


@pytest.fixture
def display() -> Iterator[str]:
    if shutil.which("Xvfb") is None:
        pytest.skip("the viewer was NOT opened: Xvfb is not installed (apt-get install xvfb)")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24", "+extension", "GLX"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as answer:
        number = answer.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait(timeout=10)


def test_the_viewer_opens_and_closes_without_breaking_the_process(display: str) -> None:
    # What the viewer's thread still draws while the process ends has crashed interpreters: the exit status counts.
    words = [sys.executable, "-m", "hansgym.benchmarks.cli", "play", "close_microwave", "--viewer"]
    surroundings = {k: v for k, v in os.environ.items() if k not in ("MUJOCO_GL", "WAYLAND_DISPLAY")}
    surroundings |= {"DISPLAY": display, "LIBGL_ALWAYS_SOFTWARE": "1"}
    done = subprocess.run(words, env=surroundings, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "solved" in done.stdout


def test_without_a_display_the_film_is_named_as_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(play.ConfigurationError, match="leave out --viewer"):
        play.play_task("close_microwave", viewer=True)
