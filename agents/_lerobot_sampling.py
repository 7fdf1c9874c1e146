"""How a LeRobot policy samples: tried, never taken from what it says, for some take ``noise`` and ignore it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from hansgym.agents.noise import normal
from hansgym.errors import AgentError
from hansgym.lookup import require
from hansgym.specs import NoiseControl

SAME = 1e-4
"""Answers closer than this share of their spread are the same: devices round."""

TRIES = 8
"""Seeds that are tried before draws are taken to be without effect."""

Ask = Callable[[np.ndarray, "Sampling"], np.ndarray]


@dataclass
class Sampling:
    """``kind``: as in :class:`hansgym.specs.AgentSpec`. ``way``: how the numbers get into the policy.

    ``argument``: ``noise=`` of ``shape`` (without the row axis); ``inside``: the policy's own draws are answered from
    the rows' seeds; ``generator``: Torch's generator is seeded, one row at a time, always alike if ``deterministic``;
    ``untouched``: nothing is done.
    ``shapes`` and ``loose``: what the last call drew, see :class:`hansgym.agents._torch_noise.RowNoise`. ``watch``:
    note it under ``argument`` too.
    """

    kind: NoiseControl
    way: Literal["argument", "inside", "generator", "untouched"] = "untouched"
    shape: tuple[int, ...] = ()
    shapes: tuple[tuple[int, ...], ...] = ()
    loose: int = 0
    watch: bool = False

    def call(self, predict: Callable[..., Any], batch: Any, seeds: np.ndarray, device: Any) -> Any:
        """``predict(batch)`` with the noise of ``seeds``."""
        torch = require("torch", "lerobot")
        if self.way == "untouched":
            return predict(batch)
        if self.way == "generator":
            with torch.random.fork_rng([device] if device.type == "cuda" else []):
                torch.manual_seed(int(seeds[0]) & 0x7FFFFFFFFFFFFFFF if self.kind == "rng" else 0)
                return predict(batch)
        given = {}
        if self.way == "argument":
            given = {"noise": torch.from_numpy(normal(seeds, self.shape)).to(device)}
            if not self.watch:
                return predict(batch, **given)
        from hansgym.agents._torch_noise import RowNoise

        with RowNoise(seeds) as rows:
            out = predict(batch, **given)
        self.shapes, self.loose = tuple(rows.shapes), rows.loose
        return out

    def describe(self) -> dict[str, Any]:
        """Plain values for a run's record."""
        return {"way": self.way, "shape": list(self.shape)}


def find_out(ask: Ask, predict: Callable[..., Any]) -> Sampling:
    """Ask with seeds (1, 2) twice and with (3, 4): equal seeds must answer the same, other seeds differently."""
    first, second, other = (np.array(pair, np.uint64) for pair in ((1, 2), (1, 2), (3, 4)))
    inside = Sampling("exact", "inside")
    answers = [ask(seeds, inside) for seeds in (first, second, other)]
    if inside.loose:
        return _by_generator(ask)
    if not inside.shapes:
        return Sampling("deterministic" if _same(answers[0], answers[1]) else "none")
    if not _same(answers[0], answers[1]):
        return Sampling("none")
    if _same(answers[0], answers[2]):
        return Sampling("deterministic", "inside")
    shapes, tries = inside.shapes, Sampling("exact", "argument", inside.shapes[0][1:], watch=True)
    if len(shapes) == 1 and _takes_noise(predict):
        try:
            again = ask(first, tries)
        except (TypeError, RuntimeError, AgentError):
            return inside
        if not tries.shapes and not tries.loose and _same(again, answers[0]):
            return replace(tries, watch=False)
    return inside


def mixes_words(mixed: Ask, alike: Ask, sampling: Sampling) -> bool:
    """Whether a row that is told little answers otherwise beside one that is told much: its words are padded to the
    longest, and not all policies keep the padding out of their sums (GR00T's does not).

    ``mixed`` asks about two rows of which the first is told less, ``alike`` about two that are told the same, which
    shows how far rounding alone moves an answer.
    """
    if sampling.way == "generator" or sampling.kind == "none":
        return False
    pair, one = np.array([1, 2], np.uint64), np.array([1], np.uint64)
    moved, rounded = (float(np.abs(ask(pair, sampling)[:1] - ask(one, sampling)).max()) for ask in (mixed, alike))
    return moved > max(4 * rounded, SAME * float(np.std(mixed(pair, sampling))))


def together(words: Sequence[str], apart: bool) -> list[np.ndarray]:
    """The rows that may be asked about together: all, or those that are told the same."""
    if not apart:
        return [np.arange(len(words))]
    each = np.array(words)
    return [np.flatnonzero(each == text) for text in dict.fromkeys(words)]


def _by_generator(ask: Ask) -> Sampling:
    """Draws that belong to no row: one row at a time, from a seeded generator, or not at all.

    Draws of words or codes often fall on the same one, so several seeds are tried. Where none shows the generator is
    seeded all the same, always alike.
    """
    seeded = Sampling("rng", "generator")
    first, second, *others = (ask(np.array([seed], np.uint64), seeded) for seed in (1, 1, *range(3, 3 + TRIES)))
    if not _same(first, second):
        return Sampling("none")
    return seeded if not all(_same(first, other) for other in others) else replace(seeded, kind="deterministic")


def _takes_noise(predict: Callable[..., Any]) -> bool:
    known = inspect.signature(predict).parameters.values()
    return any(p.name == "noise" or p.kind is p.VAR_KEYWORD for p in known)


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return float(np.abs(a - b).max()) <= SAME * max(float(np.std(a)), 1e-6)
