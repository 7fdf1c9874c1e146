"""The policy's side of :mod:`hansgym.benchmarks.iss_cost`: made, shown something, watched, and counted."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np

from hansgym.abilities import HasNetwork
from hansgym.agent import Agent
from hansgym.agents.registry import make_agent
from hansgym.attribution.explain import explain
from hansgym.batch import Batch
from hansgym.benchmarks import listing
from hansgym.envs.registration import env_id
from hansgym.errors import ConfigurationError
from hansgym.lookup import require
from hansgym.specs import AgentSpec

if TYPE_CHECKING:
    from hansgym.benchmarks._roofline import Counts, Peak

DEVICES = ("cpu", "cuda")
NO_COUNT = "Torch saw no operations of this policy in this process"


@dataclass(frozen=True)
class Seen:
    """One observation: ``batch`` of one row, the regions of its images, and their size in pixels."""

    batch: Batch
    regions: Mapping[str, np.ndarray]
    size: int


def made(uri: str, device: str | None) -> Agent:
    """The agent that ``uri`` names, on ``device`` if one is given; a scheme that takes none raises."""
    if device is not None and device not in DEVICES:
        raise ConfigurationError(f"device {device!r}; choose one of {', '.join(DEVICES)}")
    agent = make_agent(uri, **({} if device is None else {"device": _device(uri, device)}))
    if agent.spec.needs:
        raise ConfigurationError(f"agent {uri!r} needs {sorted(agent.spec.needs)}; name one that acts on what it sees")
    return agent


def _device(uri: str, device: str) -> str:
    """What the scheme of ``uri`` calls ``device``; a GPU that Torch cannot use raises."""
    if uri.startswith("jax:"):
        return {"cuda": "gpu"}.get(device, device)
    if device == "cuda":
        require("torch", "torch")
        from hansgym.benchmarks import _roofline

        if _roofline.circumstances()["gpu"] is None:
            raise ConfigurationError(f"device {device!r}, but Torch finds no GPU that it can use; choose --device cpu")
    return device


def observe(agent: Agent, task: str) -> Seen:
    """The first observation of ``task``, as the agent would get it."""
    listing.check_task(task)
    spec, size = agent.spec, agent.spec.image_size or 224
    env = gym.make(env_id(task), cameras=spec.cameras, image_size=size, control=spec.action.mode)
    try:
        observation, info = env.reset(seed=0)
    finally:
        env.close()
    batch = Batch.from_observations([observation], [str(info["instruction"])], spec.cameras)
    agent.reset([0], [0])
    return Seen(batch, {c: observation[f"{c}_mask"][None] for c in spec.cameras}, size)


def single(agent: Agent, seen: Seen) -> np.ndarray:
    """One inference."""
    return agent.act(seen.batch, np.array([7], np.uint64))


def explained(agent: Agent, seen: Seen, masks: int, seed: int) -> None:
    """One explanation, checked to be the one that was asked for."""
    # A batch of its own: what an agent remembers of an observation must not reach from one measurement into the next.
    fresh = seen.batch.take([0])
    found = explain(agent, fresh, "iss", regions=seen.regions, seed=seed, n_masks=masks, noise_seeds=[7])[0]
    if found.evaluations != masks + 1:
        raise RuntimeError(f"{found.evaluations} evaluations were made; {masks + 1} were due")


# ------------------------------------------------------------------------------------------------ watching


class _Around:
    """An agent whose every answer is given inside ``around()``."""

    def __init__(self, agent: Agent, around: Callable[[], AbstractContextManager[Any]]) -> None:
        self.agent, self.around = agent, around

    @property
    def spec(self) -> AgentSpec:
        return self.agent.spec

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        self.agent.reset(rows, seeds)

    def act(self, batch: Any, noise_seeds: np.ndarray) -> np.ndarray:
        with self.around():
            return self.agent.act(batch, noise_seeds)


@contextmanager
def around_policy(agent: Agent, around: Callable[[], AbstractContextManager[Any]]) -> Iterator[Agent]:
    """``agent``, its policy's own work done inside ``around()``: its network's (:class:`hansgym.abilities.HasNetwork`),
    else all of ``act``.
    """
    if not isinstance(agent, HasNetwork):
        yield _Around(agent, around)
        return
    owner, name = agent.network
    called, own = getattr(owner, name), owner.__dict__.get(name)

    def inside(*args: Any, **kwargs: Any) -> Any:
        with around():
            return called(*args, **kwargs)

    owner.__dict__[name] = inside
    try:
        yield agent
    finally:
        del owner.__dict__[name]
        if own is not None:
            owner.__dict__[name] = own


@contextmanager
def watched(agent: Agent) -> Iterator[tuple[Agent, list[float]]]:
    """``agent``, and the seconds of each of its policy's answers, filled in as they are given."""
    spent: list[float] = []
    wait = _waiting(agent)

    @contextmanager
    def clock() -> Iterator[None]:
        wait()
        start = time.perf_counter()
        yield
        wait()
        spent.append(time.perf_counter() - start)

    with around_policy(agent, clock) as proxy:
        yield proxy, spent


