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

from hansgym.benchmarks import _parity_compare as comparing
from hansgym.benchmarks import parity
from hansgym.benchmarks._parity_boxes import Box, box, over_table, place, rectangle
from hansgym.benchmarks._parity_measure import (
    RESETS,
    Attempt,
    Measured,
    configurations,
    from_json,
    measure,
    measure_env,
)
from hansgym.benchmarks._parity_table import markdown
from hansgym.benchmarks._parity_verdict import first_share
from hansgym.envs.rlbench import installation
from hansgym.errors import ConfigurationError, MissingExtraError


@pytest.fixture(scope="module")
def ours() -> Measured:
    return measure("mujoco", "close_jar", 500_000, 0, {})


@pytest.fixture
def theirs(ours: Measured) -> Measured:
    """The same as seen by a backend that agrees in everything."""
    slower = [replace(a, steps=a.steps + 20) for a in ours.attempts]
    return replace(ours, backend="rlbench", instruction="Close the red jar", attempts=slower, what="stepjam's")


def test_the_mujoco_side_is_whole(ours: Measured) -> None:
    assert [a.seed for a in ours.solved] == [500_000 + k for k in range(5)]
    assert all(60 < a.steps < 200 and 1.0 < a.travel_m < 3.0 and a.trouble == "" for a in ours.solved)
    assert ours.counts_from == {}, "no joint decides whether a jar is closed"
    assert ours.instruction == "close the red jar"
    assert len(ours.tips) == len(configurations()) == 6
    np.testing.assert_allclose(ours.tips[0][:3], [0.2785, -0.0082, 1.4719], atol=1e-3)
    assert all(ours.seen("robot", c).any((1, 2)).all() for c in ("front", "overhead"))
    assert ours.seen("task", "overhead").any()
    np.testing.assert_allclose(ours.sizes["jar0"].tight, [0.091, 0.094, 0.11], rtol=0.15)
    assert all(len(rows) == RESETS for rows in ours.places.values())
    np.testing.assert_allclose([low for *_, low, _ in ours.places["jar0"]], 0.752, atol=5e-3)
    assert np.ptp([x for x, *_ in ours.places["jar0"]]) > 0.05
    assert "Panda" not in ours.sizes
    assert from_json(json.loads(json.dumps(ours.to_json()))) == ours


def test_equal_sides_agree(ours: Measured, theirs: Measured) -> None:
    row = comparing.compare(ours, theirs)
    assert row.ok
    assert (row.solved, row.tried, row.placed) == ((5, 5), (5, 5), 3)
    assert row.steps[1] == (row.steps[0] or 0) + 20
    assert set(row.iou.values()) == {1.0}
    assert row.same_instruction
    assert len(row.sizes) == len(ours.sizes) == 3
    assert row.off == row.elsewhere == {}


def _shifted(measured: Measured, pixels: int) -> dict[str, list[str]]:
    import base64

    moved = np.roll(measured.seen("robot", "front"), pixels, axis=2)
    packed = [base64.b64encode(np.packbits(image).tobytes()).decode() for image in moved]
    return {**measured.robot, "front": packed}


def _scaled(measured: Measured, factor: float) -> dict[str, Box]:
    edges = measured.sizes["jar0"]
    larger = Box(*(tuple(e * factor for e in each) for each in (edges.upright, edges.tight)))  # type: ignore[arg-type]
    return {**measured.sizes, "jar0": larger}


def _moved(measured: Measured, name: str, *by: float) -> dict[str, Any]:
    rows = np.array(measured.places[name]) + np.array([by[0], by[1], by[2], by[2]])
    return {**measured.places, name: [tuple(row) for row in rows.tolist()]}


def _ended(measured: Measured, **how: Any) -> list[Attempt]:
    return [replace(a, **how) for a in measured.attempts]


CHANGES: dict[str, Any] = {
    "tips are 6.0 mm apart": lambda m: {"tips": (np.array(m.tips) + 6e-3 * np.eye(7)[0]).tolist()},
    "it says 'open the red jar' there": lambda m: {"instruction": "open the red jar"},
    "rlbench's expert: no path": lambda m: {"attempts": _ended(m, success=False, trouble="no path")},
    "rlbench's expert: no success": lambda m: {"attempts": _ended(m, success=False)},
    "9 there for": lambda m: {"attempts": _ended(m, steps=9)},
    "jar0 differs in size by 17%": lambda m: {"sizes": _scaled(m, 1.2)},
    "front silhouettes overlap by": lambda m: {"robot": _shifted(m, 20)},
    "jar0 stands 50 mm lower here": lambda m: {"places": _moved(m, "jar0", 0.0, 0.0, 0.05)},
    "jar0 stands on average -40 cm in x and +0 cm in y elsewhere": lambda m: {"places": _moved(m, "jar0", 0.4, 0, 0)},
}


