"""From where on a task counts as done, where that is decided by joints: doors, drawers, buttons, knobs.

The expert moved the joints from where they were to where they are. Put somewhere on that way, without a step, they are
judged by the backend's own condition: two backends whose verdicts change at the same place judge every such end alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hansgym.envs.mujoco.render import ROBOT
from hansgym.envs.rlbench.backend import RlbenchBackend

HALVINGS = 12
STILL = 2e-3
"""A joint that moved by less (m or rad) was not moved by the expert."""

Joints = dict[str, float]


def joints_of(backend: Any) -> Joints:
    """Joint of the task's scene -> position in m or rad."""
    if isinstance(backend, RlbenchBackend):
        return backend.simulator.task_joints()
    return {name: float(backend.live.data.qpos[address]) for name, address in _addresses(backend).items()}


def put(backend: Any, wanted: Joints) -> None:
    """Put joints at positions in m or rad, at once."""
    if isinstance(backend, RlbenchBackend):
        backend.simulator.put_task_joints(wanted)
        return
    addresses = _addresses(backend)
    for name, value in wanted.items():
        backend.live.data.qpos[addresses[name]] = value
    backend.live.refresh()


def _addresses(backend: Any) -> Mapping[str, int]:
    frames = backend.scene.frames.items()
    found = {name.removeprefix("joint:"): address for name, (kind, address) in frames if kind == "joint"}
    return {name: address for name, address in found.items() if not name.startswith(ROBOT)}


def counts_from(backend: Any, start: Joints, end: Joints) -> Joints:
    """Joint -> how far (m or rad) it has to go from ``start`` on its way to ``end`` until the task counts as done.

    Empty where joints alone do not decide. The backend must be at ``start``, and is left there.
    """
    moved = {name: end[name] - value for name, value in start.items() if abs(end.get(name, value) - value) > STILL}

    def judged(share: float) -> bool:
        put(backend, {name: start[name] + share * way for name, way in moved.items()})
        return bool(backend.verdict().success)

    share = first_share(judged) if moved else None
    put(backend, {name: start[name] for name in moved})
    return {} if share is None else {name: share * abs(way) for name, way in moved.items()}


def first_share(judged: Callable[[float], bool]) -> float | None:
    """The share of the way, within 1 / 4096, at which ``judged`` turns from False at 0 to True at 1.

    None if it does not, or if it does not turn back: a verdict that remembers cannot be asked so.
    """
    if judged(0.0) or not judged(1.0) or judged(0.0):
        return None
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if judged(middle) else (middle, high)
    return high
