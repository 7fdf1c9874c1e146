"""Type-check the whole package, from a clone.

The folders of a clone are the subpackages of ``hansgym`` (``envs`` is ``hansgym.envs``), which mypy has no way to be
told. So it is shown a tree of links in its cache folder that looks like the installed package, made from the mapping in
``pyproject.toml``, and its findings are printed under the names of the real files. Arguments go to mypy.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TREE = ROOT / ".mypy_cache" / "tree"


def links() -> dict[Path, Path]:
    """Link -> what it stands for."""
    mapping = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-dir"]
    found = {}
    for package, folder in mapping.items():
        place = TREE.joinpath(*package.split("."))
        if "." in package:
            found[place] = ROOT / folder
        else:
            found |= {place / p.name: p for p in (ROOT / folder).iterdir() if belongs(p)}
    return found


def belongs(path: Path) -> bool:
    """Whether ``path`` is a part of the package: a module, a subpackage, or the mark that it has types."""
    return path.name == "py.typed" or path.suffix == ".py" or (path / "__init__.py").is_file()


def main() -> int:
    wanted = links()
    for old in [p for p in TREE.glob("*/*") if p not in wanted]:
        old.unlink()
    for link, target in wanted.items():
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(target)
    command = [sys.executable, "-m", "mypy", "-p", "hansgym", *sys.argv[1:]]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "MYPYPATH": str(TREE)}, stdout=subprocess.PIPE, text=True, check=False
    )
    for line in done.stdout.splitlines():
        print(real(line))
    return done.returncode


def real(line: str) -> str:
    """``.mypy_cache/tree/hansgym/envs/env.py:3: …`` as ``envs/env.py:3: …``."""
    start = f"{TREE.relative_to(ROOT)}{os.sep}hansgym{os.sep}"
    if not line.startswith(start):
        return line
    rest = line.removeprefix(start)
    return rest if (ROOT / rest.split(":")[0]).exists() else f"hansgym{os.sep}{rest}"


if __name__ == "__main__":
    sys.exit(main())
