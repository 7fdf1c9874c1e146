"""Buttons, block and drawers: words, proportions, success at its thresholds, and verbs that need no memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import mujoco
import numpy as np
import pytest

from hansgym.envs.backend import ResetRequest
from hansgym.envs.expert import current
from hansgym.envs.mujoco import expert_engine
from hansgym.envs.mujoco.backend import MujocoBackend
from hansgym.envs.spec import COLOURS, TASK_ROOT, TaskSpec, fill
from hansgym.envs.tasks.open_drawer import TASK as DRAWER
from hansgym.envs.tasks.push_buttons import TASK as BUTTONS
from hansgym.envs.tasks.slide_block_to_color_target import TASK as SLIDE
from hansgym.roles import Role
from hansgym.seeds import stream

TASKS = (BUTTONS, SLIDE, DRAWER)

# Upstream's measured objects with the root unturned: middle (None: drawn at reset) and full edge lengths, in metres.
MEASURED = {
    "push_buttons_target0": (BUTTONS, None, (0.100, 0.100, 0.020)),
    "target_button_topPlate0": (BUTTONS, None, (0.056, 0.056, 0.002)),
    "target_button_wrap0": (BUTTONS, None, (0.056, 0.056, 0.006)),
    "block": (SLIDE, (0.025, -0.025, 0.027), (0.056, 0.056, 0.056)),
    "target1": (SLIDE, (0.025, 0.150, 0.001), (0.100, 0.100, 0.0)),
    "target2": (SLIDE, (0.225, 0.075, 0.001), (0.100, 0.100, 0.0)),
    "target3": (SLIDE, (0.025, -0.300, 0.001), (0.100, 0.100, 0.0)),
    "target4": (SLIDE, (-0.219, -0.129, 0.001), (0.100, 0.100, 0.0)),
    "drawer_frame": (DRAWER, (0.0, 0.0, 0.277), (0.379, 0.383, 0.377)),
    "drawer_legs": (DRAWER, (0.0, 0.0, 0.043), (0.381, 0.372, 0.093)),
    "drawer_bottom": (DRAWER, (-0.023, 0.0, 0.159), (0.381, 0.367, 0.118)),
    "drawer_middle": (DRAWER, (-0.023, 0.0, 0.279), (0.381, 0.367, 0.118)),
    "drawer_top": (DRAWER, (-0.023, 0.0, 0.399), (0.381, 0.367, 0.118)),
}

Arranged = Callable[..., MujocoBackend]


@pytest.fixture(scope="module")
def arranged() -> Arranged:
    """``arranged(task, seed, variation, protocol)``: one backend per task, freshly reset."""
    made: dict[str, MujocoBackend] = {}

    def get(task: TaskSpec, seed: int = 0, variation: int = 0, protocol: str = "default") -> MujocoBackend:
        backend = made.setdefault(task.name, MujocoBackend(task))
        backend.reset(ResetRequest(seed=seed, variation=variation, protocol=protocol))
        return backend

    return get


def said(task: TaskSpec, protocol: str = "default") -> list[str]:
    """Canonical instruction of each variation."""
    return [
        fill(task.instructions[0], task.bind(k, stream(0, "test"), protocol))
        for k in range(len(task.variations_under(protocol)))
    ]


def act(backend: MujocoBackend, steps: int) -> bool:
    """Let the expert act for at most ``steps``; whether it succeeded."""
    live = backend.live
    for _ in range(steps):
        action = expert_engine.expert_step(live.view, backend.task.expert, backend.scene.ik)
        backend.step(action[:7], action[7])
        if backend.verdict().success:
            return True
    return False


def set_joint(backend: MujocoBackend, name: str, value: float) -> None:
    """Put a scene joint somewhere by hand."""
    backend.live.data.qpos[backend.scene.joint_qpos(name)] = value
    backend.live.refresh()


# -- words -------------------------------------------------------------------------------------------------------------


def test_button_instructions_are_the_published_fifty() -> None:
    others = [c for c in COLOURS if c not in ("red", "lime", "maroon", "green")]
    assert len(others) == 16
    expected = []
    for third in others:
        expected.append("push the maroon button")
        expected.append("push the maroon button, then push the green button")
        expected.append(f"push the maroon button, then push the green button, then push the {third} button")
    expected += ["push the maroon button", "push the maroon button, then push the blue button"]
    assert said(BUTTONS) == expected
    assert said(BUTTONS, "agnostos") == ["push the maroon button"]
    assert said(BUTTONS, "balanced") == [f"push the {c} button" for c in ("maroon", "green", *others)]


def test_slide_and_drawer_instructions() -> None:
    assert said(SLIDE) == [f"slide the block to {c} target" for c in ("green", "blue", "pink", "yellow")]
    assert said(DRAWER) == [f"open the {d} drawer" for d in ("bottom", "middle", "top")]
    assert [len(t.instructions) - 1 for t in TASKS] == [2, 4, 2]


def test_unpushed_buttons_have_random_other_colours() -> None:
    drawn = set()
    for seed in range(30):
        binding = BUTTONS.bind(1, stream(seed, "binding"))
        assert (binding["colour0"], binding["colour1"]) == ("maroon", "green")
        assert binding["colour2"] not in ("maroon", "green", "red", "lime")
        drawn.add(binding["colour2"])
    assert len(drawn) > 8


# -- roles -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("variation", "pushed"), [(0, 1), (1, 2), (2, 3), (49, 2)])
def test_only_pushed_buttons_are_targets(variation: int, pushed: int) -> None:
    binding = BUTTONS.bind(variation, stream(0, "binding"))
    for k, part in itertools.product(range(3), ("push_buttons_target", "target_button_wrap", "target_button_topPlate")):
        assert BUTTONS.role_of(f"{part}{k}", binding) is (Role.TARGET if k < pushed else Role.DISTRACTOR)


def test_squares_and_drawers_that_are_not_meant_are_distractors() -> None:
    binding = SLIDE.bind(2, stream(0, "binding"))
    roles = [SLIDE.role_of(n, binding) for n in ("block", "target1", "target2", "target3", "target4")]
    assert roles == [Role.TARGET, Role.DISTRACTOR, Role.DISTRACTOR, Role.TARGET, Role.DISTRACTOR]
    binding = DRAWER.bind(1, stream(0, "binding"))
    roles = [DRAWER.role_of(f"drawer_{n}", binding) for n in ("frame", "legs", "bottom", "middle", "top")]
    assert roles == [Role.FIXTURE, Role.FIXTURE, Role.DISTRACTOR, Role.TARGET, Role.DISTRACTOR]


# -- proportions -------------------------------------------------------------------------------------------------------


def box_of(backend: MujocoBackend, name: str, turn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middle and edge lengths (3,) of what is drawn of object ``name``, in axes given by the columns of ``turn``."""
    model, data = backend.live.model, backend.live.data
    body = model.body(name).id
    corners = []
    for geom in np.flatnonzero((model.geom_bodyid == body) & (model.geom_group <= 2)):
        half = model.geom_size[geom].copy()
        if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_CYLINDER:
            half = np.array([half[0], half[0], half[1]])
        signs = np.array(list(itertools.product((-1, 1), repeat=3)))
        world = data.geom_xpos[geom] + (signs * half) @ data.geom_xmat[geom].reshape(3, 3).T
        corners.append(world @ turn)
    low, high = np.concatenate(corners).min(axis=0), np.concatenate(corners).max(axis=0)
    return (low + high) / 2, high - low


