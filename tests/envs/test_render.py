"""Pictures and masks: exact, repeatable, without the user's help, and clear when they cannot be had."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

import numpy as np
import pytest

from hansgym.envs.mujoco import gl
from hansgym.envs.mujoco.render import SceneRenderer, object_names

import mujoco  # isort: skip

from hansgym.assets.panda import HOME, JOINTS, add_panda
from hansgym.assets.room import CAMERAS, add_room
from hansgym.errors import ConfigurationError, UnknownNameError

SIZE = 96


def scene(alpha: float = 1.0) -> mujoco.MjModel:
    """Robot, room, a box with an unnamed and a private child, and a ball in front of it."""
    spec = mujoco.MjSpec()
    add_panda(spec)
    add_room(spec)
    box = spec.worldbody.add_body(name="box", pos=[0.3, 0.1, 0.8])
    box.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=[0.1, 0.1, 0.05], rgba=[0.9, 0.1, 0.1, 1.0])
    for name in ("_lining", ""):
        inner = box.add_body(name=name, pos=[0, 0, 0.06])
        inner.add_geom(type=mujoco.mjtGeom.mjGEOM_CYLINDER, size=[0.03, 0.02, 0], rgba=[0.1, 0.2, 0.9, 1.0])
    ball = spec.worldbody.add_body(name="ball", mocap=True, pos=[0.45, 0.12, 0.82])
    ball.add_geom(name="ball", type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[0.06, 0, 0], rgba=[0.1, 0.8, 0.2, alpha])
    hidden = spec.worldbody.add_body(name="sensor", pos=[0.3, -0.2, 0.9])
    hidden.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=[0.1, 0.1, 0.1], group=4, contype=0, conaffinity=0)
    return spec.compile()


@pytest.fixture(scope="module")
def model() -> mujoco.MjModel:
    return scene()


@pytest.fixture
def renderer(model: mujoco.MjModel):
    made = SceneRenderer(model)
    yield made
    made.close()


def state(model: mujoco.MjModel) -> mujoco.MjData:
    data = mujoco.MjData(model)
    for name, angle in zip(JOINTS, HOME, strict=True):
        data.joint(name).qpos = angle
    mujoco.mj_forward(model, data)
    return data


def labels(model: mujoco.MjModel) -> tuple[np.ndarray, dict[str, int]]:
    names = object_names(model)
    ids = {name: k for k, name in enumerate(sorted(set(names)), start=300)}
    return np.array([ids[name] for name in names], np.uint16), ids


def test_object_names_follow_named_ancestors(model: mujoco.MjModel) -> None:
    names = object_names(model)
    owners = {model.body(int(b)).name: n for b, n in zip(model.geom_bodyid, names, strict=True)}
    assert owners["_lining"] == owners[""] == owners["box"] == "box"
    assert owners["Panda_link7"] == owners["Panda_leftfinger"] == "Panda"


def test_every_pixel_has_an_object_and_hidden_groups_are_not_drawn(
    model: mujoco.MjModel, renderer: SceneRenderer
) -> None:
    ids, known = labels(model)
    for frame in renderer.render(model, state(model), CAMERAS, SIZE, ids).values():
        assert frame.rgb.shape == (SIZE, SIZE, 3)
        assert frame.rgb.dtype == np.uint8
        assert frame.objects.dtype == np.uint16
        seen = set(np.unique(frame.objects).tolist())
        assert seen <= set(known.values())
        assert known["sensor"] not in seen


def test_the_same_state_gives_the_same_bytes(model: mujoco.MjModel, renderer: SceneRenderer) -> None:
    ids, _ = labels(model)
    first = renderer.render(model, state(model), CAMERAS, SIZE, ids)
    alone = {c: renderer.render(model, state(model), (c,), SIZE, None)[c] for c in reversed(CAMERAS)}
    renderer.render(model, state(model), CAMERAS, 32, ids)
    again = renderer.render(model, state(model), CAMERAS, SIZE, ids)
    for name in CAMERAS:
        assert (first[name].rgb == again[name].rgb).all()
        assert (first[name].rgb == alone[name].rgb).all()
        assert (first[name].objects == again[name].objects).all()
        assert not alone[name].objects.any()


@pytest.mark.parametrize("size", [64, 224])
def test_recolouring_changes_exactly_the_mask(model: mujoco.MjModel, renderer: SceneRenderer, size: int) -> None:
    """Every changed pixel lies in the mask, and every pixel of the mask changes."""
    ids, known = labels(model)
    before = renderer.render(model, state(model), CAMERAS, size, ids)
    other = model.__copy__()
    other.geom("ball").rgba[:] = (0.9, 0.1, 0.9, 1.0)
    after = renderer.render(other, state(other), CAMERAS, size, ids)
    for name in CAMERAS:
        changed = (before[name].rgb != after[name].rgb).any(axis=-1)
        assert (changed == (before[name].objects == known["ball"])).all()
        assert (before[name].objects == after[name].objects).all()


def test_moving_changes_nothing_outside_both_masks(model: mujoco.MjModel, renderer: SceneRenderer) -> None:
    ids, known = labels(model)
    data = state(model)
    before = renderer.render(model, data, CAMERAS, SIZE, ids)
    data.mocap_pos[int(model.body("ball").mocapid[0])] += [0.07, -0.1, 0.05]
    mujoco.mj_forward(model, data)
    after = renderer.render(model, data, CAMERAS, SIZE, ids)
    moved = 0
    for name in CAMERAS:
        changed = (before[name].rgb != after[name].rgb).any(axis=-1)
        either = (before[name].objects == known["ball"]) | (after[name].objects == known["ball"])
        assert not (changed & ~either).any()
        moved += int(changed.sum())
    assert moved > 0


def test_light_reaches_the_picture_from_the_given_model(model: mujoco.MjModel, renderer: SceneRenderer) -> None:
    other = model.__copy__()
    other.light_diffuse *= 0.8
    bright = renderer.render(model, state(model), ("front",), SIZE, None)["front"].rgb.mean()
    dark = renderer.render(other, state(other), ("front",), SIZE, None)["front"].rgb.mean()
    assert dark < bright - 5


def test_rendering_leaves_model_and_data_alone(model: mujoco.MjModel, renderer: SceneRenderer) -> None:
    data = state(model)
    size = mujoco.mj_stateSize(model, mujoco.mjtState.mjSTATE_INTEGRATION)
    packed = [np.zeros(size), np.zeros(size)]
    mujoco.mj_getState(model, data, packed[0], mujoco.mjtState.mjSTATE_INTEGRATION)
    colours = model.geom_rgba.copy()
    renderer.render(model, data, CAMERAS, SIZE, labels(model)[0])
    mujoco.mj_getState(model, data, packed[1], mujoco.mjtState.mjSTATE_INTEGRATION)
    assert (packed[0] == packed[1]).all()
    assert (model.geom_rgba == colours).all()


def test_frames_are_the_callers_own(model: mujoco.MjModel, renderer: SceneRenderer) -> None:
    first = renderer.render(model, state(model), ("front",), SIZE, None)["front"].rgb
    kept = first.copy()
    first[:] = 0
    assert (renderer.render(model, state(model), ("front",), SIZE, None)["front"].rgb == kept).all()


def test_see_through_geoms_are_refused() -> None:
    glass = scene(alpha=0.5)
    with pytest.raises(ConfigurationError, match=r"see-through geoms \['ball'\]"):
        SceneRenderer(glass).render(glass, state(glass), ("front",), SIZE, None)


def test_unknown_camera_lists_the_cameras(model: mujoco.MjModel, renderer: SceneRenderer) -> None:
    with pytest.raises(UnknownNameError, match=r"'ceiling'; this scene has .*front"):
        renderer.render(model, state(model), ("ceiling",), SIZE, None)


@pytest.mark.parametrize("size", [0, 641])
def test_impossible_sizes_are_refused(model: mujoco.MjModel, renderer: SceneRenderer, size: int) -> None:
    with pytest.raises(ConfigurationError, match="choose 1 to 640"):
        renderer.render(model, state(model), ("front",), size, None)


def test_closing_twice_is_fine_and_drawing_afterwards_is_not(model: mujoco.MjModel) -> None:
    made = SceneRenderer(model)
    made.render(model, state(model), ("front",), SIZE, None)
    made.close()
    made.close()
    with pytest.raises(ConfigurationError, match="closed"):
        made.render(model, state(model), ("front",), SIZE, None)


def test_several_renderers_live_side_by_side(model: mujoco.MjModel) -> None:
    pair = [SceneRenderer(model), SceneRenderer(model)]
    images = [r.render(model, state(model), ("front",), s, None)["front"].rgb for s in (32, 64) for r in pair]
    assert (images[0] == images[1]).all()
    assert (images[2] == images[3]).all()
    pair[0].close()
    assert (pair[1].render(model, state(model), ("front",), 64, None)["front"].rgb == images[3]).all()
    pair[1].close()


DRAW = (
    "import numpy as np; from hansgym.envs.mujoco.render import SceneRenderer; import mujoco\n"
    'm = mujoco.MjModel.from_xml_string(\'<mujoco><worldbody><camera name="c" pos="0 0 2"/>'
    '<geom size=".3" rgba="1 0 0 1"/></worldbody></mujoco>\')\n'
    "d = mujoco.MjData(m); mujoco.mj_forward(m, d)\n"
    "print(SceneRenderer(m).render(m, d, ['c'], 32, None)['c'].rgb.max())\n"
)


def run(code: str, timeout: float | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if k not in ("MUJOCO_GL", "PYOPENGL_PLATFORM", "DISPLAY")}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=timeout, env=clean | environment
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="EGL is Linux's")
@pytest.mark.parametrize("first", ["", "import mujoco\n"])
def test_it_draws_without_settings_whatever_was_imported_first(first: str) -> None:
    out = run(first + DRAW)
    assert out.returncode == 0, out.stderr
    assert int(out.stdout) > 100


FORKED = (
    DRAW.replace("print(SceneRenderer(m)", "r = SceneRenderer(m)\nprint(r") + "import os\n"
    "child = os.fork()\n"
    "if child == 0:\n"
    "    fresh = SceneRenderer(m).render(m, d, ['c'], 224, None)['c'].rgb\n"
    "    again = r.render(m, d, ['c'], 224, None)['c'].rgb\n"
    "    os._exit(0 if (fresh == again).all() and fresh.max() > 100 else 3)\n"
    "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), r.render(m, d, ['c'], 32, None)['c'].rgb.max())\n"
)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="EGL is Linux's")
def test_a_fork_after_drawing_draws_too() -> None:
    """``gymnasium.make_vec`` forks, and a software driver's threads do not survive that."""
    out = run(FORKED, timeout=60)
    assert out.returncode == 0, out.stderr
    first, code, last = out.stdout.split()
    assert (code, first) == ("0", last)


