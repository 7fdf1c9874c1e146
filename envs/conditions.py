"""Success as an object: composable, printable, comparable, and able to say how far off the world is.

Every condition is pure: ``met(state)`` and ``margin(state)`` read a :class:`envs.state.WorldState` and change nothing.
A margin is in metres or radians; it is at most zero when the condition holds and otherwise the distance still missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hansgym.envs.spec import fill
from hansgym.errors import ConfigurationError

if TYPE_CHECKING:
    from hansgym.envs.spec import TaskSpec
    from hansgym.envs.state import WorldState


class Condition(Protocol):
    """Something that is or is not the case in the world."""

    def met(self, state: WorldState) -> bool:
        """Whether it holds now."""
        ...

    def margin(self, state: WorldState) -> float:
        """How much is missing (metres or radians), at most 0 when it holds."""
        ...

    def check(self, task: TaskSpec) -> None:
        """Raise :class:`ConfigurationError` if it names something that ``task`` does not have."""
        ...


def _need(task: TaskSpec, kind: str, template: str, names: set[str]) -> None:
    if "{" not in template and template not in names:
        raise ConfigurationError(f"task {task.name!r} has no {kind} {template!r}; it has {sorted(names)}")


@dataclass(frozen=True)
class Detected:
    """Any part of ``prop`` lies in the volume ``sensor`` (templates allowed)."""

    prop: str
    sensor: str

    def met(self, state: WorldState) -> bool:
        """Whether prop and volume meet."""
        return self.margin(state) <= 0.0

    def margin(self, state: WorldState) -> float:
        """Distance between prop and volume in metres."""
        return state.distance(fill(self.prop, state.binding), fill(self.sensor, state.binding))

    def check(self, task: TaskSpec) -> None:
        """Prop and sensor must exist."""
        parts = {v for p in task.props for v in p.params.values() if isinstance(v, str)}
        _need(task, "prop", self.prop, {p.name for p in task.props} | parts)
        _need(task, "sensor", self.sensor, {s.name for s in task.sensors})


@dataclass(frozen=True)
class NothingGrasped:
    """The gripper holds no attached object."""

    def met(self, state: WorldState) -> bool:
        """Whether nothing is attached."""
        return not state.held

    def margin(self, state: WorldState) -> float:
        """0 when nothing is attached, else a nominal millimetre for each attached object."""
        return 0.001 * len(state.held)

    def check(self, task: TaskSpec) -> None:
        """Nothing to name."""


@dataclass(frozen=True)
class Undetected:
    """No part of ``prop`` lies in the volume ``sensor`` (templates allowed)."""

    prop: str
    sensor: str

    def met(self, state: WorldState) -> bool:
        """Whether prop and volume are apart."""
        return self.margin(state) < 0.0

    def margin(self, state: WorldState) -> float:
        """How deep in metres the prop lies in the volume."""
        return -state.distance(fill(self.prop, state.binding), fill(self.sensor, state.binding))

    def check(self, task: TaskSpec) -> None:
        """Prop and sensor must exist."""
        Detected(self.prop, self.sensor).check(task)


@dataclass(frozen=True)
class Held:
    """``prop`` (a template) is attached to the gripper."""

    prop: str

    def met(self, state: WorldState) -> bool:
        """Whether it is attached."""
        return fill(self.prop, state.binding) in state.held

    def margin(self, state: WorldState) -> float:
        """0 when it is attached, else a nominal millimetre."""
        return 0.0 if self.met(state) else 0.001

    def check(self, task: TaskSpec) -> None:
        """The prop must exist and be graspable."""
        _need(task, "graspable prop", self.prop, {p.name for p in task.props if p.graspable})


@dataclass(frozen=True)
class JointMoved:
    """Joint ``joint`` is more than ``by`` (rad or m, either direction) away from where it was at reset."""

    joint: str
    by: float

    def met(self, state: WorldState) -> bool:
        """Whether it has moved far enough."""
        return self._moved(state) > self.by

    def margin(self, state: WorldState) -> float:
        """What is missing."""
        return self.by - self._moved(state)

    def _moved(self, state: WorldState) -> float:
        name = fill(self.joint, state.binding)
        return abs(state.joint(name) - state.joint_at_reset(name))

    def check(self, task: TaskSpec) -> None:
        """Joints are checked when the scene is built."""


@dataclass(frozen=True)
class JointNear:
    """Joint ``joint`` is within ``within`` (rad or m) of ``value``."""

    joint: str
    value: float
    within: float

    def met(self, state: WorldState) -> bool:
        """Whether it is near enough."""
        return self.margin(state) <= 0.0

    def margin(self, state: WorldState) -> float:
        """What is missing."""
        return abs(state.joint(fill(self.joint, state.binding)) - self.value) - self.within

    def check(self, task: TaskSpec) -> None:
        """Joints are checked when the scene is built."""


@dataclass(frozen=True)
class All:
    """Every part holds at the same time."""

    parts: tuple[Condition, ...]

    def __init__(self, *parts: Condition) -> None:
        if not parts:
            raise ConfigurationError(
                "All() without parts would be met at the first step; give it at least one condition"
            )
        object.__setattr__(self, "parts", parts)

    def met(self, state: WorldState) -> bool:
        """Whether all parts hold."""
        return all(p.met(state) for p in self.parts)

    def margin(self, state: WorldState) -> float:
        """The largest margin of the parts."""
        return max(p.margin(state) for p in self.parts)

    def check(self, task: TaskSpec) -> None:
        """All parts must check."""
        for part in self.parts:
            part.check(task)


@dataclass(frozen=True)
class AtLeast:
    """``count`` (a number, or a template of one) of the parts hold at the same time."""

    count: str
    parts: tuple[Condition, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise ConfigurationError(f"AtLeast({self.count!r}, ()) can never be met; give it at least one condition")

    def met(self, state: WorldState) -> bool:
        """Whether so many parts hold."""
        return sum(p.met(state) for p in self.parts) >= int(fill(self.count, state.binding))

    def margin(self, state: WorldState) -> float:
        """The largest margin of the parts that miss least."""
        return sorted(p.margin(state) for p in self.parts)[int(fill(self.count, state.binding)) - 1]

    def check(self, task: TaskSpec) -> None:
        """All parts must check."""
        for part in self.parts:
            part.check(task)


@dataclass(frozen=True)
class InOrder:
    """The parts become true one after the other, each latched; ``state.progress`` counts those that have.

    ``count`` is a template of how many of them this variation asks for (all when None).
    """

    parts: tuple[Condition, ...]
    count: str | None = None

    def __init__(self, *parts: Condition, count: str | None = None) -> None:
        if not parts:
            raise ConfigurationError(
                "InOrder() without parts would be met at the first step; give it at least one condition"
            )
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "count", count)

    def wanted(self, state: WorldState) -> int:
        """How many parts this variation asks for."""
        return len(self.parts) if self.count is None else int(fill(self.count, state.binding))

    def advance(self, state: WorldState) -> int:
        """The progress after the present state: each next part that holds is latched."""
        done = state.progress
        while done < self.wanted(state) and self.parts[done].met(state):
            done += 1
        return done

    def met(self, state: WorldState) -> bool:
        """Whether all wanted parts have been latched."""
        return state.progress >= self.wanted(state)

    def margin(self, state: WorldState) -> float:
        """What the next part misses; 0 when done."""
        return 0.0 if self.met(state) else max(self.parts[state.progress].margin(state), 0.0)

    def check(self, task: TaskSpec) -> None:
        """All parts must check."""
        for part in self.parts:
            part.check(task)
