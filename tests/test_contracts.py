"""The vocabulary: roles and regions, seeds, lookup, action contracts, batches."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansgym import lookup, seeds
from hansgym.batch import STATE_KEYS, Batch, MaskedBatch
from hansgym.errors import ConfigurationError, ContractError, MissingExtraError, UnknownNameError
from hansgym.roles import PARTITIONS, Region, Role, SceneObject, partition, region_image
from hansgym.specs import CAMERAS, CONTROL_DT_S, CONTROL_MODES, ActionSpec, AgentSpec, check_chunk

ROOT = Path(__file__).resolve().parent.parent

# ---------------------------------------------------------------------------------------------- roles and regions


def test_the_two_partitions_differ_by_the_table_alone() -> None:
    supports, nuisance = partition("table_supports"), partition("table_is_nuisance")
    assert {r for r in Role if supports[r] != nuisance[r]} == {Role.SURFACE}
    assert supports[Role.SURFACE] is Region.SUPPORT
    assert nuisance[Role.SURFACE] is Region.NUISANCE


@pytest.mark.parametrize("name", PARTITIONS)
def test_a_partition_gives_every_role_a_region_and_cannot_be_changed(name: str) -> None:
    regions = partition(name)
    assert set(regions) == set(Role)
    assert [r for r in Role if regions[r] is Region.ACTION] == [Role.ROBOT]
    assert {Role.DISTRACTOR, Role.BACKGROUND} <= {r for r in Role if regions[r] is Region.NUISANCE}
    assert {Role.TARGET, Role.FIXTURE} <= {r for r in Role if regions[r] is Region.SUPPORT}
    with pytest.raises(TypeError):
        regions[Role.ROBOT] = Region.NUISANCE  # type: ignore[index]


def test_region_values_are_the_mask_values() -> None:
    assert [(r.name, int(r)) for r in Region] == [("NUISANCE", 0), ("ACTION", 1), ("SUPPORT", 2)]


OBJECTS = tuple(SceneObject(i, role.value, role) for i, role in enumerate(Role, start=1))


@given(st.lists(st.integers(0, len(OBJECTS)), min_size=1, max_size=30), st.sampled_from(sorted(PARTITIONS)))
def test_region_images_agree_with_the_partition_pixel_by_pixel(ids: list[int], name: str) -> None:
    image = np.array([ids], np.uint16)
    found = region_image(image, OBJECTS, name)
    roles = {o.id: o.role for o in OBJECTS} | {0: Role.BACKGROUND}
    assert found.dtype == np.uint8
    assert found.tolist() == [[int(partition(name)[roles[i]]) for i in ids]]


def test_a_pixel_of_nobody_raises_also_with_an_id_above_all_known_ones() -> None:
    for stray in (2, 300, 65535):
        with pytest.raises(ValueError, match=rf"object ids \[{stray}\]"):
            region_image(
                np.array([[1, stray]], np.uint16), (OBJECTS[0], SceneObject(9, "x", Role.ROBOT)), "table_supports"
            )
    assert region_image(np.zeros((0, 4), np.uint16), OBJECTS, "table_supports").shape == (0, 4)


# ---------------------------------------------------------------------------------------------- seeds

DRAWS = """
import json
from hansgym import seeds
print(json.dumps([
    seeds.stream(7, "placement").integers(2**62).item(),
    seeds.stream(7, "placement", 3).random(),
    seeds.noise_seed(1, "close_jar", 90000, 4),
    seeds.reset_seed(5, 2),
]))
"""


def test_streams_are_the_same_in_any_process() -> None:
    answers = {
        subprocess.run(
            [sys.executable, "-c", DRAWS],
            cwd=ROOT,
            env={"PYTHONHASHSEED": h},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for h in ("0", "1")
    }
    assert len(answers) == 1
    assert str(seeds.stream(7, "placement").integers(2**62)) in answers.pop()


def test_streams_of_other_names_seeds_and_orders_differ() -> None:
    names: list[tuple[str | int, ...]] = [("a",), ("b",), ("a", "b"), ("b", "a"), ("a", 0), ("a", 1), ("a", 2**32), ()]
    draws = [seeds.stream(seed, *n).integers(2**63) for seed in (0, 1, 2**40) for n in names]
    assert len(set(draws)) == len(draws)


def test_drawing_from_one_stream_moves_no_other() -> None:
    before = seeds.stream(3, "placement").random(4)
    seeds.stream(3, "noise").random(1000)
    np.random.default_rng().random(10)
    assert (seeds.stream(3, "placement").random(4) == before).all()


def test_the_seeds_of_a_decision_depend_on_nothing_else() -> None:
    kinds = [seeds.noise_seed, seeds.mask_seed]
    found = [k(1, "close_jar", 5, 2) for k in kinds] + [
        seeds.agent_seed(1, "close_jar", 5),
        seeds.draw_seed(1, "close_jar", 5, 2, "wall", 0),
        seeds.draw_seed(1, "close_jar", 5, 2, "wall", 1),
        seeds.draw_seed(1, "close_jar", 5, 2, "floor", 0),
        seeds.noise_seed(2, "close_jar", 5, 2),
        seeds.noise_seed(1, "open_drawer", 5, 2),
        seeds.noise_seed(1, "close_jar", 6, 2),
        seeds.noise_seed(1, "close_jar", 5, 3),
    ]
    assert len(set(found)) == len(found)
    assert all(0 <= seed < 2**64 for seed in found)


@given(st.integers(0, 2**31 - 1), st.integers(1, 1000))
def test_trial_0_is_the_seed_itself_and_later_ones_fit_31_bits(seed: int, trial: int) -> None:
    assert seeds.reset_seed(seed, 0) == seed
    assert 0 <= seeds.reset_seed(seed, trial) < 2**31


# ---------------------------------------------------------------------------------------------- lookup


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "shelf_of_choices"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "apple.py").write_text("ITEM = 1\n")
    (folder / "broken.py").write_text("raise SystemError('imported although nobody asked')\n")
    (folder / "_hidden.py").write_text("ITEM = 2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder.name


def test_a_file_is_a_choice_and_is_imported_only_when_asked_for(shelf: str) -> None:
    assert lookup.choices(shelf) == ("apple", "broken")
    assert lookup.load(shelf, "apple", "ITEM", "fruit") == 1
    assert f"{shelf}.broken" not in sys.modules
    with pytest.raises(
        UnknownNameError, match=r"unknown fruit 'aple'. Did you mean 'apple'\? Choose one of: apple, broken"
    ):
        lookup.load(shelf, "aple", "ITEM", "fruit")
    with pytest.raises(UnknownNameError, match="unknown fruit '_hidden'"):
        lookup.load(shelf, "_hidden", "ITEM", "fruit")
    with pytest.raises(SystemError):
        lookup.load(shelf, "broken", "ITEM", "fruit")


def test_an_optional_package_is_named_with_its_extra() -> None:
    assert lookup.require("json", "torch").loads("1") == 1
    with pytest.raises(MissingExtraError, match=r"pip install 'hansgym\[jax\]'") as caught:
        lookup.require("no_such_package", "jax")
    assert isinstance(caught.value, ImportError)


def test_options_of_a_name() -> None:
    kinds = {"horizon": int, "control": str}
    assert lookup.parse_options(" horizon=8, control=ee_pose,", kinds, "x") == {"horizon": 8, "control": "ee_pose"}
    assert lookup.parse_options("", kinds, "x") == {}
    assert lookup.parse_options("control=a=b", kinds, "x") == {"control": "a=b"}
    for text, said in (("horizon", "got 'horizon'"), ("steps=2", "'steps'"), ("horizon=two", "write horizon=<int>")):
        with pytest.raises((ConfigurationError, UnknownNameError), match=said):
            lookup.parse_options(text, kinds, "x")


# ---------------------------------------------------------------------------------------------- specs


@pytest.mark.parametrize("mode", CONTROL_MODES)
def test_an_action_contract_names_every_dimension(mode: str) -> None:
    spec = ActionSpec.of(mode)
    assert spec.dim == len(spec.names) == len(spec.units) == len(spec.scale) == (7 if mode == "ee_delta" else 8)
    assert spec.names[-1] == "gripper"
    assert spec.names[spec.arm] == spec.names[:-1]
    assert set(spec.scale) == {1.0}
    assert spec.delta == mode.endswith("delta")
    assert spec.rate_hz * CONTROL_DT_S == 1.0


def test_contracts_agree_with_themselves_only_whatever_the_scale() -> None:
    for first, second in itertools.product(CONTROL_MODES, repeat=2):
        mine, theirs = ActionSpec.of(first), ActionSpec.of(second, (2.0,) * ActionSpec.of(second).dim)
        if first == second:
            mine.check(theirs)
            continue
        with pytest.raises(ContractError, match=f"mode: agent '{first}', environment '{second}'"):
            mine.check(theirs)


def test_chunks_are_checked_and_become_float64() -> None:
    spec = AgentSpec("tester", ActionSpec.of("ee_delta"), horizon=2)
    good = check_chunk(np.ones((3, 2, 7), np.float32), 3, spec)
    assert good.dtype == np.float64
    assert check_chunk(np.ones((3, 2, 7), int), 3, spec).dtype == np.float64
    bad = np.ones((3, 2, 7))
    bad[2, 1, 6] = np.inf
    for chunk, said in (
        (bad, r"inf at \(row, step, dimension\) = \(2, 1, 6\)"),
        (np.ones((2, 2, 7)), r"shape \(2, 2, 7\)"),
        (np.ones((3, 2, 8)), r"shape \(3, 2, 8\)"),
        (np.ones((3, 2, 7), bool), "dtype bool"),
        (np.ones((3, 2, 7), complex), "dtype complex"),
    ):
        with pytest.raises(ContractError, match=said):
            check_chunk(chunk, 3, spec)


def test_an_agent_may_only_ask_for_cameras_that_exist() -> None:
    with pytest.raises(UnknownNameError, match=r"'frnt'. Did you mean 'front'\?"):
        AgentSpec("tester", ActionSpec.of("joint_position"), 1, cameras=("frnt",))


# ---------------------------------------------------------------------------------------------- batches


def observation(value: int) -> dict[str, np.ndarray]:
    sizes = dict(zip(STATE_KEYS, (7, 7, 1, 7), strict=True))
    images = {f"{c}_rgb": np.full((4, 4, 3), value, np.uint8) for c in CAMERAS}
    return images | {k: np.full(n, value, np.float32) for k, n in sizes.items()}


def batch(*values: int) -> Batch:
    privileged = {"expert_chunk": np.array(values, float)[:, None, None]}
    words = [str(v) for v in values]
    return Batch.from_observations([observation(v) for v in values], words, CAMERAS, privileged=privileged)


def rows_of(found: Batch) -> list[tuple[int, int, int, str, int]]:
    """Each row's value as seen by image, state, privileged input, instruction; and its lane."""
    return [
        (
            int(found.images["wrist"][k, 0, 0, 0]),
            int(found.state["gripper_open"][k, 0]),
            int(found.privileged["expert_chunk"][k, 0, 0]),
            found.instructions[k],
            int(found.rows[k]),
        )
        for k in range(len(found))
    ]


