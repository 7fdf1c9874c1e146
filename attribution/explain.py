"""Explain decisions: from observations and an agent to attributions, with any method. Works on recorded ones too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hansgym.agent import Agent
from hansgym.attribution import nmr
from hansgym.attribution.method import CellScores, Method, Question
from hansgym.attribution.method import method as method_named
from hansgym.attribution.pixels import pixel_maps
from hansgym.attributions import Attribution
from hansgym.batch import BLUR_SIGMA_AT_224, Batch
from hansgym.errors import ConfigurationError
from hansgym.roles import SceneObject
from hansgym.seeds import seed_of
from hansgym.specs import check_chunk


def explain(
    agent: Agent,
    batch: Batch,
    method: str = "iss",
    *,
    regions: Mapping[str, np.ndarray] | None = None,
    objects: Mapping[str, np.ndarray] | None = None,
    scene: Sequence[tuple[SceneObject, ...]] | None = None,
    noise_seeds: Sequence[int] | np.ndarray | None = None,
    seed: int | Sequence[int] = 0,
    n_masks: int = 100,
    keep_probability: float = 0.3,
    grid: int = 7,
    blur_sigma_px: float = BLUR_SIGMA_AT_224,
    clean_chunks: np.ndarray | None = None,
) -> list[Attribution]:
    """One :class:`Attribution` per row of ``batch``, over the cameras that the agent looks at.

    ``regions``: camera -> (B, H, W) uint8 region values, without which there is no NMR. ``objects``: camera -> (B, H,
    W) uint16 object ids and ``scene``: the objects of each row, for the shares per object. ``noise_seeds``: (B,)
    uint64; all evaluations of a row use its seed, so that sampling noise does not pass for an effect (``noise_control``
    in the result). ``seed``: one for all rows, or one per row; masks are fresh for every row. ``clean_chunks``: (B,
    horizon, dim), what the agent answered to the unmasked rows under these noise seeds, if known: it is not asked
    again (but for the tokens that ``iss_logp`` needs), and counted in ``evaluations`` all the same. An agent that lacks
    what ``method`` asks for raises :class:`ConfigurationError`.
    """
    chosen = method_named(method)
    chosen.check(agent)
    batch = _only_cameras(batch, agent.spec.cameras)
    if (objects is None) != (scene is None):
        raise ConfigurationError("shares per object need both the object images and the scenes that name their ids")
    seeds = _row_seeds(seed, len(batch))
    noise = [seed_of(s, "noise") for s in seeds] if noise_seeds is None else [int(s) for s in noise_seeds]
    if len(noise) != len(batch):
        raise ConfigurationError(f"{len(batch)} observations need as many noise seeds, got {len(noise)}")
    known = None if clean_chunks is None else check_chunk(clean_chunks, len(batch), agent.spec)
    results = []
    for row in range(len(batch)):
        base, settings = batch.take([row]), (n_masks, keep_probability, grid, blur_sigma_px)
        question = Question(agent, base, None if known is None else known[row], noise[row], seeds[row], *settings)
        at_row = [None if i is None else {c: v[row] for c, v in i.items()} for i in (regions, objects)]
        results.append(_attribution(question, chosen, at_row[0], at_row[1], scene[row] if scene is not None else ()))
    return results


def _attribution(
    question: Question,
    method: Method,
    regions: Mapping[str, np.ndarray] | None,
    objects: Mapping[str, np.ndarray] | None,
    scene: Sequence[SceneObject],
) -> Attribution:
    scores = method.explain(question)
    sizes = {c: (int(i.shape[1]), int(i.shape[2])) for c, i in question.base.images.items()}
    readings = _read(scores, sizes, regions, objects, scene)
    return Attribution(
        method=method.name,
        estimator=method.estimator,
        cells=scores.cells,
        stderr=scores.stderr,
        clean_chunk=scores.clean_chunk,
        evaluations=scores.evaluations,
        image_size=sizes,
        mean_effect=scores.mean_effect,
        effect_cv=scores.effect_cv,
        split_half=scores.split_half,
        gripper_share=scores.gripper_share,
        nuisance_area=readings.area,
        nmr=readings.nmr,
        nmr_reason=readings.reason,
        nmr_by_camera=readings.by_camera,
        nmr_by_object=readings.by_object,
        top_mass=readings.top_mass,
        soft_mass=readings.soft_mass,
        noise_control=question.agent.spec.noise_control,
        settings={
            "n_masks": question.n_masks,
            "keep_probability": question.keep_probability,
            "grid": question.grid,
            "blur_sigma_px": question.blur_sigma_px,
            "seed": question.seed,
        },
    )


def _read(
    scores: CellScores,
    sizes: Mapping[str, tuple[int, int]],
    regions: Mapping[str, np.ndarray] | None,
    objects: Mapping[str, np.ndarray] | None,
    scene: Sequence[SceneObject],
) -> nmr.Readings:
    if regions is None:
        return nmr.Readings({}, scores.no_effect or "no region images were given")
    return nmr.read(pixel_maps(scores.cells, sizes), regions, objects, scene, no_effect=scores.no_effect)


def _only_cameras(batch: Batch, cameras: Sequence[str]) -> Batch:
    missing = [c for c in cameras if c not in batch.images]
    if missing:
        raise ConfigurationError(
            f"the agent looks at camera {missing[0]!r}, which these observations lack; they have {sorted(batch.images)}"
        )
    return batch.with_images({c: batch.images[c] for c in cameras})


def _row_seeds(seed: int | Sequence[int], rows: int) -> list[int]:
    if isinstance(seed, int | np.integer):
        return [seed_of(int(seed), "explain", row) for row in range(rows)]
    if len(seed) != rows:
        raise ConfigurationError(f"{rows} observations need one seed, or as many, got {len(seed)}")
    return [int(s) for s in seed]
