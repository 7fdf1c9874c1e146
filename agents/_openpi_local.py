"""openpi in this process: a trained policy (π0, π0-FAST, π0.5; JAX or PyTorch) asked in batches, with noise of ours.

openpi's own ``infer`` takes one observation. Its parts take any number: observations go through the policy's input
transforms one by one, are stacked, the model samples for all of them at once from noise made of each row's seed, and
what comes out goes through the output transforms one by one. openpi is installed from its repository only.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hansgym.agents._arrays import actions_of
from hansgym.agents._halving import Halving
from hansgym.agents._openpi_checkpoint import Loaded, checkpoint_folder, create, training_config
from hansgym.agents.base import require_plain
from hansgym.agents.check import synthetic_batch
from hansgym.agents.mapping import PolicyMapping, load
from hansgym.agents.noise import normal
from hansgym.batch import Batch, MaskedBatch
from hansgym.errors import AgentError, ConfigurationError
from hansgym.lookup import parse_options, unknown
from hansgym.specs import AgentSpec, NoiseControl

KINDS: dict[str, Callable[[str], Any]] = {
    "mapping": str,
    "horizon": int,
    "num_steps": int,
    "device": str,
    "max_batch": int,
}

BY_NAME = (
    (("droid", "jointpos"), "droid_joint_position"),
    (("droid",), "droid"),
    (("libero",), "libero"),
)
"""The mapping where none is given: the first whose words are all in the configuration's name, else ``rlbench``."""


@dataclass(frozen=True)
class Options:
    """What the user may say. ``mapping``: the policy's inputs and the meaning of its numbers; by :data:`BY_NAME`.

    ``horizon``: keep only so many control steps (0: all). ``num_steps``: denoising steps (0: openpi's own 10).
    ``device``: PyTorch checkpoints only. ``max_batch``: rows that are tried at once; halved when memory runs out.
    """

    mapping: str | PolicyMapping = ""
    horizon: int = 0
    num_steps: int = 0
    device: str | None = None
    max_batch: int = 32

    def __post_init__(self) -> None:
        if self.horizon < 0 or self.num_steps < 0 or self.max_batch < 1:
            raise ConfigurationError(
                f"horizon={self.horizon}, num_steps={self.num_steps}, max_batch={self.max_batch}; give 1 or more of "
                "each"
            )


def make(name: str, folder: str, text: str, given: Mapping[str, Any]) -> OpenpiLocalAgent:
    """The agent of configuration ``name`` with the weights in ``folder``; options as in ``text`` and ``given``."""
    for key in given:
        if key not in KINDS:
            raise unknown("option of agent 'openpi'", key, KINDS)
    options = Options(**{**parse_options(text, KINDS, "agent 'openpi'"), **given})
    mapping = load(options.mapping or mapping_for(name))
    place = checkpoint_folder(folder)
    config = training_config(name)
    sampling = {"num_steps": options.num_steps} if options.num_steps else None
    loaded = create(name, config, place, sample_kwargs=sampling, device=options.device)
    return OpenpiLocalAgent(loaded, mapping, options)


def mapping_for(name: str) -> str:
    """The ready mapping that a configuration's name calls for."""
    words = name.rpartition(":")[2].lower()
    return next((ready for needed, ready in BY_NAME if all(w in words for w in needed)), "rlbench")


