"""Same seed, same bytes: of the state, the pictures and the masks; here, in another process, beside another world."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hansgym.envs.env import HansGymEnv
from hansgym.envs.registration import index

TASKS = [row["task"] for row in index()]
STEPS = 50


def fingerprint(env: HansGymEnv, seed: int, meanwhile: HansGymEnv | None = None) -> str:
    """Digest of everything observed at reset and after 50 steps of a moving arm, and of the physical state."""
    digest = hashlib.sha256()
    env.observe_images = True
    observation, info = env.reset(seed=seed)
    env.observe_images = False
    seen = [observation]
    start = observation["joint_positions"].astype(float)
    wave = np.array([0.3, 0.4, -0.2, -0.5, 0.2, 0.3, 0.4])
    for step in range(STEPS):
        action = np.append(start + wave * np.sin(step / 15), float(step % 20 < 10))
        env.step(action)
        if meanwhile is not None:
            meanwhile.step(action)
    seen.append(env.observe())
    for each in seen:
        for key in sorted(each):
            digest.update(key.encode() + each[key].tobytes())
    state = env.backend.live.snapshot()
    digest.update(state.physics.tobytes() + b"".join(state.model[name].tobytes() for name in sorted(state.model)))
    digest.update(info["instruction"].encode())
    return digest.hexdigest()


@pytest.mark.parametrize("task", TASKS)
def test_same_seed_same_bytes(task: str, shared_env: Callable[..., HansGymEnv]) -> None:
    env = shared_env(task)
    first = fingerprint(env, 17)
    assert fingerprint(env, 18) != first, "another seed is another episode"
    assert fingerprint(env, 17) == first


def test_another_world_in_the_same_process_changes_nothing(shared_env: Callable[..., HansGymEnv]) -> None:
    env, other = shared_env("insert_onto_square_peg"), shared_env("close_jar")
    alone = fingerprint(env, 3)
    other.reset(seed=4)
    assert fingerprint(env, 3, meanwhile=other) == alone


CHILD = """
import sys
from hansgym.envs.env import HansGymEnv
from tests_envs_fingerprint import fingerprint
for task in sys.argv[1:]:
    env = HansGymEnv(task, image_size=64)
    print(fingerprint(env, 17))
    env.close()
"""


def test_same_bytes_in_processes_with_other_hash_seeds(tmp_path: Path, shared_env: Callable[..., HansGymEnv]) -> None:
    # The function above, importable in the child under a name of its own.
    shutil.copy(__file__, tmp_path / "tests_envs_fingerprint.py")
    answers = []
    for hash_seed in ("0", "1"):
        path = os.pathsep.join([str(tmp_path), *sys.path])
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path}
        done = subprocess.run(
            [sys.executable, "-c", CHILD, *TASKS],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )
        answers.append(done.stdout.split())
    assert answers[0] == answers[1] == [fingerprint(shared_env(task), 17) for task in TASKS]
