"""``lerobot:`` agents: LeRobot policies with tiny random weights: checkpoints, noise, batches, history, contracts."""

from __future__ import annotations

import importlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip(
    "lerobot.configs.policies", reason="LeRobot is not installed here: `make test-lerobot` runs these tests"
)

import lerobot_tiny as tiny
import torch
from lerobot_kinds import small_gemma
from safetensors.torch import load_file, save_file

from hansgym.agents._lerobot_attention import MODULE, attend
from hansgym.agents._lerobot_precision import Precision
from hansgym.agents._torch_noise import RowNoise
from hansgym.agents.check import check_agent, synthetic_batch
from hansgym.agents.kernels.numpy import materialise
from hansgym.agents.lerobot import LeRobotAgent
from hansgym.agents.registry import make_agent
from hansgym.batch import Batch, MaskedBatch
from hansgym.benchmarks import random_checkpoint
from hansgym.errors import AgentError, ConfigurationError, ContractError, HansGymError, UnknownNameError
from hansgym.specs import AgentSpec

DEVICE = os.environ.get("HANSGYM_TEST_DEVICE", "cpu")
KINDS: dict[str, Callable[[Path], Path]] = {
    "act": tiny.act,
    "ddpm": tiny.diffusion,
    "ddim": lambda folder: tiny.diffusion(folder, "DDIM"),
    "smolvla": tiny.smolvla,
}
EXPECTED = {
    "act": ("deterministic", "untouched", 12),
    "ddpm": ("exact", "inside", 8),
    "ddim": ("exact", "argument", 8),
    "smolvla": ("exact", "argument", 10),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("checkpoints")
    return {name: make(root / name) for name, make in KINDS.items()}


@pytest.fixture(scope="module")
def agents(folders: dict[str, Path]) -> dict[str, LeRobotAgent]:
    return {name: agent(folder, max_batch=8) for name, folder in folders.items()}


@pytest.fixture
def copy(folders: dict[str, Path], tmp_path: Path) -> Path:
    """An ACT checkpoint that may be spoiled."""
    return shutil.copytree(folders["act"], tmp_path / "copy")


def agent(folder: Path, **options: Any) -> LeRobotAgent:
    chosen = {} if "mapping" in options else {"control": "joint_position"}
    made = make_agent(f"lerobot:{folder}", **{**chosen, "device": DEVICE, "tf32": False, **options})
    assert isinstance(made, LeRobotAgent)
    return made


def batch_for(spec: AgentSpec, rows: int) -> Batch:
    return synthetic_batch(spec, rows=rows)


def other_pictures(batch: Batch) -> Batch:
    return batch.with_images({c: 255 - i for c, i in batch.images.items()})


# ---------------------------------------------------------------- what is declared, and conformance


@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_is_what_its_files_say(agents: dict[str, LeRobotAgent], kind: str) -> None:
    spec = agents[kind].spec
    noise, way, horizon = EXPECTED[kind]
    assert (spec.noise_control, spec.details["noise"]["way"], spec.horizon) == (noise, way, horizon)
    assert (spec.cameras, spec.image_size, spec.action.mode) == (tiny.CAMERAS, tiny.SIZE, "joint_position")
    assert set(spec.details["sha256"]) >= {"config.json", "model.safetensors", "policy_preprocessor.json"}
    assert all(len(digest) == 64 for digest in spec.details["sha256"].values())
    json.dumps(spec.details)
    assert bool(spec.details["flags"]) == (kind in ("ddpm", "ddim"))


@pytest.mark.parametrize("kind", KINDS)
def test_conformance(agents: dict[str, LeRobotAgent], kind: str) -> None:
    found = check_agent(agents[kind], tolerance=1e-4)
    assert found.ok, str(found)


@pytest.mark.parametrize("kind", KINDS)
def test_one_row_at_a_time_answers_as_a_batch(agents: dict[str, LeRobotAgent], kind: str) -> None:
    made = agents[kind]
    batch, seeds = batch_for(made.spec, 3), np.array([5, 6, 5], np.uint64)
    made.reset([0, 1, 2], [0, 0, 0])
    together = made.act(batch, seeds)
    alone = np.concatenate([made.act(batch.take([k]), seeds[k : k + 1]) for k in range(3)])
    np.testing.assert_allclose(together, alone, atol=1e-4)
    assert np.ptp(together, axis=0).max() > 1e-3


@pytest.mark.parametrize("kind", ["ddpm", "ddim", "smolvla"])
def test_equal_seeds_are_equal_noise(agents: dict[str, LeRobotAgent], kind: str) -> None:
    made = agents[kind]
    batch = batch_for(made.spec, 1).take([0, 0, 0])
    made.reset([int(batch.rows[0])], [0])
    chunks = made.act(batch, np.array([7, 7, 8], np.uint64))
    np.testing.assert_allclose(chunks[0], chunks[1], atol=1e-5)
    assert np.abs(chunks[0] - chunks[2]).max() > 1e-2
    torch.manual_seed(99)  # nobody else's generator matters
    np.testing.assert_allclose(made.act(batch.take([0]), np.array([7], np.uint64))[0], chunks[0], atol=1e-5)


@pytest.mark.parametrize("kind", ["act", "smolvla"])
def test_masks_are_blended_on_the_device(agents: dict[str, LeRobotAgent], kind: str) -> None:
    made = agents[kind]
    assert made.spec.lazy
    base = batch_for(made.spec, 1)
    bits = {c: (np.random.default_rng(3).random((5, 7, 7)) < 0.5).astype(np.uint8) for c in base.images}
    masked, seeds = MaskedBatch(base, bits), np.full(5, 11, np.uint64)
    plain = made.act(materialise(masked), seeds)
    assert np.ptp(plain, axis=0).max() > 1e-3
    np.testing.assert_allclose(made.act(masked, seeds), plain, atol=0.02 * np.ptp(plain, axis=0).max() + 1e-3)


def test_the_words_reach_the_policy(agents: dict[str, LeRobotAgent]) -> None:
    made = agents["smolvla"]
    batch, seeds = batch_for(made.spec, 1), np.zeros(1, np.uint64)
    told = [made.act(Batch(batch.images, batch.state, (t,), batch.rows), seeds) for t in ("close the red jar", "open")]
    assert np.abs(told[0] - told[1]).max() > 1e-5


def test_the_chunk_is_the_policys_own(folders: dict[str, Path], agents: dict[str, LeRobotAgent]) -> None:
    """Against LeRobot by hand: policy and processors loaded and asked without any of our code."""
    from lerobot.policies.act.modeling_act import ACTPolicy
    from lerobot.policies.factory import make_pre_post_processors

    policy = ACTPolicy.from_pretrained(folders["act"])
    before, after = make_pre_post_processors(policy.config, pretrained_path=str(folders["act"]))
    batch = batch_for(agents["act"].spec, 2)
    given = {
        f"observation.images.{c}": torch.from_numpy(batch.images[c]).permute(0, 3, 1, 2).float() / 255
        for c in tiny.CAMERAS
    }
    state = np.concatenate([batch.state["joint_positions"], batch.state["gripper_open"]], axis=1)
    prepared = before({**given, "observation.state": torch.from_numpy(state), "task": list(batch.instructions)})
    due = after(policy.predict_action_chunk(prepared)).numpy()
    np.testing.assert_allclose(agents["act"].act(batch, np.zeros(2, np.uint64)), due, atol=1e-6)


# ---------------------------------------------------------------- history


def test_history_is_kept_per_lane_and_advanced_by_decisions(folders: dict[str, Path]) -> None:
    made = agent(folders["ddim"])
    first, second = batch_for(made.spec, 2), other_pictures(batch_for(made.spec, 2))
    made.reset([0, 1], [0, 0])
    begun = made.act(first, np.array([1, 2], np.uint64))
    after = made.act(second, np.array([3, 4], np.uint64))
    made.reset([0, 1], [0, 0])
    fresh = made.act(second, np.array([3, 4], np.uint64))
    assert np.abs(after - fresh).max() > 1e-4, "the past does not matter"
    made.reset([0, 1], [0, 0])
    np.testing.assert_array_equal(made.act(first, np.array([1, 2], np.uint64)), begun)
    for _ in range(3):  # masked views of the decision are asked about in between
        made.act(other_pictures(first), np.array([1, 2], np.uint64))
    np.testing.assert_array_equal(made.act(second, np.array([3, 4], np.uint64)), after)
    made.reset([1], [0])  # one lane begins anew, the other goes on
    np.testing.assert_array_equal(made.act(second, np.array([3, 4], np.uint64))[0], after[0])
    np.testing.assert_allclose(made.act(second, np.array([3, 4], np.uint64))[1], fresh[1], atol=1e-6)


def test_history_is_what_lerobot_would_keep(folders: dict[str, Path]) -> None:
    """Two decisions against ``select_action``'s own queues, one action a decision."""
    from lerobot.policies.diffusion.modeling_diffusion import DiffusionPolicy
    from lerobot.policies.factory import make_pre_post_processors

    made = agent(folders["ddim"])
    policy = DiffusionPolicy.from_pretrained(folders["ddim"])
    before, after = make_pre_post_processors(policy.config, pretrained_path=str(folders["ddim"]))
    frames = [batch_for(made.spec, 1), other_pictures(batch_for(made.spec, 1))]
    made.reset([int(frames[0].rows[0])], [0])
    ours = [made.act(frame, np.array([k], np.uint64)) for k, frame in enumerate(frames)]
    policy.reset()
    from hansgym.agents.noise import normal

    for k, frame in enumerate(frames):
        given = {
            f"observation.images.{c}": torch.from_numpy(frame.images[c]).permute(0, 3, 1, 2).float() / 255
            for c in tiny.CAMERAS
        }
        state = np.concatenate([frame.state["joint_positions"], frame.state["gripper_open"]], axis=1)
        prepared = before({**given, "observation.state": torch.from_numpy(state), "task": list(frame.instructions)})
        policy._queues["action"].clear()
        chosen = policy.select_action(prepared, noise=torch.from_numpy(normal([k], (16, 8))))
        np.testing.assert_allclose(ours[k][:, 0], after(chosen).numpy(), atol=1e-5)


def test_views_of_one_decision_share_the_past_and_not_the_present(folders: dict[str, Path]) -> None:
    made = agent(folders["ddim"])
    first = batch_for(made.spec, 1)
    here = other_pictures(first)
    made.reset([int(first.rows[0])], [0])
    made.act(first, np.array([1], np.uint64))
    seeds = np.full(3, 2, np.uint64)
    clean = made.act(here, seeds[:1])
    views = here.take([0, 0, 0])
    changed = {c: i.copy() for c, i in views.images.items()}
    for pictures in changed.values():
        pictures[1, :16] = 0
    many = made.act(views.with_images(changed), seeds)
    np.testing.assert_allclose(many[[0, 2]], np.concatenate([clean, clean]), atol=1e-5)
    assert np.abs(many[1] - clean[0]).max() > 1e-5


# ---------------------------------------------------------------- memory


def test_batches_are_halved_until_they_fit(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    made = agent(folders["act"], max_batch=16)
    policy, asked = made.checkpoint.policy, []
    whole = policy.predict_action_chunk

    def small(batch: dict[str, Any]) -> torch.Tensor:
        asked.append(len(batch["observation.state"]))
        if asked[-1] > 3:
            raise torch.cuda.OutOfMemoryError("planted")
        return whole(batch)

    batch, seeds = batch_for(made.spec, 10), np.arange(10, dtype=np.uint64)
    due = made.act(batch, seeds)
    monkeypatch.setattr(policy, "predict_action_chunk", small)
    np.testing.assert_allclose(made.act(batch, seeds), due, atol=1e-5)
    assert asked == [10, 5, 2, 2, 2, 2, 2]
    asked.clear()
    made.act(batch, seeds)
    assert asked == [2] * 5, "what was found is kept"
    monkeypatch.setattr(policy, "predict_action_chunk", lambda batch: small({"observation.state": range(9)}))
    with pytest.raises(AgentError, match="does not hold a single row"):
        made.act(batch, seeds)


# ---------------------------------------------------------------- checkpoints that are not what they say


def _spoil_key(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["model.renamed"] = tensors.pop("model.action_head.weight")
    save_file(tensors, folder / "model.safetensors")


def _lose_key(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.action_head.bias"]
    save_file(tensors, folder / "model.safetensors")


def _spoil_shape(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["model.action_head.bias"] = torch.zeros(3)
    save_file(tensors, folder / "model.safetensors")


def _truncate(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


def _pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _strange_step(folder: Path) -> None:
    step = {"class": "subprocess.Popen", "config": {"args": ["touch", str(folder / "ran")]}}
    tiny.edit(folder / "policy_preprocessor.json", lambda t: t["steps"].insert(0, step))


def _state_elsewhere(folder: Path) -> None:
    def change(table: dict[str, Any]) -> None:
        next(s for s in table["steps"] if "state_file" in s)["state_file"] = "../elsewhere.safetensors"

    tiny.edit(folder / "policy_postprocessor.json", change)


SPOILED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no config": (lambda f: (f / "config.json").unlink(), "lacks config.json.*pretrained_model"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "lacks model.safetensors.*Weights in other formats"),
    "no processor": (lambda f: (f / "policy_preprocessor.json").unlink(), "lacks policy_preprocessor.json.*migrate"),
    "no statistics": (lambda f: [p.unlink() for p in f.glob("policy_*.safetensors")], "is missing; give a whole"),
    "pickled": (_pickle, "pickles run code"),
    "an adapter": (lambda f: (f / "adapter_config.json").write_text("{}"), "merged into"),
    "altered key": (_spoil_key, r"1 not in the policy \(model.renamed\).*1 not in the file \(model.action_head.w"),
    "lost key": (_lose_key, r"1 not in the file \(model.action_head.bias\).*random numbers"),
    "other shape": (_spoil_shape, "cannot make the 'act' policy|other values"),
    "half a file": (_truncate, "cannot make the 'act' policy"),
    "no JSON": (lambda f: (f / "config.json").write_text("{"), "is not JSON"),
    "a list": (lambda f: (f / "config.json").write_text("[1]"), "holds a list"),
    "no type": (lambda f: tiny.edit(f / "config.json", lambda t: t.pop("type")), "names no policy type"),
    "unknown type": (lambda f: tiny.edit(f / "config.json", lambda t: t.update(type="oracle")), "'oracle' policy"),
    "unknown setting": (lambda f: tiny.edit(f / "config.json", lambda t: t.update(dim_modle=3)), "dim_modle"),
    "a class to run": (_strange_step, "'subprocess.Popen', which is not LeRobot's own"),
    "a state elsewhere": (_state_elsewhere, "must be a .safetensors file beside it"),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_spoiled_checkpoint_is_refused(copy: Path, how: str) -> None:
    spoil, says = SPOILED[how]
    spoil(copy)
    with pytest.raises(ConfigurationError, match=f"(?s){says}"):
        agent(copy)
    assert not (copy / "ran").exists()


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no folder '.*nowhere' with a LeRobot checkpoint"):
        agent(tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match=r"no folder 'runs/nowhere' here, and the hub gave no repository"):
        make_agent("lerobot:runs/nowhere,control=joint_position")
    with pytest.raises(ConfigurationError, match="names no checkpoint"):
        make_agent("lerobot:")


def test_the_folder_of_a_training_run_will_do(copy: Path, tmp_path: Path) -> None:
    shutil.move(copy, tmp_path / "last" / "pretrained_model")
    assert agent(tmp_path / "last").spec.horizon == 12


# ---------------------------------------------------------------- what actions and inputs mean

OWN = """
control = "joint_position"
[action]
space = "joint"
kind = "chunk_delta"
angles = "deg"
rate_hz = 10
gripper_open = -1.0
gripper_closed = 1.0
[[camera]]
key = "observation.images.front"
camera = "overhead"
size = [64, 64]
channels = "bgr"
[[camera]]
key = "observation.images.wrist"
camera = "black"
size = [64, 64]
[[state]]
key = "observation.state"
parts = ["joint_positions", "gripper_closed"]
angles = "deg"
[instruction]
key = "task"
"""


def test_a_mapping_file_overrides_all(folders: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(OWN)
    made, plain = agent(folders["act"], mapping=str(path)), agent(folders["act"])
    assert (made.spec.cameras, made.spec.horizon, made.spec.lazy) == (("overhead",), 24, False)
    batch = batch_for(made.spec, 2)
    chunk = made.act(batch, np.zeros(2, np.uint64))
    pictures = {"front": batch.images["overhead"][..., ::-1], "wrist": np.zeros_like(batch.images["overhead"])}
    state = {
        **batch.state,
        "joint_positions": np.degrees(batch.state["joint_positions"]).astype(np.float32),
        "gripper_open": 1 - batch.state["gripper_open"],
    }
    theirs = plain.act(Batch(pictures, state, batch.instructions, batch.rows), np.zeros(2, np.uint64))
    due = batch.state["joint_positions"][:, None] + np.radians(theirs[..., :7])
    np.testing.assert_allclose(chunk[:, 1::2, :7], due, atol=1e-5)
    np.testing.assert_allclose(chunk[:, ::2, 7], np.clip((1 - theirs[..., 7]) / 2, 0, 1), atol=1e-5)


def test_inputs_that_the_checkpoint_renames_are_given_by_their_first_names(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    """As after fine-tuning a policy with inputs of other names: ``lerobot-train --rename_map``."""
    folder = shutil.copytree(folders["act"], tmp_path / "renamed")
    keys = {f"observation.images.{c}": f"observation.images.camera{k}" for k, c in enumerate(tiny.CAMERAS)}

    def change(table: dict[str, Any]) -> None:
        table["input_features"] = {keys.get(k, k): v for k, v in table["input_features"].items()}

    def rename(table: dict[str, Any]) -> None:
        step = next(s for s in table["steps"] if s["registry_name"] == "rename_observations_processor")
        step["config"]["rename_map"] = keys
        for step in table["steps"]:
            if "features" in step.get("config", {}):
                step["config"]["features"] = {keys.get(k, k): v for k, v in step["config"]["features"].items()}

    tiny.edit(folder / "config.json", change)
    tiny.edit(folder / "policy_preprocessor.json", rename)
    for path in folder.glob("policy_preprocessor*.safetensors"):
        tensors = load_file(path)
        swapped = {next((k.replace(a, b) for a, b in keys.items() if a in k), k): v for k, v in tensors.items()}
        save_file(swapped, path)
    made, plain = agent(folder), agent(folders["act"])
    assert made.spec.cameras == plain.spec.cameras == tiny.CAMERAS
    batch, seeds = batch_for(made.spec, 2), np.zeros(2, np.uint64)
    np.testing.assert_allclose(made.act(batch, seeds), plain.act(batch, seeds), atol=1e-6)


def test_the_contract_is_declared_or_demanded(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"nothing says what the 8 numbers.*control=joint_position"):
        make_agent(f"lerobot:{copy}")
    with pytest.raises(ContractError, match=r"gives 8 numbers a step.*means 7"):
        make_agent(f"lerobot:{copy},control=ee_delta")
    with pytest.raises(HansGymError, match="Did you mean 'joint_delta'"):
        make_agent(f"lerobot:{copy},control=joint_dleta")
    with pytest.raises(ConfigurationError, match="both say what actions mean"):
        make_agent(f"lerobot:{copy},control=joint_delta,mapping=rlbench")
    with pytest.raises(ContractError, match=r"observation/front_image.*observation.images.front"):
        make_agent(f"lerobot:{copy},mapping=rlbench")
    with pytest.raises(HansGymError, match=r"unknown option.*'contrl'"):
        make_agent(f"lerobot:{copy},contrl=joint_delta")
    with pytest.raises(ConfigurationError, match="horizon=13 is more; choose 1 to 12"):
        agent(copy, horizon=13)
    with pytest.raises(ConfigurationError, match="leave out tokenizer"):
        agent(copy, tokenizer="somewhere")
    (copy / "train_config.json").write_text(json.dumps({"env": {"type": "hansgym", "control": "joint_delta"}}))
    assert make_agent(f"lerobot:{copy}").spec.action.mode == "joint_delta"


def test_inputs_that_are_not_ours_are_asked_about(tmp_path: Path) -> None:
    tiny.act(tmp_path / "top", more={"cameras": ("top", "wrist")})
    with pytest.raises(ContractError, match=r"'observation.images.top' is named after none of the cameras"):
        agent(tmp_path / "top")
    tiny.act(tmp_path / "state", more={"state": 7})
    with pytest.raises(ContractError, match=r"only 'observation.state' of 8 numbers"):
        agent(tmp_path / "state")
    path = tmp_path / "wide.toml"
    path.write_text(OWN)
    with pytest.raises(ContractError, match=r"takes 7 numbers as 'observation.state'.*gives 8"):
        agent(tmp_path / "state", mapping=str(path))


# ---------------------------------------------------------------- noise that is drawn inside


def test_draws_inside_a_policy_follow_the_rows_seeds() -> None:
    def draw() -> list[torch.Tensor]:
        base = torch.zeros(3, 2, dtype=torch.float64)
        return [
            torch.randn(3, 4),
            torch.randn((3, 4), dtype=torch.float64),
            torch.randn_like(base),
            torch.normal(mean=1.0, std=2.0, size=(3, 5)),
            torch.empty(3, 2).normal_(0.5, 0.1),
            torch.rand(3, 2),
            torch.empty(3, 2).uniform_(-1, 1),
        ]

    with RowNoise([4, 9, 4]) as rows:
        first = draw()
    with RowNoise([9, 4]) as turned, pytest.raises(AssertionError):
        torch.testing.assert_close(torch.randn(2, 4)[0], first[0][0])
    assert (len(rows.shapes), rows.loose, turned.loose) == (7, 0, 0)
    with RowNoise([4]):
        alone = [torch.randn(1, 4)[0], torch.randn((1, 4), dtype=torch.float64)[0]]
    torch.testing.assert_close(alone[0], first[0][0])
    torch.testing.assert_close(alone[1], first[1][0])
    assert all(torch.equal(d[0], d[2]) and not torch.equal(d[0], d[1]) for d in first)
    assert [d.dtype for d in first[:3]] == [torch.float32, torch.float64, torch.float64]
    with RowNoise([4, 9, 4]) as other:
        torch.randn(5)
        torch.randint(9, (3,))
        torch.normal(torch.zeros(3), torch.ones(3))
        torch.randn(3, generator=torch.Generator())
    assert other.loose == 4


def _pretending(made: LeRobotAgent, predict: Any, monkeypatch: pytest.MonkeyPatch) -> LeRobotAgent:
    """The same checkpoint with a policy that samples otherwise."""
    policy = type(made.checkpoint.policy)
    real = policy.predict_action_chunk
    monkeypatch.setattr(policy, "predict_action_chunk", lambda self, batch, **given: predict(real(self, batch), given))
    return agent(made.checkpoint.folder)


def test_rare_draws_are_seeded_alike(agents: dict[str, LeRobotAgent], monkeypatch: pytest.MonkeyPatch) -> None:
    """Most seeds draw the same; a row whose draw shows must still be answered alike whenever it is asked."""

    def predict(out: torch.Tensor, given: Any) -> torch.Tensor:
        return out + (torch.rand(()) > 0.999)

    made = _pretending(agents["act"], predict, monkeypatch)
    assert (made.spec.noise_control, made.spec.details["noise"]["way"]) == ("deterministic", "generator")
    batch = batch_for(made.spec, 1).take([0] * 5)
    first = made.act(batch, np.arange(5, dtype=np.uint64))
    torch.manual_seed(5)
    np.testing.assert_array_equal(made.act(batch, np.arange(5, dtype=np.uint64) + 7), first)


def test_noise_is_tried_and_not_believed(agents: dict[str, LeRobotAgent], monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    cases: dict[tuple[str, str], Any] = {
        ("exact", "inside"): lambda out, given: out + torch.randn_like(out),  # takes noise=, ignores it
        ("none", "untouched"): lambda out, given: out + torch.randn(out.shape, generator=generator).to(DEVICE),
        ("rng", "generator"): lambda out, given: out + torch.randn_like(out[0]),
        ("deterministic", "generator"): lambda out, given: out + 0 * torch.randn_like(out[0]),  # draws, to no effect
        ("exact", "argument"): lambda out, given: out + given.get("noise", torch.randn_like(out) if not given else 0),
    }
    for (kind, way), predict in cases.items():
        with monkeypatch.context() as patch:
            made = _pretending(agents["act"], predict, patch)
            assert (made.spec.noise_control, made.spec.details["noise"]["way"]) == (kind, way)
            if way == "generator":
                assert made.spec.max_batch == 1
                batch = batch_for(made.spec, 2)
                seeds = np.array([1, 2], np.uint64)
                both = made.act(batch, seeds)
                np.testing.assert_allclose(both[1:], made.act(batch.take([1]), seeds[1:]), atol=1e-6)


# ---------------------------------------------------------------- a run, and π0.5


def test_a_run_of_a_tiny_policy(folders: dict[str, Path], tmp_path: Path) -> None:
    from hansgym.benchmarks.runner import evaluate

    table = evaluate(
        f"lerobot:{folders['ddim']},control=joint_position,device=cpu",
        ["close_microwave"],
        seeds="0",
        workers=1,
        out=tmp_path / "run",
        attribute="iss",
        attribute_stride=1000,
        n_masks=4,
        progress=False,
    )
    assert table["error"].isna().all()
    assert table["steps"].iloc[0] > 0
    said = json.loads((tmp_path / "run" / "run.json").read_text())["agent"]
    assert said["noise_control"] == "exact"
    assert len(said["details"]["sha256"]["model.safetensors"]) == 64


@pytest.fixture
def small_pi05() -> Iterator[None]:
    """π0.5's own code, with PaliGemma and Gemma of a few thousand numbers."""
    with small_gemma("pi05"):
        yield


@pytest.mark.usefixtures("small_pi05")
def test_pi05(tmp_path: Path) -> None:
    tiny.pi05(tmp_path / "pi05", tmp_path / "words")
    made = agent(tmp_path / "pi05", tokenizer=str(tmp_path / "words"))
    assert (made.spec.noise_control, made.spec.details["noise"]) == ("exact", {"way": "argument", "shape": [10, 32]})
    found = check_agent(made, tolerance=1e-3)
    assert found.ok, str(found)


@pytest.mark.usefixtures("small_pi05")
def test_a_random_checkpoint_is_what_its_uri_says(tmp_path: Path) -> None:
    """Of the published sizes, but for the two Gemmas and the vision tower."""
    uri = random_checkpoint.make("pi05", tmp_path / "pi05", seed=3)
    assert uri == f"lerobot:{tmp_path / 'pi05'},control=joint_position"
    made = make_agent(uri, device=DEVICE)
    assert (made.spec.cameras, made.spec.image_size, made.spec.horizon) == (("front", "wrist", "overhead"), 224, 50)
    weights = load_file(tmp_path / "pi05" / "model.safetensors")
    again = random_checkpoint.make("pi05", tmp_path / "again", seed=3)
    assert all(torch.equal(weights[k], v) for k, v in load_file(tmp_path / "again" / "model.safetensors").items())
    assert "again" in again


@pytest.mark.usefixtures("small_pi05")
def test_fused_attention_answers_as_the_plain_one(tmp_path: Path) -> None:
    where = tiny.pi05(tmp_path / "pi05", tmp_path / "words")
    plain = agent(where, tokenizer=str(tmp_path / "words"))
    quick = agent(where, tokenizer=str(tmp_path / "words"), fused=True)
    found = quick.spec.details["fused"]
    assert 0 < found["differs_by"] < 1e-4 * found["spread"]
    shown = batch_for(plain.spec, 3)
    seeds = np.arange(3, dtype=np.uint64)
    first, second = plain.act(shown, seeds), quick.act(shown, seeds)
    assert not np.array_equal(first, second), "the same kernel was used"
    np.testing.assert_allclose(first, second, atol=1e-4 * np.std(first))
    np.testing.assert_array_equal(plain.act(shown, seeds), first)  # what was replaced is back


def test_what_cannot_be_fused_or_cast_is_said(folders: dict[str, Path]) -> None:
    with pytest.raises(ConfigurationError, match="'act' has no plain attention of Gemma's; leave out fused"):
        agent(folders["act"], fused=True)
    with pytest.raises(UnknownNameError, match="unknown autocast 'int8'"):
        agent(folders["act"], autocast="int8")
    made = make_agent(f"lerobot:{folders['act']},control=joint_position,device={DEVICE},autocast=bfloat16,tf32=false")
    assert {k: made.spec.details[k] for k in ("tf32", "autocast", "fused")} == {
        "tf32": False,
        "autocast": "bfloat16",
        "fused": None,
    }
    exact = agent(folders["act"])
    shown, seeds = batch_for(exact.spec, 2), np.zeros(2, np.uint64)
    off = np.abs(made.act(shown, seeds) - exact.act(shown, seeds)).max()
    assert 0 < off < 0.1


def test_wrong_fused_answers_are_refused() -> None:
    pytest.importorskip(MODULE)
    precision = Precision(torch.device("cpu"))
    answers = iter([np.zeros((2, 3, 8)) + np.arange(8), np.ones((2, 3, 8)) * 5])

    def ask() -> np.ndarray:
        gemma = importlib.import_module(MODULE)
        module = SimpleNamespace(num_key_value_groups=2, training=False)
        given = [torch.ones(1, 2, 3, 4), torch.ones(1, 1, 3, 4), torch.ones(1, 1, 3, 4)]
        gemma.eager_attention_forward(module, *given, None, scaling=0.5)
        return next(answers)

    with pytest.raises(ConfigurationError, match="the answers then differ by 5"):
        precision.fuse(ask, "pi05")
    assert precision.fused is None


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_fused_attention_is_attention(groups: int) -> None:
    """Against the definition, with shared heads and a mask that is longer than the keys."""
    made = torch.Generator().manual_seed(0)
    query = torch.randn(2, 4, 5, 8, generator=made)
    key, value = (torch.randn(2, groups, 6, 8, generator=made) for _ in range(2))
    mask = torch.zeros(2, 1, 5, 9)
    mask[:, :, :, 4:] = -1e9
    found = attend(query, key, value, mask, 0.3)
    each = [t.repeat_interleave(4 // groups, 1) for t in (key, value)]
    scores = query @ each[0].transpose(2, 3) * 0.3
    due = (scores[..., :4].softmax(-1) @ each[1][:, :, :4]).transpose(1, 2)
    torch.testing.assert_close(found, due)
