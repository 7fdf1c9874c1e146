"""Headless OpenGL without the user's help: one offscreen context per process, made when the first picture is asked for.

On Linux the context is EGL's unless ``MUJOCO_GL`` says otherwise: EGL needs no window system, so it works with and
without a screen. ``MUJOCO_GL`` is set here, before MuJoCo is imported, when the user has not set it.
"""

from __future__ import annotations

import importlib
import os
import sys
import weakref
from typing import Any, Protocol

from hansgym.errors import ConfigurationError

_OFF = ("disable", "disabled", "off", "false", "0")
_PLATFORMS = {"egl": "mujoco.egl", "osmesa": "mujoco.osmesa", "glfw": "mujoco.glfw", "cgl": "mujoco.cgl"}

if sys.platform.startswith("linux") and not os.environ.get("MUJOCO_GL"):
    os.environ["MUJOCO_GL"] = "egl"


def platform() -> str:
    """Which of :data:`_PLATFORMS` will draw; an impossible ``MUJOCO_GL`` raises."""
    asked = os.environ.get("MUJOCO_GL", "").lower().strip()
    if asked in _OFF:
        raise ConfigurationError(advice())
    if asked in _PLATFORMS:
        return asked
    return "cgl" if sys.platform == "darwin" else "glfw"


def advice(error: BaseException | None = None) -> str:
    """What to install or set when no OpenGL context can be had."""
    asked = os.environ.get("MUJOCO_GL", "")
    reason = f": {type(error).__name__}: {error}" if error is not None else ""
    early = (
        " PyOpenGL was imported before with another platform: import hansgym first, or set MUJOCO_GL=egl yourself."
        if os.environ.get("PYOPENGL_PLATFORM", asked) != asked
        else ""
    )
    return (
        f"no OpenGL context can be made with MUJOCO_GL={asked!r}{reason}.{early} Allowed are egl (headless, the "
        "default on Linux), osmesa (headless, slow), glfw (needs a screen) and, on macOS, cgl. For egl install the "
        "library: on Debian or Ubuntu `apt-get install libegl1 libgl1 libgl1-mesa-dri`; for osmesa `apt-get install "
        "libosmesa6`."
    )


class Suspendable(Protocol):
    """Something with an OpenGL context that it can give back and make anew."""

    def suspend(self) -> None:
        """Free the context; it is made again when it is next needed."""
        ...


_holders: weakref.WeakSet[Suspendable] = weakref.WeakSet()
_display_is_ours = False
_shared: Any = None

SIZE = 640
"""Pixels of the context's own surface; pictures are drawn into buffers of their own size."""


def hold(holder: Suspendable) -> Any:
    """Make the process's one context current for ``holder``, creating it first where there is none; returns it.

    All renderers of a process share one context. With a context each, a renderer that is dropped without being closed
    would have its buffers freed by the garbage collector, at any moment and by number, in whichever context is current
    then: another renderer's. ``holder`` is asked to :meth:`~Suspendable.suspend` before a fork.
    """
    global _shared
    if _shared is None:
        _shared = create_context(SIZE, SIZE)
    _holders.add(holder)
    _shared.make_current()
    return _shared


def let_go(holder: Suspendable) -> None:
    """``holder`` has freed its buffers; the context goes with the last one."""
    global _shared
    _holders.discard(holder)
    if _shared is not None and not _holders:
        _shared.free()
        _shared = None


def _let_go_before_fork() -> None:
    # A software driver draws with threads, which a forked child does not have: with a context of its parent it would
    # wait for them for ever. So the parent lets go of the driver first; both sides open it again when they draw.
    for holder in list(_holders):
        holder.suspend()
    egl = sys.modules.get("mujoco.egl")
    if _display_is_ours and egl is not None and hasattr(egl, "_terminate_display"):
        egl._terminate_display()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_let_go_before_fork)


def create_context(width: int, height: int) -> Any:
    """A current offscreen OpenGL context of this process; free it with ``.free()``.

    Raises :class:`ConfigurationError` with what to install or set when none can be made.
    """
    global _display_is_ours
    name = platform()
    try:
        module = importlib.import_module(_PLATFORMS[name])
        if name == "egl" and module.EGL_DISPLAY is None:
            _display_is_ours = True  # and not that of somebody else's renderer, which we must leave alone
        context = module.GLContext(width, height)
        context.make_current()
    except Exception as error:
        raise ConfigurationError(advice(error)) from error
    return context
