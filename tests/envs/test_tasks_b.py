"""The jar, the peg and the microwave: words, proportions, success at its thresholds, and verbs that need no memory."""

from __future__ import annotations

import math
from collections.abc import Callable

import mujoco
import numpy as np
import pytest

from hansgym.envs.backend import ResetRequest
from hansgym.envs.conditions import All, JointMoved, JointNear
from hansgym.envs.cue import looks, right_index
from hansgym.envs.expert import current
from hansgym.envs.mujoco.backend import MujocoBackend
from hansgym.envs.spec import COLOURS, fill
from hansgym.envs.tasks.close_jar import TASK as JAR
from hansgym.envs.tasks.close_microwave import TASK as MICROWAVE
from hansgym.envs.tasks.insert_onto_square_peg import TASK as PEG
from hansgym.envs.verbs._motion import GATE_M, descent, easy_yaw, ramp, upright, wrapped
from hansgym.envs.verbs.place import Place
from hansgym.seeds import stream

TASKS = (JAR, PEG, MICROWAVE)

# Full edge lengths in metres of what upstream's objects measure.
MEASURED = {
    "jar0": (JAR, (0.091, 0.094, 0.110)),
    "jar_lid0": (JAR, (0.074, 0.074, 0.021)),
    "square_base": (PEG, (0.400, 0.100, 0.020)),
    "pillar1": (PEG, (0.025, 0.025, 0.120)),
    "square_ring": (PEG, (0.050, 0.050, 0.010)),
    "microwave_frame_vis": (MICROWAVE, (0.571, 0.296, 0.322)),
    "microwave_door": (MICROWAVE, (0.466, 0.048, 0.270)),
}


@pytest.fixture(scope="module")
def arranged() -> Callable[..., MujocoBackend]:
    """``arranged(task, seed, variation, protocol)``: one backend per task, freshly reset."""
    made: dict[str, MujocoBackend] = {}

    def get(task, seed: int = 0, variation: int = 0, protocol: str = "default") -> MujocoBackend:
        backend = made.setdefault(task.name, MujocoBackend(task))
        backend.reset(ResetRequest(seed=seed, variation=variation, protocol=protocol))
        return backend

    return get


def move(backend: MujocoBackend, name: str, position: np.ndarray) -> None:
    """Put the free prop ``name`` at ``position``, level."""
    live = backend.live
    at = backend.scene.props[name].qpos
    live.data.qpos[at : at + 7] = [*position, 1.0, 0.0, 0.0, 0.0]
    live.refresh()


def swing(backend: MujocoBackend, angle: float) -> None:
    """Set the microwave's door."""
    backend.live.data.qpos[backend.scene.joint_qpos("microwave_door_joint")] = angle
    backend.live.refresh()


def solve(backend: MujocoBackend, limit: int = 200) -> int | None:
    """Control steps that the expert takes from here, None when it does not succeed."""
    for start in range(0, limit, 8):
        for k, action in enumerate(backend.expert_chunk(8)):
            backend.step(action[:7], action[7])
            if backend.verdict().success:
                return start + k + 1
    return None


# ------------------------------------------------------------------------------------------------- words and colours


def test_canonical_instructions_letter_for_letter() -> None:
    assert [fill(JAR.instructions[0], v) for v in JAR.variations] == [f"close the {c} jar" for c in COLOURS]
    assert [fill(PEG.instructions[0], v) for v in PEG.variations] == [f"put the ring on the {c} spoke" for c in COLOURS]
    assert [fill(MICROWAVE.instructions[0], v) for v in MICROWAVE.variations] == ["close microwave"]
    assert [len(t.instructions) - 1 for t in TASKS] == [3, 2, 3]


@pytest.mark.parametrize("task", TASKS, ids=lambda t: t.name)
def test_agnostos_is_variation_zero(task) -> None:
    assert task.variations_under("agnostos") == task.variations[:1]


def test_the_target_jar_alternates_and_the_other_one_differs_in_colour() -> None:
    for index in range(20):
        for seed in range(5):
            b = JAR.bind(index, stream(seed, "binding"))
            assert (b["target"], b["other"]) == (f"jar{index % 2}", f"jar{(index + 1) % 2}")
            assert b["colour"] == list(COLOURS)[index] != b["other_colour"]


def test_the_target_peg_is_drawn_per_episode_among_three_colours() -> None:
    bindings = [PEG.bind(4, stream(seed, "binding")) for seed in range(60)]
    assert {b["target"] for b in bindings} == {"pillar0", "pillar1", "pillar2"}
    for b in bindings:
        assert {b["target"], b["other0"], b["other1"]} == {"pillar0", "pillar1", "pillar2"}
        assert len({b["colour"], b["other0_colour"], b["other1_colour"]}) == 3