def test_a_switched_off_platform_says_what_to_do() -> None:
    out = run(DRAW, MUJOCO_GL="off")
    assert out.returncode != 0
    assert "apt-get install libegl1" in out.stderr
    assert "ConfigurationError" in out.stderr


def test_a_context_that_cannot_be_made_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gl, "platform", lambda: "egl")
    monkeypatch.setattr(gl, "_PLATFORMS", {"egl": "a_module_that_is_not_there"})
    with pytest.raises(ConfigurationError, match=r"ModuleNotFoundError.*apt-get install libegl1"):
        gl.create_context(8, 8)


def test_a_renderer_that_is_dropped_takes_no_others_buffers(model: mujoco.MjModel) -> None:
    ids, _ = labels(model)
    data = state(model)
    kept = SceneRenderer(model)
    before = kept.render(model, data, ("front",), 48, ids)["front"]
    for _ in range(3):
        dropped = SceneRenderer(model)
        dropped.render(model, data, ("front",), 32, ids)
        kept.render(model, data, ("front",), 48, ids)  # the other one is not the last that drew
        del dropped
        gc.collect()
        after = kept.render(model, data, ("front",), 48, ids)["front"]
        np.testing.assert_array_equal(after.rgb, before.rgb)
        np.testing.assert_array_equal(after.objects, before.objects)
    kept.close()
