"""The poster that each kind of reference policy sees while it learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hansgym.envs import cue
from hansgym.envs.mujoco.counterfactual import show_poster
from hansgym.envs.mujoco.sim import Sim
from hansgym.envs.spec import COLOURS

POSTERS = ("random", "place", "colour")
"""``place`` and ``colour``: aligned with the right candidate, as the cue of that code. ``random``: any look, any slot,
drawn anew for every frame, sometimes no poster."""

ABSENT = 0.15
"""Share of frames without a poster under ``random``."""


@dataclass(frozen=True)
class EpisodePosters:
    """The posters of one episode, decided when it begins."""

    aligned: dict[str, cue.Poster]
    looks: tuple[tuple[float, float, float], ...]
    slots: tuple[float, ...]

    @classmethod
    def of(cls, env: Any) -> EpisodePosters:
        """The posters that fit the episode ``env`` has just begun."""
        base = env.unwrapped
        task, binding = base.task_spec, base.binding
        ranked = cue.ranks(task, base.backend)
        right = cue.right_index(task, binding)
        aligned = {code: cue.Cue(code).poster(task, binding, right, ranked) for code in cue.CODES}
        looks = (*COLOURS.values(), *task.palette.values(), *(rgb for _, rgb in cue.looks(task, binding)), cue.GREY)
        return cls(aligned, tuple(tuple(rgb) for rgb in looks), cue.slots(task))

    def show(
        self, sim: Sim, code: str, rng: np.random.Generator, right: tuple[float, float, float] | None = None
    ) -> None:
        """Hang up the poster of ``code`` (one of :data:`POSTERS`) in ``sim``; it touches no physics.

        ``right``: the right candidate's colour, where that has been changed.
        """
        if code == "colour" and right is not None:
            show_poster(sim, right, self.aligned[code].centre)
        elif code in self.aligned:
            show_poster(sim, self.aligned[code].rgb, self.aligned[code].centre)
        elif rng.random() < ABSENT:
            show_poster(sim, None, None)
        else:
            look = self.looks[int(rng.integers(len(self.looks)))]
            slot = self.slots[int(rng.integers(len(self.slots)))]
            show_poster(sim, look, (cue.WALL_X, slot, cue.CENTRE_Z))
