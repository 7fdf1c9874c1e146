"""HansGym: does a robot policy act on the task or on the wallpaper?

Importing registers the environment ids ``hansgym/<task>-v0`` from a small index; no simulator is loaded before
:func:`gymnasium.make` asks for one.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
if (_ROOT / "pyproject.toml").is_file() and (_ROOT / "envs" / "index.json").is_file():
    # In a clone the subpackages lie beside this folder, not inside it.
    __path__.append(str(_ROOT))

try:
    __version__ = metadata.version("hansgym")
except metadata.PackageNotFoundError:  # a clone that was never installed
    __version__ = "0.1.0"

from hansgym.envs.registration import register_all as _register_all  # noqa: E402

_register_all()
