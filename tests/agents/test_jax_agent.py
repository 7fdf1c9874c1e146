"""``jax:`` agents: a jitted function through every conformance check, and the kernel against the host's."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="JAX is not installed: pip install 'hansgym[jax]'")

from hansgym.agents.check import check_agent, synthetic_batch  # noqa: E402
from hansgym.agents.kernels import jax as device  # noqa: E402
from hansgym.agents.kernels import numpy as host  # noqa: E402
from hansgym.agents.registry import make_agent  # noqa: E402
from hansgym.batch import MaskedBatch  # noqa: E402
from hansgym.errors import AgentError, HansGymError  # noqa: E402
from hansgym.specs import ActionSpec  # noqa: E402

POLICY = """
import jax, jax.numpy as jnp, numpy as np

SPEC = {"control": "joint_position", "horizon": 4, "cameras": ("front", "wrist"), "image_size": 32, "max_batch": 16}
traced = []

def params():
    return {"w": jax.random.normal(jax.random.key(0), (14, 32)) / 10}

def encode(instructions):
    return np.array([[len(i) / 20] for i in instructions], np.float32)

def policy(params, batch):
    traced.append(len(batch["words"]))
    looks = [batch["images"][c].astype(jnp.float32).mean((1, 2)) / 255 for c in ("front", "wrist")]
    x = jnp.concatenate([*looks, batch["state"]["joint_positions"], batch["words"]], 1)
    return (x @ params["w"]).reshape(-1, 4, 8)

def sampler(params, batch):
    noise = jax.vmap(lambda k: jax.random.normal(k, (4, 8)))(batch["keys"])
    return policy(params, batch) + noise

def table(params, batch):
    return {"actions": policy(params, batch)}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jax_policy_for_test.py").write_text(POLICY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "jax_policy_for_test", raising=False)


def masked(size: int, grid: int) -> MaskedBatch:
    rng = np.random.default_rng(size)
    base = synthetic_batch(make_agent("random").spec, rows=1)
    base = base.with_images({c: rng.integers(0, 256, (1, size, size, 3), np.uint8) for c in ("front", "wrist")})
    return MaskedBatch(base, {c: rng.integers(0, 2, (9, grid, grid), np.uint8) for c in base.images})


@pytest.mark.parametrize(("size", "grid"), [(224, 7), (50, 7), (33, 2), (9, 7), (16, 1)])
def test_kernel_equals_the_hosts_within_one_grey_level(size: int, grid: int) -> None:
    batch = masked(size, grid)
    here, there = host.materialise(batch), device.materialise(batch, slice(2, 8))
    for camera in batch.bits:
        other = np.asarray(there.images[camera])
        assert other.dtype == np.uint8
        assert np.abs(here.images[camera][2:8].astype(int) - other).max() <= 1


@pytest.mark.parametrize("uri", ["jax:jax_policy_for_test:policy", "jax:jax_policy_for_test:sampler,device=cpu"])
def test_a_function_passes_every_check(uri: str) -> None:
    exact = {"noise_control": "exact"} if "sampler" in uri else {}
    report = check_agent(uri, action=ActionSpec.of("joint_position"), **exact)
    assert report.ok, str(report)
    assert report.check("lazy").status == "pass"


def test_it_is_compiled_once_for_each_power_of_two() -> None:
    agent = make_agent("jax:jax_policy_for_test:policy")
    batch = synthetic_batch(agent.spec, rows=13)
    for rows in (1, 2, 3, 4, 3, 13, 9, 1):
        assert agent.act(batch.take(range(rows)), np.zeros(rows, np.uint64)).shape == (rows, 4, 8)
    assert sys.modules["jax_policy_for_test"].traced == [1, 2, 4, 16]


def test_slices_of_an_observation_share_what_was_sent_and_answer_the_same() -> None:
    agent = make_agent("jax:jax_policy_for_test:policy")
    base = synthetic_batch(agent.spec, rows=2)
    bits = {c: np.random.default_rng(0).integers(0, 2, (9, 7, 7)).astype(np.uint8) for c in base.images}
    for row in range(2):  # another observation, another picture
        batch = MaskedBatch(base.take([row]), bits)
        parts = [agent.act(batch.take(part), np.zeros(part.stop - part.start, np.uint64))
                 for part in (slice(0, 4), slice(4, 9))]  # fmt: skip
        alone = make_agent("jax:jax_policy_for_test:policy").act(host.materialise(batch), np.zeros(9, np.uint64))
        np.testing.assert_allclose(np.concatenate(parts), alone, atol=2e-2)  # within a grey level of 255
        fresh = make_agent("jax:jax_policy_for_test:policy").act(batch, np.zeros(9, np.uint64))
        np.testing.assert_allclose(np.concatenate(parts), fresh, atol=1e-5)


def test_settings_win_over_the_modules_spec() -> None:
    assert make_agent("jax:jax_policy_for_test:policy", image_size=64).spec.image_size == 64
    turned = make_agent("jax:jax_policy_for_test:policy", contract={"space": "joint", "angles": "deg"})
    plain = make_agent("jax:jax_policy_for_test:policy")
    batch, seeds = synthetic_batch(plain.spec), np.zeros(4, np.uint64)
    np.testing.assert_allclose(turned.act(batch, seeds)[..., :7], np.radians(plain.act(batch, seeds)[..., :7]))


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("jax:jax_policy_for_test", "names no function; write jax:<module>:<function>"),
        ("jax:jax_policy_for_test:polic", "Did you mean 'policy'"),
        ("jax:jax_policy_for_test:policy,device=abacus", "device 'abacus' cannot be used"),
    ],
)
def test_mistakes_are_named(uri: str, says: str) -> None:
    with pytest.raises(HansGymError, match=says):
        make_agent(uri)


def test_bad_settings_and_answers_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HansGymError, match="unknown setting of SPEC of 'jax_policy_for_test' 'horizn'"):
        make_agent("jax:jax_policy_for_test:policy", horizn=3)
    agent = make_agent("jax:jax_policy_for_test:table")
    batch, seeds = synthetic_batch(agent.spec), np.zeros(4, np.uint64)
    with pytest.raises(AgentError, match="returned dict; the function must return an array"):
        agent.act(batch, seeds)
    monkeypatch.setattr(sys.modules["jax_policy_for_test"], "encode", lambda i: np.zeros(3))
    with pytest.raises(AgentError, match=r"encode gave shape \(3,\) for 4 instructions"):
        make_agent("jax:jax_policy_for_test:policy").act(batch, seeds)
