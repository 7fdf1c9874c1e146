"""Actions as tokens, the way of OpenVLA: numbers in [-1, 1] cut into bins, a token of the vocabulary's end for each.

Nothing here needs the model: ids to numbers and back, numbers to the units of a data set, logits to log-probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hansgym.errors import ConfigurationError
from hansgym.lookup import unknown


@dataclass(frozen=True)
class ActionVocabulary:
    """The last ``bins`` ids below ``size`` mean actions: id ``size - 1`` the lowest bin, ``size - bins`` the highest.

    ``bins`` edges from -1 to 1 leave ``bins - 1`` centres, so the two lowest of these ids mean the same number. Ids
    that mean no action are read as the nearest that does, as the published code reads them. The model knows ``total``
    ids: its table is rounded up.
    """

    size: int = 32000
    bins: int = 256
    total: int = 32064

    def __post_init__(self) -> None:
        if not 2 <= self.bins <= self.size <= self.total:
            raise ConfigurationError(
                f"{self.bins} action bins, {self.size} ids, {self.total} with padding; give 2 bins or more, and "
                "as many ids at least"
            )

    @property
    def first(self) -> int:
        """The lowest id that means an action."""
        return self.size - self.bins

    @property
    def centres(self) -> np.ndarray:
        """(bins - 1,) float64: the number that each bin stands for."""
        edges = np.linspace(-1, 1, self.bins)
        return (edges[:-1] + edges[1:]) / 2

    def numbers(self, ids: np.ndarray) -> np.ndarray:
        """The numbers in (-1, 1), float64, that token ``ids`` mean."""
        return self.centres[np.clip(self.size - np.asarray(ids) - 1, 0, self.bins - 2)]

    def ids(self, numbers: np.ndarray) -> np.ndarray:
        """The int64 ids of ``numbers``, which are clipped to [-1, 1]: how training data are written."""
        edges = np.linspace(-1, 1, self.bins)
        return self.size - np.digitize(np.clip(numbers, -1, 1), edges).astype(np.int64)

    def means_action(self, ids: np.ndarray) -> np.ndarray:
        """Whether each id is an action's."""
        ids = np.asarray(ids)
        return (ids >= self.first) & (ids < self.size)


@dataclass(frozen=True)
class Statistics:
    """One data set's actions: numbers of [-1, 1] lie between ``low`` and ``high`` (A,), where ``mask`` (A,) says so."""

    key: str
    low: np.ndarray
    high: np.ndarray
    mask: np.ndarray

    def unnormalise(self, numbers: np.ndarray) -> np.ndarray:
        """(…, A) numbers of [-1, 1] in the data set's units; dimensions that are not masked pass as they are."""
        return np.where(self.mask, 0.5 * (numbers + 1) * (self.high - self.low) + self.low, numbers)


def statistics(table: Mapping[str, Any], key: str | None, where: str) -> Statistics:
    """The statistics of data set ``key`` in ``table`` (of ``where``), which may be None when there is one only.

    An unknown key, a missing one, or numbers that are none raise :class:`ConfigurationError`.
    """
    if not table:
        raise ConfigurationError(f"{where} has no action statistics ({table!r}); add its dataset_statistics.json")
    if key is None and len(table) > 1:
        raise ConfigurationError(
            f"{where} knows {len(table)} data sets and their actions have different units; give unnorm_key=<one of "
            f"{', '.join(sorted(table))}>"
        )
    key = next(iter(table)) if key is None else key
    if key not in table:
        raise unknown(f"unnorm_key of {where}", key, table)
    entry = table[key].get("action") if isinstance(table[key], Mapping) else None
    if not isinstance(entry, Mapping) or not {"q01", "q99"} <= set(entry):
        raise ConfigurationError(f"{where} says {entry!r:.120} of the actions of {key!r}; q01 and q99 must be there")
    low, high = _numbers(entry["q01"], where, "q01"), _numbers(entry["q99"], where, "q99")
    mask = np.asarray(entry.get("mask", np.ones(len(low), bool)))
    if low.shape != high.shape or mask.shape != low.shape or mask.dtype != bool or (high < low).any():
        raise ConfigurationError(
            f"{where}: q01 {low.tolist()}, q99 {high.tolist()} and mask {mask.tolist()} of {key!r} do not go together; "
            "they need one length, and q99 above q01"
        )
    return Statistics(key, low, high, mask)


def _numbers(values: Any, where: str, name: str) -> np.ndarray:
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.ndim != 1 or not array.size or not np.isfinite(array).all():
        raise ConfigurationError(f"{where}: {name} is {values!r:.80}; it must be a list of finite numbers")
    return array


def scores(logits: Any, ids: Any, vocabulary: ActionVocabulary) -> tuple[np.ndarray, np.ndarray]:
    """Log-probabilities of ``ids`` and the mass on action tokens, both (B, A) float64.

    ``logits``: Torch tensor (B, A, V) of any float type, what is said at the place of each token; ``ids`` (B, A).
    Computed in float32 at least: bfloat16 has three digits.
    """
    exact = logits.double() if logits.device.type == "cpu" else logits.float()
    logp = exact.log_softmax(dim=-1)
    chosen = logp.gather(-1, ids[..., None])[..., 0]
    mass = logp[..., vocabulary.first : vocabulary.size].logsumexp(dim=-1).exp()
    return chosen.double().cpu().numpy(), mass.double().cpu().numpy()
