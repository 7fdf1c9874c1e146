"""Arrangements: inside the workspace, apart, untouched, reachable, and drawn from the seed alone."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import pytest
from _toy import Over, toy

from hansgym.assets.panda import HOME
from hansgym.envs.backend import ResetRequest
from hansgym.envs.expert import Goal, down
from hansgym.envs.mujoco import placement
from hansgym.envs.mujoco.backend import MujocoBackend
from hansgym.envs.mujoco.sim import yaw_matrix
from hansgym.envs.spec import WORKSPACE_CENTRE, WORKSPACE_SIZE, Area, Prop, TaskSpec
from hansgym.envs.state import WorldState
from hansgym.envs.verbs._motion import easy_yaw
from hansgym.errors import ConfigurationError, SceneError
from hansgym.seeds import stream


@pytest.fixture(scope="module")
def backend() -> MujocoBackend:
    return MujocoBackend(toy())


def corners(task: TaskSpec, root: np.ndarray) -> np.ndarray:
    x, y, w, d = task.footprint
    local = np.array([(x + i * w / 2, y + j * d / 2) for i in (-1, 1) for j in (-1, 1)])
    return local @ yaw_matrix(root[3])[:2, :2].T + root[:2]


def test_the_yawed_footprint_lies_in_the_workspace_and_fills_it() -> None:
    task, rng = toy(yaw=(-math.pi, math.pi)), np.random.default_rng(0)
    low, high = (np.array(WORKSPACE_CENTRE) + s * np.array(WORKSPACE_SIZE) / 2 for s in (-1, 1))
    all_corners = np.concatenate([corners(task, placement.draw_root(task, rng)) for _ in range(400)])
    assert (all_corners >= low - 1e-9).all()
    assert (all_corners <= high + 1e-9).all()
    assert (all_corners.min(axis=0) < low + 0.02).all()
    assert (all_corners.max(axis=0) > high - 0.02).all()


def test_a_footprint_that_fits_nowhere_says_so() -> None:
    with pytest.raises(SceneError, match="does not fit into the workspace"):
        placement.draw_root(toy(footprint=(0.0, 0.0, 2.0, 0.1)), np.random.default_rng(0))


def test_sampled_props_stay_in_their_area_and_apart(backend: MujocoBackend) -> None:
    area = backend.task.areas[0]
    spots = []
    for seed in range(12):
        backend.reset(ResetRequest(seed, 0))
        block, post = (np.array(backend.live.placed[n]) for n in ("block", "post"))
        for pose in (block, post):
            assert (np.abs(pose[:2] - area.centre) <= np.array(area.size) / 2).all()
        assert np.linalg.norm(block[:2] - post[:2]) >= area.min_distance
        world = backend.live.view.position("post")
        expected = backend.live.root[:3] + yaw_matrix(backend.live.root[3]) @ post[:3]
        np.testing.assert_allclose(world, expected, atol=1e-9)
        spots.append(block)
    assert np.ptp(np.array(spots), axis=0)[:2].min() > 0.03


def test_the_settled_block_lies_where_it_was_put(backend: MujocoBackend) -> None:
    backend.reset(ResetRequest(3, 0))
    rest = backend.live.rest["block"]
    assert np.linalg.norm(rest[:2]) < 1e-3
    assert -0.004 < rest[2] < 0.0
    index = backend.scene.props["block"]
    assert np.abs(backend.live.data.qvel[index.dof : index.dof + 6]).max() < 1e-2


def test_a_slot_is_where_the_binding_says() -> None:
    me = toy().props[0].asset
    props = (*toy().props, Prop("sign", me, {"kind": "post"}, at=(0.0, 0.0, 0.01, 0.0), slot="{colour}"))
    task = toy(props=props, slots={"red": (-0.15, 0.1, 0.0, 0.3), "gray": (-0.15, -0.1, 0.02, 0.0)})
    backend = MujocoBackend(task)
    for variation, (x, y, z, yaw) in enumerate(task.slots.values()):
        backend.reset(ResetRequest(0, variation))
        assert backend.live.placed["sign"] == (x, y, 0.01 + z, yaw)
    with pytest.raises(ConfigurationError, match=r"no slot 'gray' for 'sign'; it has red"):
        MujocoBackend(toy(props=props, slots={"red": (-0.15, 0.1, 0.0, 0.3)})).reset(ResetRequest(0, 1))


def test_no_room_is_an_error_that_says_what_failed() -> None:
    task = toy(areas=(Area("field", (0.0, 0.0), (0.05, 0.05), 0.14),))
    with pytest.raises(SceneError, match="no room for 'post' in area 'field'"):
        MujocoBackend(task).reset(ResetRequest(0, 0))


def test_props_that_would_meet_are_drawn_again() -> None:
    task = toy(areas=(Area("field", (0.0, 0.0), (0.1, 0.1), 0.0),))
    backend = MujocoBackend(task)
    for seed in range(8):
        backend.reset(ResetRequest(seed, 0))
        props = backend.scene.props
        assert not placement.meets(backend.live, props["block"], props["post"])


def test_an_unreachable_waypoint_is_an_error_that_names_the_verb() -> None:
    task = toy(expert=(Over("block", 1.5, 1.0),))
    with pytest.raises(SceneError, match="Over cannot be reached"):
        MujocoBackend(task).reset(ResetRequest(0, 0))


@dataclass(frozen=True)
class Rolled:
    """Hands that point down at one spot, the last joint at the given angles (rad) one after the other."""

    joints: tuple[float, ...]
    chained: bool

    def done(self, state: WorldState) -> bool:
        """Never."""
        return False

    def goal(self, state: WorldState) -> Goal:
        """The last of them."""
        return self.reach(state)[-1]

    def reach(self, state: WorldState) -> tuple[Goal, ...]:
        """All of them."""
        at = np.array([0.25, 0.0, 1.1])
        return tuple(Goal(at, down(easy_yaw(at) + math.pi / 4 - joint), 1.0) for joint in self.joints)


def test_chained_waypoints_must_be_reached_one_from_the_other() -> None:
    # From 2.4 to -2.4 rad the hand's shorter way round is where the last joint cannot go; from home each is near.
    there_and_back = (2.4, -2.2)
    MujocoBackend(toy(expert=(Rolled(there_and_back, chained=False),))).reset(ResetRequest(0, 0))
    MujocoBackend(toy(expert=(Rolled((2.4, 0.5, -2.0), chained=True),))).reset(ResetRequest(0, 0))
    with pytest.raises(SceneError, match="Rolled cannot be reached from the waypoint before"):
        MujocoBackend(toy(expert=(Rolled(there_and_back, chained=True),))).reset(ResetRequest(0, 0))


def test_a_walk_goes_straight_and_arrives(backend: MujocoBackend) -> None:
    backend.reset(ResetRequest(4, 0))
    goal = Goal(np.array([0.3, 0.1, 1.0]), down(easy_yaw(np.array([0.3, 0.1, 1.0]))), 1.0)
    joints = placement._walk(backend.live, goal, np.array(HOME))
    assert placement._there(backend.live, goal, joints)
    position, rotation = backend.scene.ik.forward(joints)
    np.testing.assert_allclose(position, goal.position, atol=placement.ASTRAY_M)
    off = dataclasses.replace(goal, position=goal.position + 2 * placement.ASTRAY_M)
    turned = dataclasses.replace(goal, rotation=yaw_matrix(2 * placement.ASTRAY_RAD) @ rotation)
    assert not placement._there(backend.live, off, joints)
    assert not placement._there(backend.live, turned, joints)


def test_a_prop_in_the_arm_is_an_error_that_names_it() -> None:
    me = toy().props[0].asset
    props = (*toy().props, Prop("tower", me, {"kind": "post"}, at=(0.03, -0.02, 0.69, 0.0)))
    task = toy(props=props, footprint=(0.0, 0.0, 0.6499, 0.9099), yaw=(0.0, 0.0))
    with pytest.raises(SceneError, match="the arm touches 'tower'"):
        MujocoBackend(task).reset(ResetRequest(0, 0))


def test_placing_a_scratch_again_moves_the_task_and_nothing_else(backend: MujocoBackend) -> None:
    backend.reset(ResetRequest(5, 0))
    live, scratch = backend.live, backend.scratch
    arm = live.view.arm_joints
    scratch.load(live.snapshot())
    scratch.data.qpos[scratch.scene.joint_qpos("gate_hinge")] = 0.9
    placement.place(scratch, stream(1, "task"))
    assert not np.allclose(scratch.root, live.root)
    assert scratch.view.arm_joints.tobytes() == arm.tobytes()
    assert scratch.view.joint("gate_hinge") == 0.9
    assert scratch.model.geom_rgba.tobytes() == live.model.geom_rgba.tobytes()
    # The free block lies on the table again, as it had settled.
    assert scratch.view.position("block")[2] == pytest.approx(live.view.position("block")[2], abs=1e-6)
    first = scratch.data.qpos.copy()
    scratch.load(live.snapshot())
    placement.place(scratch, stream(2, "task"))
    assert not np.allclose(first, scratch.data.qpos)


def test_what_rides_on_a_prop_goes_where_that_goes(backend: MujocoBackend) -> None:
    block, post = backend.task.props[0], backend.task.props[1]
    rider = dataclasses.replace(post, name="rider", at=(0.1, 0.0, 0.05, 0.5), placed_in=None, rides=post.name)
    task = toy(props=(*backend.task.props, rider))
    made = MujocoBackend(task)
    for seed in range(4):
        made.reset(ResetRequest(seed, 0))
        carrier, own = (made.live.placed[n] for n in (post.name, "rider"))
        assert np.hypot(own[0] - carrier[0], own[1] - carrier[1]) == pytest.approx(0.1)
        assert own[3] - carrier[3] == pytest.approx(0.5)
        assert not placement.meets(made.live, *(made.scene.props[n] for n in (block.name, "rider")))
    with pytest.raises(ConfigurationError, match=r"ride on \['nobody'\]"):
        dataclasses.replace(task, props=(block, dataclasses.replace(rider, rides="nobody")))


def test_a_fixed_thing_in_the_way_of_the_arm_is_named_and_nothing_moves(backend: MujocoBackend) -> None:
    backend.reset(ResetRequest(4, 0))
    live = backend.live
    arm, joints = live.view.arm_joints, np.array(HOME)
    assert placement._in_the_way(live, joints) == ""
    elbow = live.view.position("Panda_link4")
    live.data.mocap_pos[backend.scene.props["post"].mocap] = elbow
    live.refresh()
    assert placement._in_the_way(live, joints) == "post"
    live.data.mocap_pos[backend.scene.props["post"].mocap] = live.view.tip_position
    live.refresh()
    assert placement._in_the_way(live, joints) == "", "hand and fingers may touch what they handle"
    np.testing.assert_array_equal(live.view.arm_joints, arm)
