"""What a lane's process films."""

from __future__ import annotations

import numpy as np
import pytest

from hansgym.benchmarks.workers import FILM_SIZE, EnvSettings, Worker

SETTINGS = {
    "factory": "hansgym.benchmarks.workers:make_env",
    "control": "joint_position",
    "horizon": 4,
    "execute": 2,
    "cameras": ("front",),
    "image_size": 32,
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("perturb", "size"),
    [((), FILM_SIZE), (("cue:code=place,setting=aligned",), FILM_SIZE), (("gaussian_noise:severity=5",), 32)],
)
def test_a_film_shows_what_is_done_to_the_images(perturb: tuple[str, ...], size: int) -> None:
    worker = Worker(EnvSettings(**SETTINGS, perturb=perturb))  # type: ignore[arg-type]
    try:
        start = worker.reset("open_drawer", 3, film=True)
        after = worker.step_chunk(worker.expert_chunk(4))
    finally:
        worker.close()
    frames = [*start["frames"], *after["frames"]]
    assert [f["front"].shape for f in frames] == [(size, size, 3)] * 3
    if size == 32:
        np.testing.assert_array_equal(frames[0]["front"], start["observation"]["front_rgb"])
        np.testing.assert_array_equal(frames[-1]["front"], after["observation"]["front_rgb"])
