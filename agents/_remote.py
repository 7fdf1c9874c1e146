"""What agents behind a wire share: their options, their first question, and a specification made from its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hansgym.agents.base import require_plain
from hansgym.agents.check import synthetic_batch
from hansgym.agents.mapping import PolicyMapping, load
from hansgym.batch import Batch, MaskedBatch
from hansgym.errors import AgentError, ConfigurationError
from hansgym.lookup import parse_options, unknown
from hansgym.specs import AgentSpec, NoiseControl

NOISE = ("auto", "none", "deterministic")

KINDS: dict[str, Callable[[str], Any]] = {
    "mapping": str,
    "horizon": int,
    "noise": str,
    "connect_s": float,
    "start_s": float,
    "timeout_s": float,
    "max_batch": int,
}


@dataclass(frozen=True)
class Options:
    """Options that every remote agent takes.

    ``mapping``: a ready mapping or a file, see :mod:`hansgym.agents.mapping`. ``horizon``: keep only so many control
    steps of a chunk (0: all). ``noise``: ``none`` (the server samples as it likes), ``deterministic`` (a claim, tried
    at the start) or ``auto`` (tried). Seconds: ``connect_s`` for a connection, ``start_s`` for the first answer
    (servers compile then), ``timeout_s`` for any other. ``more``: options of one scheme.
    """

    mapping: str | PolicyMapping = "rlbench"
    horizon: int = 0
    noise: str = "none"
    connect_s: float = 10.0
    start_s: float = 600.0
    timeout_s: float = 60.0
    max_batch: int = 32
    more: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.noise not in NOISE:
            raise unknown("noise", self.noise, NOISE)
        if self.horizon < 0 or self.max_batch < 1:
            raise ConfigurationError(
                f"horizon={self.horizon}, max_batch={self.max_batch}; give a horizon of 1 or more (0: the whole chunk) "
                "and a batch of 1 or more"
            )
        seconds = (self.connect_s, self.start_s, self.timeout_s)
        if not all(0 < s < float("inf") for s in seconds):
            raise ConfigurationError(f"connect_s, start_s, timeout_s are {seconds}; give positive numbers of seconds")


def address(rest: str, schemes: Sequence[str], example: str) -> tuple[str, str]:
    """``"ws://host:8000,mapping=droid"`` -> (address, options text); another scheme raises and shows ``example``."""
    url, _, text = rest.partition(",")
    if not any(url.startswith(f"{s}://") and len(url) > len(s) + 3 for s in schemes):
        wanted = " or ".join(f"{s}://HOST:PORT" for s in schemes)
        raise ConfigurationError(f"{url!r} is not the address of a server; write {wanted}, e.g. {example}")
    return url, text


def options(
    text: str, given: Mapping[str, Any], what: str, more: Mapping[str, Callable[[str], Any]], **defaults: Any
) -> Options:
    """The options in ``text`` and ``given`` (which win) over ``defaults``; ``more`` are the scheme's own."""
    kinds = {**KINDS, **more}
    for key in given:
        if key not in kinds:
            raise unknown(f"option of {what}", key, kinds)
    found = {**defaults, **parse_options(text, kinds, what), **given}
    return Options(
        **{k: v for k, v in found.items() if k in KINDS}, more={k: v for k, v in found.items() if k not in KINDS}
    )


class RemoteAgent:
    """A policy that answers over a wire, one chunk in its own units per row.

    A subclass takes what it needs to talk, writes :meth:`query`, then calls :meth:`introduce`.
    """

    spec: AgentSpec

    def __init__(self, name: str, chosen: Options) -> None:
        self.name, self.options = name, chosen
        self.mapping = load(chosen.mapping)
        self._asked = False

    def query(self, batch: Batch, noise_seeds: np.ndarray, limit_s: float) -> Sequence[np.ndarray]:
        """The policy's own actions, (T, A) float64, for each row of ``batch``."""
        raise NotImplementedError

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Nothing to forget, unless a subclass says so."""

    def act(self, batch: Batch | MaskedBatch, noise_seeds: np.ndarray) -> np.ndarray:
        """Chunks (B, horizon, dim) float64; a server that fails raises :class:`hansgym.errors.AgentError`."""
        plain = require_plain(batch, self.name)
        chunks = self._ask(plain, np.asarray(noise_seeds, np.uint64))
        if chunks.shape[1] < self.spec.horizon:
            raise AgentError(
                f"{self.name} sent a chunk that lasts {chunks.shape[1]} control steps; {self.spec.horizon} were due, "
                "as at the start: use a server whose chunks are of one length"
            )
        return chunks[:, : self.spec.horizon]

    def introduce(self, noise: NoiseControl | None = None, **details: Any) -> None:
        """Ask once about a made-up observation, and make ``spec`` from the answer; ``details`` are kept in results."""
        batch = self.made_up()
        seeds = np.zeros(1, np.uint64)
        first = self._ask(batch, seeds)
        length = first.shape[1]
        if self.options.horizon > length:
            raise ConfigurationError(
                f"{self.name} predicts {length} control steps, horizon={self.options.horizon} is more; "
                f"choose 1 to {length}"
            )
        self.spec = AgentSpec(
            name=self.name,
            action=self.mapping.spec,
            horizon=self.options.horizon or length,
            cameras=self.mapping.cameras,
            image_size=self.mapping.image_size,
            noise_control=noise or self._noise(batch, seeds, first),
            max_batch=self.options.max_batch,
            details={"mapping": self.mapping.describe(), **details},
        )

    def made_up(self) -> Batch:
        """One row of synthetic observation, such as the mapping takes."""
        mapping = self.mapping
        wanted = AgentSpec(self.name, mapping.spec, 1, mapping.cameras, mapping.image_size)
        return synthetic_batch(wanted, rows=1)

    def _ask(self, batch: Batch, seeds: np.ndarray) -> np.ndarray:
        """Chunks (B, T, dim) in our units."""
        limit_s = self.options.timeout_s if self._asked else self.options.start_s
        answers = self.query(batch, seeds, limit_s)
        self._asked = True
        due = self.mapping.action.dim
        for answer in answers:
            if answer.shape[1] != due:
                raise AgentError(
                    f"{self.name} sent actions of shape {answer.shape}; mapping {self.mapping.name!r} means {due} "
                    "numbers each: choose the mapping that fits, or give mapping=<file>.toml"
                )
        if len({len(answer) for answer in answers}) > 1:
            raise AgentError(
                f"{self.name} sent chunks of {sorted({len(a) for a in answers})} steps at once; "
                "they must be of one length"
            )
        return self.mapping.actions(np.stack(answers), batch)

    def _noise(self, batch: Batch, seeds: np.ndarray, first: np.ndarray) -> NoiseControl:
        """What can be said of the server's sampling, after asking the same thing again where it matters."""
        claim = self.options.noise
        if claim == "none":
            return "none"
        if np.array_equal(first, self._ask(batch, seeds)):
            return "deterministic"
        if claim == "deterministic":
            raise ConfigurationError(
                f"{self.name} was said to be noise={claim}, but asked twice it answers differently; use noise=none"
            )
        return "none"