@pytest.mark.parametrize("task", [JAR, PEG], ids=lambda t: t.name)
def test_candidates_carry_the_colours_of_the_scene(task) -> None:
    for seed in range(5):
        b = task.bind(7, stream(seed, "binding"))
        colours = looks(task, b)
        assert colours[right_index(task, b)][0] == b["colour"]
        for (_, rgb), prop in zip(colours, task.candidates.props, strict=True):
            assert rgb == task.colour_of(prop, b)


# -------------------------------------------------------------------------------------------------------- proportions


def extent(backend: MujocoBackend, name: str) -> np.ndarray:
    """(3,) edge lengths of the drawn geoms of object ``name``, along its own axes."""
    model, data = backend.live.model, backend.live.data
    body = model.body(name)
    frame, origin = data.xmat[body.id].reshape(3, 3), data.xpos[body.id]
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for g in np.flatnonzero((model.geom_bodyid == body.id) & (model.geom_group < 3)):
        if model.geom_type[g] == mujoco.mjtGeom.mjGEOM_MESH:
            mesh = model.geom_dataid[g]
            at = model.mesh_vertadr[mesh]
            points = model.mesh_vert[at : at + model.mesh_vertnum[mesh]]
        else:
            points = np.array(np.meshgrid(*[(-1, 1)] * 3)).reshape(3, -1).T * model.geom_aabb[g, 3:]
        world = points @ data.geom_xmat[g].reshape(3, 3).T + data.geom_xpos[g]
        local = (world - origin) @ frame
        low, high = np.minimum(low, local.min(axis=0)), np.maximum(high, local.max(axis=0))
    return high - low


@pytest.mark.parametrize("name", sorted(MEASURED))
def test_sizes_are_within_15_percent_of_the_measured_ones(name: str, arranged) -> None:
    task, size = MEASURED[name]
    assert extent(arranged(task), name) == pytest.approx(size, rel=0.15, abs=0.002)


def test_props_stand_on_the_table_and_rest(arranged) -> None:
    for task, name, height in ((JAR, "jar_lid0", 0.0105), (PEG, "square_ring", 0.005)):
        backend = arranged(task)
        assert backend.live.view.position(name)[2] == pytest.approx(0.75 + height, abs=0.001)
        assert backend.live.view.rotation(name)[2, 2] > 0.9999


# ------------------------------------------------------------------------------------------------------------ success


def test_lid_must_be_on_the_target_jar_and_let_go_of(arranged) -> None:
    backend = arranged(JAR, seed=3, variation=5)
    target, other = (backend.live.view.position(fill(n, backend.live.binding)) for n in ("{target}", "{other}"))
    seat = np.array([0.0, 0.0, 0.0575])
    assert not backend.verdict().success
    move(backend, "jar_lid0", other + seat)
    assert not backend.verdict().success
    move(backend, "jar_lid0", target + seat)
    assert backend.verdict().success
    backend.live.held = ("jar_lid0",)
    assert not backend.verdict().success
    assert backend.verdict().margin == pytest.approx(0.001)
    backend.live.held = ()
    # The volume reaches 0.06 m above the jar's origin; the lid's underside is its lowest part.
    for gap, met in ((-0.0005, True), (0.0005, False)):
        move(backend, "jar_lid0", target + np.array([0.0, 0.0, 0.06 + 0.0105 + gap]))
        assert backend.verdict().success is met


def test_a_lid_on_the_jar_stays_there(arranged) -> None:
    backend = arranged(JAR, seed=4, variation=2)
    target = backend.live.view.position(fill("{target}", backend.live.binding))
    move(backend, "jar_lid0", target + np.array([0.010, -0.006, 0.0605]))
    for _ in range(20):
        backend.step(backend.live.view.arm_joints, 1.0)
    assert backend.verdict().success
    assert backend.live.view.position("jar_lid0")[2] - target[2] == pytest.approx(0.0575, abs=0.001)


