"""One protocol for all tasks, or one by task."""

from __future__ import annotations

import pytest

from hansgym.benchmarks.config import RunConfig, protocol_of
from hansgym.errors import ConfigurationError


def config(protocol: str) -> RunConfig:
    return RunConfig("random", ("push_buttons", "open_drawer"), (0,), "joint_position", protocol=protocol)


def test_one_name_holds_for_all_tasks_and_pairs_for_their_own() -> None:
    assert protocol_of("agnostos", "open_drawer") == "agnostos"
    assert protocol_of("push_buttons=balanced", "push_buttons") == "balanced"
    assert protocol_of("push_buttons=balanced", "open_drawer") == "default"
    assert protocol_of("push_buttons=balanced, open_drawer=agnostos", "open_drawer") == "agnostos"


@pytest.mark.parametrize(("text", "says"), [("close_jar=agnostos", "close_jar"), ("push_buttons=", "TASK=PROTOCOL")])
def test_a_task_outside_the_run_and_half_a_pair_are_errors(text: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        config(text)
