"""Upstream's own demonstration, played in its scene and counted, without pictures."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from hansgym.envs.rlbench.simulator import Unplaceable
from hansgym.envs.rlbench.vision import without_pictures


def played(scene: Any, watch: Callable[[], None] | None = None) -> int:
    """Steps of the demonstration that upstream's ``scene`` plays, those in which only the fingers move left out.

    It has to record, or upstream fails over a variable that only recording sets; no picture is taken for that. After
    each counted step ``watch`` is called. A failure raises :class:`Unplaceable`.
    """
    steps, step = [0], scene.step

    def counted() -> None:
        steps[0] += 1
        step()
        if watch is not None:
            watch()

    scene.step = counted
    failures = (
        importlib.import_module("rlbench.backend.exceptions").DemoError,
        importlib.import_module("pyrep.errors").ConfigurationPathError,
    )
    try:
        with without_pictures(scene.get_observation_config()):
            scene.get_demo(record=True)
    except failures as error:
        raise Unplaceable(str(error)) from error
    finally:
        del scene.step  # the class's own shows again
    return steps[0]
