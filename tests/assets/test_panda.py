"""The robot's numbers against RLBench's: tip poses, limits, and silhouettes measured in three cameras."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hansgym.envs.mujoco.render import SceneRenderer, object_names

import mujoco  # isort: skip

from hansgym.assets import panda
from hansgym.assets.room import CAMERAS, add_room

MEASURED = Path(__file__).parent.parent / "data" / "rlbench_silhouettes.npz"
SIZE = 224
TIP_MM, TURN_MRAD, LEAST_IOU = 1.0, 1.0, 0.9


@pytest.fixture(scope="module")
def measured() -> dict[str, np.ndarray]:
    with np.load(MEASURED, allow_pickle=False) as stored:
        return {k: stored[k] for k in stored.files}


@pytest.fixture(scope="module")
def model() -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    panda.add_panda(spec)
    add_room(spec)
    return spec.compile()


def posed(model: mujoco.MjModel, q: np.ndarray, base_shift_m: float = 0.0) -> mujoco.MjData:
    data = mujoco.MjData(model)
    for name, angle in zip(panda.JOINTS, q, strict=True):
        data.joint(name).qpos = angle
    for name in panda.FINGER_JOINTS:
        data.joint(name).qpos = panda.FINGER_TRAVEL
    model.body("Panda").pos[1] += base_shift_m
    mujoco.mj_forward(model, data)
    model.body("Panda").pos[1] -= base_shift_m
    return data


def turn(rotation: np.ndarray, quaternion_xyzw: np.ndarray) -> float:
    """Angle (rad) between a rotation matrix and a quaternion."""
    other = np.zeros(9)
    mujoco.mju_quat2Mat(other, np.roll(quaternion_xyzw, 1))
    cosine = (np.trace(rotation.reshape(3, 3).T @ other.reshape(3, 3)) - 1) / 2
    return float(np.arccos(np.clip(cosine, -1, 1)))


def test_tip_poses_are_rlbenchs(model: mujoco.MjModel, measured: dict[str, np.ndarray]) -> None:
    for q, tip in zip(measured["q"], measured["tip"], strict=True):
        site = posed(model, q).site(panda.TIP_SITE)
        assert np.linalg.norm(site.xpos - tip[:3]) < TIP_MM * 1e-3
        assert turn(site.xmat, tip[3:]) < TURN_MRAD * 1e-3


def silhouette_iou(
    model: mujoco.MjModel, measured: dict[str, np.ndarray], camera: str, base_shift_m: float = 0.0
) -> float:
    """Median over the configurations of the intersection over union of robot masks."""
    ids = np.array([name == "Panda" for name in object_names(model)], np.uint16)
    renderer = SceneRenderer(model)
    scores = []
    for k, q in enumerate(measured["q"]):
        data = posed(model, q, base_shift_m)
        ours = renderer.render(model, data, (camera,), SIZE, ids)[camera].objects == 1
        theirs = np.unpackbits(measured[f"{camera}_robot"][k]).reshape(SIZE, SIZE).astype(bool)
        scores.append((ours & theirs).sum() / (ours | theirs).sum())
    renderer.close()
    return float(np.median(scores))


@pytest.mark.parametrize("camera", CAMERAS)
def test_silhouettes_are_rlbenchs(model: mujoco.MjModel, measured: dict[str, np.ndarray], camera: str) -> None:
    assert silhouette_iou(model, measured, camera) >= LEAST_IOU


def test_a_robot_in_the_wrong_place_has_another_silhouette(
    model: mujoco.MjModel, measured: dict[str, np.ndarray]
) -> None:
    """The planted bad case: five centimetres beside its base."""
    assert silhouette_iou(model, measured, "front", base_shift_m=0.05) < LEAST_IOU


def test_joints_are_rlbenchs(model: mujoco.MjModel) -> None:
    ranges = np.array([model.joint(name).range for name in panda.JOINTS])
    np.testing.assert_allclose(ranges[:, 0], panda.JOINT_LOWER)
    np.testing.assert_allclose(ranges[:, 1], panda.JOINT_UPPER)
    assert all(tuple(model.joint(name).range) == (0.0, panda.FINGER_TRAVEL) for name in panda.FINGER_JOINTS)


def test_the_resting_robot_touches_nothing_and_floats(model: mujoco.MjModel) -> None:
    data = posed(model, np.array(panda.HOME))
    assert data.ncon == 0
    np.testing.assert_allclose(data.qfrc_gravcomp[:7], data.qfrc_bias[:7], atol=1e-6)


def test_fingers_open_and_close_around_the_tip(model: mujoco.MjModel) -> None:
    data = posed(model, np.array(panda.HOME))
    tip = data.site(panda.TIP_SITE)
    for opening in (0.0, 0.02, 0.04):
        for name in panda.FINGER_JOINTS:
            data.joint(name).qpos = opening
        mujoco.mj_kinematics(model, data)
        close = tip.xmat.reshape(3, 3)[:, 1]
        sides = [float((data.geom(f"Panda_{side}finger/pad").xpos - tip.xpos) @ close) for side in ("right", "left")]
        np.testing.assert_allclose(sides, [opening + 0.004, -opening - 0.004], atol=2e-4)


def test_robot_and_props_meet_and_the_robot_never_meets_itself() -> None:
    def meet(a: tuple[int, int], b: tuple[int, int]) -> bool:
        return bool(a[0] & b[1] or b[0] & a[1])

    robot = (panda.ROBOT_CONTYPE, panda.ROBOT_CONAFFINITY)
    prop = (panda.PROP_CONTYPE, panda.PROP_CONAFFINITY)
    assert not meet(robot, robot)
    assert meet(robot, prop)
    assert meet(prop, prop)
