"""Policy or plumbing: every mistake is planted in a policy that is right, and must be named; nothing else may be."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from hansgym.agents import rotations
from hansgym.agents.check import check_agent
from hansgym.agents.contract import ours
from hansgym.agents.convert import convert
from hansgym.agents.diagnosis import Diagnosis, Replay, diagnose
from hansgym.agents.mistakes import candidates
from hansgym.batch import Batch
from hansgym.errors import ConfigurationError, ContractError
from hansgym.seeds import stream
from hansgym.specs import CAMERAS, CONTROL_MODES, ActionSpec, AgentSpec

HOME = np.array([0.0, 0.1752, 0.0, -0.8732, 0.0, 1.2216, 0.7854])
TIP = np.array([0.28, 0.0, 1.2, 0.0, 0.9927, 0.0, 0.1209])
WORDS = ("close the red jar", "close the blue jar", "open the top drawer")
HORIZON = 8


def features(batch: Batch) -> np.ndarray:
    """(N, 21) what a seeing policy can see: where each colour of each camera is bright, and what it is told."""
    looks = []
    for camera in CAMERAS:
        corner = batch.images[camera][:, :4, :6].astype(float).mean((1, 2)) / 255  # upper left, each channel
        edge = batch.images[camera][:, 8:, 2:5].astype(float).mean((1, 2)) / 255
        looks += [corner, edge]
    words = np.array([[WORDS.index(t) == k for k in range(3)] if t in WORDS else [0, 0, 0] for t in batch.instructions])
    return np.concatenate([*looks, words], axis=1)


def moves(batch: Batch, mode: str) -> np.ndarray:
    """(N, HORIZON, dim): what is right to do, in ``mode``."""
    weights = stream(0, "truth").normal(size=(21, 8))
    amount = 0.4 * (features(batch) - 0.4) @ weights
    ramp = np.linspace(1 / HORIZON, 1, HORIZON)[:, None]
    steps = amount[:, None] * ramp
    gripper = np.repeat((amount[:, None, 7:] > 0).astype(float), HORIZON, axis=1)
    if mode.startswith("joint"):
        chunk = np.concatenate([batch.state["joint_positions"][:, None] + 0.3 * steps[..., :7], gripper], -1)
        return convert(chunk, ours("joint_position"), ours(mode), batch.state)
    pose = batch.state["gripper_pose"].astype(float)[:, None]
    turn = rotations.to_matrix(0.3 * steps[..., 3:6], "rotation_vector")
    turned = turn @ rotations.to_matrix(pose[..., 3:], "quaternion_xyzw")
    quaternion = rotations.from_matrix(turned, "quaternion_xyzw")
    chunk = np.concatenate([pose[..., :3] + 0.1 * steps[..., :3], quaternion, gripper], -1)
    return convert(chunk, ours("ee_pose"), ours(mode), batch.state)


@cache
def world(mode: str = "joint_position", rows: int = 24, episodes: int = 4) -> Replay:
    rng = stream(1, "world")
    images = {c: rng.integers(0, 256, (rows, 4, 4, 3)).astype(np.uint8).repeat(4, 1).repeat(4, 2) for c in CAMERAS}
    state = {
        "joint_positions": (HOME + rng.normal(0, 0.1, (rows, 7))).astype(np.float32),
        "joint_velocities": np.zeros((rows, 7), np.float32),
        "gripper_open": np.ones((rows, 1), np.float32),
        "gripper_pose": np.concatenate([TIP[:3] + rng.normal(0, 0.05, (rows, 3)), np.tile(TIP[3:], (rows, 1))], 1),
    }
    lanes = np.repeat(np.arange(episodes), rows // episodes)
    batch = Batch(images, state, tuple(WORDS[k % 3] for k in lanes), lanes)
    decision = np.tile(np.arange(rows // episodes), episodes)
    return Replay(batch, moves(batch, mode), decision, ActionSpec.of(mode))


class Expertly:
    """Does what is right, up to a little error, through plumbing with mistakes ``show`` and ``answer``."""

    def __init__(
        self,
        mode: str = "joint_position",
        show: Callable[[Batch], Batch] = lambda b: b,
        answer: Callable[[np.ndarray, Batch], np.ndarray] = lambda c, b: c,
    ) -> None:
        self.spec = AgentSpec("expertly", ActionSpec.of(mode), HORIZON, noise_control="exact", max_batch=4)
        self._mode, self._show, self._answer = mode, show, answer

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        pass

    def act(self, batch: Batch, noise_seeds: np.ndarray) -> np.ndarray:
        chunk = moves(self._show(batch), self._mode)
        error = np.stack([stream(int(s), "error").normal(0, 0.002, (*chunk.shape[1:-1], 1)) for s in noise_seeds])
        chunk[..., :3] += error
        return self._answer(chunk, batch)


def seen(change: Callable[[np.ndarray], np.ndarray], *cameras: str) -> Callable[[Batch], Batch]:
    return lambda b: b.with_images({c: change(i) if c in (cameras or CAMERAS) else i for c, i in b.images.items()})


def cameras(**source: str) -> Callable[[Batch], Batch]:
    return lambda b: b.with_images({c: b.images[source.get(c, c)] for c in CAMERAS})


def joints(factor: float) -> Callable[[Batch], Batch]:
    return lambda b: replace(b, state={**b.state, "joint_positions": (b.state["joint_positions"] * factor)})


def words(text: str) -> Callable[[Batch], Batch]:
    return lambda b: replace(b, instructions=(text,) * len(b))


def inverted(chunk: np.ndarray, batch: Batch) -> np.ndarray:
    return np.concatenate([chunk[..., :-1], 1 - chunk[..., -1:]], -1)


def signed(chunk: np.ndarray, batch: Batch) -> np.ndarray:
    return np.concatenate([chunk[..., :-1], 1 - 2 * chunk[..., -1:]], -1)  # -1 open, 1 closed


def scaled(factor: float) -> Callable[[np.ndarray, Batch], np.ndarray]:
    return lambda c, b: np.concatenate([c[..., :-1] * factor, c[..., -1:]], -1)


def reread(mode: str, **kind: str) -> Callable[[np.ndarray, Batch], np.ndarray]:
    return lambda c, b: convert(c, ours(mode), replace(ours(mode), **kind), b.state)


SHOWN = {
    "swapped front and wrist": ("swapped_cameras", cameras(front="wrist", wrist="front")),
    "swapped front and overhead": ("swapped_cameras", cameras(front="overhead", overhead="front")),
    "camera order": ("camera_order", cameras(front="overhead", overhead="wrist", wrist="front")),
    "bgr": ("bgr", seen(lambda i: i[..., ::-1])),
    "upside down": ("upside_down", seen(lambda i: i[:, ::-1])),
    "wrist upside down": ("upside_down", seen(lambda i: i[:, ::-1], "wrist")),
    "rotated": ("rotated_180", seen(lambda i: i[:, ::-1, ::-1])),
    "mirrored": ("mirrored", seen(lambda i: i[:, :, ::-1])),
    "state in degrees": ("state_degrees", joints(180 / np.pi)),
    "state in radians": ("state_degrees", joints(np.pi / 180)),
    "lost instruction": ("lost_instruction", words("")),
    "constant instruction": ("lost_instruction", words(WORDS[1])),
}
ANSWERED = {
    "inverted gripper": ("inverted_gripper", "joint_position", inverted),
    "inverted signed gripper": ("inverted_gripper", "ee_delta", signed),
    "degrees": ("degrees", "joint_position", scaled(180 / np.pi)),
    "degrees of deltas": ("degrees", "joint_delta", scaled(180 / np.pi)),
    "radians twice": ("degrees", "joint_position", scaled(np.pi / 180)),
    "step deltas as absolute": ("delta_as_absolute", "joint_position", reread("joint_position", kind="step_delta")),
    "chunk deltas as absolute": ("delta_as_absolute", "joint_position", reread("joint_position", kind="chunk_delta")),
    "pose deltas as absolute": ("delta_as_absolute", "ee_pose", reread("ee_pose", kind="chunk_delta")),
    "absolute as delta": ("absolute_as_delta", "joint_delta", reread("joint_delta", kind="absolute")),
    "poses as delta": ("absolute_as_delta", "ee_delta", reread("ee_delta", kind="absolute", frame="world")),
    "quaternions": ("quaternion_order", "ee_pose", lambda c, b: c[..., [0, 1, 2, 6, 3, 4, 5, 7]]),
}


@pytest.mark.parametrize("mode", CONTROL_MODES)
def test_a_policy_that_is_right_is_called_sound(mode: str) -> None:
    found = diagnose(Expertly(mode), world(mode))
    assert found.verdict == "sound", str(found)
    assert found.mistakes == ()
    assert found.before.arm < 0.3
    assert found.words is not None
    assert found.words > 0


@pytest.mark.parametrize("name", SHOWN)
def test_a_mistake_in_what_is_shown_is_named(name: str) -> None:
    kind, show = SHOWN[name]
    found = diagnose(Expertly(show=show), world())
    assert found.mistakes == (kind,), str(found)
    assert not any(m.kind == kind for m in found.alike)
    if name == "swapped front and wrist":
        assert "cameras front and wrist are swapped" in found.message
    if name == "wrist upside down":
        assert "pictures of wrist are upside down" in found.message


@pytest.mark.parametrize("name", ANSWERED)
def test_a_mistake_in_what_is_answered_is_named(name: str) -> None:
    kind, mode, answer = ANSWERED[name]
    found = diagnose(Expertly(mode, answer=answer), world(mode))
    assert found.mistakes == (kind,), str(found)
    assert found.verdict == "plumbing"


def test_every_kind_that_is_tried_is_planted_here() -> None:
    tried = {m.kind for mode in CONTROL_MODES for m in candidates(AgentSpec("a", ActionSpec.of(mode), 4))}
    planted = {kind for kind, *_ in (*SHOWN.values(), *ANSWERED.values())}
    assert tried == planted - {"lost_instruction"}


def test_mistakes_behind_mistakes() -> None:
    both = Expertly(show=SHOWN["bgr"][1], answer=lambda c, b: inverted(scaled(180 / np.pi)(c, b), b))
    found = diagnose(both, world())
    assert set(found.mistakes) == {"bgr", "degrees", "inverted_gripper"}, str(found)
    assert "and behind it" in found.message
    assert found.after.total < 0.3


# ---------------------------------------------------------------- no mistake, no name


class Wild(Expertly):
    def act(self, batch: Batch, noise_seeds: np.ndarray) -> np.ndarray:
        walk = np.stack([stream(int(s), "wild").normal(0, 0.02, (HORIZON, 8)) for s in noise_seeds])
        walk[..., 7] = walk[..., 7] > 0
        if self._mode == "joint_position":
            walk[..., :7] = batch.state["joint_positions"][:, None] + walk[..., :7].cumsum(1)
        return walk[..., : self.spec.action.dim] if self._mode != "ee_delta" else walk[..., 1:]


@pytest.mark.parametrize("mode", ["joint_position", "joint_delta", "ee_delta"])
def test_a_wild_policy_is_not_excused_by_its_plumbing(mode: str) -> None:
    found = diagnose(Wild(mode), world(mode))
    assert set(found.mistakes) <= {"lost_instruction", "lost_images"}, str(found)
    assert found.verdict == "lost"


def test_a_seeing_but_mistaken_policy_is_the_policys_fault() -> None:
    def wrong(batch: Batch) -> Batch:
        noise = stream(0, "fog").integers(0, 256, (24, 16, 16, 3)).astype(np.uint8)
        mix = {c: (i // 8 + noise[: len(i)] // 8 * 7) for c, i in batch.images.items()}
        return batch.with_images(mix)

    found = diagnose(Expertly(show=wrong), world())
    assert found.verdict in ("policy", "sound"), str(found)
    assert found.mistakes == ()


# ---------------------------------------------------------------- the report


def test_the_report_names_it_and_counts_it_as_a_failure() -> None:
    replay = world()
    report = check_agent(Expertly(answer=inverted), replay.batch, action=replay.action, replay=replay)
    assert report.failed == ("plumbing",), str(report)
    assert "it is the plumbing: the gripper is inverted" in str(report)
    assert "joint7" in str(report)
    told = json.loads(json.dumps(report.to_json()))["plumbing"]
    assert told["verdict"] == "plumbing"
    assert told["mistakes"] == ["inverted_gripper"]
    assert [j["name"] for j in told["joints"]] == [f"joint{k}" for k in range(1, 8)]
    assert told["tried"][0]["kind"] == "inverted_gripper"
    sound = check_agent(Expertly(), replay.batch, action=replay.action, replay=replay)
    assert sound.check("plumbing").status == "pass"
    deaf = check_agent(Expertly(show=words("")), replay.batch, action=replay.action, replay=replay)
    assert deaf.check("plumbing").status == "note"  # the policy's choice, perhaps
    assert "the policy does not listen" in deaf.check("plumbing").message


def test_without_a_replay_nothing_is_added() -> None:
    told = check_agent(Expertly(), world().batch).to_json()
    assert "plumbing" not in told
    assert "plumbing" not in [c["name"] for c in told["checks"]]


def test_nonsense_is_reported_not_raised() -> None:
    zero = Expertly("ee_pose", answer=lambda c, b: np.zeros_like(c))
    found = diagnose(zero, world("ee_pose"))
    assert isinstance(found, Diagnosis)
    assert found.to_json()["arm"] is None
    assert "no motion" in str(found)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ContractError, match="Make the environment with control='ee_delta'"):
        diagnose(Expertly("ee_delta"), world())
    replay = world()
    with pytest.raises(ConfigurationError, match="one chunk for each"):
        Replay(replay.batch, replay.expert[:3], replay.decision, replay.action)