def _waiting(agent: Agent) -> Callable[[], None]:
    """Wait for the agent's device where it works behind our back; what ``act`` returns has been waited for."""
    if getattr(getattr(agent, "device", None), "type", "cpu") != "cuda":
        return lambda: None
    from hansgym.benchmarks._roofline import synchronise

    return lambda: synchronise("cuda")


# ------------------------------------------------------------------------------------------------ counting


def counted(agent: Agent, seen: Seen, masks: Sequence[int]) -> dict[int, Counts] | None:
    """What the policy does in one explanation for each N; None where Torch sees nothing of it."""
    try:
        from hansgym.benchmarks._roofline import Counts
    except ImportError:
        Counts = None  # type: ignore[assignment,misc]
    found = {}
    for n in masks:
        counts = Counts() if Counts is not None else None
        with around_policy(agent, counts.counting if counts is not None else nullcontext) as proxy:
            explained(proxy, seen, n, seed=0)
        explained(agent, seen, n, seed=0)
        single(agent, seen)
        if counts is not None and counts.operations:
            found[n] = counts
    return found if len(found) == len(masks) else None


def peak(counts: Mapping[int, Counts] | None) -> Peak | None:
    """What this machine reaches where the policy works."""
    if counts is None:
        return None
    from hansgym.benchmarks import _roofline

    some = next(iter(counts.values()))
    return _roofline.peak(some.device, sorted({kind for one in counts.values() for kind in one.kinds}))


def roofline(
    counts: Mapping[int, Counts] | None, reached: Sequence[Peak | None], masks: int, policy_s: float
) -> dict[str, Any]:
    """Operations and bytes of one explanation, the shares of the policy's time that they account for, and the bound."""
    best = _best(reached)
    if counts is None or best is None:
        return dict.fromkeys(("operations", "kinds", "least_bytes", "moved_bytes", "shares", "bound"))
    from hansgym.benchmarks import _roofline

    one = counts[masks]
    words, shares = _roofline.bound_by(one, best, policy_s)
    sizes = {
        "operations": one.operations,
        "kinds": dict(one.kinds),
        "least_bytes": one.least_bytes,
        "moved_bytes": one.moved_bytes,
    }
    return {**sizes, "shares": shares, "bound": words}


def described(counts: Mapping[int, Counts] | None, reached: Sequence[Peak | None]) -> dict[str, Any]:
    """The machine's side of the roofline, or why there is none."""
    best = _best(reached)
    if counts is None or best is None:
        return {"reason": NO_COUNT}
    some = next(iter(counts.values()))
    return {
        "reason": None,
        "device": some.device,
        "operations_per_s": dict(best.operations_per_s),
        "bytes_per_s": best.bytes_per_s,
    }


def _best(reached: Sequence[Peak | None]) -> Peak | None:
    """The mean of what was reached before and after: the machine as it was in between."""
    known = [r for r in reached if r is not None]
    if not known:
        return None
    speeds = {kind: statistics.mean(r.operations_per_s[kind] for r in known) for kind in known[0].operations_per_s}
    return type(known[0])(speeds, statistics.mean(r.bytes_per_s for r in known))


def machine(counts: Mapping[int, Counts] | None) -> dict[str, Any]:
    """What was measured on."""
    found = {"cores": len(os.sched_getaffinity(0)), "python": platform.python_version(), "gpu": None, "load": None}
    if hasattr(os, "getloadavg"):
        found["load"] = round(os.getloadavg()[0], 1)
    if counts is not None:
        from hansgym.benchmarks import _roofline

        found |= _roofline.circumstances()
    return found
