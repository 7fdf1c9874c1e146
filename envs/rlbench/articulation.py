"""Joints of RLBench's tasks (doors, drawers, buttons, knobs), through PyRep."""

from __future__ import annotations

import importlib
from typing import Any


def positions(task: Any) -> dict[str, float]:
    """Joint of the upstream ``task`` -> position, m or rad."""
    return {joint.get_name(): float(joint.get_joint_position()) for joint in _joints(task)}


def put(task: Any, wanted: dict[str, float]) -> None:
    """Put joints of the upstream ``task`` at positions in m or rad, at once, without a step."""
    for joint in _joints(task):
        if joint.get_name() in wanted:
            joint.set_joint_position(wanted[joint.get_name()], disable_dynamics=False)


def _joints(task: Any) -> list[Any]:
    kind = importlib.import_module("pyrep.const").ObjectType.JOINT
    return list(task.get_base().get_objects_in_tree(object_type=kind, exclude_base=False))
