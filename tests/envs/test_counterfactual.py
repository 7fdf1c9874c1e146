"""do-effects: one factor of the world drawn again, the live world untouched, nothing else changed in the picture."""

from __future__ import annotations

from collections.abc import Callable

import mujoco
import numpy as np
import pytest

from hansgym.envs import cue
from hansgym.envs.cue import Cue
from hansgym.envs.env import HansGymEnv
from hansgym.envs.mujoco import counterfactual
from hansgym.envs.registration import index
from hansgym.envs.spec import COLOURS
from hansgym.errors import UnknownNameError
from hansgym.roles import Role
from hansgym.specs import CAMERAS

ROWS = index()
TASKS = [row["task"] for row in ROWS]
DRAWS = range(4)
PROPRIOCEPTION = ("joint_positions", "joint_velocities", "gripper_open", "gripper_pose")


def begun(shared_env: Callable[..., HansGymEnv], task: str, seed: int = 31, moves: int = 6) -> HansGymEnv:
    """An episode with a poster, where the task has candidates, a few expert steps after its reset."""
    env = shared_env(task, segmentation=True)
    if env.task_spec.candidates is not None:
        env.add_perturbation(Cue("place", "aligned"))
    env.observe_images = False
    env.reset(seed=seed)
    for action in env.expert_chunk(max(moves, 1))[:moves]:
        env.step(action)
    env.observe_images = True
    return env