@pytest.mark.parametrize("says", CHANGES)
def test_each_difference_is_caught_by_name(ours: Measured, theirs: Measured, says: str) -> None:
    row = comparing.compare(ours, replace(theirs, **CHANGES[says](ours)))
    assert not row.ok
    assert [p for p in row.problems if says in p], row.problems


def test_what_is_set_up_together_must_be_as_far_apart(ours: Measured, theirs: Measured) -> None:
    together = {**ours.places, "jar_lid0": [(x + 0.1, y, *z) for x, y, *z in ours.places["jar0"]]}
    other = {**theirs.places, "jar_lid0": [(x, y + 0.13, *z) for x, y, *z in theirs.places["jar0"]]}
    row = comparing.compare(replace(ours, places=together), replace(theirs, places=other))
    assert row.elsewhere["jar0 and jar_lid0"] == "are 100 mm apart here, 130 mm there"


def test_joints_must_count_from_the_same_place(ours: Measured, theirs: Measured) -> None:
    here = replace(ours, counts_from={"slide": 0.150, "hinge": 1.2})
    same = comparing.compare(here, replace(theirs, counts_from={"slide": 0.152, "hinge": 1.3, "other": 1.0}))
    assert same.ok
    assert same.counts_from == {"slide": (0.150, 0.152), "hinge": (1.2, 1.3)}
    row = comparing.compare(here, replace(theirs, counts_from={"slide": 0.1}))
    assert row.problems == ("slide counts from 0.1500 here, 0.1000 there",)


def test_demonstrations_that_failed_are_counted_and_do_not_count(ours: Measured, theirs: Measured) -> None:
    failed = Attempt(7, False, 400, 9.0, "no way")
    row = comparing.compare(ours, replace(theirs, attempts=[failed, *theirs.attempts]))
    assert row.ok
    assert (row.solved, row.tried) == ((5, 5), (5, 6))


def test_from_where_on_a_verdict_turns() -> None:
    assert first_share(lambda share: share > 0.3) == pytest.approx(0.3, abs=1 / 4096)
    assert first_share(lambda share: True) is None
    assert first_share(lambda share: False) is None
    seen: list[float] = []

    def remembers(share: float) -> bool:
        seen.append(share)
        return max(seen) > 0.3

    assert first_share(remembers) is None


def test_an_articulated_tasks_joint_is_measured() -> None:
    found = measure("mujoco", "close_fridge", 500_000, 0, {})
    assert found.counts_from.keys() == {"top_joint"}
    assert 0.4 < found.counts_from["top_joint"] < 0.6, "half of 60 degrees"


def test_small_things_may_differ_by_millimetres_and_one_of_two_boxes_must_agree() -> None:
    assert comparing.edge_share([0.0055, 0.2, 0.3], [0.003, 0.2, 0.3]) == 0.0
    assert comparing.edge_share([0.1, 0.2, 0.3], [0.1, 0.2, 0.4]) == pytest.approx(0.25)
    assert comparing.edge_share([0.1, 0.2, 0.35], [0.1, 0.2, 0.4]) == 0.0
    mine, leaning = Box((0.1, 0.2, 0.3), (0.1, 0.2, 0.3)), Box((0.1, 0.3, 0.4), (0.1, 0.2, 0.3))
    assert comparing.box_share(mine, leaning) == 0.0
    assert comparing.box_share(mine, Box((0.1, 0.3, 0.4), (0.2, 0.2, 0.3))) == pytest.approx(1 / 3)


def _cuboid(edges: tuple[float, float, float], yaw: float, centre: tuple[float, float, float]) -> np.ndarray:
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * np.array(edges) / 2
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    return corners @ turn.T + np.array(centre)


