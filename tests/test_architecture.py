"""The house plan as a test: who may import whom, what an import may load, and that the package list is the tree."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("hansgym", "assets", "attribution", "envs", "agents", "wrappers", "benchmarks")

# Each folder may import these subpackages of ours, and itself: benchmarks -> wrappers -> (envs, agents, attribution) ->
# assets -> hansgym. What plugs us into other people's tools (hansgym/integrations) lies above all of them.
ALLOWED = {
    "hansgym": set(),
    "assets": set(),
    "attribution": {"agents.kernels"},
    "agents": {"assets"},
    "envs": {"assets"},
    "wrappers": {"envs", "agents", "attribution", "assets"},
    "benchmarks": {"wrappers", "envs", "agents", "attribution", "assets"},
    "integrations": {"benchmarks", "wrappers", "envs", "agents", "attribution", "assets"},
}
EDGES_BY_NAME = {("hansgym/__init__.py", "hansgym.envs.registration")}
FORBIDDEN_CALLS = ("eval", "exec", "pickle.load", "pickle.loads", "torch.load")
HEAVY = {
    "torch": {
        "agents/_torch_noise.py",
        "agents/reference.py",
        "agents/reference_net.py",
        "agents/kernels/torch.py",
        "benchmarks/_roofline.py",
        "benchmarks/stand_in.py",
        "benchmarks/train.py",
    },
    "mujoco": None,
}


def sources() -> list[Path]:
    return sorted(p for f in FOLDERS for p in (ROOT / f).rglob("*.py") if "__pycache__" not in p.parts)


def imports(path: Path) -> list[tuple[str, int]]:
    """(module, line) of every import statement that runs (those under TYPE_CHECKING do not)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found += [(a.name, node.lineno) for a in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(f"{node.module}.{a.name}", node.lineno) for a in node.names]
    return found


def layer(path: Path) -> str:
    """The folder that ``path`` (relative to the root) counts as."""
    return "integrations" if path.parts[:2] == ("hansgym", "integrations") else path.parts[0]


def violations(path: Path, folder: str) -> list[str]:
    bad = []
    for module, line in imports(path):
        top = module.split(".")[0]
        if top in FOLDERS and top != "hansgym":
            bad.append(f"{path}:{line} imports {top!r} by its folder name; write hansgym.{top}")
        if top != "hansgym":
            continue
        inner = module.removeprefix("hansgym.")
        target = inner.split(".")[0]
        if target in ALLOWED and target not in ("hansgym", folder):
            allowed = any(inner == a or inner.startswith(f"{a}.") for a in ALLOWED[folder])
            named = any(path.as_posix().endswith(f) and module.startswith(m) for f, m in EDGES_BY_NAME)
            if not allowed and not named:
                bad.append(f"{path}:{line} ({folder}) may not import hansgym.{inner}")
    return bad


@pytest.mark.parametrize("path", sources(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_imports_point_down(path: Path) -> None:
    assert violations(path, layer(path.relative_to(ROOT))) == []


def test_a_planted_upward_import_is_caught(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("from hansgym.envs.env import HansGymEnv\nimport benchmarks\n")
    assert len(violations(planted, "attribution")) == 2
    planted.write_text("from hansgym.integrations.vla_eval import HansGymBenchmark\n")
    assert len(violations(planted, "benchmarks")) == 1


@pytest.mark.parametrize("path", sources(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_nothing_unpickles_or_evaluates(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            assert name not in FORBIDDEN_CALLS, f"{path}:{node.lineno} {name}"
            assert not any(k.arg == "allow_pickle" and ast.unparse(k.value) == "True" for k in node.keywords), path


@pytest.mark.parametrize("path", sources(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_torch_is_imported_in_few_files(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    if any(m.split(".")[0] == "torch" for m, _ in imports(path)):
        assert name in HEAVY["torch"], f"{name} imports torch; keep it inside the file that needs it"


MOST_FILE_LINES, MOST_FUNCTION_LINES = 300, 40


def too_long(source: str) -> list[str]:
    """What exceeds the budgets; a function's docstring does not count."""
    length = source.count("\n")
    found = [f"{length} lines"] if length > MOST_FILE_LINES else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            if lines > MOST_FUNCTION_LINES:
                found.append(f"{node.name}: {lines} lines")
    return found


@pytest.mark.parametrize("path", sources(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_files_and_functions_stay_small(path: Path) -> None:
    assert too_long(path.read_text(encoding="utf-8")) == []


def test_planted_long_code_is_caught() -> None:
    long = "def f():\n" + '    """Text.\n\n    More.\n    """\n' + "    x = 1\n" * 41
    assert too_long(long) == ["f: 41 lines"]
    assert too_long(long.replace("    x = 1\n", "", 1)) == []
    assert too_long("x = 1\n" * 301) == ["301 lines"]


def test_package_list_is_the_tree() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = set(config["tool"]["setuptools"]["packages"])
    tree = set()
    for folder in FOLDERS:
        homes = {p.parent.relative_to(ROOT).as_posix() for p in (ROOT / folder).rglob("__init__.py")}
        tree |= {("" if folder == "hansgym" else "hansgym.") + home.replace("/", ".") for home in homes}
    assert listed == tree
    for folder in FOLDERS:
        assert (ROOT / folder / "py.typed").is_file(), folder


def test_importing_registers_only_our_ids_and_loads_no_simulator() -> None:
    code = (
        "import gymnasium, sys; before = set(gymnasium.registry); import hansgym; "
        "new = set(gymnasium.registry) - before; "
        "print(sorted(n for n in new if not n.startswith('hansgym/'))); print(len(new) > 0); "
        "print([m for m in ('mujoco', 'torch', 'cv2', 'hansgym.envs.env', 'hansgym.envs.tasks') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.split("\n")[:3] == ["[]", "True", "[]"]
