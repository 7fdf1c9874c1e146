"""What is measured at a decision and how it adds up to an episode: saliency here, do-effects in ``effects``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hansgym.agent import Agent
from hansgym.attribution.explain import explain as explain_rows
from hansgym.attribution.nmr import OBJECT_PERCENT, Ranking
from hansgym.attribution.pixels import maps_of
from hansgym.attribution.statistics import episode_mean
from hansgym.attributions import NMR_PERCENT, Attribution
from hansgym.batch import Batch
from hansgym.benchmarks.config import RunConfig
from hansgym.roles import Region, SceneObject

Found = tuple[Attribution, dict[str, dict[str, float] | None]]
"""An attribution, and the shares of its top 10 per cent by region and by camera."""


def explain(
    agent: Agent,
    batch: Batch,
    observation: Mapping[str, np.ndarray],
    scene: Sequence[SceneObject],
    config: RunConfig,
    noise_seed: int,
    mask_seed: int,
) -> Found:
    """Explain the one row of ``batch``; its images' regions and objects are in ``observation``."""
    regions = {c: np.asarray(observation[f"{c}_mask"]) for c in batch.images}
    named = bool(scene) and all(f"{c}_objects" in observation for c in batch.images)
    objects = {c: np.asarray(observation[f"{c}_objects"])[None] for c in batch.images} if named else None
    [found] = explain_rows(
        agent,
        batch,
        config.method,
        regions={c: r[None] for c, r in regions.items()},
        objects=objects,
        scene=[tuple(scene)] if named else None,
        noise_seeds=[noise_seed],
        seed=[mask_seed],
        n_masks=config.n_masks,
    )
    return found, _shares(found, regions)


def _shares(found: Attribution, regions: Mapping[str, np.ndarray]) -> dict[str, dict[str, float] | None]:
    """Where the top 10 per cent of pixels lie: by region and by camera, each summing to 1; None without effect."""
    if found.nmr_reason is not None:
        return {"region": None, "camera": None}
    maps = maps_of(found)
    scores = np.concatenate([m.ravel() for m in maps.values()])
    ranking = Ranking(scores, np.zeros(scores.size, bool), OBJECT_PERCENT)
    weights = ranking.weights(OBJECT_PERCENT)
    weights /= weights.sum()
    region = np.concatenate([regions[c].ravel() for c in maps])[ranking.pixels]
    camera = np.repeat(np.arange(len(maps)), [m.size for m in maps.values()])[ranking.pixels]
    by_region = np.bincount(region, weights, minlength=len(Region))
    by_camera = np.bincount(camera, weights, minlength=len(maps))
    return {
        "region": {r.name.lower(): float(by_region[r]) for r in Region},
        "camera": {c: float(by_camera[k]) for k, c in enumerate(maps)},
    }


def summary(found: Found) -> dict[str, Any]:
    """What the timeline keeps of one explained decision."""
    item, shares = found
    return {
        "nmr": dict(item.nmr),
        "nmr_reason": item.nmr_reason,
        "estimator": item.estimator,
        "nuisance_area": item.nuisance_area,
        "split_half": item.split_half,
        "effect_cv": item.effect_cv,
        "mean_effect": item.mean_effect,
        "gripper_share": item.gripper_share,
        "soft_mass": item.soft_mass,
        "top_mass": dict(item.top_mass),
        "nmr_by_camera": {c: v.get("10") for c, v in item.nmr_by_camera.items()},
        "by_region": shares["region"],
        "by_camera": shares["camera"],
        "by_object": dict(item.nmr_by_object),
        "evaluations": item.evaluations,
    }


def episode_iss(config: RunConfig, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The saliency part of an episode's line, from the :func:`summary` of its explained decisions.

    Without attribution it is empty. ``nuisance_area`` is what a random map would score. Means are over the decisions
    that have a value; ``nmr_nulls`` counts the others.
    """
    if not config.iss:
        return {}
    lost = [i for i in items if i["nmr_reason"] is not None]
    return {
        "nmr": {str(k): episode_mean([i["nmr"].get(str(k)) for i in items]) for k in NMR_PERCENT},
        "nmr_nulls": len(lost),
        "nmr_reason": lost[0]["nmr_reason"] if lost else None if items else "no decision was explained",
        "estimator": items[0]["estimator"] if items else None,
        "nuisance_area": episode_mean([i["nuisance_area"] for i in items]),
        "split_half": episode_mean([i["split_half"] for i in items]),
        "iss": {
            "method": config.method,
            "decisions": len(items),
            "evaluations": sum(i["evaluations"] for i in items),
            **{k: episode_mean([i[k] for i in items]) for k in _SCALARS},
            **{k: _mean_by_name([i[k] for i in items]) for k in _NAMED},
        },
    }


_SCALARS = ("effect_cv", "mean_effect", "gripper_share", "soft_mass")
_NAMED = ("top_mass", "nmr_by_camera", "by_region", "by_camera", "by_object")


def _mean_by_name(tables: Sequence[Mapping[str, float | None] | None]) -> dict[str, float | None]:
    kept = [t for t in tables if t]
    names = list(dict.fromkeys(name for t in kept for name in t))
    return {name: episode_mean([t.get(name) for t in kept]) for name in names}


def arrays(steps: Sequence[int], found: Sequence[Attribution]) -> dict[str, np.ndarray]:
    """What ``attributions/*.npz`` holds: cells, not pixels.

    ``steps`` (T,) int64, the control step of each explained decision; ``cells_<camera>`` and ``stderr_<camera>`` (T, G,
    G) float64; ``clean_chunks`` (T, horizon, dim) float64; ``nmr`` (T, 5) float64 at 1, 5, 10, 15 and 20 per cent, NaN
    where there is none; ``image_size_<camera>`` (2,) int64.
    """
    first = found[0]
    nmr = [[np.nan if a.nmr.get(str(k)) is None else a.nmr[str(k)] for k in NMR_PERCENT] for a in found]
    return {
        "steps": np.asarray(steps, np.int64),
        "clean_chunks": np.stack([a.clean_chunk for a in found]),
        "nmr": np.asarray(nmr, np.float64),
        **{f"cells_{c}": np.stack([a.cells[c] for a in found]) for c in first.cells},
        **{f"stderr_{c}": np.stack([a.stderr[c] for a in found]) for c in first.stderr},
        **{f"image_size_{c}": np.asarray(size, np.int64) for c, size in first.image_size.items()},
    }


def overlays(decisions: Sequence[Mapping[str, Any]], found: Mapping[int, Attribution]) -> list[dict[str, Any]]:
    """What a film is drawn with: per decision ``step``, ``cells`` (camera -> (G, G), if explained) and ``nmr``."""
    return [
        {
            "step": entry["step"],
            "cells": dict(found[entry["step"]].cells) if entry["step"] in found else None,
            "nmr": entry.get("nmr"),
        }
        for entry in decisions
    ]
