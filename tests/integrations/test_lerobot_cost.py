"""What a map around a LeRobot policy costs: its network is told from its processors. ``make test-lerobot`` runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("lerobot.configs.policies", reason="LeRobot is not installed here: `make test-lerobot` runs this")

import lerobot_tiny as tiny

from hansgym.abilities import HasNetwork
from hansgym.agents.registry import make_agent
from hansgym.benchmarks import _iss_cost_policy as policies
from hansgym.benchmarks import iss_cost


def test_the_network_is_told_from_the_rest(tmp_path: Path) -> None:
    uri = f"lerobot:{tiny.act(tmp_path / 'act')},control=joint_position"
    found = iss_cost.measure(uri, (4, 12), 1, "open_drawer", "cpu")
    few, many = found["rows"]
    for row in (few, many):
        assert 0 < row["outside_policy"] < 1
        assert set(row["kinds"]) == {"float32"}
    assert many["operations"] == pytest.approx(few["operations"] * 13 / 5, rel=1e-6)


def test_it_is_left_as_it_was(tmp_path: Path) -> None:
    agent = make_agent(f"lerobot:{tiny.act(tmp_path / 'act')},control=joint_position,device=cpu")
    assert isinstance(agent, HasNetwork)
    seen = policies.observe(agent, "open_drawer")
    with policies.watched(agent) as (proxy, spent):
        policies.explained(proxy, seen, 5, seed=0)
        assert len(spent) == 1  # the clean view and five masked ones in one batch
    policies.single(agent, seen)
    assert len(spent) == 1
    assert "predict_action_chunk" not in agent.checkpoint.policy.__dict__
