"""The attribution wrapper, end to end: make, perturb, chunk, explain, roll out."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import hansgym  # noqa: F401 (registers the ids)
from hansgym.abilities import TokenScores
from hansgym.agents.base import SimpleAgent
from hansgym.agents.registry import make_agent
from hansgym.attribution.explain import explain
from hansgym.batch import Batch
from hansgym.errors import ConfigurationError, ContractError, UnknownNameError
from hansgym.seeds import mask_seed, noise_seed
from hansgym.wrappers import AttributionWrapper, ChunkedExecution, perturb

ID = "hansgym/push_buttons-v0"


class Looker(SimpleAgent):
    """Holds the arm still but for a nudge by the brightness of each camera's upper left quarter."""

    horizon, image_size = 4, 32

    def predict(self, images: Any, state: Any, instructions: Any) -> np.ndarray:
        chunk = np.zeros((len(instructions), 4, 8))
        chunk[..., :7] = state["joint_positions"][:, None]
        for k, camera in enumerate(self.cameras):
            chunk[..., k] += images[camera][:, :16, :16].mean((1, 2, 3))[:, None] / 2550
        return chunk


class Counting(Looker):
    """Counts the observations it is asked about, and its resets."""

    def __init__(self) -> None:
        self.asked, self.resets = 0, []  # type: ignore[var-annotated]

    def reset(self, rows: Any, seeds: Any) -> None:
        self.resets.append((list(rows), list(seeds)))

    def predict(self, images: Any, state: Any, instructions: Any) -> np.ndarray:
        self.asked += len(instructions)
        return super().predict(images, state, instructions)


def made(agent: Any, horizon: int = 4, size: int = 32, **options: Any) -> AttributionWrapper:
    env = gym.make(ID, image_size=size, disable_env_checker=True)
    return AttributionWrapper(ChunkedExecution(env, horizon, min(horizon, 8)), agent, n_masks=12, **options)


def test_the_whole_chain_rolls_the_expert_to_success() -> None:
    env = gym.make("hansgym/close_jar-v0", image_size=32, segmentation=True, disable_env_checker=True)
    env = perturb(env, "gaussian_noise:severity=3,region=nuisance")
    env = perturb(env, "cue:code=place,setting=misleading")
    env = AttributionWrapper(ChunkedExecution(env, horizon=16, execute=8), "expert", n_masks=4, stride=5)
    _, info = env.reset(seed=1)
    assert set(info["perturbations"]) == {"gaussian_noise", "cue"}
    assert info["attribution"].nmr_reason is not None, "the expert looks at nothing, so its map has no effect"
    over = False
    while not over:
        _, reward, terminated, truncated, info = env.step(info["clean_chunk"])
        over = terminated or truncated
    assert (reward, info["success"]) == (1.0, True)
    assert info["clean_chunk"] is None
    assert info["attribution"] is None
    env.close()


def test_says_what_explain_says_and_asks_nothing_twice() -> None:
    agent = Counting()
    env = made(agent, seed=3)
    observation, info = env.reset(seed=5)
    batch = Batch.from_observations([observation], [info["instruction"]], agent.cameras)
    [direct] = explain(
        Looker(),
        batch,
        regions={c: observation[f"{c}_mask"][None] for c in agent.cameras},
        noise_seeds=[noise_seed(3, "push_buttons", 5, 0)],
        seed=[mask_seed(3, "push_buttons", 5, 0)],
        n_masks=12,
    )
    for camera in agent.cameras:
        np.testing.assert_array_equal(info["attribution"].cells[camera], direct.cells[camera])
        assert info["maps"][camera].shape == (32, 32)
        assert info["stderr"][camera].shape == (7, 7)
    assert info["nmr"] == dict(direct.nmr)
    np.testing.assert_array_equal(info["clean_chunk"], Looker().act(batch, np.zeros(1, np.uint64))[0])
    assert info["evaluations"] == agent.asked == 13
    assert len(agent.resets) == 1


class Speaker(Looker):
    """Says one token, 0, whatever it sees: hold still. The brighter the picture, the more surprising that is."""

    def predict(self, images: Any, state: Any, instructions: Any) -> np.ndarray:
        return super().predict({c: 0 * i for c, i in images.items()}, state, instructions)

    def act_tokens(self, batch: Any, noise_seeds: Any) -> tuple[np.ndarray, np.ndarray]:
        return self.act(batch, noise_seeds), np.zeros((len(batch), 1), np.int64)

    def score_tokens(self, batch: Any, tokens: Any = None) -> TokenScores:
        logp = -sum(i.mean((1, 2, 3)) for i in batch.images.values())[:, None] / 1000
        return TokenScores(np.zeros(logp.shape, np.int64), logp, np.ones_like(logp))


def test_policies_of_tokens_are_explained_by_their_probabilities_and_others_are_refused() -> None:
    env = made(Speaker(), method="iss_logp", seed=3)
    observation, info = env.reset(seed=5)
    batch = Batch.from_observations([observation], [info["instruction"]], Speaker.cameras)
    [direct] = explain(
        Speaker(), batch, "iss_logp", seed=[mask_seed(3, "push_buttons", 5, 0)], n_masks=12, noise_seeds=[0]
    )
    np.testing.assert_array_equal(info["attribution"].cells["wrist"], direct.cells["wrist"])
    assert (info["evaluations"], info["attribution"].gripper_share) == (14, None)
    assert info["nmr"]["10"] is not None
    assert env.step(info["clean_chunk"])[4]["attribution"].mean_effect > 0
    with pytest.raises(ConfigurationError, match=r"lacks its act_tokens .*: iss, iss_published$"):
        made(Looker(), method="iss_logp")


