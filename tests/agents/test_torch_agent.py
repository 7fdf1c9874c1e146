"""``torch:`` agents and declared contracts: a real module through every conformance check, and planted mistakes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from hansgym.agents.base import SimpleAgent
from hansgym.agents.check import check_agent, synthetic_batch
from hansgym.agents.noise import normal
from hansgym.agents.registry import make_agent, schemes
from hansgym.batch import MaskedBatch
from hansgym.errors import AgentError, ConfigurationError, ContractError, HansGymError
from hansgym.specs import ActionSpec, check_chunk

torch = pytest.importorskip("torch")

POLICY = """
import torch
from torch import nn
from hansgym.agents.noise import normal

class Net(nn.Module):
    control, horizon, cameras, image_size, max_batch = "joint_position", 4, ("front", "wrist"), 32, 16

    def __init__(self, gain=1.0):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(6, 8, 8, 8)
        self.head = nn.Linear(8 * 16 + 8, 4 * 8)
        self.drop = nn.Dropout(0.5)
        self.scale = nn.Parameter(torch.ones(3))
        self.gain = gain

    def predict(self, images, state, instructions):
        assert not torch.is_grad_enabled()
        seen = torch.cat([images["front"], images["wrist"]], -1).permute(0, 3, 1, 2).float() / 255
        words = torch.tensor([[len(i) / 20] for i in instructions], device=seen.device)
        x = torch.cat([self.conv(seen).flatten(1), state["joint_positions"], words], 1)
        return self.gain * self.head(self.drop(x)).reshape(-1, 4, 8)

class Sampler(Net):
    noise_control = "exact"

    def predict(self, images, state, instructions, seeds):
        noise = torch.as_tensor(normal(seeds, (4, 8)), device=self.scale.device)
        return super().predict(images, state, instructions) + noise

class Degrees(Net):
    horizon = 8
    contract = {"space": "joint", "angles": "deg", "rate_hz": 10, "gripper_open": 0, "gripper_closed": 1}

    def predict(self, images, state, instructions):
        start = torch.rad2deg(state["joint_positions"])[:, None] + torch.arange(1, 9, device=self.scale.device)[:, None]
        return torch.cat([start, torch.ones_like(start[..., :1])], -1)

class Unreachable(Net):
    control, contract = "ee_pose", "droid"

class Dictionary(Net):
    def predict(self, images, state, instructions):
        return {"actions": super().predict(images, state, instructions)}

class NoPredict(nn.Module):
    pass
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch_policy_for_test.py").write_text(POLICY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "torch_policy_for_test", raising=False)


@pytest.mark.parametrize("name", ["Net", "Sampler"])
def test_a_module_passes_every_check_and_blends_on_its_device(name: str) -> None:
    report = check_agent(f"torch:torch_policy_for_test:{name},device=cpu", action=ActionSpec.of("joint_position"))
    assert report.ok, str(report)
    assert report.check("lazy").status == "pass"
    assert report.declared["name"] == name


def test_masked_images_reach_the_policy_as_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = make_agent("torch:torch_policy_for_test:Net")
    base = synthetic_batch(agent.spec).take([0])
    seen = {}

    def predict(images, state, instructions):
        seen.update(images)
        return torch.zeros(len(instructions), 4, 8)

    monkeypatch.setattr(agent.policy, "predict", predict)
    bits = {c: np.ones((5, 7, 7), np.uint8) for c in base.images}
    assert agent.act(MaskedBatch(base, bits), np.zeros(5, np.uint64)).shape == (5, 4, 8)
    for camera, images in seen.items():
        assert images.dtype == torch.uint8
        np.testing.assert_array_equal(images[3].cpu().numpy(), base.images[camera][0])


def test_options_and_modes() -> None:
    agent = make_agent("torch:torch_policy_for_test:Net", gain=0.0)
    assert not agent.policy.training
    assert not agent.act(synthetic_batch(agent.spec), np.zeros(4, np.uint64)).any()
    assert "torch" in schemes()


def test_a_declared_contract_is_converted() -> None:
    agent = make_agent("torch:torch_policy_for_test:Degrees")
    assert agent.spec.horizon == 16  # 8 steps at 10 Hz
    assert agent.spec.details["contract"]["angles"] == "deg"
    batch = synthetic_batch(agent.spec)
    chunk = check_chunk(agent.act(batch, np.zeros(4, np.uint64)), 4, agent.spec)
    due = batch.state["joint_positions"][:, None] + np.radians(0.5 * np.arange(1, 17))[:, None]
    np.testing.assert_allclose(chunk[..., :7], due, atol=1e-5)
    assert not chunk[..., 7].any()


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("torch:torch_policy_for_test", "names no class; write torch:<module>:<Class>"),
        ("torch:torch_policy_for_test:Ne", "Did you mean 'Net'"),
        ("torch:torch_policy_for_test:NoPredict", "has no predict"),
        ("torch:torch_policy_for_test:Net,device=abacus", "device 'abacus' cannot be used.*choose cpu"),
        ("torch:torch_policy_for_test:Net,speed=3", "unknown option of agent 'torch' 'speed'"),
        ("torch:torch_policy_for_test:Unreachable", "Make the environment with control='joint_position'"),
    ],
)
def test_mistakes_are_named(uri: str, says: str) -> None:
    with pytest.raises(HansGymError, match=says):
        make_agent(uri)


def test_an_answer_that_is_no_tensor_is_named() -> None:
    agent = make_agent("torch:torch_policy_for_test:Dictionary")
    with pytest.raises(AgentError, match="returned dict; predict must return a tensor"):
        agent.act(synthetic_batch(agent.spec), np.zeros(4, np.uint64))


# ---------------------------------------------------------------- what all frameworks share


def test_simple_agents_may_declare_a_contract_too() -> None:
    class Velocities(SimpleAgent):
        control, horizon, contract = "joint_position", 15, "droid"

        def predict(self, images, state, instructions):
            return np.tile(np.array([1.0] * 7 + [0.0]), (len(instructions), 15, 1))

    agent = Velocities()
    assert agent.spec.horizon == 20
    batch = synthetic_batch(agent.spec)
    chunk = check_chunk(agent.act(batch, np.zeros(4, np.uint64)), 4, agent.spec)
    np.testing.assert_allclose(chunk[:, -1, :7], batch.state["joint_positions"] + 3.0, atol=1e-6)
    assert (chunk[..., 7] == 1.0).all()

    class Wrong(Velocities):
        control = "ee_delta"

    with pytest.raises(ContractError, match="control='joint_position' or 'joint_delta'"):
        _ = Wrong().spec
    with pytest.raises(AgentError, match=r"\(rows, steps, 8\) was due"):
        type("Short", (Velocities,), {"predict": lambda *a: np.zeros((4, 15, 7))})().act(batch, np.zeros(4))


def test_noise_is_a_rows_own() -> None:
    together = normal(np.array([5, 6, 5], np.uint64), (4, 8))
    assert together.dtype == np.float32
    np.testing.assert_array_equal(together[0], together[2])
    np.testing.assert_array_equal(normal([6], (4, 8))[0], together[1])
    assert abs(normal(np.arange(200), (10,)).std() - 1) < 0.05
    assert normal([], (3,)).shape == (0, 3)


def test_unknown_devices_are_configuration_errors() -> None:
    with pytest.raises(ConfigurationError):
        make_agent("torch:torch_policy_for_test:Net", device="cuda:99")