def test_ring_must_be_round_the_target_peg_and_low(arranged) -> None:
    backend = arranged(PEG, seed=3, variation=5)
    live = backend.live
    for name, expected in (("{target}", True), ("{other0}", False), ("{other1}", False)):
        peg = live.view.position(fill(name, live.binding))
        move(backend, "square_ring", np.array([*peg[:2], 0.777]))
        assert backend.verdict().success is expected, name
    peg = live.view.position(live.binding["target"])
    for height, expected in ((0.796, True), (0.804, False), (0.90, False)):
        move(backend, "square_ring", np.array([*peg[:2], height]))
        assert backend.verdict().success is expected, height
    beside = live.view.rotation(live.binding["target"]) @ np.array([0.035, 0.0, 0.0])
    move(backend, "square_ring", np.array([*(peg + beside)[:2], 0.777]))
    assert not backend.verdict().success


@pytest.mark.parametrize("shift", [(0.005, 0.005), (-0.005, 0.005), (0.005, -0.005), (-0.005, -0.005)])
def test_ring_counts_wherever_the_peg_lets_it_lie(shift: tuple[float, float], arranged) -> None:
    backend = arranged(PEG, seed=6, variation=1)
    live = backend.live
    frame, peg = live.view.rotation(live.binding["target"]), live.view.position(live.binding["target"])
    move(backend, "square_ring", np.array([*(peg + frame @ np.array([*shift, 0.0]))[:2], 0.777]))
    at = backend.scene.props["square_ring"].qpos
    live.data.qpos[at + 3 : at + 7] = [math.cos(live.root[3] / 2), 0, 0, math.sin(live.root[3] / 2)]
    live.refresh()
    assert backend.verdict().success


def test_a_ring_let_go_round_the_peg_falls_to_the_plate(arranged) -> None:
    backend = arranged(PEG, seed=8, variation=1)
    live = backend.live
    peg = live.view.position(live.binding["target"])
    move(backend, "square_ring", peg + np.array([0.001, 0.001, 0.025]))
    at = backend.scene.props["square_ring"].qpos
    live.data.qpos[at + 3 : at + 7] = [math.cos(live.root[3] / 2), 0, 0, math.sin(live.root[3] / 2)]
    for _ in range(10):
        backend.step(live.view.arm_joints, 1.0)
    assert live.view.position("square_ring")[2] == pytest.approx(0.777, abs=0.001)
    assert backend.verdict().success


def test_door_must_be_within_five_degrees_of_shut(arranged) -> None:
    backend = arranged(MICROWAVE)
    assert isinstance(backend.live.success, JointNear)
    for degrees, met in ((5.01, False), (4.99, True), (0.0, True), (90.0, False)):
        swing(backend, math.radians(degrees))
        assert backend.verdict().success is met


def test_agnostos_door_has_the_published_rule(arranged) -> None:
    backend = arranged(MICROWAVE, protocol="agnostos")
    assert backend.live.success == JointMoved("microwave_door_joint", by=math.radians(40.0))
    start = backend.live.view.joint_at_reset("microwave_door_joint")
    assert start == pytest.approx(0.6981, abs=2e-4)
    for change, met in ((0.699, True), (0.6975, False), (-0.6975, False)):
        swing(backend, start + change)
        assert backend.verdict().success is met


@pytest.mark.parametrize("task", TASKS, ids=lambda t: t.name)
def test_doing_nothing_never_succeeds(task, arranged) -> None:
    backend = arranged(task, seed=11, variation=len(task.variations) - 1)
    home = backend.live.view.arm_joints
    for _ in range(20):
        assert not backend.verdict().success
        backend.step(home, 1.0)


# -------------------------------------------------------------------------------------------------------------- verbs


def test_descent_waits_above_until_it_is_over_the_aim() -> None:
    aim = np.array([0.3, 0.1, 0.80])
    settings = {"tolerance": 0.002, "clearance": 0.05, "slope": 1.0, "cap": 0.3}
    far = descent(np.array([0.1, 0.1, 1.2]), aim, 0.2, **settings)
    assert far[2] == pytest.approx(0.80 + 0.05 + 0.2 - 0.004)
    assert far[:2] == pytest.approx(aim[:2])
    near = descent(np.array([0.301, 0.1, 0.9]), aim, 0.001, **settings)
    assert near == pytest.approx(aim)
    # Deep under its path it goes straight up.
    low = np.array([0.1, 0.1, 0.76])
    up = descent(low, aim, 0.2, **settings)
    assert up[:2] == pytest.approx(low[:2])
    assert up[2] > low[2] + GATE_M


def test_ramp_and_wrapped() -> None:
    assert [ramp(v, 1.0, 2.0) for v in (0.0, 1.0, 1.5, 2.0, 9.0)] == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert wrapped(math.pi * 1.5, 2 * math.pi) == pytest.approx(-math.pi / 2)
    assert wrapped(0.8, math.pi / 2) == pytest.approx(0.8 - math.pi / 2)


