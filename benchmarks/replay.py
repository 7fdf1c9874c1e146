"""Expert episodes as moments to compare a policy with: what it would see, and what the expert does there."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from hansgym.agents.diagnosis import Replay
from hansgym.agents.registry import make_agent
from hansgym.batch import Batch
from hansgym.benchmarks import listing
from hansgym.envs.registration import env_id
from hansgym.errors import ConfigurationError
from hansgym.specs import AgentSpec

EXECUTED = 8
"""Control steps between two decisions of the expert."""

DECISIONS = 8
"""Most decisions of an episode that are kept, spread over its length."""

EXPERT_STEPS = 16


def spec_of(uri: str) -> AgentSpec:
    """What the agent called ``uri`` declares."""
    return make_agent(uri).spec


def of_expert(spec: AgentSpec, task: str, episodes: int = 4, seed: int = 0, decisions: int = DECISIONS) -> Replay:
    """Replay ``episodes`` expert episodes of ``task`` from seed ``seed`` on, as an agent of ``spec`` would see them."""
    listing.check_task(task)
    if episodes < 1 or decisions < 2:
        raise ConfigurationError(f"a replay needs at least one episode and two decisions, got {episodes}, {decisions}")
    size, horizon = spec.image_size or 224, max(EXPERT_STEPS, spec.horizon)
    made = gym.make(
        env_id(task), cameras=spec.cameras, image_size=size, control=spec.action.mode, disable_env_checker=True
    )
    moments: list[dict[str, Any]] = []
    for lane in range(episodes):
        episode = _episode(made, seed + lane, horizon)
        kept = np.unique(np.linspace(0, len(episode) - 1, min(decisions, len(episode))).round().astype(int))
        moments += [{**episode[k], "lane": lane, "decision": int(k)} for k in kept]
    action = made.get_wrapper_attr("action_spec")
    made.close()
    chunks = np.stack([m["chunk"] for m in moments])
    batch = Batch.from_observations(
        [m["observation"] for m in moments],
        [m["instruction"] for m in moments],
        spec.cameras,
        rows=[m["lane"] for m in moments],
        privileged=dict.fromkeys(spec.needs, chunks),
    )
    return Replay(batch, chunks, np.array([m["decision"] for m in moments]), action)


def _episode(env: gym.Env, seed: int, horizon: int) -> list[dict[str, Any]]:
    """Every decision of one expert episode: observation, instruction and the expert's chunk."""
    world: Any = env.unwrapped
    world.observe_images = False
    _, info = env.reset(seed=seed)
    found, over = [], False
    while not over:
        chunk = world.expert_chunk(horizon)
        found.append({"observation": world.observe(), "instruction": info["instruction"], "chunk": chunk})
        for action in chunk[:EXECUTED]:
            _, _, terminated, truncated, _ = env.step(action.astype(np.float32))
            over = bool(terminated or truncated)
            if over:
                break
    return found
