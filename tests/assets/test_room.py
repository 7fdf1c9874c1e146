"""The room: RLBench's names and numbers, colours that follow ``geom_rgba``, textures that never change."""

from __future__ import annotations

import numpy as np
import pytest

from hansgym.envs.mujoco.render import SceneRenderer, object_names

import mujoco  # isort: skip

from hansgym.assets import room
from hansgym.assets.materials import PATTERNS, pattern, safe_rgba
from hansgym.assets.panda import HOME, JOINTS, add_panda
from hansgym.errors import ConfigurationError, UnknownNameError

# Means of RLBench's own pictures (0 to 255) where only wall, floor or table is seen.
LOOKS = {"wall": (0, 41, 47), "floor": (210, 205, 196), "table": (201, 162, 85)}
PATCHES = {"wall": (slice(60, 100), slice(60, 90)), "floor": (slice(113, 120), slice(5, 90)),
           "table": (slice(130, 140), slice(40, 95))}  # fmt: skip


@pytest.fixture(scope="module")
def model() -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    add_panda(spec)
    room.add_room(spec)
    return spec.compile()


def front(model: mujoco.MjModel) -> np.ndarray:
    data = mujoco.MjData(model)
    for name, angle in zip(JOINTS, HOME, strict=True):
        data.joint(name).qpos = angle
    mujoco.mj_forward(model, data)
    renderer = SceneRenderer(model)
    image = renderer.render(model, data, ("front",), 256, None)["front"].rgb
    renderer.close()
    return image


def test_every_thing_is_an_object_with_its_name(model: mujoco.MjModel) -> None:
    wanted = {"Panda", room.FLOOR, room.ROOF, room.POSTER, room.TABLE, *room.WALLS}
    assert set(object_names(model)) == wanted


def test_the_table_stands_where_rlbenchs_does(model: mujoco.MjModel) -> None:
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    top = data.geom(f"{room.TABLE}/top")
    half = model.geom(f"{room.TABLE}/top").size
    np.testing.assert_allclose(top.xpos - half, [-0.5, -0.55, 0.71], atol=1e-9)
    np.testing.assert_allclose(top.xpos + half, [1.1, 0.55, 0.75], atol=1e-9)


@pytest.mark.parametrize("what", sorted(LOOKS))
def test_colours_are_near_rlbenchs(model: mujoco.MjModel, what: str) -> None:
    seen = front(model)[PATCHES[what]].mean(axis=(0, 1))
    np.testing.assert_allclose(seen, LOOKS[what], atol=10)


def test_a_shift_of_rgba_shifts_the_colour(model: mujoco.MjModel) -> None:
    before = front(model)[PATCHES["wall"]].mean(axis=(0, 1))
    other = model.__copy__()
    for name in room.WALLS:
        other.geom(f"{name}/panel").rgba[0] += 0.2
    after = front(other)[PATCHES["wall"]].mean(axis=(0, 1))
    assert after[0] > before[0] + 15
    np.testing.assert_allclose(after[1:], before[1:], atol=0.5)


def test_the_poster_is_hidden_until_shown(model: mujoco.MjModel) -> None:
    other = model.__copy__()
    other.geom(f"{room.POSTER}/face").rgba[:] = (1, 0, 0, 1)
    assert (front(model) != front(other)).any()
    assert model.geom(f"{room.POSTER}/face").rgba[3] == 0


def test_the_room_wants_the_robot_first() -> None:
    with pytest.raises(ConfigurationError, match="add_panda"):
        room.add_room(mujoco.MjSpec())


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_patterns_are_luminance_near_one_and_the_same_every_time(name: str) -> None:
    image = pattern(name)
    assert (image == pattern(name)).all()
    assert 0.85 < image[..., 0].mean() / 255 < 1.0


def test_an_unknown_pattern_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"'marble'; there are .*wood"):
        pattern("marble")


def test_mid_grey_survives() -> None:
    """MuJoCo reads (0.5, 0.5, 0.5, 1) as not set."""
    assert safe_rgba((0.5, 0.5, 0.5)) != [0.5, 0.5, 0.5, 1.0]
    assert safe_rgba((0.1, 0.2, 0.3)) == [0.1, 0.2, 0.3, 1.0]
