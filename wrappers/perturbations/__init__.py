"""Perturbations by name: one file each with a ``PERTURBATION`` constant, loaded when asked for.

>>> env = perturb(env, "gaussian_noise:severity=4,region=nuisance")   # an image perturbation
>>> env = perturb(env, "cue:code=place,setting=misleading")           # a scene perturbation
"""

from __future__ import annotations

from hansgym.wrappers.perturbations._base import (
    REGIONS,
    SEVERITIES,
    TEMPORAL,
    VIEWS,
    ImagePerturbation,
    ScenePerturbation,
)
from hansgym.wrappers.perturbations._image import ImagePerturbed, with_report
from hansgym.wrappers.perturbations._scene import ScenePerturbed
from hansgym.wrappers.perturbations._spec import Request, listing, load, parse, perturb

__all__ = [
    "REGIONS",
    "SEVERITIES",
    "TEMPORAL",
    "VIEWS",
    "ImagePerturbation",
    "ImagePerturbed",
    "Request",
    "ScenePerturbation",
    "ScenePerturbed",
    "listing",
    "load",
    "parse",
    "perturb",
    "with_report",
]
