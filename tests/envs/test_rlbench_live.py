"""The RLBench backend in the real simulator: ``make test-rlbench``. Skipped, and said so, where there is none."""

from __future__ import annotations

import _rlbench_live as live
import numpy as np
import pytest

from hansgym import lookup
from hansgym.envs import cue
from hansgym.envs.registration import index
from hansgym.envs.rlbench import installation
from hansgym.envs.spec import fill
from hansgym.roles import Region

pytestmark = live.MARKS
TASKS = [row["task"] for row in index()]
WALLS = {f"Wall{k}" for k in range(1, 5)}


@pytest.fixture(autouse=True, scope="module")
def complete() -> None:
    live.need_whole_simulator()


@pytest.mark.parametrize("task", TASKS)
def test_the_contract_holds_in_every_task(task: str) -> None:
    files = installation.task_files(task)
    if not files.ok:
        pytest.skip(f"{task}: {files.found}")
    found = live.apart(live.contract, task)
    assert all(found["inside"])
    assert found["black"] == []
    assert found["generators"], "upstream's draws leave the caller's generators alone"
    assert max(found["empty"]) < 0.01, "the room closes every view"
    assert found["variations"][0] == found["variations"][1], "ours and upstream's"
    assert found["put_back"], "what-if pictures leave no trace"
    assert {"wall", "floor", "nuisance"} <= set(found["factors"])
    for roles, regions in zip(found["roles"], found["regions"], strict=True):
        assert {"robot", "surface", "background"} <= roles
        assert roles & {"target", "fixture"}
        assert regions == {int(region) for region in Region}
    spec = lookup.load("hansgym.envs.tasks", task, "TASK", "task")
    for variation, instruction in found["instructions"]:
        spoken = fill(spec.instructions[0], {**spec.variations[variation], **_any(spec)})
        assert _plain(instruction) == _plain(spoken)


def _any(spec: object) -> dict[str, str]:
    return {key: draw.values[0] for draw in spec.draws for key in draw.keys}  # type: ignore[attr-defined]


def _plain(text: str) -> str:
    """Without the articles in which the forks of RLBench differ."""
    return " ".join(word for word in text.lower().split() if word != "the")


@pytest.mark.parametrize("task", ["close_jar", "stack_blocks", "straighten_rope"])
def test_a_seed_fixes_the_episode_in_any_process(task: str) -> None:
    first, again, other = (live.apart(live.episode, task, seed) for seed in (7, 7, 8))
    for a, b in zip(first, again, strict=True):
        assert a.keys() == b.keys()
        for key in a:
            np.testing.assert_array_equal(a[key], b[key], err_msg=key)
    assert (first[0]["front_rgb"] != other[0]["front_rgb"]).any()


def test_earlier_episodes_leave_little_behind() -> None:
    alone, late = live.apart(live.episode, "close_jar", 7), live.apart(live.episode, "close_jar", 7, (3, 5))
    for a, b in zip(alone, late, strict=True):
        np.testing.assert_allclose(a["joint_positions"], b["joint_positions"], atol=1e-3)
        np.testing.assert_allclose(a["gripper_pose"], b["gripper_pose"], atol=1e-3)
        assert (a["front_mask"] != b["front_mask"]).mean() < 0.01


@pytest.mark.parametrize("renderer", ["opengl", "opengl3"])
@pytest.mark.parametrize(
    ("task", "distractors"),
    [
        ("close_jar", {"jar1"}),  # of several parts in one colour
        ("stack_blocks", {f"stack_blocks_distractor{k}" for k in range(4)}),
        ("open_drawer", set()),  # of several colours, that could not be put back
    ],
)
def test_looking_changes_nothing(task: str, distractors: set[str], renderer: str) -> None:
    found = live.apart(live.looking, task, renderer)
    assert set(found) == {"wall", "floor", "nuisance"} | {f"distractor:{name}" for name in distractors}
    for factor, seen in found.items():
        assert seen["same"], factor
        assert seen["repeats"], factor
    assert "Wall1" in found["wall"]["touched"]
    assert "Floor" in found["floor"]["touched"]
    assert WALLS | {"Floor"} | distractors >= found["nuisance"]["touched"]
    for name in distractors:
        assert found[f"distractor:{name}"]["touched"] == {name}


@pytest.mark.parametrize("renderer", ["opengl", "opengl3"])
def test_each_size_is_a_picture_of_its_own(renderer: str) -> None:
    found = live.apart(live.sizes, renderer)
    for size, frames in found["all"]:
        for camera, picture in frames.items():
            assert picture.shape == (size, size, 3)
            np.testing.assert_array_equal(picture, found["pictures"][size][camera])
    assert max(found["robot"].values()) - min(found["robot"].values()) < 0.01
    small, large = (found["pictures"][size]["front"].astype(int) for size in (128, 224))
    rows = np.arange(224) * 128 // 224
    assert np.abs(small[rows][:, rows] - large).max() > 50, "more detail, and not the small one enlarged"


def test_the_planes_that_place_things_are_in_no_mask() -> None:
    found = live.apart(live.planes)
    assert found["raw"] > 0.1, "CoppeliaSim draws them"
    assert found["ours"] == 0.0
    assert found["still_there"]


def test_a_scene_without_room_is_given_up_in_words() -> None:
    found = live.apart(live.crowded)
    assert "found no place" in found["said"]
    assert "use another seed" in found["said"]
    assert found["generators"]


def test_a_second_environment_in_one_process_is_refused() -> None:
    assert "one per process" in live.apart(live.twice)


def test_environments_may_follow_each_other_in_one_process() -> None:
    found = live.apart(live.one_after_another)
    assert min(found["spread"]) > 20, "pictures of something"
    assert "has started CoppeliaSim before" in found["said"]
    assert found["display"] is None


def test_image_perturbations_are_laid_over_these_pictures() -> None:
    found = live.apart(live.dressed, "gaussian_noise:severity=4,region=nuisance")
    changed = (found["clean"]["front_rgb"] != found["changed"]["front_rgb"]).any(-1)
    nuisance = found["clean"]["front_mask"] == int(Region.NUISANCE)
    assert changed[nuisance].mean() > 0.5
    assert changed[~nuisance].mean() < 0.01, "no more than a reset of the same seed leaves"


def test_the_cue_hangs_on_this_wall() -> None:
    found = live.apart(live.dressed, "cue:setting=aligned")
    poster = next(o for o in found["info"]["objects"] if o.name == "poster")
    shown = found["changed"]["front_objects"] == poster.id
    assert shown.mean() > 0.005
    assert not (found["clean"]["front_objects"] == poster.id).any()
    assert "poster" in found["factors"]
    assert found["info"]["perturbations"]["cue"]["colour"] == "red"
    assert cue.WALL_X < -2.0
