"""Training a reference policy, end to end on a handful of demonstrations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hansgym.agents.registry import make_agent
from hansgym.benchmarks import dataset
from hansgym.benchmarks.demonstrations import Recording, record
from hansgym.benchmarks.posters import POSTERS
from hansgym.benchmarks.train import RECIPES, Recipe, Trainer, train
from hansgym.envs.spec import COLOURS
from hansgym.errors import HansGymError
from hansgym.specs import CAMERAS

torch = pytest.importorskip("torch")
TINY = (Recording("push_buttons", protocol="balanced", episodes=2), Recording("open_drawer", episodes=1))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return record(TINY, tmp_path_factory.mktemp("demonstrations"), workers=1)


def recipe(poster: str = "random", honest: bool = True, **changes: float) -> Recipe:
    return Recipe(
        poster, honest, **{"steps": 6, "more_steps": 2, "batch": 8, **changes}, repeat=(2, 1), recordings=TINY
    )


def test_demonstrations_hold_every_poster_and_only_the_poster_differs(folders: list[Path]) -> None:
    with np.load(next(folders[0].glob("*.npz")), allow_pickle=False) as file:
        fronts = [file[f"front_{code}"] for code in POSTERS]
        assert file["chunk"].shape[1:] == (16, 8)
        note = json.loads(str(file["note"]))
    assert note["instruction"].startswith("push the ")
    for other in fronts[1:]:
        changed = (fronts[0] != other).any(axis=(1, 2, 3)).mean()
        assert changed > 0.5, "the posters of most frames differ"
        # The poster hangs on the wall: the lower half of the front image holds none of it.
        np.testing.assert_array_equal(fronts[0][:, 32:], other[:, 32:])


def test_recording_again_keeps_what_is_there(folders: list[Path]) -> None:
    before = {p: p.stat().st_mtime_ns for p in folders[0].glob("*.npz")}
    assert record(TINY, folders[0].parent, workers=1) == folders
    assert {p: p.stat().st_mtime_ns for p in folders[0].glob("*.npz")} == before


def test_a_recorded_colour_is_the_right_ones_and_has_no_favourite(tmp_path: Path) -> None:
    usual, any_right = Recording("push_buttons", episodes=1), Recording("push_buttons", episodes=1, any_right=True)
    colours = []
    for folder in record((usual, any_right), tmp_path, workers=1):
        with np.load(next(folder.glob("*.npz")), allow_pickle=False) as file:
            colours.append(np.unique(file["colour"].round(4), axis=0))
    maroon = np.array(COLOURS["maroon"])
    np.testing.assert_allclose(colours[0], maroon[None], atol=1e-4)
    assert len(colours[1]) > 4
    known = np.array(list(COLOURS.values()))
    assert all(np.abs(known - rgb).max(axis=1).min() < 1e-3 for rgb in colours[1])


def test_words_are_the_episodes_own_or_say_nothing(folders: list[Path]) -> None:
    honest, deaf = recipe(), recipe("place", honest=False)
    for each in (honest, deaf):
        data = dataset.load(each, folders)
        batch = next(dataset.batches(data, each, 0))
        assert set(batch["images"]) == set(CAMERAS)
        assert batch["images"]["front"].min() >= 0
        assert batch["images"]["front"].max() <= 1
    said = {t for k in range(8) for t in _words(dataset.load(deaf, folders), deaf, k)}
    meant = {t for k in range(8) for t in _words(dataset.load(honest, folders), honest, k)}
    assert len(said) > len(meant), "with random words, more instructions are heard than were ever meant"


def _words(data: dataset.Dataset, each: Recipe, step: int) -> list[str]:
    return next(dataset.batches(data, each, step))["instructions"]


def test_a_step_is_the_same_whenever_it_is_reached(folders: list[Path]) -> None:
    data = dataset.load(recipe(), folders)
    feed = dataset.batches(data, recipe(), 0)
    third = [next(feed) for _ in range(3)][2]
    again = next(dataset.batches(data, recipe(), 2))
    np.testing.assert_array_equal(third["images"]["wrist"], again["images"]["wrist"])
    assert third["instructions"] == again["instructions"]


@pytest.mark.parametrize("helper", [0.0, 0.5])
def test_resumed_training_ends_where_uninterrupted_training_does(
    folders: list[Path], tmp_path: Path, helper: float
) -> None:
    each = recipe(name_colour=helper)
    data = dataset.load(each, folders)
    vocabulary = ("push", "button", "red", "open", "drawer")
    through = Trainer(each, data, vocabulary)
    untaught = through.colour.weight.detach().clone()
    feed = dataset.batches(data, each, 0)
    for _ in range(6):
        through.update(next(feed))
    assert bool((through.colour.weight == untaught).all()) is (helper == 0), "the helper learns where it has a weight"
    first = Trainer(each, data, vocabulary)
    feed = dataset.batches(data, each, 0)
    for _ in range(3):
        first.update(next(feed))
    first.save(tmp_path / "half.safetensors")
    second = Trainer(each, data, vocabulary)
    second.restore(tmp_path / "half.safetensors")
    feed = dataset.batches(data, each, second.step)
    for _ in range(3):
        second.update(next(feed))
    for key, value in through.average.items():
        torch.testing.assert_close(second.average[key], value, rtol=0, atol=1e-6)
    torch.testing.assert_close(second.colour.weight, through.colour.weight, rtol=0, atol=1e-6)
    other = Trainer(recipe(seed=1), data, vocabulary)
    with pytest.raises(HansGymError, match="another recipe"):
        other.restore(tmp_path / "half.safetensors")


def test_learning_lowers_the_loss(folders: list[Path]) -> None:
    each = recipe(steps=400, batch=16)
    data = dataset.load(each, folders)
    trainer = Trainer(each, data, ("push", "button"))
    batch = next(dataset.batches(data, each, 0))
    history = [trainer.update(batch) for _ in range(80)]
    # The rate is still warming up: joints have only begun to fall.
    for term, left in (("joints", 0.95), ("points", 0.8)):
        assert history[-1][term] < left * history[0][term], (term, [round(h[term], 3) for h in history[::10]])


def test_the_command_trains_an_agent_that_acts(
    folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "pfungst", recipe())
    work = folders[0].parent.parent
    target = work / "demonstrations"
    if folders[0].parent != target and not target.exists():
        target.symlink_to(folders[0].parent)
    path = train("reference:pfungst", work=work, out=tmp_path / "weights.safetensors", threads=1)
    agent = make_agent("reference:pfungst", weights=path)
    assert agent.spec.action.mode == "joint_position"
    with pytest.raises(HansGymError, match="hans-colour"):
        train("reference:clever", work=work)
