"""Register ``hansgym/<task>-v0`` ids from the small index, without loading a simulator or a task file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gymnasium
from gymnasium.envs.registration import WrapperSpec

INDEX = Path(__file__).with_name("index.json")
NAMESPACE = "hansgym"


def index() -> list[dict[str, Any]]:
    """The registered tasks: dicts with ``task``, ``variations`` (count) and ``max_episode_steps``."""
    return json.loads(INDEX.read_text(encoding="utf-8"))


def env_id(task: str) -> str:
    """The Gymnasium id of ``task``."""
    return f"{NAMESPACE}/{task}-v0"


def register_all() -> None:
    """Register every task of the index; doing it twice is harmless."""
    for row in index():
        if env_id(row["task"]) not in gymnasium.registry:
            gymnasium.register(
                id=env_id(row["task"]),
                entry_point="hansgym.envs.env:HansGymEnv",
                max_episode_steps=row["max_episode_steps"],
                kwargs={"task": row["task"]},
                additional_wrappers=(WrapperSpec("TaskText", "hansgym.envs.layouts:TaskText", {}),),
            )
