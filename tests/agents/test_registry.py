"""Agents by URI: every scheme loads, every mistake is named."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import numpy as np
import pytest

from hansgym.agents import registry
from hansgym.agents.registry import make_agent, schemes
from hansgym.batch import STATE_KEYS, Batch
from hansgym.errors import AgentError, ConfigurationError, UnknownNameError
from hansgym.specs import CONTROL_MODES, check_chunk

HOME = np.array([0.0, 0.1752, 0.0, -0.8732, 0.0, 1.2216, 0.7854])
WIDTHS = {"joint_positions": 7, "joint_velocities": 7, "gripper_open": 1, "gripper_pose": 7}


def batch(rows: int = 3, privileged: dict[str, np.ndarray] | None = None) -> Batch:
    state = {k: np.zeros((rows, WIDTHS[k]), np.float32) for k in STATE_KEYS}
    state["joint_positions"][:] = HOME
    state["gripper_pose"][:] = (0.28, 0.0, 1.47, 0.0, 0.9927, 0.0, 0.1209)
    images = {c: np.zeros((rows, 8, 8, 3), np.uint8) for c in ("front", "overhead", "wrist")}
    return Batch(images, state, ("open the drawer",) * rows, np.arange(rows), privileged or {})


def seeds(*values: int) -> np.ndarray:
    return np.array(values, np.uint64)


def test_schemes_are_the_files_that_define_make_and_helpers_are_not() -> None:
    found = schemes()
    assert {"expert", "random", "python"} <= set(found)
    assert not {"base", "registry", "check", "kernels"} & set(found)


def test_unknown_scheme_lists_schemes_with_examples() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown agent scheme 'expart'.*Did you mean 'expert'") as caught:
        make_agent("expart")
    assert "python:my_policy:MyPolicy" in str(caught.value)


def test_unknown_option_names_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"option of agent 'expert' 'horizn'.*Did you mean 'horizon'"):
        make_agent("expert", horizn=3)
    with pytest.raises(UnknownNameError, match="control, horizon"):
        make_agent("expert:mode=joint_delta")
    with pytest.raises(ConfigurationError, match="horizon='many' cannot be read"):
        make_agent("expert:horizon=many")
    with pytest.raises(ConfigurationError, match="key=value"):
        make_agent("random:8")
    with pytest.raises(UnknownNameError, match="unknown control mode 'torque'"):
        make_agent("expert", control="torque")


def test_third_party_schemes_come_from_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    point = metadata.EntryPoint("borrowed", "hansgym.agents.random:make", registry.GROUP)
    monkeypatch.setattr(registry.metadata, "entry_points", lambda group: [point] if group == registry.GROUP else [])
    assert make_agent("borrowed", horizon=3).spec.horizon == 3
    assert "borrowed" in schemes()


def test_naming_an_agent_loads_no_other_and_no_torch() -> None:
    code = (
        "import sys; from hansgym.agents.registry import make_agent, schemes; schemes(); make_agent('expert');"
        "print([m for m in sys.modules if m in ('torch', 'mujoco', 'hansgym.agents.random')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_expert_returns_what_the_environment_says() -> None:
    agent = make_agent("expert:control=ee_pose,horizon=4")
    assert agent.spec.needs == {"expert_chunk"}
    assert agent.spec.action.mode == "ee_pose"
    told = np.arange(3 * 16 * 8, dtype=float).reshape(3, 16, 8)
    given = batch(privileged={"expert_chunk": told})
    answer = check_chunk(agent.act(given, seeds(1, 2, 3)), 3, agent.spec)
    np.testing.assert_array_equal(answer, told[:, :4])
    answer[:] = -1
    assert told.min() == 0, "the answer must not share memory with the input"


def test_expert_says_what_it_needs() -> None:
    agent = make_agent("expert")
    with pytest.raises(AgentError, match=r"privileged\['expert_chunk'\].*get_wrapper_attr"):
        agent.act(batch(), seeds(1, 2, 3))
    with pytest.raises(AgentError, match="has 3 steps, the expert's horizon is 16"):
        agent.act(batch(1, {"expert_chunk": np.zeros((1, 3, 8))}), seeds(1))


@pytest.mark.parametrize("mode", CONTROL_MODES)
def test_random_is_legal_seeded_and_row_wise(mode: str) -> None:
    agent = make_agent("random", control=mode)
    three = check_chunk(agent.act(batch(3), seeds(5, 6, 5)), 3, agent.spec)
    np.testing.assert_array_equal(three[0], three[2])
    assert not np.array_equal(three[0], three[1])
    np.testing.assert_array_equal(agent.act(batch(1), seeds(6))[0], three[1])
    assert set(np.unique(three[..., -1])) <= {0.0, 1.0}


def test_random_starts_at_the_measured_pose_and_keeps_to_demonstrated_speeds() -> None:
    walk = make_agent("random").act(batch(1), seeds(9))[0, :, :7]
    assert np.abs(np.diff(walk, axis=0, prepend=HOME[None])).max() <= 0.04 + 1e-6
    assert walk[:, 3].max() <= 0.0
    assert walk[:, 3].min() >= -3.002
    pose = make_agent("random", control="ee_pose").act(batch(1), seeds(9))[0]
    assert np.abs(pose[0, :3] - (0.28, 0.0, 1.47)).max() <= 0.01 + 1e-6
    np.testing.assert_allclose(np.linalg.norm(pose[:, 3:7], axis=1), 1.0)
    still = make_agent("random", amplitude=0.0, control="ee_pose").act(batch(1), seeds(9))[0]
    np.testing.assert_allclose(still[:, 3:7], np.tile((0.0, 0.9927, 0.0, 0.1209), (16, 1)), atol=1e-4)


def test_random_delta_accumulates_to_the_absolute_walk() -> None:
    walk = make_agent("random").act(batch(1), seeds(9))[0, :, :7]
    delta = make_agent("random", control="joint_delta").act(batch(1), seeds(9))[0, :, :7]
    np.testing.assert_allclose(np.float32(HOME) + np.cumsum(delta, axis=0), walk, atol=1e-6)


POLICY = """
from hansgym.agents.base import SimpleAgent
import numpy as np

