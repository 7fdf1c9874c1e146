"""The index agrees with the task files, importing loads no simulator, and wrong names are answered with right ones."""

from __future__ import annotations

import subprocess
import sys

import gymnasium as gym
import pytest

import hansgym  # noqa: F401
from hansgym.envs.registration import env_id, index, register_all
from hansgym.errors import ConfigurationError, UnknownNameError
from hansgym.lookup import choices, load

TASKS = [row["task"] for row in index()]


def test_the_index_lists_the_task_files_and_nothing_else() -> None:
    assert tuple(sorted(TASKS)) == choices("hansgym.envs.tasks")
    assert len(set(TASKS)) == len(TASKS)


@pytest.mark.parametrize("row", index(), ids=lambda row: row["task"])
def test_the_index_agrees_with_the_task_file(row: dict) -> None:
    task = load("hansgym.envs.tasks", row["task"], "TASK", "task")
    assert task.name == row["task"], "the file's name is the task's name"
    assert len(task.variations) == row["variations"]
    assert row["max_episode_steps"] >= 200


def test_registering_twice_is_harmless() -> None:
    before = dict(gym.registry)
    register_all()
    assert dict(gym.registry) == before


def test_import_registers_ids_and_loads_no_simulator_and_no_task() -> None:
    code = (
        "import sys, gymnasium; before = set(gymnasium.registry); import hansgym\n"
        "new = set(gymnasium.registry) - before\n"
        "assert new and all(i.startswith('hansgym/') for i in new), new\n"
        "heavy = [m for m in sys.modules if m.split('.')[0] in ('mujoco', 'torch', 'mink')\n"
        "         or m.startswith('hansgym.envs.tasks.')]\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_make_by_module_name_works_without_an_import() -> None:
    task = TASKS[0]
    code = f"import gymnasium; print(gymnasium.make('hansgym:{env_id(task)}').spec.id)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == env_id(task)


@pytest.mark.parametrize(
    ("argument", "value", "says"),
    [
        ("backend", "mujocoo", "Did you mean 'mujoco'.*mujoco, rlbench"),
        ("backend_options", {"renderer": "opengl"}, "option of backend 'mujoco'.*it has none"),
        ("cameras", ("front", "wirst"), "Did you mean 'wrist'.*front, overhead, wrist"),
        ("cameras", "front", "list of names"),
        ("cameras", ("front", "front"), "twice"),
        ("image_size", 8, "16 to 1024"),
        ("control", "joint_velocity", "joint_delta, joint_position"),
        ("partition", "table", "table_is_nuisance, table_supports"),
        ("protocol", "agnostic", "agnostos"),
        ("obs_layout", "robot", "hansgym, lerobot"),
        ("render_mode", "ansi", "rgb_array"),
        ("variation", 1000, "out of range; choose 0 to"),
        ("variation", True, "out of range"),
        ("task", "close_jarr", "Did you mean 'close_jar'"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*not in the possible render_modes")
def test_a_wrong_argument_is_answered_with_the_valid_ones(argument: str, value: object, says: str) -> None:
    with pytest.raises((UnknownNameError, ConfigurationError), match=says):
        gym.make(env_id("close_jar"), **{argument: value})
