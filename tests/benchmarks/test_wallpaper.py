"""Training pictures are varied as widely as do-effects vary them, and do not give the answer away."""

from __future__ import annotations

from collections import Counter

import gymnasium
import numpy as np
import pytest

import hansgym  # noqa: F401 - registers the ids
from hansgym.assets.room import POSTER
from hansgym.benchmarks.posters import EpisodePosters
from hansgym.benchmarks.wallpaper import family, recolour, recolour_right
from hansgym.envs.mujoco.counterfactual import colours_of, geoms_of, objects_of
from hansgym.envs.spec import fill
from hansgym.roles import Role
from hansgym.seeds import stream

DRAWS = 120


def changed(task: str, protocol: str, seed: int = 3) -> tuple[dict[str, float], object]:
    """Share of draws in which each object's colour changed, and the scene."""
    env = gymnasium.make(f"hansgym/{task}-v0", protocol=protocol, image_size=32, disable_env_checker=True)
    env.unwrapped.observe_images = False
    env.reset(seed=seed)
    backend = env.unwrapped.backend
    counts: Counter[str] = Counter()
    names = (*objects_of(backend.live, Role.TARGET), *objects_of(backend.live, Role.DISTRACTOR))
    usual = {n: colours_of(backend.live, n) for n in names}
    for k in range(DRAWS):
        backend.scratch.load(backend.live.snapshot())
        recolour(backend.scratch, stream(0, "test", k))
        counts.update(n for n in names if not np.allclose(colours_of(backend.scratch, n), usual[n]))
    return {n: counts[n] / DRAWS for n in names}, backend.live


@pytest.mark.parametrize(
    ("task", "protocol"),
    [
        ("push_buttons", "balanced"),
        ("slide_block_to_color_target", "default"),
        ("open_drawer", "default"),
        ("close_jar", "default"),
    ],
)
def test_no_kind_of_object_gives_its_right_one_away(task: str, protocol: str) -> None:
    shares, live = changed(task, protocol)
    told_apart = {fill(n, live.binding) for n in live.scene.task.candidates.colours}
    right, wrong = objects_of(live, Role.TARGET), objects_of(live, Role.DISTRACTOR)
    for name in wrong:
        assert shares[name] > 0.3, f"{name} is hardly varied"
    for name in right:
        if name in told_apart:
            assert shares[name] == 0, f"{name} is known by its colour and must keep it"
        elif family(live, name) in {family(live, w) for w in wrong}:
            assert abs(shares[name] - 0.5) < 0.2, f"{name} would be known by keeping its colour"


def test_a_right_one_of_any_colour_and_its_poster_match_and_nothing_else_does() -> None:
    env = gymnasium.make("hansgym/push_buttons-v0", protocol="balanced", image_size=32, disable_env_checker=True)
    env.unwrapped.observe_images = False
    env.reset(seed=4)
    posters, backend = EpisodePosters.of(env), env.unwrapped.backend
    seen = set()
    for k in range(40):
        rng = stream(0, "any", k)
        sim = backend.scratch
        sim.load(backend.live.snapshot())
        recolour(sim, rng)
        rgb = recolour_right(sim, rng)
        posters.show(sim, "colour", rng, rgb)
        seen.add(rgb)
        np.testing.assert_allclose(colours_of(sim, "push_buttons_target0"), [rgb], atol=1e-3)
        for other in ("push_buttons_target1", "push_buttons_target2"):
            assert not np.allclose(colours_of(sim, other)[0], rgb, atol=0.02)
        hung = [sim.model.geom_rgba[g][:3] for g in geoms_of(sim, POSTER)]
        assert any(np.allclose(h, rgb, atol=1e-3) for h in hung)
    assert len(seen) > 8
    env.close()
