"""Mapping files: the ready ones, reading safely, and what a policy is shown, told and understood by."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hansgym.agents import mapping
from hansgym.agents.contract import FRANKA_JOINT4_RAD, from_settings, require_same
from hansgym.agents.proprioception import StateVector
from hansgym.agents.views import View
from hansgym.batch import STATE_KEYS, Batch
from hansgym.errors import ConfigurationError, ContractError, HansGymError, UnknownNameError
from hansgym.specs import CONTROL_MODES, ActionSpec

HOME = (0.0, 0.1752, 0.0, -0.8732, 0.0, 1.2216, 0.7854)
POINTING_DOWN = (0.2, 0.1, 1.0, 0.0, 1.0, 0.0, 0.0)  # half a turn about y


def batch(rows: int = 2, size: int = 16) -> Batch:
    rng = np.random.default_rng(0)
    images = {c: rng.integers(0, 256, (rows, size, size, 3), np.uint8) for c in ("front", "overhead", "wrist")}
    values = (HOME, np.zeros(7), (1.0,), POINTING_DOWN)
    state = {k: np.tile(np.asarray(v, np.float32), (rows, 1)) for k, v in zip(STATE_KEYS, values, strict=True)}
    return Batch(images, state, ("Close the RED jar",) * rows, np.arange(rows))


@pytest.mark.parametrize("name", mapping.names())
def test_ready_mappings_work_end_to_end(name: str) -> None:
    ready = mapping.load(name)
    assert ready.about
    assert ready.control in CONTROL_MODES
    ready.check(ActionSpec.of(ready.control))
    given = ready.observe(batch())
    assert {v.key for v in ready.views} | {s.key for s in ready.states} == set(given)
    for view in ready.views:
        assert given[view.key].dtype == np.uint8
        assert given[view.key].shape == (2, *view.size, 3)
    rng = np.random.default_rng(1)
    theirs = rng.uniform(-0.5, 0.5, (2, 10, ready.action.dim))
    chunk = ready.actions(theirs, batch())
    assert chunk.shape == (2, ready.steps(10), ready.spec.dim)
    assert set(np.unique(chunk[..., -1])) <= set(np.linspace(0, 1, 2)) or not ready.action.gripper_binary
    json.dumps(ready.describe())


def test_droid_in_numbers() -> None:
    droid = mapping.load("droid")
    given = droid.observe(batch())
    assert list(given)[:2] == ["observation/exterior_image_1_left", "observation/wrist_image_left"]
    franka = np.array(HOME) - np.eye(7)[3] * FRANKA_JOINT4_RAD
    np.testing.assert_allclose(given["observation/joint_position"][0], franka, atol=1e-6)
    assert given["observation/gripper_position"].tolist() == [[0.0], [0.0]]  # 0 is open
    step = np.zeros((2, 15, 8))
    step[..., 2], step[..., 7] = 0.5, 1.0
    chunk = droid.actions(step, batch())
    np.testing.assert_allclose(chunk[0, :, 2], 0.075 * np.arange(1, 21), atol=1e-6)
    assert not chunk[..., 7].any()
    same = mapping.load("droid_joint_position").actions(np.tile(np.append(franka, 0.0), (2, 15, 1)), batch())
    np.testing.assert_allclose(same[0], np.tile(np.append(HOME, 1.0), (20, 1)), atol=1e-6)


def test_libero_in_numbers() -> None:
    libero = mapping.load("libero")
    given = libero.observe(batch(size=224))
    np.testing.assert_array_equal(given["observation/image"], batch(size=224).images["front"][:, :, ::-1])
    feel = given["observation/state"][0]
    assert feel.shape == (8,)
    assert np.linalg.norm(feel[3:6]) == pytest.approx(np.pi, abs=1e-5)
    np.testing.assert_allclose(np.abs(feel[3:6]), [np.pi, 0, 0], atol=1e-5)  # at rest turned about x
    np.testing.assert_allclose(feel[6:], [0.04, -0.04])
    chunk = libero.actions(np.array([[[1.0, 0, -2.0, 0, 0, 0.2, -1.0]]] * 2), batch())
    np.testing.assert_allclose(chunk[0, 0], [0.05, 0, -0.05, 0, 0, 0.1, 1.0], atol=1e-7)
    np.testing.assert_allclose(
        mapping.load("openvla_libero").actions(np.array([[[0, 0, 0, 0, 0, 0, 0.9]]] * 2), batch())[0, 0, 6], 1.0
    )


def test_words() -> None:
    told = mapping.from_table(
        {"action": {"space": "joint"}, "instruction": {"template": "In: {instruction}?", "lower": True}}, "mine"
    ).tell(batch(1))
    assert told == ["In: close the red jar?"]
    with pytest.raises(ConfigurationError, match="loses the instruction"):
        mapping.from_table({"action": {"space": "joint"}, "instruction": {"template": "go"}}, "mine")


# ---------------------------------------------------------------- views and states in closed form


def test_views() -> None:
    image = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    np.testing.assert_array_equal(View("k", "front", flip="vertical").show(image), image[:, ::-1])
    np.testing.assert_array_equal(View("k", "front", flip="rotate_180").show(image), image[:, ::-1, ::-1])
    np.testing.assert_array_equal(View("k", "front", channels="bgr").show(image), image[..., ::-1])
    np.testing.assert_array_equal(View("k", "front", layout="chw").show(image), image.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(View("k", "front", keep=0.5).show(image), image[:, 1:3, 1:3])
    assert not View("k", "black").show(image).any()
    floats = View("k", "front", dtype="float32").show(image)
    np.testing.assert_allclose(floats, image / 255.0, rtol=1e-6)


def test_resizing_pads_crops_or_stretches() -> None:
    wide = np.full((1, 8, 16, 3), 200, np.uint8)
    padded = View("k", "front", size=(16, 16), resize="pad").show(wide)[0]
    assert (padded[4:12] == 200).all()
    assert not padded[:4].any()
    assert not padded[12:].any()
    assert (View("k", "front", size=(16, 16), resize="crop").show(wide) == 200).all()
    assert (View("k", "front", size=(8, 8)).show(wide) == 200).all()
    checks = np.indices((16, 16)).sum(0) % 2 * 200
    small = View("k", "front", size=(8, 8)).show(np.repeat(checks[None, ..., None], 3, -1).astype(np.uint8))
    assert (small == 100).all()  # shrinking averages; taking every other pixel would give 0 or 200


def test_states_in_their_frame_and_units() -> None:
    felt = StateVector("s", ("joint_positions", "gripper_closed", "zero"), angles="deg").feel(batch(1).state)
    np.testing.assert_allclose(felt[0], [*np.degrees(HOME), 0.0, 0.0], rtol=1e-6)
    base = StateVector("s", ("ee_position", "ee_rotation"), "base", "quaternion_wxyz", tool_offset_m=(0, 0, 0.1))
    # The tool points down, so that 0.1 m along it is 0.1 m lower.
    want = [0.2 + 0.2681, 0.1 + 0.0063, 1.0 - 0.1 - 0.7495, 0.0, 0.0, 1.0, 0.0]
    np.testing.assert_allclose(base.feel(batch(1).state)[0], want, atol=1e-6)


# ---------------------------------------------------------------- files


MINE = """
control = "joint_delta"
[action]
space = "joint"
kind = "step_delta"
angles = "deg"
[[camera]]
key = "a"
camera = "wrist"
"""


def test_a_file_of_ones_own_in_three_languages(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINE)
    plain = {"control": "joint_delta", "action": {"space": "joint", "kind": "step_delta", "angles": "deg"}}
    plain["camera"] = [{"key": "a", "camera": "wrist"}]
    (tmp_path / "mine.json").write_text(json.dumps(plain))
    first, second = mapping.load(tmp_path / "mine.toml"), mapping.load(str(tmp_path / "mine.json"))
    assert first == second
    assert first.cameras == ("wrist",)
    np.testing.assert_allclose(first.actions(np.full((2, 3, 8), 1.0), batch())[..., :7], np.pi / 180)
    yaml = pytest.importorskip("yaml")
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(plain))
    assert mapping.load(tmp_path / "mine.yaml") == first
    (tmp_path / "bomb.yaml").write_text("a: &a [1, 1]\nb: &b [*a, *a]\n")
    with pytest.raises(ConfigurationError, match="anchors and aliases are not taken"):
        mapping.load(tmp_path / "bomb.yaml")
    (tmp_path / "run.yaml").write_text("a: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        mapping.load(tmp_path / "run.yaml")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("control = ", "cannot be read"),
        ("speed = 3", "unknown section of mapping 'mine' 'speed'.*instruction"),
        ("control = 'joint_delta'", "has no .action."),
        ("action = 3", "is no table"),
        ("[action]\nspace='joint'\n[camera]\nkey='a'", "is no list"),
        ("[action]\nspace='joint'\n[[camera]]\nkey='a'", "lacks camera"),
        ("[action]\nspace='joint'\n[[camera]]\nkey='a'\ncamera='top'", "unknown camera of view 'a' 'top'"),
        ("[action]\nspace='joint'\n[[camera]]\nkey='a'\ncamera='front'\nflip='up'", "rotate_180"),
        ("[action]\nspace='joint'\n[[camera]]\nkey='a'\ncamera='front'\nsize=224", "size = 224 cannot be read"),
        ("[action]\nspace='joint'\n[[camera]]\nkey='a'\ncamera='front'\nsize=[0, 0]", "from 8 to 2048"),
        ("[action]\nspace='joint'\n[[state]]\nkey='a'\nparts=['joints']", "unknown part of state 'a' 'joints'"),
        ("horizon = 0\n[action]\nspace='joint'", "give 1 to 1000"),
        ("control='ee_pose'\n[action]\nspace='joint'", "Make the environment with control='joint_position'"),
        ("[action]\nspace='joint'\n[[camera]]\nkey='prompt'\ncamera='front'", "uses a key twice"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(HansGymError, match=says):
        mapping.load(tmp_path / "mine.toml")


def test_files_that_are_no_mappings(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown mapping 'libro'.*Did you mean 'libero'"):
        mapping.load("libro")
    with pytest.raises(ConfigurationError, match="no mapping file"):
        mapping.load(tmp_path / "nothing.toml")
    (tmp_path / "mine.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(ConfigurationError, match=r"ends in '.pkl'; use .toml"):
        mapping.load(tmp_path / "mine.pkl")
    (tmp_path / "big.toml").write_text("#" * 200_000)
    with pytest.raises(ConfigurationError, match="at most 100000"):
        mapping.load(tmp_path / "big.toml")


def test_the_environment_is_checked_before_the_first_step() -> None:
    with pytest.raises(ContractError, match="control='ee_pose' or 'ee_delta'"):
        mapping.load("libero").check(ActionSpec.of("joint_position"))
    with pytest.raises(ContractError, match="Make the environment with control='ee_delta'"):
        mapping.load("libero").check(ActionSpec.of("ee_pose"))
    with pytest.raises(ContractError, match="multiply to metres"):
        require_same(from_settings({"space": "ee", "kind": "step_delta", "scale": [0.05]}), ActionSpec.of("ee_delta"))
    some = batch()
    with pytest.raises(ConfigurationError, match="needs camera 'wrist'"):
        mapping.load("droid").observe(Batch({"front": some.images["front"]}, some.state, some.instructions, some.rows))
