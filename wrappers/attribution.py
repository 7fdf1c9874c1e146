"""The attribution wrapper: at every decision, why does the policy want to do what it wants to do?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from hansgym.agent import Agent
from hansgym.agents.registry import make_agent
from hansgym.attribution import do as effects
from hansgym.attribution.evaluate import evaluate
from hansgym.attribution.explain import explain
from hansgym.attribution.method import method as method_called
from hansgym.attribution.ner import ner_of
from hansgym.attribution.pixels import maps_of
from hansgym.attributions import Attribution
from hansgym.batch import STATE_KEYS, Batch
from hansgym.errors import ConfigurationError, ContractError
from hansgym.seeds import agent_seed, draw_seed, mask_seed, noise_seed

LANE = 0


@dataclass(frozen=True)
class DoSettings:
    """How do-effects are measured: every ``stride``-th decision, ``draws`` per factor, ranges times ``severity``.

    ``factors``: only these of the factors that are present; empty means all.
    """

    stride: int = effects.STRIDE
    draws: int = effects.DRAWS
    severity: float = 1.0
    factors: tuple[str, ...] = ()


class AttributionWrapper(gym.Wrapper, gym.utils.RecordConstructorArgs):
    """Asks an agent at every observation, explains its answer, and puts both into ``info``.

    The environment must be chunked for the agent's horizon, in its control mode. After ``reset`` and after every
    ``step`` that does not end the episode, ``info`` has

    * ``clean_chunk`` (horizon, dim) float64: what the agent answers, ready to be given to ``step``;
    * ``decision`` (int), and ``evaluations`` (int): observations that the agent was asked about, clean one included;
    * at every ``stride``-th decision ``attribution`` (:class:`hansgym.attributions.Attribution`), ``maps`` (camera ->
      (H, W) float64), ``nmr`` (percentage -> share or None) and ``stderr`` (camera -> (G, G)); None in between;
    * with ``do``, ``do`` (:class:`hansgym.attribution.do.DoDecision`, or None where not due) and ``ner``, the ratio of
      the episode so far (or None, with ``ner_reason``). All of them change nothing in the world.

    After the last step all of these are None. Seeds are those of a run: equal (``seed``, task, reset seed, decision)
    give equal numbers here and in ``hansgym evaluate``. One environment, one lane; runs batch many.

    Example::

        env = ChunkedExecution(gym.make("hansgym/open_drawer-v0"))
        env = AttributionWrapper(env, "expert", n_masks=20)
        observation, info = env.reset(seed=0)
        while True:
            observation, reward, terminated, truncated, info = env.step(info["clean_chunk"])
            if terminated or truncated:
                break
            print(info["nmr"]["10"])
    """

    def __init__(
        self,
        env: gym.Env,
        agent: Agent | str,
        method: str = "iss",
        stride: int = 1,
        seed: int = 0,
        n_masks: int = 100,
        keep_probability: float = 0.3,
        do: bool | Mapping[str, Any] = False,
    ) -> None:
        """``agent``: an agent, or its URI (then ``env.spec`` is made of plain values). ``stride``: explain every
        so many decisions. ``do``: measure do-effects; a mapping sets fields of :class:`DoSettings`.
        """
        gym.utils.RecordConstructorArgs.__init__(
            self,
            agent=agent,
            method=method,
            stride=stride,
            seed=seed,
            n_masks=n_masks,
            keep_probability=keep_probability,
            do=do,
        )
        gym.Wrapper.__init__(self, env)
        self.agent = make_agent(agent) if isinstance(agent, str) else agent
        method_called(method).check(self.agent)
        if stride < 1:
            raise ConfigurationError(f"stride must be at least 1, got {stride}")
        _check_contract(env, self.agent)
        self.stride, self.seed = stride, seed
        self._explain = {"method": method, "n_masks": n_masks, "keep_probability": keep_probability}
        self._do = _do_settings(env, do)
        self._reset_seed, self._decision, self._instruction = 0, 0, ""
        self._effects: list[effects.DoDecision] = []

    @property
    def task(self) -> str:
        """The task's name, or the environment's id where it has none."""
        if self.env.has_wrapper_attr("task"):
            return str(self.env.get_wrapper_attr("task"))
        return self.env.spec.id if self.env.spec is not None else type(self.env.unwrapped).__name__

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Reset the environment and the agent, and explain the first decision."""
        observation, info = self.env.reset(seed=seed, options=options)
        found = info.get("reset_seed", seed)
        if found is None:
            raise ConfigurationError("the environment reports no info['reset_seed']; give a seed: env.reset(seed=0)")
        self._reset_seed, self._decision, self._effects = int(found), 0, []
        self._instruction = str(info["instruction"])
        self.agent.reset([LANE], [agent_seed(self.seed, self.task, self._reset_seed)])
        return observation, {**info, **self._decide(observation, info)}

    def step(self, action: np.ndarray) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Execute a chunk (usually ``info["clean_chunk"]``) and explain the decision that follows."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._decision += 1
        over = bool(terminated or truncated)
        told = dict.fromkeys(_KEYS) if over else self._decide(observation, info)
        if self._do is not None:
            told |= self._ratio() if over else {}
        return observation, reward, terminated, truncated, {**info, **told}

    def _decide(self, observation: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> dict[str, Any]:
        batch = self._batch(observation)
        noise = noise_seed(self.seed, self.task, self._reset_seed, self._decision)
        told: dict[str, Any] = {**dict.fromkeys(_KEYS), "decision": self._decision, "evaluations": 1}
        if self._decision % self.stride == 0:
            found = self._explained(batch, observation, info, noise)
            told |= {"attribution": found, "maps": maps_of(found), "nmr": dict(found.nmr)}
            told |= {"stderr": dict(found.stderr), "evaluations": found.evaluations, "clean_chunk": found.clean_chunk}
        else:
            told["clean_chunk"] = evaluate(self.agent, batch, [noise])[0]
        if self._do is not None:
            told["do"] = effect = self._do_effects(self._do, batch, told["clean_chunk"], noise)
            # The clean answer was counted above; agents that take batches are asked for it again.
            known = self.agent.spec.max_batch == 1
            told["evaluations"] += 0 if effect is None else effect.evaluations - known
            told |= self._ratio()
        return told

    def _explained(
        self, batch: Batch, observation: Mapping[str, np.ndarray], info: Mapping[str, Any], noise: int
    ) -> Attribution:
        cameras = self.agent.spec.cameras
        named = "objects" in info and all(f"{c}_objects" in observation for c in cameras)
        [found] = explain(
            self.agent,
            batch,
            regions={c: observation[f"{c}_mask"][None] for c in cameras},
            objects={c: observation[f"{c}_objects"][None] for c in cameras} if named else None,
            scene=[tuple(info["objects"])] if named else None,
            noise_seeds=[noise],
            seed=[mask_seed(self.seed, self.task, self._reset_seed, self._decision)],
            **self._explain,  # type: ignore[arg-type]
        )
        return found

    def _do_effects(
        self, settings: DoSettings, batch: Batch, chunk: np.ndarray, noise: int
    ) -> effects.DoDecision | None:
        contact = self._decision > 0 and bool(self.env.get_wrapper_attr("task_contact")())
        present = self.env.get_wrapper_attr("present_factors")()
        factors = [f for f in present if not settings.factors or f in settings.factors]
        if not factors or not effects.due(self._decision, settings.stride, contact):
            return None
        seen = {f: self._drawn(f, batch, settings) for f in factors}
        executed = min(self._executed, self.agent.spec.horizon)
        found = effects.do_effects(self.agent, batch, seen, noise, executed=executed, clean_chunk=chunk)
        self._effects.append(found)
        return found

    @property
    def _executed(self) -> int:
        return int(self.env.get_wrapper_attr("execute")) if self.env.has_wrapper_attr("execute") else effects.EXECUTED

    def _drawn(self, factor: str, batch: Batch, settings: DoSettings) -> Batch:
        """The present state with ``factor`` drawn again, K rows."""
        look = self.env.get_wrapper_attr("counterfactual")
        place = (self.seed, self.task, self._reset_seed, self._decision, factor)
        seen = [look((factor,), draw_seed(*place, k), settings.severity) for k in range(settings.draws)]
        images = {c: np.stack([s[f"{c}_rgb"] for s in seen]) for c in batch.images}
        return batch.take([0] * settings.draws).with_images(images)

    def _ratio(self) -> dict[str, Any]:
        ratio, reason = ner_of(effects.episode_record(self._effects))
        return {"ner": ratio, "ner_reason": reason}

    def _batch(self, observation: Mapping[str, np.ndarray]) -> Batch:
        spec = self.agent.spec
        told = {n: np.asarray(self.env.get_wrapper_attr(n)(spec.horizon))[None] for n in sorted(spec.needs)}
        return Batch.from_observations([observation], [self._instruction], spec.cameras, rows=[LANE], privileged=told)


_KEYS = ("attribution", "maps", "nmr", "stderr", "evaluations", "clean_chunk", "decision", "do")


def _do_settings(env: gym.Env, do: bool | Mapping[str, Any]) -> DoSettings | None:
    if do is False:
        return None
    try:
        settings = DoSettings(**({} if do is True else do))
    except TypeError as error:
        raise ConfigurationError(f"do={do!r}: {error}; it takes stride, draws, severity, factors") from None
    missing = [n for n in ("counterfactual", "present_factors", "task_contact") if not env.has_wrapper_attr(n)]
    if missing:
        raise ConfigurationError(f"do-effects need {', '.join(missing)}, which {env.unwrapped} does not have")
    return settings


def _check_contract(env: gym.Env, agent: Agent) -> None:
    """Raise where agent and environment cannot work together, before the first step."""
    spec = agent.spec
    if env.has_wrapper_attr("action_spec"):
        spec.action.check(env.get_wrapper_attr("action_spec"))
    due = (spec.horizon, spec.action.dim)
    if env.action_space.shape != due:
        raise ContractError(
            f"agent {spec.name!r} answers chunks {due}, the environment takes {env.action_space.shape}; "
            f"wrap it first: ChunkedExecution(env, horizon={spec.horizon}, execute=…)"
        )
    spaces: Mapping[str, Any] = getattr(env.observation_space, "spaces", {})
    wanted: Sequence[str] = (*STATE_KEYS, *(f"{c}_{kind}" for c in spec.cameras for kind in ("rgb", "mask")))
    missing = [k for k in wanted if k not in spaces]
    if missing:
        raise ContractError(
            f"agent {spec.name!r} needs observations {', '.join(missing)}; make the environment with "
            f"cameras={spec.cameras} and obs_layout='hansgym'"
        )
    sizes = {c: spaces[f"{c}_rgb"].shape[0] for c in spec.cameras}
    wrong = {c: s for c, s in sizes.items() if spec.image_size not in (None, s)}
    if wrong:
        raise ContractError(
            f"agent {spec.name!r} wants images of {spec.image_size} px, the environment gives {wrong}; "
            f"make it with image_size={spec.image_size}"
        )