@pytest.mark.parametrize("name", MEASURED)
def test_proportions_are_upstreams(name: str, arranged: Arranged) -> None:
    task, middle, size = MEASURED[name]
    backend = arranged(task)
    root = backend.live.root
    c, s = np.cos(root[3]), np.sin(root[3])
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    own = backend.live.view.rotation(name) if middle is None else turn
    found_middle, found = box_of(backend, name, own)
    if middle is not None:
        np.testing.assert_allclose(found_middle - root[:3] @ turn, middle, atol=0.012)
    np.testing.assert_allclose(found, size, rtol=0.15, atol=0.0015)


def test_joint_ranges_are_upstreams(arranged: Arranged) -> None:
    for task, joint, expected in (
        (BUTTONS, "target_button_joint1", (-0.007, 0.003)),
        (DRAWER, "drawer_joint_middle", (0.0, 0.3)),
    ):
        np.testing.assert_allclose(arranged(task).scene.model.joint(joint).range, expected)


def test_buttons_keep_their_distance_and_lie_in_the_workspace(arranged: Arranged) -> None:
    for seed in range(12):
        view = arranged(BUTTONS, seed).live.view
        places = [view.position(f"push_buttons_target{k}") for k in range(3)]
        assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(places, 2)) >= 0.10
        assert all(-0.075 <= x <= 0.575 and -0.455 <= y <= 0.455 for x, y, _ in places)
        assert all(abs(z - (TASK_ROOT[2] + 0.008)) < 1e-9 for _, _, z in places)


def test_the_cabinet_opens_towards_the_robot_and_clear_of_it(arranged: Arranged) -> None:
    for seed in range(6):
        backend = arranged(DRAWER, seed, seed % 3)
        option = backend.live.binding["option"]
        out = backend.live.view.rotation(f"waypoint_anchor_{option}")[:, 2]
        assert out[0] < -0.9
        before = backend.live.view.position(f"waypoint_anchor_{option}")
        set_joint(backend, f"drawer_joint_{option}", 0.16)
        moved = backend.live.view.position(f"waypoint_anchor_{option}") - before
        np.testing.assert_allclose(moved, 0.16 * out, atol=1e-9)
        mujoco.mj_collision(backend.live.model, backend.live.data)
        assert not [pair for pair in backend.live.contacts() if "Panda" in pair]