class Mine(SimpleAgent):
    control, horizon, cameras = "joint_delta", 2, ("front",)

    def __init__(self, gain=1.0):
        self.gain = gain

    def predict(self, images, state, instructions):
        assert list(images) == ["front"]
        return np.full((len(instructions), 2, 8), self.gain)

class Sampled(SimpleAgent):
    horizon, noise_control = 1, "exact"

    def predict(self, images, state, instructions, seeds):
        return np.repeat(seeds[:, None].astype(float), 8, axis=1)

class NoPredict(SimpleAgent):
    pass

class Half:
    def act(self, batch, noise_seeds):
        return None
"""


@pytest.fixture
def here(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_policy_for_test.py").write_text(POLICY)  # type: ignore[operator]
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "my_policy_for_test", raising=False)


@pytest.mark.usefixtures("here")
def test_python_finds_a_class_in_the_current_directory() -> None:
    agent = make_agent("python:my_policy_for_test:Mine", gain=0.5)
    assert agent.spec.name == "Mine"
    assert agent.spec.action.mode == "joint_delta"
    assert (check_chunk(agent.act(batch(2), seeds(1, 2)), 2, agent.spec) == 0.5).all()
    sampled = make_agent("python:my_policy_for_test:Sampled")
    np.testing.assert_array_equal(sampled.act(batch(2), seeds(3, 4))[:, 0, 0], [3, 4])


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("python:my_policy_for_test", "names no class; write python:<module>:<Class>"),
        ("python:my_policy_for_test:Min", "has no 'Min'. Did you mean 'Mine'"),
        ("python:nowhere_at_all:X", "no module named 'nowhere_at_all'"),
        ("python:my_policy_for_test:Half", "lacks spec, reset. An agent has spec"),
        ("python:my_policy_for_test:NoPredict", r"has no predict\(images, state, instructions\)"),
    ],
)
def test_python_says_what_is_missing(uri: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        make_agent(uri)


@pytest.mark.usefixtures("here")
def test_python_refuses_options_the_class_does_not_take() -> None:
    with pytest.raises(ConfigurationError, match="cannot be made with options"):
        make_agent("python:my_policy_for_test:Mine", speed=3)
