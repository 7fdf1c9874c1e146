"""The cost of a map: arithmetic on known figures, counts against closed forms, and the command run small."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from hansgym.benchmarks import _iss_cost_policy as policies
from hansgym.benchmarks import iss_cost
from hansgym.benchmarks._iss_cost_table import COLUMNS, markdown, si
from hansgym.errors import ConfigurationError, UnknownNameError

ROOT = Path(__file__).resolve().parents[2]


def test_ratios_pair_what_was_measured_together() -> None:
    # The machine is ten times slower in the second round; in the third only the single inference was disturbed.
    rounds = [
        iss_cost.Round(0.01, {50: 0.40}, {50: 0.30}),
        iss_cost.Round(0.10, {50: 4.00}, {50: 3.20}),
        iss_cost.Round(0.08, {50: 0.40}, {50: 0.36}),
    ]
    found = iss_cost.figures(rounds, 50)
    assert found["slowdown"] == pytest.approx(40)
    assert found["outside_policy"] == pytest.approx(0.2)
    assert found["explained_s"] == pytest.approx(0.4)
    assert found["evaluations_per_s"] == pytest.approx(51 / 0.4)
    assert found["policy_s"] == pytest.approx(0.36)


@pytest.mark.parametrize("text", ["", "50,x", "3", "50,50", "-4"])
def test_masks_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ConfigurationError, match="give numbers of at least 4, each once"):
        iss_cost.parse_masks(text)
    assert iss_cost.parse_masks("50, 100") == (50, 100)


def test_prefixes() -> None:
    assert [si(v) for v in (0, 12, 999, 1000, 1.5e9, 2.345e13)] == ["0 ", "12 ", "999 ", "1 k", "1.5 G", "23.4 T"]


def test_the_published_figures_stand_beside_ours() -> None:
    row = {"masks": 100, "explained_s": 1.25, "evaluations_per_s": 80.8, "slowdown": 12.34, "outside_policy": 0.045}
    row |= {"operations": None, "kinds": None, "least_bytes": None, "moved_bytes": None, "shares": None, "bound": None}
    one = {"agent": "random", "task": "close_jar", "cameras": ["front"], "image_size": 64, "max_batch": 8}
    one |= {"single_s": 0.1, "rows": [row], "roofline": {"reason": policies.NO_COUNT}}
    one |= {"machine": {"cores": 2, "python": "3.11", "gpu": None, "load": 0.5}}
    table = markdown({"command": "the command", "agents": [one]})
    assert "| 100 | 1.25 s | 81 | 12.3x | 66x | 4.5 % | - | - | - | - |" in table
    assert f"No roofline: {policies.NO_COUNT}." in table
    assert "2 processor cores, no GPU" in table
    assert len(COLUMNS) == 10


torch = pytest.importorskip("torch", reason="NOT TESTED: rooflines and real policies; pip install 'hansgym[torch]'")

from hansgym.agents.torch import TorchAgent  # noqa: E402
from hansgym.benchmarks import _roofline  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
STORED = sorted(path.relative_to(RESULTS).parent for path in RESULTS.rglob("iss_cost.json"))


@pytest.mark.parametrize("folder", STORED, ids=str)
def test_the_tables_of_this_repository_are_what_their_figures_give(folder: Path) -> None:
    stored = json.loads((RESULTS / folder / "iss_cost.json").read_text())
    assert markdown(stored) == (RESULTS / folder / "iss_cost.md").read_text()
    for one in stored["agents"]:
        assert {100} <= {row["masks"] for row in one["rows"]}
        assert one["machine"]["gpu"] == ("NVIDIA H200" if "h200" in folder.parts else None)
        for row in one["rows"]:
            counts = _roofline.Counts(row["least_bytes"], row["moved_bytes"], Counter(row["kinds"]))
            reached = _roofline.Peak(one["roofline"]["operations_per_s"], one["roofline"]["bytes_per_s"])
            words, shares = _roofline.bound_by(counts, reached, row["policy_s"])
            assert words == row["bound"]
            assert shares == pytest.approx(row["shares"])


def test_gpus_were_measured() -> None:
    assert {"pi05", "smolvla", "openvla"} <= {p.name for p in STORED}


def test_operations_and_bytes_of_a_linear_layer() -> None:
    layer, rows = torch.nn.Linear(32, 8, bias=False), torch.ones(5, 32)
    counts = _roofline.Counts()
    with torch.inference_mode(), counts.counting():
        layer(rows)
    assert counts.operations == 2 * 5 * 32 * 8
    assert counts.least_bytes == 4 * (5 * 32 + 32 * 8)
    assert counts.moved_bytes == 4 * (5 * 32 + 32 * 8 + 5 * 8)
    assert (dict(counts.kinds), counts.device) == ({"float32": counts.operations}, "cpu")
    with torch.inference_mode(), counts.counting():
        (layer(rows) + 1).relu_()
    assert counts.operations == 2 * (2 * 5 * 32 * 8)  # two calls; adding one is no matrix product
    assert counts.least_bytes == 2 * 4 * (5 * 32 + 32 * 8)  # what the call itself made is not read for the first time
    per_call = 5 * 32 + 32 * 8 + 5 * 8
    assert counts.moved_bytes == 4 * (2 * per_call + 2 * 5 * 8 + 5 * 8)


def test_views_move_nothing_and_shared_rows_are_read_once() -> None:
    counts, one = _roofline.Counts(), torch.ones(1, 16)
    with counts.counting():
        one.expand(100, 16).reshape(100, 4, 4).transpose(1, 2)
    assert counts.moved_bytes == 0
    with counts.counting():
        one.expand(100, 16).sum()
    assert counts.moved_bytes == 4 * (16 + 1)


@pytest.mark.parametrize(
    ("operations", "least", "moved", "said"),
    [
        (80, 10, 90, "arithmetic"),
        (10, 80, 90, "reading weights and pictures"),
        (10, 10, 90, "memory traffic between operators"),
        (40, 10, 30, "arithmetic and memory traffic in turn"),
        (10, 10, 10, "neither: calls and small operators"),
    ],
)
def test_what_bounds_it(operations: int, least: int, moved: int, said: str) -> None:
    counts = _roofline.Counts(least, moved, Counter(float32=operations // 2, bfloat16=operations))
    words, shares = _roofline.bound_by(counts, _roofline.Peak({"float32": 100.0, "bfloat16": 200.0}, 100.0), 1.0)
    assert words == said
    assert shares == {"operations": operations / 100, "least_bytes": least / 100, "moved_bytes": moved / 100}


def test_the_policys_own_work_is_told_from_the_rest() -> None:
    class Slow(torch.nn.Module):
        horizon, cameras, image_size, max_batch = 2, ("front",), 32, 4

        def predict(self, images, state, instructions):
            return images["front"].float().mean((1, 2, 3))[:, None, None].expand(-1, 2, 8)

    agent = TorchAgent(Slow())
    seen = policies.observe(agent, "open_drawer")
    with policies.watched(agent) as (proxy, spent):
        policies.explained(proxy, seen, 10, seed=0)
    assert len(spent) == 3  # the clean view and ten masked ones, in batches of at most four
    assert all(s > 0 for s in spent)
    assert "predict" not in agent.policy.__dict__
    counts = policies.counted(agent, seen, (4,))
    assert counts is None  # means are no matrix products: there is no roofline
    before = agent.act(seen.batch, np.zeros(1, np.uint64))
    assert before.shape == (1, 2, 8)


def test_run_small(tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "hansgym.benchmarks.iss_cost", "--agent", "reference:pfungst", "--agent"),
        *("torch:hansgym.benchmarks.stand_in:Nano", "--masks", "4,12", "--rounds", "1", "--device", "cpu"),
        *("--json", "--out", str(tmp_path)),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found == json.loads((tmp_path / "iss_cost.json").read_text())
    for one in found["agents"]:
        assert [row["masks"] for row in one["rows"]] == [4, 12]
        few, many = one["rows"]
        for row in one["rows"]:
            assert row["slowdown"] == pytest.approx(row["explained_s"] / one["single_s"])
            assert row["evaluations_per_s"] == pytest.approx((row["masks"] + 1) / row["explained_s"])
            assert row["outside_policy"] == pytest.approx(1 - row["policy_s"] / row["explained_s"])
            assert 0 < row["outside_policy"] < 1
            shares, roof = row["shares"], one["roofline"]
            fastest = roof["operations_per_s"]["float32"]
            assert row["kinds"] == {"float32": row["operations"]}
            assert shares["operations"] == pytest.approx(row["operations"] / fastest / row["policy_s"])
            assert 0 < row["least_bytes"] < row["moved_bytes"]
        if "stand_in" in one["agent"]:
            assert many["operations"] == pytest.approx(few["operations"] * 13 / 5, rel=1e-6)  # rows, not batches, count
        else:
            assert many["operations"] == few["operations"]  # it works in blocks of 16 rows
    table = (tmp_path / "iss_cost.md").read_text()
    assert "`torch:hansgym.benchmarks.stand_in:Nano`" in table
    assert "processor cores" in table


def test_a_device_that_is_none_is_one_plain_line() -> None:
    with pytest.raises(ConfigurationError, match="choose one of cpu, cuda"):
        policies.made("reference:pfungst", "tpu")
    if not torch.cuda.is_available():
        with pytest.raises(ConfigurationError, match="no GPU that it can use; choose --device cpu"):
            policies.made("reference:pfungst", "cuda")
    with pytest.raises(UnknownNameError, match="unknown option of agent 'random' 'device'"):
        policies.made("random", "cpu")
    with pytest.raises(ConfigurationError, match="acts on what it sees"):
        policies.made("expert", None)