# -- success -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS, ids=lambda t: t.name)
def test_nothing_happens_by_itself(task: TaskSpec, arranged: Arranged) -> None:
    backend = arranged(task, seed=3)
    joints = [k for k in backend.scene.frames if k.startswith(("joint:target", "joint:drawer"))]
    assert not backend.verdict().success
    home = backend.live.view.arm_joints
    for _ in range(20):
        backend.step(home, 1.0)
        assert not backend.verdict().success
    assert backend.live.progress == 0
    for joint in joints:
        name = joint.removeprefix("joint:")
        assert abs(backend.live.view.joint(name) - backend.live.view.joint_at_reset(name)) < 5e-5


def test_a_button_counts_from_one_millimetre(arranged: Arranged) -> None:
    backend = arranged(BUTTONS)
    for depth, pressed in ((0.00098, False), (0.00102, True)):
        set_joint(backend, "target_button_joint0", -depth)
        assert (BUTTONS.success.advance(backend.live.view) == 1) is pressed


def test_a_pressed_cap_touches_nothing_of_its_button(arranged: Arranged) -> None:
    backend = arranged(BUTTONS)
    for k in range(3):
        set_joint(backend, f"target_button_joint{k}", -0.007)
    mujoco.mj_collision(backend.live.model, backend.live.data)
    assert not [pair for pair in backend.live.contacts() if any("button" in name for name in pair)]


def test_a_drawer_counts_from_fifteen_centimetres_and_only_the_named_one(arranged: Arranged) -> None:
    backend = arranged(DRAWER, variation=1)
    for option, way, open_ in (("top", 0.25, False), ("middle", 0.149, False), ("middle", 0.151, True)):
        set_joint(backend, f"drawer_joint_{option}", way)
        assert backend.verdict().success is open_


@pytest.mark.parametrize("variation", range(4))
def test_the_block_counts_where_it_overlaps_the_named_square(variation: int, arranged: Arranged) -> None:
    backend = arranged(SLIDE, variation=variation)
    live = backend.live
    at = backend.scene.props["block"].qpos
    for k in range(4):
        square = live.view.position(f"target{k + 1}")
        turn = live.view.rotation(f"target{k + 1}")
        for gap, over in ((-0.002, k == variation), (0.002, False)):
            live.data.qpos[at : at + 3] = square + turn[:, 0] * (0.05 + 0.028 + gap) + [0.0, 0.0, 0.027]
            half = live.root[3] / 2
            live.data.qpos[at + 3 : at + 7] = [np.cos(half), 0.0, 0.0, np.sin(half)]
            live.refresh()
            assert backend.verdict().success is over


# -- experts -----------------------------------------------------------------------------------------------------------

EPISODES = [
    *((BUTTONS, v, "default") for v in (0, 1, 2, 49)),
    *((BUTTONS, v, "balanced") for v in (7, 17)),
    *((SLIDE, v, "default") for v in range(4)),
    *((DRAWER, v, "default") for v in range(3)),
]


@pytest.mark.parametrize(("task", "variation", "protocol"), EPISODES, ids=lambda x: getattr(x, "name", str(x)))
def test_the_expert_succeeds_by_contact_alone(
    task: TaskSpec, variation: int, protocol: str, arranged: Arranged
) -> None:
    backend = arranged(task, seed=41, variation=variation, protocol=protocol)
    assert act(backend, 160)
    assert backend.live.held == ()


@pytest.mark.parametrize("task", TASKS, ids=lambda t: t.name)
def test_verbs_read_the_state_and_keep_nothing(task: TaskSpec, arranged: Arranged) -> None:
    """The same state gives the same goal, whatever the verb has been asked in between."""
    backend = arranged(task, seed=5, variation=1)
    view = backend.live.view
    first = current(task.expert, view).goal(view)
    start = backend.live.snapshot()
    act(backend, 45)
    backend.live.load(start)
    again = current(task.expert, view).goal(view)
    np.testing.assert_array_equal(first.position, again.position)
    np.testing.assert_array_equal(first.rotation, again.rotation)
    assert first.gripper == again.gripper


@pytest.mark.parametrize(
    ("task", "variation"), [(BUTTONS, 1), (SLIDE, 1), (DRAWER, 0)], ids=lambda x: getattr(x, "name", x)
)
def test_the_expert_recovers_from_being_thrown_off(task: TaskSpec, variation: int, arranged: Arranged) -> None:
    backend = arranged(task, seed=12, variation=variation)
    rng = np.random.default_rng(0)
    for _ in range(3):
        assert not act(backend, 12)
        offset = rng.normal(0.0, 0.06, 7)
        for _ in range(4):
            backend.step(backend.live.view.arm_joints + offset, 0.0)
    assert act(backend, 250)


def test_the_drawer_stays_where_the_hand_leaves_it(arranged: Arranged) -> None:
    backend = arranged(DRAWER, seed=2, variation=2)
    set_joint(backend, "drawer_joint_top", 0.1)
    for _ in range(10):
        backend.step(backend.live.view.arm_joints, 1.0)
    assert abs(backend.live.view.joint("drawer_joint_top") - 0.1) < 1e-3