def test_numbers_depend_on_seeds_alone() -> None:
    first, second, other = made(Looker()), made(Looker()), made(Looker(), seed=1)
    a, b, c = (e.reset(seed=5)[1] for e in (first, second, other))
    np.testing.assert_array_equal(a["attribution"].cells["front"], b["attribution"].cells["front"])
    assert (a["attribution"].cells["front"] != c["attribution"].cells["front"]).any()
    second.step(b["clean_chunk"])
    again = second.reset(seed=5)[1]
    np.testing.assert_array_equal(a["attribution"].cells["front"], again["attribution"].cells["front"])


def test_stride_explains_every_so_many_decisions() -> None:
    agent = Counting()
    env = made(agent, stride=2)
    infos = [env.reset(seed=2)[1]]
    for _ in range(4):
        infos.append(env.step(infos[-1]["clean_chunk"])[4])
    assert [i["attribution"] is not None for i in infos] == [True, False, True, False, True]
    assert [i["evaluations"] for i in infos] == [13, 1, 13, 1, 13]
    assert [i["decision"] for i in infos] == [0, 1, 2, 3, 4]
    assert all(i["clean_chunk"].shape == (4, 8) for i in infos)
    assert agent.asked == 13 * 3 + 2


def test_do_effects_leave_the_world_alone_and_see_the_wall() -> None:
    agent = Counting()
    plain = made(Looker())
    env = made(agent, do={"stride": 2, "draws": 3, "factors": ("wall", "nuisance", "task")})
    seen, info = env.reset(seed=2)
    assert set(info["do"].factors) == {"wall", "nuisance", "task"}
    assert info["do"].factors["wall"].d2 > 0
    assert info["do"].factors["wall"].draws == 3
    assert info["do"].executed == 4
    assert 0 < info["ner"] < 1
    assert info["evaluations"] == agent.asked == 13 + 10
    bare, told = plain.reset(seed=2)
    for _ in range(2):
        assert all(np.array_equal(seen[k], bare[k]) for k in bare)
        seen, _, _, _, info = env.step(info["clean_chunk"])
        bare, _, _, _, told = plain.step(told["clean_chunk"])
        np.testing.assert_array_equal(info["clean_chunk"], told["clean_chunk"])
    assert info["do"] is not None
    assert "do" not in {k for k, v in told.items() if v is not None}


def test_do_effects_look_through_image_perturbations() -> None:
    """Clean and resampled views carry the same noise: it must not pass for an effect of the factor."""
    env = gym.make(ID, image_size=32, disable_env_checker=True)
    env = ChunkedExecution(perturb(env, "gaussian_noise:region=all,severity=5"), 4, 4)
    env = AttributionWrapper(env, Looker(), n_masks=4, do={"factors": ("wall",), "draws": 2})
    _, info = env.reset(seed=2)
    for _ in range(2):
        world, noisy = env.unwrapped, env.get_wrapper_attr
        same = world.observe()["front_rgb"] == world.counterfactual(("wall",), 0)["front_rgb"]
        observed, resampled = noisy("observe")(), noisy("counterfactual")(("wall",), 0)
        assert same.any()
        assert not same.all()
        np.testing.assert_array_equal(observed["front_rgb"][same], resampled["front_rgb"][same])
        assert (observed["front_rgb"] != world.observe()["front_rgb"]).mean() > 0.5
        info = env.step(info["clean_chunk"])[4]


def test_mismatches_are_named_before_the_first_step() -> None:
    env = gym.make(ID, image_size=32, disable_env_checker=True)
    with pytest.raises(ContractError, match=r"chunks \(4, 8\), the environment takes \(8,\).*ChunkedExecution"):
        AttributionWrapper(env, Looker())
    with pytest.raises(ContractError, match=r"agent 'ee_pose', environment 'joint_position'"):
        made(make_agent("expert", control="ee_pose", horizon=4))
    with pytest.raises(ContractError, match=r"wants images of 32 px.*image_size=32"):
        made(Looker(), size=48)
    with pytest.raises(UnknownNameError, match=r"unknown attribution method 'is'.*iss"):
        made(Looker(), method="is")
    with pytest.raises(ConfigurationError, match="stride must be at least 1"):
        made(Looker(), stride=0)
    with pytest.raises(ConfigurationError, match="it takes stride, draws, severity, factors"):
        made(Looker(), do={"drawz": 3})
    front = gym.make(ID, image_size=32, cameras=("front",), disable_env_checker=True)
    with pytest.raises(ContractError, match="needs observations overhead_rgb"):
        AttributionWrapper(ChunkedExecution(front, 4, 4), Looker())


def test_spec_makes_it_again() -> None:
    env = made("random:horizon=4", stride=3, do={"draws": 2})
    again = gym.make(env.spec, disable_env_checker=True)
    assert isinstance(again, AttributionWrapper)
    assert again._saved_kwargs == env._saved_kwargs
