"""The cue: what the poster says under each setting, that it is seen whole, and that it changes nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest

from hansgym.envs import cue
from hansgym.envs.cue import CODES, GREY, SETTINGS, Cue
from hansgym.envs.env import HansGymEnv
from hansgym.envs.registration import index
from hansgym.envs.spec import TaskSpec
from hansgym.errors import ConfigurationError, UnknownNameError
from hansgym.lookup import load
from hansgym.roles import Role
from hansgym.seeds import stream

ALL = {row["task"]: load("hansgym.envs.tasks", row["task"], "TASK", "task") for row in index()}
TASKS = [name for name, task in ALL.items() if task.candidates is not None]
COUNTS = {"open_drawer": 3, "slide_block_to_color_target": 4, "insert_onto_square_peg": 3, "close_jar": 2}
COUNTS["push_buttons"] = 3
COUNTS |= {"turn_tap": 2, "put_item_in_drawer": 3}


class Wall:
    """A stage without a simulator: candidates stand where the test says, posters are remembered."""

    def __init__(self, x: Mapping[str, float]) -> None:
        self.x, self.rgb, self.centre = x, None, None

    def image_x(self, names: Sequence[str]) -> np.ndarray:
        return np.array([self.x[n] for n in names])

    def show_poster(self, rgb: Sequence[float] | None, centre: Sequence[float] | None) -> None:
        self.rgb, self.centre = rgb, centre


def episode(task: TaskSpec, seed: int) -> tuple[dict[str, str], Wall]:
    """A binding and a random left-to-right order of the candidates."""
    variation = int(stream(seed, "v").integers(len(task.variations)))
    props = task.candidates.props
    return task.bind(variation, stream(seed, "b")), Wall(
        dict(zip(props, stream(seed, "x").permutation(len(props)) / 4, strict=True))
    )


def test_the_candidates_are_the_stated_ones() -> None:
    assert {name: len(ALL[name].candidates.props) for name in TASKS if name in COUNTS} == COUNTS
    assert ALL["open_drawer"].candidates.ordered == "index"


def test_a_task_without_candidates_raises(shared_env: Callable[..., HansGymEnv]) -> None:
    with pytest.raises(ConfigurationError, match="'close_microwave' has no candidates"):
        shared_env("close_microwave").add_perturbation(Cue())


@pytest.mark.parametrize(("code", "setting"), [("color", "aligned"), ("colour", "wrong")])
def test_wrong_words_are_answered_with_the_right_ones(code: str, setting: str) -> None:
    with pytest.raises(UnknownNameError, match=r"colour, place|absent, aligned, misleading, random"):
        Cue(code, setting)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("code", CODES)
def test_settings_say_what_they_promise(task: str, code: str) -> None:
    spec = ALL[task]
    said: dict[str, Counter[str]] = {setting: Counter() for setting in SETTINGS}
    for seed in range(120):
        binding, wall = episode(spec, seed)
        right = spec.candidates.props[cue.right_index(spec, binding)]
        for setting in SETTINGS:
            report = Cue(code, setting).apply(wall, spec, binding, seed)
            assert (report["code"], report["setting"], report["right"]) == (code, setting, right)
            kind = "nothing" if not report["says"] else "right" if report["says"] == right else "wrong"
            said[setting][kind] += 1
            if setting == "absent":
                assert (wall.rgb, wall.centre, report["slot"]) == (None, None, -1)
            else:
                assert wall.centre == (cue.WALL_X, cue.slots(spec)[report["slot"]], cue.CENTRE_Z)
    assert set(said["aligned"]) == {"right"}
    assert set(said["misleading"]) == {"wrong"}
    assert set(said["absent"]) == {"nothing"}
    share = said["random"]["right"] / 120
    assert abs(share - 1 / len(ALL[task].candidates.props)) < 0.15


@pytest.mark.parametrize("setting", ["misleading", "random"])
def test_every_allowed_candidate_is_said_equally_often(setting: str) -> None:
    spec = ALL["slide_block_to_color_target"]
    says = Counter(cue.said(setting, 4, 2, stream(seed, "cue")) for seed in range(400))
    allowed = 3 if setting == "misleading" else 4
    assert len(says) == allowed
    assert all(abs(n / 400 - 1 / allowed) < 0.08 for n in says.values())
    assert spec.candidates is not None


@pytest.mark.parametrize("task", TASKS)
def test_colour_shows_the_candidates_own_colour_at_the_middle_slot(task: str) -> None:
    spec = ALL[task]
    binding, wall = episode(spec, 5)
    report = Cue("colour", "aligned").apply(wall, spec, binding, 5)
    right = cue.right_index(spec, binding)
    own = spec.colour_of(spec.candidates.props[right], binding) if spec.candidates.colours else None
    want = own or {0: (1, 0, 0), 1: (0, 0.5, 0), 2: (0, 0, 1)}[right]
    np.testing.assert_allclose(wall.rgb, want)
    assert wall.centre[1] == cue.MIDDLE_Y
    assert len({rgb for _, rgb in cue.looks(spec, binding)}) == len(spec.candidates.props), "candidates' codes differ"
    assert report["colour"]


@pytest.mark.parametrize("task", TASKS)
def test_place_is_grey_and_ordered_as_in_the_image(task: str) -> None:
    spec = ALL[task]
    binding, wall = episode(spec, 6)
    report = Cue("place", "aligned").apply(wall, spec, binding, 6)
    props, right = spec.candidates.props, cue.right_index(spec, binding)
    order = props if spec.candidates.ordered == "index" else sorted(props, key=lambda n: wall.x[n])
    want = order.index(props[right])
    assert report["slot"] == want
    assert wall.rgb == GREY
    assert list(cue.slots(spec)) == sorted(cue.slots(spec))


@pytest.mark.parametrize("task", TASKS)
def test_slots_follow_the_picture(task: str, shared_env: Callable[..., HansGymEnv]) -> None:
    """Left in the picture means a smaller slot: checked on the pixels of candidates that are seen."""
    env = shared_env(task, segmentation=True, cameras=("front",), image_size=224)
    observation, info = env.reset(seed=3)
    spec = env.task_spec
    if spec.candidates.ordered == "index":
        return
    ids = {o.name: o.id for o in info["objects"]}
    columns = {n: np.nonzero(observation["front_objects"] == ids[n])[1] for n in spec.candidates.props}
    middles = {n: c.mean() / 224 for n, c in columns.items() if len(c)}
    assert len(middles) >= 2
    got = dict(zip(spec.candidates.props, env.backend.image_x(spec.candidates.props), strict=True))
    assert sorted(middles, key=lambda n: middles[n]) == sorted(middles, key=lambda n: got[n])
    assert all(abs(middles[n] - got[n]) < 0.05 for n in middles)


@pytest.mark.parametrize("task", TASKS)
def test_the_poster_is_seen_whole_at_every_slot(task: str, shared_env: Callable[..., HansGymEnv]) -> None:
    env = shared_env(task, segmentation=True, cameras=("front",))
    counts: dict[float, set[int]] = {y: set() for y in cue.slots(env.task_spec)}
    for seed in range(8):
        info = env.reset(seed=seed)[1]
        poster = next(o for o in info["objects"] if o.name == "poster")
        assert poster.role is Role.BACKGROUND
        for y, seen in counts.items():
            env.backend.show_poster(GREY, (cue.WALL_X, y, cue.CENTRE_Z))
            rows, columns = np.nonzero(env.observe()["front_objects"] == poster.id)
            seen.add(len(rows))
            assert np.ptp(rows) >= 3
            assert np.ptp(columns) >= 3
            assert columns.min() > 0
            assert columns.max() < 63
    for seen in counts.values():
        assert len(seen) == 1, f"something hides part of the poster: {seen} px"
        assert seen.pop() >= 90


@pytest.mark.parametrize("task", TASKS)
def test_clean_and_perturbed_share_everything_but_the_poster(task: str, shared_env: Callable[..., HansGymEnv]) -> None:
    env = shared_env(task, segmentation=True)
    clean, info = env.reset(seed=9)
    state = env.backend.live.snapshot()
    variation, binding = info["variation"], env.binding
    poster = next(o.id for o in info["objects"] if o.name == "poster")
    env.add_perturbation(Cue("colour", "misleading"))
    seen, info = env.reset(seed=9)
    there = env.backend.live.snapshot()
    assert (info["variation"], info["reset_seed"], env.binding) == (variation, 9, binding)
    qpos = slice(0, env.backend.live.model.nq + env.backend.live.model.nv + 1)
    np.testing.assert_array_equal(state.physics[qpos], there.physics[qpos])
    assert info["perturbations"]["cue"]["setting"] == "misleading"
    for camera in env.cameras:
        shown = seen[f"{camera}_objects"] == poster
        assert not (clean[f"{camera}_objects"] == poster).any()
        for kind in ("rgb", "mask", "objects"):
            np.testing.assert_array_equal(seen[f"{camera}_{kind}"][~shown], clean[f"{camera}_{kind}"][~shown])
    assert (seen["front_objects"] == poster).sum() >= 16
    for key in ("joint_positions", "joint_velocities", "gripper_open", "gripper_pose"):
        np.testing.assert_array_equal(seen[key], clean[key])
    env.clear_perturbations()
    again, _ = env.reset(seed=9)
    for key, value in clean.items():
        np.testing.assert_array_equal(again[key], value)


def test_adding_it_twice_raises(shared_env: Callable[..., HansGymEnv]) -> None:
    env = shared_env("close_jar")
    env.add_perturbation(Cue())
    with pytest.raises(ConfigurationError, match="already in force"):
        env.add_perturbation(Cue("place"))
    env.clear_perturbations()
