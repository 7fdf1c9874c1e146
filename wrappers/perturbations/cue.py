"""A poster on the wall that tells, or pretends to tell, the right answer."""

from __future__ import annotations

from hansgym.envs.cue import CODES, SETTINGS, Cue
from hansgym.wrappers.perturbations._base import ScenePerturbation

PERTURBATION = ScenePerturbation(
    name="cue",
    summary="a wall poster whose colour or place agrees with the right answer, contradicts it, or is drawn at random",
    options={"code": CODES, "setting": SETTINGS},
    make=Cue,
)