def model_bytes(env: HansGymEnv) -> bytes:
    model = env.backend.live.model
    buffer = np.zeros(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return buffer.tobytes()


def everything(env: HansGymEnv) -> tuple[bytes, bytes, str, str]:
    """The live world, byte for byte, with its model and the environment's generator."""
    live = env.backend.live
    full = int(mujoco.mjtState.mjSTATE_FULLPHYSICS) | int(mujoco.mjtState.mjSTATE_USER)
    state = np.zeros(mujoco.mj_stateSize(live.model, full))
    mujoco.mj_getState(live.model, live.data, state, full)
    own = (live.reference, live.finger_reference, live.closing, live.held, live.progress, dict(live.binding))
    return (
        state.tobytes() + live.data.xpos.tobytes(),
        model_bytes(env),
        repr(own),
        repr(env.np_random.bit_generator.state),
    )


def changed(env: HansGymEnv, other: dict[str, np.ndarray], clean: dict[str, np.ndarray]) -> set[str]:
    """Names of the objects, in either picture, on whose pixels the two differ."""
    names = {o.id: o.name for o in env.backend.objects}
    found: set[str] = set()
    for camera in CAMERAS:
        differ = (other[f"{camera}_rgb"] != clean[f"{camera}_rgb"]).any(axis=-1)
        differ |= other[f"{camera}_objects"] != clean[f"{camera}_objects"]
        for picture in (other, clean):
            found |= {names[int(i)] for i in np.unique(picture[f"{camera}_objects"][differ])}
    return found


def allowed(env: HansGymEnv, factor: str) -> set[str]:
    """Objects on whose pixels ``factor`` may be seen."""
    names = {o.name for o in env.backend.objects}
    if factor == "wall":
        return {n for n in names if n.startswith("Wall")}
    if factor == "floor":
        return {"Floor"}
    if factor == "poster":
        return {"poster"} | {n for n in names if n.startswith("Wall")}
    if factor.startswith("distractor:"):
        return {factor.removeprefix("distractor:")}
    return names


@pytest.mark.parametrize("task", TASKS)
def test_the_live_world_is_byte_equal_afterwards(task: str, shared_env: Callable[..., HansGymEnv]) -> None:
    env = begun(shared_env, task)
    clean, before = env.observe(), everything(env)
    for factor in env.present_factors():
        for severity in (1.0, 3.0):
            env.counterfactual(factor, 1, severity)
    assert everything(env) == before
    for key, value in env.observe().items():
        np.testing.assert_array_equal(value, clean[key])


def test_the_live_world_and_the_scratch_are_put_back_when_drawing_fails(
    shared_env: Callable[..., HansGymEnv], monkeypatch: pytest.MonkeyPatch
) -> None:
    env = begun(shared_env, "insert_onto_square_peg")
    before = everything(env)
    scratch = env.backend.scratch
    scratch.load(env.backend.live.snapshot())
    untouched = scratch.model.geom_rgba.copy()
    with monkeypatch.context() as patch:
        patch.setattr(env.backend, "render_sim", lambda *_: (_ for _ in ()).throw(RuntimeError("no picture")))
        with pytest.raises(RuntimeError, match="no picture"):
            env.counterfactual(("nuisance", "task"), 1)
    assert everything(env) == before
    np.testing.assert_array_equal(scratch.model.geom_rgba, untouched)


@pytest.mark.parametrize("task", TASKS)
def test_stepping_on_is_as_if_nobody_had_asked(task: str, shared_env: Callable[..., HansGymEnv]) -> None:
    def ending(ask: bool) -> bytes:
        env = begun(shared_env, task)
        if ask:
            env.counterfactual(("nuisance", "task"), 5)
        actions = env.expert_chunk(5)
        for action in actions:
            env.step(action)
        return everything(env)[0] + actions.tobytes()

    assert ending(ask=True) == ending(ask=False)


@pytest.mark.parametrize("task", TASKS)
def test_only_declared_pixels_change_and_something_does(task: str, shared_env: Callable[..., HansGymEnv]) -> None:
    env = begun(shared_env, task)
    clean = env.observe()
    for factor in env.present_factors():
        others = [env.counterfactual(factor, seed) for seed in DRAWS]
        touched = set().union(*(changed(env, other, clean) for other in others))
        assert touched <= allowed(env, factor), f"{factor} changed pixels of {touched - allowed(env, factor)}"
        hidden = factor.startswith("distractor:") and not seen(env, clean, factor.removeprefix("distractor:"))
        assert touched or hidden, f"{factor} changed nothing in {len(others)} draws"
        for other in others:
            for key in PROPRIOCEPTION:
                np.testing.assert_array_equal(other[key], clean[key])
            if factor not in ("task", "poster", "nuisance"):
                for camera in CAMERAS:
                    np.testing.assert_array_equal(other[f"{camera}_mask"], clean[f"{camera}_mask"])
                    np.testing.assert_array_equal(other[f"{camera}_objects"], clean[f"{camera}_objects"])


def test_a_factor_that_also_touches_the_table_is_caught(
    shared_env: Callable[..., HansGymEnv], monkeypatch: pytest.MonkeyPatch
) -> None:
    env = begun(shared_env, "close_jar", moves=0)
    clean = env.observe()
    monkeypatch.setattr(counterfactual, "FLOOR", "diningTable_visible")
    assert changed(env, env.counterfactual("floor", 0), clean) - allowed(env, "floor") == {"diningTable_visible"}


def test_a_factor_that_reaches_the_live_world_is_caught(
    shared_env: Callable[..., HansGymEnv], monkeypatch: pytest.MonkeyPatch
) -> None:
    env = begun(shared_env, "close_jar", moves=0)
    before, live = everything(env), env.backend.live
    colours = live.model.geom_rgba.copy()
    monkeypatch.setattr(counterfactual, "_light", lambda *_: live.model.geom_rgba.__setitem__((0, 0), 0.123))
    env.counterfactual("light", 0)
    assert everything(env) != before
    live.model.geom_rgba[...] = colours


def seen(env: HansGymEnv, observation: dict[str, np.ndarray], name: str) -> bool:
    number = next(o.id for o in env.backend.objects if o.name == name)
    return any((observation[f"{c}_objects"] == number).any() for c in CAMERAS)


@pytest.mark.parametrize("task", TASKS)
def test_same_seed_same_bytes_other_seed_other_draw(task: str, shared_env: Callable[..., HansGymEnv]) -> None:
    env = begun(shared_env, task)
    for factor in ("nuisance", "task"):
        first, again, other = (env.counterfactual(factor, seed) for seed in (2, 2, 3))
        assert all((first[k] == again[k]).all() for k in first)
        assert any((first[k] != other[k]).any() for k in first)


@pytest.mark.parametrize("factor", ["wall", "floor", "light"])
def test_severity_zero_is_the_identity_and_more_is_more(factor: str, shared_env: Callable[..., HansGymEnv]) -> None:
    env = begun(shared_env, "close_jar")
    clean = env.observe()
    none, some, much = (env.counterfactual(factor, 4, s) for s in (0.0, 0.5, 1.5))
    for key, value in clean.items():
        np.testing.assert_array_equal(none[key], value)

    def distance(other: dict[str, np.ndarray]) -> float:
        return sum(float(np.abs(other[f"{c}_rgb"].astype(int) - clean[f"{c}_rgb"]).sum()) for c in CAMERAS)

    assert 0 < distance(some) < distance(much)


def test_nuisance_is_all_its_members_each_with_the_draw_it_has_alone(shared_env: Callable[..., HansGymEnv]) -> None:
    env = begun(shared_env, "insert_onto_square_peg")
    members = counterfactual.nuisance_factors(env.backend.live)
    assert {"wall", "floor", "light", "poster"} < set(members)
    together = env.counterfactual("nuisance", 6)
    for order in (members, members[::-1]):
        apart = env.counterfactual(order, 6)
        for key, value in together.items():
            np.testing.assert_array_equal(value, apart[key])


@pytest.mark.parametrize("task", TASKS)
def test_the_factors_are_those_of_the_scene(task: str, shared_env: Callable[..., HansGymEnv]) -> None:
    env = begun(shared_env, task, moves=0)
    distractors = {f"distractor:{o.name}" for o in env.backend.objects if o.role is Role.DISTRACTOR}
    with_poster = {"poster"} if env.task_spec.candidates is not None else set()
    want = {"wall", "floor", "light", "nuisance", "task"} | distractors | with_poster
    assert set(env.present_factors()) == want
    env.clear_perturbations()
    env.reset(seed=31)
    assert "poster" not in env.present_factors()
    with pytest.raises(UnknownNameError, match=r"unknown factor of this episode 'poster'.*floor, light"):
        env.counterfactual("poster", 0)


@pytest.mark.parametrize("task", TASKS)
def test_task_moves_the_task_and_keeps_the_rest(task: str, shared_env: Callable[..., HansGymEnv]) -> None:
    env = begun(shared_env, task)
    live, said = env.backend.live, env.instruction
    model = live.model
    hinges = [j for j in range(model.njnt) if model.jnt_type[j] != mujoco.mjtJoint.mjJNT_FREE]
    kept = [int(model.jnt_qposadr[j]) for j in hinges]
    moved = set()
    for seed in DRAWS:
        with counterfactual.resampled(env.backend.scratch, live.snapshot(), ("task",), seed) as sim:
            np.testing.assert_array_equal(sim.data.qpos[kept], live.data.qpos[kept])
            np.testing.assert_array_equal(sim.model.geom_rgba, model.geom_rgba)
            np.testing.assert_array_equal(sim.data.body("poster").xpos, live.data.body("poster").xpos)
            np.testing.assert_array_equal(sim.view.tip_position, live.view.tip_position)
            moved |= {n for n in sim.scene.props if np.abs(sim.view.position(n) - live.view.position(n)).max() > 1e-3}
    assert moved == set(live.scene.props)
    assert env.instruction == said


@pytest.mark.parametrize("task", [t for t in TASKS if t != "close_microwave"])
def test_distractors_never_take_a_colour_that_means_something(task: str, shared_env: Callable[..., HansGymEnv]) -> None:
    env = begun(shared_env, task, moves=0)
    sim = env.backend.live
    for name in counterfactual.objects_of(sim, Role.DISTRACTOR):
        free = counterfactual.recolourings(sim, name)
        assert free
        assert not {w for w in COLOURS if w in env.instruction.split()} & set(free)
        needed = [name, *counterfactual.objects_of(sim, Role.TARGET), *counterfactual.objects_of(sim, Role.FIXTURE)]
        shown = [rgb for n in needed for rgb in counterfactual.colours_of(sim, n)]
        for colour in free:
            assert not any(np.allclose(COLOURS[colour], rgb, atol=0.01) for rgb in shown)
        drawn = set()
        for seed in range(12):
            with counterfactual.resampled(env.backend.scratch, sim.snapshot(), (f"distractor:{name}",), seed) as other:
                drawn |= set(counterfactual.colours_of(other, name))
        assert len(drawn) > 1
        assert all(any(np.allclose(rgb, COLOURS[c], atol=0.01) for c in free) for rgb in drawn)


def test_the_poster_takes_other_values_of_this_scene_only(shared_env: Callable[..., HansGymEnv]) -> None:
    env = shared_env("slide_block_to_color_target")
    for code in cue.CODES:
        env.clear_perturbations()
        env.add_perturbation(Cue(code, "aligned"))
        info = env.reset(seed=2)[1]
        report, live = info["perturbations"]["cue"], env.backend.live
        looks = {rgb for _, rgb in cue.looks(env.task_spec, env.binding)}
        places, shown = set(), set()
        for seed in range(40):
            with counterfactual.resampled(env.backend.scratch, live.snapshot(), ("poster",), seed) as sim:
                places.add(round(float(sim.data.body("poster").xpos[1]), 6))
                shown.add(tuple(np.round(counterfactual.colours_of(sim, "poster")[0], 3)))
        slots = cue.slots(env.task_spec)
        assert places == {y for y in slots if y != slots[report["slot"]]}
        own = dict(cue.looks(env.task_spec, env.binding)).get(report["colour"])
        assert shown == {tuple(np.round(rgb, 3)) for rgb in looks if rgb != own}


def test_light_turns_by_at_most_fifteen_degrees_and_scales_by_a_fifth(shared_env: Callable[..., HansGymEnv]) -> None:
    env = begun(shared_env, "close_jar", moves=0)
    live = env.backend.live.model
    angles, gains = [], []
    for seed in range(60):
        with counterfactual.resampled(env.backend.scratch, env.backend.live.snapshot(), ("light",), seed) as sim:
            cosines = np.sum(sim.model.light_dir * live.light_dir, axis=1)
            angles.append(np.degrees(np.arccos(np.clip(cosines, -1, 1))).max())
            gains.append(sim.model.light_diffuse[0, 0] / live.light_diffuse[0, 0])
    assert 5 < max(angles) <= 15.01
    assert 0.8 <= min(gains) < 0.85
    assert 1.15 < max(gains) <= 1.2


def test_wall_and_floor_shift_each_channel_by_at_most_a_fifth(shared_env: Callable[..., HansGymEnv]) -> None:
    env = begun(shared_env, "close_jar", moves=0)
    live = env.backend.live
    for factor, body in (("wall", "Wall1"), ("floor", "Floor")):
        geoms = counterfactual.geoms_of(live, body)
        shifts = []
        for seed in range(40):
            with counterfactual.resampled(env.backend.scratch, live.snapshot(), (factor,), seed) as sim:
                shifts.append(sim.model.geom_rgba[geoms[0], :3] - live.model.geom_rgba[geoms[0], :3])
                assert (sim.model.geom_rgba[geoms] >= 0).all()
                assert (sim.model.geom_rgba[geoms] <= 1).all()
        assert np.abs(shifts).max() <= 0.2001
        assert (np.ptp(shifts, axis=0) > 0.1).all()