def test_the_hand_leans_as_at_home_high_up_and_not_at_the_table() -> None:
    home = np.array([0.2785, -0.0082, 1.4719])
    assert upright(easy_yaw(home), home)[:, 2] == pytest.approx([0.240, 0.0, -0.971], abs=0.003)
    low = np.array([0.2785, -0.0082, 0.80])
    assert upright(easy_yaw(low), low)[:, 2] == pytest.approx([0.0, 0.0, -1.0])


@pytest.mark.parametrize("task", TASKS, ids=lambda t: t.name)
def test_goals_are_pure_and_change_smoothly(task, arranged) -> None:
    """The same state gives the same goal, and half a millimetre moves it by millimetres, not centimetres."""
    backend = arranged(task, seed=21)
    view = backend.live.view
    for action in backend.expert_chunk(40):
        first, again = (current(task.expert, view).goal(view) for _ in range(2))
        assert np.array_equal(first.position, again.position)
        assert np.array_equal(first.rotation, again.rotation)
        before = backend.live.data.qpos[backend.scene.arm_qpos[0]]
        backend.live.data.qpos[backend.scene.arm_qpos[0]] += 0.001
        backend.live.refresh()
        moved = current(task.expert, view).goal(view)
        backend.live.data.qpos[backend.scene.arm_qpos[0]] = before
        backend.live.refresh()
        assert np.linalg.norm(moved.position - first.position) < 0.06
        assert np.linalg.norm(moved.rotation - first.rotation) < 0.05
        backend.step(action[:7], action[7])


def test_a_longer_plan_begins_with_the_shorter_one(arranged) -> None:
    backend = arranged(PEG, seed=30)
    assert np.array_equal(backend.expert_chunk(16)[:8], backend.expert_chunk(8))


def test_place_is_done_only_when_let_go_of_in_place(arranged) -> None:
    backend = arranged(JAR, seed=5)
    place = next(v for v in JAR.expert if isinstance(v, Place))
    view = backend.live.view
    assert not place.placed(view)
    target = view.position(fill("{target}", view.binding))
    move(backend, "jar_lid0", target + np.array([0.0, 0.0, 0.0575]))
    assert place.placed(view)
    assert place.goal(view).gripper == 1.0
    assert place.goal(view).position[2] > view.position("jar_lid0")[2] + 0.05
    backend.live.held = ("jar_lid0",)
    assert not place.placed(view)


@pytest.mark.parametrize("task", TASKS, ids=lambda t: t.name)
def test_expert_solves_a_fresh_scene(task, arranged) -> None:
    steps = solve(arranged(task, seed=500_123, variation=len(task.variations) - 1))
    assert steps is not None
    assert steps < 160


@pytest.mark.parametrize("task", [JAR, PEG], ids=lambda t: t.name)
def test_expert_starts_again_when_the_object_is_lost(task, arranged) -> None:
    """Half-way the gripper opens and the object falls; nothing remembers that it had been held."""
    backend = arranged(task, seed=500_321, variation=3)
    name = task.expert[0].name
    for _ in range(25):
        if backend.live.held:
            break
        for action in backend.expert_chunk(4):
            backend.step(action[:7], action[7])
    assert backend.live.held == (name,)
    for action in backend.expert_chunk(6):
        backend.step(action[:7], action[7])
    for _ in range(8):
        backend.step(backend.live.view.arm_joints, 1.0)
    assert backend.live.held == ()
    assert solve(backend) is not None


def test_expert_pushes_the_door_from_wherever_the_arm_is(arranged) -> None:
    """Started inside the door's swing, it goes round to the outside first."""
    backend = arranged(MICROWAVE, seed=500_040)
    view = backend.live.view
    door, hinge = view.rotation("microwave_door"), view.position("microwave_door")
    inside = hinge + door @ np.array([0.30, 0.10, 0.25])
    turn = view.tip_rotation
    quaternion = np.zeros(4)
    mujoco.mju_mat2Quat(quaternion, np.ascontiguousarray(turn).ravel())
    joints, _ = backend.solve_ik(np.array([*inside, *quaternion[[1, 2, 3, 0]]]), view.arm_joints)
    for _ in range(40):
        backend.step(joints, 0.0)
    assert solve(backend) is not None


def test_success_conditions_are_what_they_say() -> None:
    assert isinstance(JAR.success, All)
    assert isinstance(PEG.success, All)
    assert len(PEG.success.parts) == 4
    assert all(s.est for t in TASKS for s in t.sensors)
