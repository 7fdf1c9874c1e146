"""Robot meshes: found without importing their package, light, cached atomically and without need of a cache."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hansgym.assets import meshes
from hansgym.errors import ConfigurationError


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANSGYM_CACHE", str(tmp_path / "cache"))
    meshes.robot_mesh.cache_clear()


def entries(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache").rglob("*"))


def test_decimation_keeps_the_extent_and_few_triangles() -> None:
    whole = meshes.read_stl(meshes.mesh_folder() / "visual" / "link5.stl").reshape(-1, 3)
    vertices, faces = meshes.robot_mesh("link5", "visual", "white", 260)
    assert 100 < len(faces) < 600
    assert faces.max() == len(vertices) - 1
    np.testing.assert_allclose(vertices.min(0), whole.min(0), atol=0.01)
    np.testing.assert_allclose(vertices.max(0), whole.max(0), atol=0.01)


def test_halves_share_no_part_and_make_the_visible_whole() -> None:
    vertices, faces = meshes.weld(meshes.read_stl(meshes.mesh_folder() / "visual" / "link3.stl"))
    look = meshes.looks(vertices, faces, meshes.DARK["link3"])
    part = meshes.parts(vertices, faces)
    assert set(np.unique(look)) == {-1, 0, 1}
    assert all(len(set(look[part == k])) == 1 for k in np.unique(part))


def test_the_cache_is_used_and_gives_the_same(tmp_path: Path) -> None:
    first = meshes.robot_mesh("finger", "visual", "white", 70)
    stored = [p for p in entries(tmp_path) if p.suffix == ".npz"]
    assert len(stored) == 1
    meshes.robot_mesh.cache_clear()
    again = meshes.robot_mesh("finger", "visual", "white", 70)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert not [p for p in entries(tmp_path) if p.suffix == ".part"]


@pytest.mark.parametrize("damage", [b"", b"half of an arch", None])
def test_a_broken_entry_is_made_again(tmp_path: Path, damage: bytes | None) -> None:
    first = meshes.robot_mesh("finger", "visual", "white", 70)
    entry = next(p for p in entries(tmp_path) if p.suffix == ".npz")
    entry.write_bytes(entry.read_bytes()[:-200] if damage is None else damage)
    meshes.robot_mesh.cache_clear()
    again = meshes.robot_mesh("finger", "visual", "white", 70)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))


def test_no_cache_folder_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("HANSGYM_CACHE", str(tmp_path / "file"))
    vertices, _ = meshes.robot_mesh("finger", "visual", "white", 70)
    assert len(vertices)


def test_shared_arrays_are_read_only() -> None:
    vertices, _ = meshes.robot_mesh("finger", "visual", "white", 70)
    with pytest.raises(ValueError, match="read-only"):
        vertices[0] = 0


def test_an_unknown_mesh_lists_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"visual/elbow; there are .*visual/hand"):
        meshes.robot_mesh("elbow")


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    meshes.mesh_folder.cache_clear()
    monkeypatch.setattr(meshes, "PACKAGE", "a_package_that_is_not_there")
    with pytest.raises(ConfigurationError, match="pip install 'gymnasium-robotics"):
        meshes.mesh_folder()
    meshes.mesh_folder.cache_clear()


def test_a_short_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "short.stl"
    path.write_bytes(bytes(80) + (9).to_bytes(4, "little") + bytes(50))
    with pytest.raises(ConfigurationError, match="promises 9 triangles"):
        meshes.read_stl(path)


def test_the_mesh_package_is_not_imported() -> None:
    code = (
        "import sys; from hansgym.assets.meshes import robot_mesh; robot_mesh('finger'); "
        "print(any(m.startswith('gymnasium_robotics') for m in sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False"]
