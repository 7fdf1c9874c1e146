"""robosuite's Lift behind JSON lines, for :mod:`hansgym.benchmarks.speed`; runs in a virtual environment of its own.

A script, not a module of the package: robosuite pins packages that HansGym cannot use, so this file imports nothing
but the standard library, NumPy and robosuite. :func:`serve` is shared by our own side of the comparison.

One JSON object per line on standard input, one answer per line on standard output. ``{"do": "start"}`` builds the
environment, resets it once and gives ``seconds``; ``{"do": KIND, "seconds": s}`` works for at least ``s`` seconds and
gives ``count``, ``seconds`` and ``cpu_seconds`` (all threads of this process).
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable

CAMERAS = ("frontview", "agentview", "robot0_eye_in_hand")
SIZE = 224
CONTROL_HZ = 20
DARK = 10.0
"""Mean brightness that every camera of the lit scene exceeds."""

Work = Callable[[], int]
"""Does a little and says how many control steps (or other units) that were."""


def serve(start: Callable[[], dict[str, Work]]) -> None:
    """Answer requests until standard input ends. ``start`` makes the environment, resets it and names the work."""
    # What libraries print must not get between the answers: file descriptor 1 becomes standard error.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    kinds: dict[str, Work] = {}
    for line in sys.stdin:
        request = json.loads(line)
        before, cpu = time.perf_counter(), time.process_time()
        if request["do"] == "start":
            kinds = start()
            count = 1
        else:
            count = _work(kinds[request["do"]], before + request["seconds"])
        seconds, cpu_seconds = time.perf_counter() - before, time.process_time() - cpu
        print(json.dumps({"count": count, "seconds": seconds, "cpu_seconds": cpu_seconds}), file=answers)


def _work(work: Work, until: float) -> int:
    count = work()
    while time.perf_counter() < until:
        count += work()
    return count


def _start() -> dict[str, Work]:
    # A renderer that robosuite's reset has replaced takes the new one's OpenGL context away when the collector frees
    # it, after which nothing is drawn, very fast. Without the collector it draws what it should.
    gc.disable()
    env = robosuite.make(
        "Lift",
        robots="Panda",
        has_renderer=False,
        has_offscreen_renderer=True,
        use_camera_obs=True,
        camera_names=list(CAMERAS),
        camera_heights=SIZE,
        camera_widths=SIZE,
        control_freq=CONTROL_HZ,
        horizon=10**9,
    )
    before = [env.reset()[f"{CAMERAS[0]}_image"]]
    rng = np.random.default_rng(0)

    def step() -> int:
        observation, *_ = env.step(rng.uniform(-1.0, 1.0, env.action_dim))
        images = [observation[f"{camera}_image"] for camera in CAMERAS]
        drawn = all(i.shape == (SIZE, SIZE, 3) and i[::8, ::8].mean() > DARK for i in images)
        if not drawn or np.array_equal(images[0], before[0]):
            raise RuntimeError("robosuite did not draw the images that were asked for; run the command again")
        before[0] = images[0]
        return 1

    return {"step": step}


if __name__ == "__main__":
    import numpy as np
    import robosuite

    serve(_start)