def test_rows_stay_together() -> None:
    whole = batch(5, 6, 7)
    assert rows_of(whole) == [(5, 5, 5, "5", 0), (6, 6, 6, "6", 1), (7, 7, 7, "7", 2)]
    assert rows_of(whole.take([2, 0, 2])) == [(7, 7, 7, "7", 2), (5, 5, 5, "5", 0), (7, 7, 7, "7", 2)]
    assert rows_of(Batch.concatenate([whole.take([1]), whole.take([0, 2])])) == rows_of(whole.take([1, 0, 2]))
    assert len(whole.take([])) == 0
    assert rows_of(whole.with_images({c: i + 1 for c, i in whole.images.items()}))[0] == (6, 5, 5, "5", 0)


def test_a_batch_with_a_row_too_few_is_refused_by_name() -> None:
    whole = batch(1, 2)
    for change, said in (
        ({"images": {"front": whole.images["front"][:1]}}, "image 'front' has 1 rows, the batch has 2"),
        ({"state": {"joint_positions": np.zeros((3, 7))}}, "state 'joint_positions' has 3 rows"),
        ({"privileged": {"expert_chunk": np.zeros((1, 2, 8))}}, "privileged 'expert_chunk' has 1 rows"),
        ({"rows": np.arange(1)}, "rows has 1 entries"),
    ):
        parts = {"images": whole.images, "state": whole.state, "instructions": ("a", "b"), "rows": whole.rows}
        with pytest.raises(ConfigurationError, match=said):
            Batch(**{**parts, **change})  # type: ignore[arg-type]


def test_masks_of_one_observation() -> None:
    base, bits = batch(1), {c: np.ones((5, 7, 7), np.uint8) * np.arange(5)[:, None, None] for c in CAMERAS}
    masks = MaskedBatch(base, bits)
    assert len(masks) == 5
    assert masks.take([3, 1]).bits["front"][:, 0, 0].tolist() == [3, 1]
    assert len(masks.take(slice(1, 4))) == 3
    with pytest.raises(ConfigurationError, match=r"one base observation, got 2"):
        MaskedBatch(batch(1, 2), bits)
    with pytest.raises(ConfigurationError, match="must be equal for cameras"):
        MaskedBatch(base, {**bits, "front": bits["front"][:4]})
    with pytest.raises(ConfigurationError, match="must be equal for cameras"):
        MaskedBatch(base, {"front": bits["front"]})