def test_boxes_do_not_depend_on_how_a_thing_is_turned() -> None:
    points = _cuboid((0.3, 0.1, 0.2), 0.7, (0.4, -0.2, 0.9))
    found = box(points)
    np.testing.assert_allclose(found.upright, (0.1, 0.3, 0.2), atol=1e-9)
    np.testing.assert_allclose(found.tight, (0.1, 0.2, 0.3), atol=1e-6)
    np.testing.assert_allclose(place(points), (0.4, -0.2, 0.8, 1.0), atol=1e-9)
    np.testing.assert_allclose(rectangle(points[:, :2])[0], (0.1, 0.3), atol=1e-9)
    flat = _cuboid((0.3, 0.1, 0.0), 0.7, (0.0, 0.0, 0.8))
    np.testing.assert_allclose(box(flat).tight, (0.0, 0.1, 0.3), atol=1e-6)


def test_what_is_in_the_table_is_left_out() -> None:
    found = over_table(_cuboid((0.2, 0.1, 0.4), 0.0, (0.0, 0.0, 0.85)))
    np.testing.assert_allclose([found.min(0), found.max(0)], [[-0.1, -0.05, 0.75], [0.1, 0.05, 1.05]], atol=1e-9)
    slope = over_table(np.array([[0.0, 0.0, 0.65], [0.4, 0.0, 0.85]]))
    np.testing.assert_allclose(sorted(slope[:, 0]), [0.2, 0.4])
    assert over_table(_cuboid((0.2, 0.1, 0.1), 0.0, (0.0, 0.0, 0.6))).shape == (0, 3)


def test_what_the_props_hide_is_no_difference(ours: Measured, theirs: Measured) -> None:
    import base64

    wall = np.zeros((6, 224, 224), bool)
    wall[:, :, 60:150] = True
    hidden = [base64.b64encode(np.packbits(image).tobytes()).decode() for image in wall]
    robot = ours.seen("robot", "front") & ~wall
    packed = [base64.b64encode(np.packbits(image).tobytes()).decode() for image in robot]
    other = replace(theirs, robot={**theirs.robot, "front": packed}, task={**theirs.task, "front": hidden})
    assert comparing.silhouette_iou(ours, other, "front") == 1.0


def test_other_variations_cannot_be_compared(ours: Measured, theirs: Measured) -> None:
    with pytest.raises(ConfigurationError, match=r"variation 0, cannot be compared.*measure both"):
        comparing.compare(ours, replace(theirs, variation=1))


def test_the_other_side_is_measured_by_the_same_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "require", lambda task: None)
    simulator = FakeSimulator()
    env = fake_env("close_jar", simulator, backend="rlbench")
    found = measure_env(env, "rlbench", "close_jar", 3, 1)
    env.close()
    assert [(a.success, a.steps, a.seed) for a in found.attempts] == [(True, 77, 3 + k) for k in range(5)]
    assert found.attempts[0].travel_m == pytest.approx(0.77, abs=0.011)
    assert found.instruction == "do close_jar number 1"
    assert set(found.sizes) == {"jar0", "jar1", "jar_lid0"}
    np.testing.assert_allclose(found.sizes["jar0"].upright, (0.1, 0.1, 0.1), atol=1e-9)
    np.testing.assert_allclose(found.places["jar0"][0][2:], (0.75, 0.85), atol=1e-9)
    assert "PerAct" in found.what or "stepjam" in found.what
    assert found.seen("robot", "front").any()
    assert simulator.arranged == RESETS + 2 * 5, "the expert starts from a fresh episode, and so does the judging"


def test_a_failed_demonstration_is_tried_again_with_the_next_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "require", lambda task: None)
    simulator = FakeSimulator()
    simulator.demonstration_failures, simulator.counts_from = 2, 0.25
    env = fake_env("close_jar", simulator, backend="rlbench")
    found = measure_env(env, "rlbench", "close_jar", 3, 1)
    env.close()
    assert [a.success for a in found.attempts] == [False, False, *[True] * 5]
    assert [a.seed for a in found.attempts] == list(range(3, 10))
    assert "not successful" in found.attempts[0].trouble
    assert found.counts_from["door"] == pytest.approx(0.25, abs=1e-3)


def test_files_of_measurements(ours: Measured, tmp_path: Path) -> None:
    good = tmp_path / "good.json"
    good.write_text(json.dumps({"measured": [ours.to_json()]}))
    assert parity.stored(good) == ([ours], "")
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
    out = tmp_path / "out"
    done = _run("--tasks", "close_jar", "--against", str(path), "--seed", "500000", "--json", "--out", str(out))
    assert done.exit_code == 0, done.stdout
    (row,) = json.loads(done.stdout)
    assert row["ok"]
    kept = json.loads((out / "parity.json").read_text())
    assert kept["rows"] == [row]
    assert (out / "parity.md").read_text() == markdown(kept)
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
