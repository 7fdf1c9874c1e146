"""Do-effects in a run: measured at a decision, kept in an episode's line, pooled from the lines alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hansgym.agent import Agent
from hansgym.attribution import do, ner
from hansgym.batch import Batch
from hansgym.benchmarks.config import RunConfig

Record = Mapping[str, Any]
Images = Mapping[str, np.ndarray]


def measure(
    agent: Agent,
    clean: Batch,
    chunk: np.ndarray,
    seen: Mapping[str, Sequence[Images]],
    config: RunConfig,
    noise_seed: int,
) -> do.DoDecision:
    """Effects on ``chunk``, the answer to the one row of ``clean``, of the images ``seen`` (factor -> K draws)."""
    batches = {
        factor: clean.take([0] * len(draws)).with_images(
            {c: np.stack([draw[f"{c}_rgb"] for draw in draws]) for c in clean.images}
        )
        for factor, draws in seen.items()
    }
    return do.do_effects(agent, clean, batches, noise_seed, executed=config.execute, clean_chunk=chunk)


def summary(effect: do.DoDecision) -> dict[str, float]:
    """What the timeline keeps of one decision: factor -> d2."""
    return {factor: found.d2 for factor, found in effect.factors.items()}


def episode(
    config: RunConfig, factors: Sequence[str], effects: Sequence[do.DoDecision], skipped: int, error: bool
) -> dict[str, Any]:
    """The do part of an episode's line: ``ner`` (or null with ``ner_reason``), ``do`` and what it is about.

    ``do_factors``: those that were present. ``do_skipped``: decisions left out because of contact with the task.
    """
    if not config.do:
        return {}
    record = do.episode_record(effects)
    ratio, reason = ner.ner_of(record)
    if not factors and not error:
        reason = "this environment cannot resample its world"
    return {
        "ner": ratio,
        "ner_reason": reason,
        "do": record,
        "do_factors": list(factors),
        "do_severity": config.do_severity,
        "do_skipped": skipped,
    }


def pooled(records: Sequence[Record], config: Mapping[str, Any]) -> ner.NerResult:
    """The run's NER with its interval and what it is made of, from the lines alone."""
    if "do" not in config["attribute"]:
        return ner.NerResult(None, "do-effects were not asked for", severity=config["do_severity"])
    return ner.pool(records, config["run_seed"], severity=config["do_severity"])