class OpenpiLocalAgent:
    """A policy of openpi's behind the agent protocol.

    Flow models take the noise that they start from: ``exact``, and the N masked copies of an observation share theirs.
    π0-FAST decodes greedily: ``deterministic``. Both are tried at the start, never assumed.
    """

    def __init__(self, loaded: Loaded, mapping: PolicyMapping, options: Options = Options()) -> None:
        self.name = f"openpi:{loaded.name}"
        self._loaded, self.mapping, self.options = loaded, mapping, options
        taken = inspect.signature(type(loaded.model).sample_actions).parameters
        for name in loaded.sample_kwargs:
            if name not in taken:
                raise ConfigurationError(f"the model of {loaded.name!r} takes no {name}; leave it out")
        self._takes_noise = "noise" in taken
        self._halving = Halving(options.max_batch, self.name, loaded.free)
        self.spec = self._introduced()

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Nothing to forget: chunks depend on the present observation alone."""

    def act(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> np.ndarray:
        """Chunks (B, horizon, dim) float64."""
        plain = require_plain(batch, self.name)
        return self._ask(plain, np.asarray(noise_seeds, np.uint64))[:, : self.spec.horizon]

    def _ask(self, batch: Batch, seeds: np.ndarray) -> np.ndarray:
        """Chunks (B, T, dim) in our units."""
        rows = self._observations(batch)

        def of(part: slice) -> np.ndarray:
            return self._sampled(rows[part], seeds[part])

        return self.mapping.actions(np.concatenate(self._halving.run(of, len(rows))), batch)

    def _observations(self, batch: Batch) -> list[dict[str, Any]]:
        """What openpi's ``infer`` would be given, row by row."""
        shown, told, key = self.mapping.observe(batch), self.mapping.tell(batch), self.mapping.instruction.key
        return [{**{name: v[row] for name, v in shown.items()}, key: told[row]} for row in range(len(batch))]

    def _sampled(self, rows: list[dict[str, Any]], seeds: np.ndarray) -> np.ndarray:
        """(B, T, their dim) float64."""
        size = min(1 << (len(rows) - 1).bit_length(), max(len(rows), self._halving.most))
        inputs = [self._transformed(row) for row in rows]
        # Models are compiled for each number of rows: few numbers, and the last row again in place of those that lack.
        fill = size - len(rows)
        stacked = _stacked([*inputs, *inputs[-1:] * fill])
        noise = None
        if self._takes_noise:
            noise = normal(np.concatenate([seeds, seeds[-1:].repeat(fill)]), self._loaded.noise_shape)
        actions, states = self._loaded.sample(stacked, noise), stacked["state"]
        return np.stack([self._finished(states[k], actions[k]) for k in range(len(rows))])

    def _transformed(self, row: dict[str, Any]) -> dict[str, Any]:
        try:
            inputs: dict[str, Any] = self._loaded.input_transform(dict(row))
        except KeyError as error:
            raise AgentError(
                f"{self.name} wants the input {error}; mapping {self.mapping.name!r} gives {sorted(row)}: choose the "
                "mapping that fits, or give mapping=<file>.toml"
            ) from error
        return inputs

    def _finished(self, state: np.ndarray, actions: np.ndarray) -> np.ndarray:
        found = self._loaded.output_transform({"state": np.array(state), "actions": np.array(actions)})
        chunk = actions_of(found.get("actions"), self.name)
        due = self.mapping.action.dim
        if chunk.ndim != 2 or chunk.shape[1] != due:
            raise AgentError(
                f"{self.name} gave actions of shape {chunk.shape}; mapping {self.mapping.name!r} means {due} numbers "
                "each: choose the mapping that fits, or give mapping=<file>.toml"
            )
        return chunk

    # ------------------------------------------------------------ what it says of itself

    def _introduced(self) -> AgentSpec:
        mapping = self.mapping
        wanted = AgentSpec(self.name, mapping.spec, 1, mapping.cameras, mapping.image_size)
        batch, seeds = synthetic_batch(wanted, rows=1), np.zeros(1, np.uint64)
        first = self._ask(batch, seeds)
        if self.options.horizon > first.shape[1]:
            raise ConfigurationError(
                f"{self.name} predicts {first.shape[1]} control steps, horizon={self.options.horizon} is more; choose "
                f"1 to {first.shape[1]}"
            )
        return AgentSpec(
            name=self.name,
            action=mapping.spec,
            horizon=self.options.horizon or first.shape[1],
            cameras=mapping.cameras,
            image_size=mapping.image_size,
            noise_control=self._noise(batch, first),
            max_batch=self.options.max_batch,
            details={"mapping": mapping.describe(), "framework": self._loaded.framework, **self._loaded.details},
        )

    def _noise(self, batch: Batch, first: np.ndarray) -> NoiseControl:
        """What repeating the question, and asking with another seed, shows of the model's sampling."""
        same = np.array_equal(first, self._ask(batch, np.zeros(1, np.uint64)))
        moved = not np.array_equal(first, self._ask(batch, np.ones(1, np.uint64)))
        if not same:
            return "none"
        return "exact" if moved else "deterministic"


def _stacked(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """One tree of arrays with a row for each of ``rows``; trees of dictionaries, as openpi's transforms make them."""
    first = rows[0]
    if isinstance(first, dict):
        return {key: _stacked([row[key] for row in rows]) for key in first}
    try:
        return np.stack([np.asarray(row) for row in rows])  # type: ignore[return-value] # the leaves of the tree
    except ValueError as error:
        raise AgentError(f"inputs of rows differ in shape ({error}); all pictures must have one size") from error
