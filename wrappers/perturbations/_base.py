"""What a perturbation is: a constant that says what it does, how strong its severities are, and how it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from hansgym.errors import ConfigurationError
from hansgym.lookup import unknown

SEVERITIES = (0, 1, 2, 3, 4, 5)
"""0 changes nothing; 4 is the published strength."""
REGIONS = ("nuisance", "task", "all")
"""Where an image is changed; ``task`` is SUPPORT and ACTION together."""
VIEWS = ("all", "primary", "wrist")
"""Which cameras are changed; ``primary`` is every camera but the wrist's."""
TEMPORAL = ("frame", "frozen")
"""Redrawn for every frame, or drawn once per episode and held."""

REFERENCE_PX = 224
"""The image size at which lengths in pixels are meant; they scale with the image's width."""

Change = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class ImagePerturbation:
    """A change of a rendered image.

    ``strengths``: the parameter at severities 1 to 5, named with its unit in ``parameter``. ``change(image, strength,
    rng)`` returns the whole image changed, (H, W, 3) uint8 or float in [0, 255]; restricting it to a region is not its
    business. All its draws come from ``rng`` and their number depends on the image's shape alone.
    """

    name: str
    summary: str
    parameter: str
    strengths: tuple[float, float, float, float, float]
    change: Change
    kind: ClassVar[str] = "image"

    @property
    def options(self) -> dict[str, tuple[Any, ...]]:
        """Option -> allowed values, the default first."""
        return {"severity": (4, 0, 1, 2, 3, 5), "region": REGIONS, "cameras": VIEWS, "temporal": TEMPORAL}


@dataclass(frozen=True)
class ScenePerturbation:
    """A change of the world, made by the environment when an episode is arranged.

    ``options``: option -> allowed values, the default first. ``make(**options)`` returns the object that
    :meth:`hansgym.envs.env.HansGymEnv.add_perturbation` takes.
    """

    name: str
    summary: str
    options: Mapping[str, tuple[Any, ...]]
    make: Callable[..., Any]
    kind: ClassVar[str] = "scene"


def checked_options(perturbation: ImagePerturbation | ScenePerturbation, given: Mapping[str, Any]) -> dict[str, Any]:
    """All options of ``perturbation``, ``given`` over the defaults; an unknown name or value raises and lists."""
    options = {key: values[0] for key, values in perturbation.options.items()}
    for key, value in given.items():
        if key not in options:
            raise unknown(f"option of perturbation {perturbation.name!r}", key, options)
        allowed = perturbation.options[key]
        if isinstance(value, bool) or value not in allowed:
            listed = ", ".join(str(v) for v in sorted(allowed))
            raise ConfigurationError(
                f"perturbation {perturbation.name!r}: {key}={value!r} is not one of {listed}; choose one"
            )
        options[key] = value
    return options
