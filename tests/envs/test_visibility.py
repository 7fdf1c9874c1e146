"""What rays count is what the renderer draws, and what stands behind something is found to be hidden."""

from __future__ import annotations

import numpy as np
import pytest
from _toy import toy

from hansgym.envs.backend import ResetRequest
from hansgym.envs.mujoco import visibility
from hansgym.envs.mujoco.backend import MujocoBackend
from hansgym.envs.mujoco.visibility import CAMERAS, DRAWN_GROUPS, ENOUGH_PX, IMAGE_PX, hidden, seen
from hansgym.errors import SceneError

ALL = 10**9


@pytest.fixture(scope="module")
def backend() -> MujocoBackend:
    made = MujocoBackend(toy())
    made.reset(ResetRequest(3, 0))
    return made


def geoms_of(backend: MujocoBackend, prop: str) -> np.ndarray:
    return np.array([g for g in backend.scene.props[prop].geoms if DRAWN_GROUPS[backend.scene.model.geom_group[g]]])


@pytest.mark.parametrize("prop", ["block", "post"])
@pytest.mark.parametrize("camera", CAMERAS)
def test_rays_count_the_pixels_that_are_drawn(backend: MujocoBackend, prop: str, camera: str) -> None:
    frame = backend.render((camera,), IMAGE_PX)[camera]
    geoms = geoms_of(backend, prop)
    drawn = np.isin(frame.objects, backend.scene.geom_objects[geoms]).sum()
    assert abs(int(drawn) - seen(backend.live, camera, geoms, ALL)) <= 2


def test_counting_stops_early(backend: MujocoBackend) -> None:
    number = next(i for i, name in backend.scene.objects if name == "Panda")
    robot = np.flatnonzero(backend.scene.geom_objects == number)
    assert ENOUGH_PX <= seen(backend.live, "front", robot, ENOUGH_PX) < seen(backend.live, "front", robot, ALL)
    assert seen(backend.live, "front", robot, ALL, most=0) == 0


def test_a_block_inside_the_robots_foot_is_hidden(backend: MujocoBackend) -> None:
    live = backend.live
    assert hidden(live) is None
    before = live.data.qpos.copy()
    index = backend.scene.props["block"]
    live.data.qpos[index.qpos : index.qpos + 3] = live.view.position("Panda_link1")
    live.refresh()
    assert hidden(live) == "no camera sees the target"
    live.data.qpos[:] = before
    live.refresh()
    assert hidden(live) is None


def test_a_target_that_is_always_hidden_is_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visibility, "ENOUGH_PX", ALL)
    with pytest.raises(SceneError, match="no camera sees the target"):
        MujocoBackend(toy()).reset(ResetRequest(0, 0))
