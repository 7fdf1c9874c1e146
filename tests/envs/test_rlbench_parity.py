"""Parity of the backends: what counts as a difference. The MuJoCo side is real, the other made from it or doubled."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from _rlbench import FakeSimulator, fake_env
from typer.testing import CliRunner

from hansgym.benchmarks import parity
from hansgym.benchmarks._parity_measure import Measured, configurations, from_json, measure, measure_env
from hansgym.envs.rlbench import installation
from hansgym.errors import ConfigurationError, MissingExtraError


@pytest.fixture(scope="module")
def ours() -> Measured:
    return measure("mujoco", "close_jar", 500_000, 0, {})


@pytest.fixture
def theirs(ours: Measured) -> Measured:
    """The same as seen by a backend that agrees in everything."""
    return replace(ours, backend="rlbench", instruction="Close the red jar", steps=(ours.steps or 0) + 20)


def test_the_mujoco_side_is_whole(ours: Measured) -> None:
    assert ours.success
    assert ours.trouble == ""
    assert ours.instruction == "close the red jar"
    assert len(ours.tips) == len(configurations()) == 6
    np.testing.assert_allclose(ours.tips[0][:3], [0.2785, -0.0082, 1.4719], atol=1e-3)
    assert all(ours.seen("robot", c).any((1, 2)).all() for c in ("front", "overhead"))
    assert ours.seen("task", "overhead").any()
    np.testing.assert_allclose(sorted(ours.sizes["jar0"][0]), [0.091, 0.094, 0.11], rtol=0.15)
    assert "Panda" not in ours.sizes
    assert from_json(json.loads(json.dumps(ours.to_json()))) == ours


def test_equal_sides_agree(ours: Measured, theirs: Measured) -> None:
    row = parity.compare(ours, theirs)
    assert row.ok
    assert set(row.iou.values()) == {1.0}
    assert row.same_instruction
    assert row.compared == len(ours.sizes) == 3


def _shifted(measured: Measured, pixels: int) -> dict[str, list[str]]:
    import base64

    moved = np.roll(measured.seen("robot", "front"), pixels, axis=2)
    packed = [base64.b64encode(np.packbits(image).tobytes()).decode() for image in moved]
    return {**measured.robot, "front": packed}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tips": 6e-3}, "tips are 6.0 mm apart"),
        ({"instruction": "open the red jar"}, "it says 'open the red jar' there"),
        ({"success": False, "trouble": "no path"}, "rlbench's expert: no path"),
        ({"success": False}, "rlbench's expert: no success"),
        ({"steps": 9}, "9 there"),
        ({"sizes": 1.2}, "jar0 differs in size by 17%"),
        ({"robot": 20}, "front silhouettes overlap by"),
    ],
)
def test_each_difference_is_caught_by_name(ours: Measured, theirs: Measured, change: dict[str, Any], says: str) -> None:
    if "tips" in change:
        change = {"tips": (np.array(ours.tips) + change["tips"] * np.eye(7)[0]).tolist()}
    if "sizes" in change:
        change = {"sizes": {**ours.sizes, "jar0": [[e * change["sizes"] for e in box] for box in ours.sizes["jar0"]]}}
    if "robot" in change:
        change = {"robot": _shifted(ours, change["robot"])}
    row = parity.compare(ours, replace(theirs, **change))
    assert not row.ok
    assert [p for p in row.problems if says in p], row.problems


def test_small_things_may_differ_by_millimetres_and_axes_may_be_named_otherwise(ours: Measured) -> None:
    def share(mine: list[float], other: list[float]) -> float:
        return parity.edge_share(
            replace(ours, sizes={"a": [[1.0, 1.0, 1.0], mine]}), replace(ours, sizes={"a": [other]}), "a"
        )

    assert share([0.1, 0.2, 0.3], [0.3, 0.1, 0.2]) == 0.0
    assert share([0.0055, 0.2, 0.3], [0.003, 0.2, 0.3]) == 0.0
    assert share([0.1, 0.2, 0.3], [0.1, 0.2, 0.4]) == pytest.approx(0.25)
    assert share([0.1, 0.2, 0.35], [0.1, 0.2, 0.4]) == 0.0


def test_what_the_props_hide_is_no_difference(ours: Measured, theirs: Measured) -> None:
    import base64

    wall = np.zeros((6, 224, 224), bool)
    wall[:, :, 60:150] = True
    hidden = [base64.b64encode(np.packbits(image).tobytes()).decode() for image in wall]
    robot = ours.seen("robot", "front") & ~wall
    packed = [base64.b64encode(np.packbits(image).tobytes()).decode() for image in robot]
    other = replace(theirs, robot={**theirs.robot, "front": packed}, task={**theirs.task, "front": hidden})
    assert parity.silhouette_iou(ours, other, "front") == 1.0


def test_other_variations_cannot_be_compared(ours: Measured, theirs: Measured) -> None:
    with pytest.raises(ConfigurationError, match=r"variation 0, cannot be compared.*measure both"):
        parity.compare(ours, replace(theirs, variation=1))


def test_the_other_side_is_measured_by_the_same_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "require", lambda task: None)
    simulator = FakeSimulator()
    env = fake_env("close_jar", simulator, backend="rlbench")
    found = measure_env(env, "rlbench", "close_jar", 3, 1)
    env.close()
    assert found.success
    assert found.steps == 77
    assert found.instruction == "do close_jar number 1"
    assert found.sizes == {name: [[0.1, 0.1, 0.1]] for name in ("jar0", "jar1", "jar_lid0")}
    assert found.seen("robot", "front").any()
    assert simulator.arranged == 2, "the expert starts from a fresh episode"


def test_files_of_measurements(ours: Measured, tmp_path: Path) -> None:
    good = tmp_path / "good.json"
    good.write_text(json.dumps({"measured": [ours.to_json()]}))
    assert parity.stored(good) == {"close_jar": ours}
    for text in ("{", "[]", '{"measured": [{"name": "x"}]}'):
        bad = tmp_path / "bad.json"
        bad.write_text(text)
        with pytest.raises(ConfigurationError, match="make one with --save"):
            parity.stored(bad)


def _run(*arguments: str) -> Any:
    import typer

    app = typer.Typer()
    app.command()(parity.main)
    return CliRunner().invoke(app, list(arguments))


def test_the_command_compares_with_a_file_and_says_what_differs(
    ours: Measured, theirs: Measured, tmp_path: Path
) -> None:
    path = tmp_path / "rlbench.json"
    path.write_text(json.dumps({"measured": [replace(theirs, seed=500_000).to_json()]}))
    done = _run("--tasks", "close_jar", "--against", str(path), "--seed", "500000", "--json")
    assert done.exit_code == 0, done.stdout
    (row,) = json.loads(done.stdout)
    assert row["ok"]
    path.write_text(json.dumps({"measured": [replace(theirs, instruction="open it").to_json()]}))
    done = _run("--tasks", "close_jar", "--against", str(path), "--seed", "500000")
    assert done.exit_code == 1
    assert "DIFFERS" in done.stdout
    assert "close_jar: it says 'open it' there" in done.stdout


def test_without_the_simulator_the_error_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COPPELIASIM_ROOT", raising=False)
    done = _run("--tasks", "close_jar")
    assert isinstance(done.exception, MissingExtraError)
    assert "hansgym doctor --backend rlbench" in str(done.exception)
