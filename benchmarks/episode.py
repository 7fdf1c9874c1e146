"""One episode as a story told from the inside: it yields what it needs from its lane and from the agent, in order.

The runner answers the requests of many episodes at once; nothing here knows how many there are. Whatever an episode
does is a function of the configuration and its job.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hansgym.agent import Agent
from hansgym.attribution import do
from hansgym.attributions import Attribution
from hansgym.batch import Batch
from hansgym.benchmarks import effects, measures
from hansgym.benchmarks.config import Job, RunConfig
from hansgym.seeds import agent_seed, draw_seed, mask_seed, noise_seed
from hansgym.specs import AgentSpec

COUNTS = ("clipped", "speed_limited", "ik_unreached")


@dataclass(frozen=True)
class Call:
    """Ask the lane; the answer is what the worker's method returns."""

    method: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Act:
    """Ask the agent for the chunk (horizon, dim) of one row. The runner may put rows of several episodes together."""

    batch: Batch
    noise_seed: int


@dataclass(frozen=True)
class Use:
    """Do something with the agent that is this episode's alone."""

    function: Callable[[Agent], Any]


Request = Call | Act | Use


class Episode:
    """What is known about an episode so far, and the generator :meth:`play` that finds out more."""

    def __init__(self, config: RunConfig, spec: AgentSpec, job: Job, row: int) -> None:
        self.config, self.spec, self.job, self.row = config, spec, job, row
        self.began = time.monotonic()
        self.agent_seed = agent_seed(config.run_seed, job.task, job.reset_seed)
        self.filmed = job.key in config.filmed()
        self.info: dict[str, Any] = {}
        self.counts = dict.fromkeys(COUNTS, 0)
        self.steps = 0
        self.decisions: list[dict[str, Any]] = []
        self.attributions: dict[int, Attribution] = {}
        self.effects: list[do.DoDecision] = []
        self.skipped = 0
        self.frames: list[dict[str, np.ndarray]] = []
        self.graphics: dict[str, str] = {}
        self.film: str | None = None
        self._factors: tuple[str, ...] = ()

    def play(self) -> Generator[Request, Any, None]:
        """Run the episode to its end."""
        start = yield Call("reset", (self.job.task, self.job.reset_seed, self.filmed))
        yield Use(lambda agent: agent.reset([self.row], [self.agent_seed]))
        self._factors, self.graphics = self._chosen(start["factors"]), start["graphics"]
        self._note(start)
        observation, over, decision = start["observation"], False, 0
        while not over:
            chunk = yield from self._decide(observation, decision)
            result = yield Call("step_chunk", (chunk,))
            self._note(result)
            self.steps += int(result["info"]["chunk_steps"])
            observation, over, decision = result["observation"], result["over"], decision + 1

    def _decide(self, observation: dict[str, np.ndarray], decision: int) -> Generator[Request, Any, np.ndarray]:
        """The chunk to execute now, and what is measured at this decision."""
        config, job = self.config, self.job
        seed = noise_seed(config.run_seed, job.task, job.reset_seed, decision)
        batch = yield from self._batch(observation)
        entry: dict[str, Any] = {"step": self.steps}
        self.decisions.append(entry)
        if config.iss and decision % config.attribute_stride == 0:
            masks = mask_seed(config.run_seed, job.task, job.reset_seed, decision)
            objects = self.info.get("objects", ())
            found = yield Use(lambda agent: measures.explain(agent, batch, observation, objects, config, seed, masks))
            self.attributions[self.steps] = found[0]
            entry.update(measures.summary(found))
            chunk = np.asarray(found[0].clean_chunk)
        else:
            chunk = yield Act(batch, seed)
        if config.do and decision % config.do_stride == 0:
            yield from self._resample(batch, chunk, seed, decision, entry)
        return chunk

    def _resample(
        self, batch: Batch, chunk: np.ndarray, seed: int, decision: int, entry: dict[str, Any]
    ) -> Generator[Request, Any, None]:
        """Measure how far the chunk moves when factors of the world are drawn again, unless the task is touched."""
        config, job = self.config, self.job
        contact = decision > 0 and (yield Call("task_contact"))
        if not do.due(decision, config.do_stride, contact):
            self.skipped += 1
            return
        draws = [
            (factor, draw_seed(config.run_seed, job.task, job.reset_seed, decision, factor, k))
            for factor in self._factors
            for k in range(config.do_draws)
        ]
        if not draws:
            return
        seen = yield Call("counterfactuals", (draws, config.do_severity))
        images = {f: [s for (g, _), s in zip(draws, seen, strict=True) if g == f] for f in self._factors}
        effect = yield Use(lambda agent: effects.measure(agent, batch, chunk, images, config, seed))
        self.effects.append(effect)
        entry["do"] = effects.summary(effect)

    def _batch(self, observation: dict[str, np.ndarray]) -> Generator[Request, Any, Batch]:
        """What the agent is given: one row, with the privileged inputs it asked for."""
        privileged = {}
        for need in sorted(self.spec.needs):
            privileged[need] = (yield Call(need, (self.spec.horizon,)))[None]
        return Batch.from_observations(
            [observation], [self.info["instruction"]], self.spec.cameras, rows=[self.row], privileged=privileged
        )

    def _chosen(self, present: tuple[str, ...]) -> tuple[str, ...]:
        wanted = self.config.do_factors
        return tuple(f for f in present if not wanted or f in wanted)

    def _note(self, answer: dict[str, Any]) -> None:
        self.info.update(answer["info"])
        for name in COUNTS:
            self.counts[name] += int(answer["info"].get(name, 0))
        self.frames.extend(answer["frames"])

    def record(self, error: str | None = None) -> dict[str, Any]:
        """The line that is kept of this episode. What was measured before an error is left out: half a measure."""
        ok = error is None
        success = ok and bool(self.info.get("success", False))
        return {
            "task": self.job.task,
            "variation": self.info.get("variation"),
            "seed": self.job.seed,
            "trial": self.job.trial,
            "reset_seed": self.job.reset_seed,
            "success": success,
            "steps": self.steps,
            "error": error,
            "instruction": self.info.get("instruction"),
            "decisions": len(self.decisions),
            "margin": self.info.get("margin"),
            **self.counts,
            "perturbations": self.info.get("perturbations", {}),
            "noise_control": self.spec.noise_control,
            **measures.episode_iss(self.config, [d for d in self.decisions if ok and "nmr" in d]),
            **effects.episode(self.config, self._factors, self.effects if ok else [], self.skipped, not ok),
            "timeline": self.decisions,
            "video": self.film,
            "wall_s": round(time.monotonic() - self.began, 3),
        }
