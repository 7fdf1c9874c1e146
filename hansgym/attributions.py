"""The one thing every attribution method returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

NMR_PERCENT = (1, 5, 10, 15, 20)


@dataclass(frozen=True)
class Attribution:
    """Where in the images an action chunk comes from, for one observation.

    ``cells``, ``stderr``: camera -> (G, G) float64, score and standard error of each grid cell, in the unit of
    ``mean_effect``: squared scaled action units, for ``iss_logp`` nat^2. ``clean_chunk``: (horizon, dim) float64, the
    chunk for the unmasked observation, ready to execute.
    ``nmr``: percentage as text ("1", "5", …) -> share of the top pixels that lie in NUISANCE, or None with
    ``nmr_reason``; ``nmr_by_camera`` the same per camera; ``nmr_by_object``: name -> share of the top 10 per cent.
    ``top_mass``, ``soft_mass``: the other published readings of the ratio. ``nuisance_area``: the share of pixels that
    are NUISANCE, which is what a random map scores. ``split_half``: correlation of the cell maps of two disjoint halves
    of the masks. ``gripper_share``: the gripper's share of the mean effect, None where it has none of its own.
    ``noise_control``: how the agent's sampling noise was paired.
    """

    method: str
    estimator: str
    cells: Mapping[str, np.ndarray]
    stderr: Mapping[str, np.ndarray]
    clean_chunk: np.ndarray
    evaluations: int
    image_size: Mapping[str, tuple[int, int]]
    mean_effect: float
    effect_cv: float | None
    split_half: float | None
    gripper_share: float | None
    nuisance_area: float | None = None
    nmr: Mapping[str, float | None] = field(default_factory=dict)
    nmr_reason: str | None = None
    nmr_by_camera: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    nmr_by_object: Mapping[str, float] = field(default_factory=dict)
    top_mass: Mapping[str, float | None] = field(default_factory=dict)
    soft_mass: float | None = None
    noise_control: str = "deterministic"
    settings: Mapping[str, float | int | str] = field(default_factory=dict)
