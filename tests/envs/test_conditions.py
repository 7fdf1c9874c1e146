"""Success conditions on hand-built states: true and false on either side of each threshold, pure, and picky."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansgym.envs.conditions import (
    All,
    AtLeast,
    Detected,
    Held,
    InOrder,
    JointMoved,
    JointNear,
    NothingGrasped,
    Undetected,
)
from hansgym.errors import ConfigurationError

EPSILON = 1e-6


@dataclass
class State:
    """Just what conditions read of a world."""

    binding: Mapping[str, str] = field(default_factory=dict)
    progress: int = 0
    joints: Mapping[str, float] = field(default_factory=dict)
    joints_then: Mapping[str, float] = field(default_factory=dict)
    distances: Mapping[tuple[str, str], float] = field(default_factory=dict)
    held: tuple[str, ...] = ()

    def joint(self, name: str) -> float:
        return self.joints[name]

    def joint_at_reset(self, name: str) -> float:
        return self.joints_then.get(name, 0.0)

    def distance(self, prop: str, sensor: str) -> float:
        return self.distances[prop, sensor]


def moved(value: float, start: float = 0.0) -> State:
    return State(joints={"slide": value}, joints_then={"slide": start})


PAIRS = {
    "moved forwards": (JointMoved("slide", by=0.15), moved(0.15 + EPSILON), moved(0.15 - EPSILON)),
    "moved backwards": (JointMoved("slide", by=0.15), moved(-0.05 - EPSILON, 0.1), moved(-0.05 + EPSILON, 0.1)),
    "near from above": (JointNear("slide", 0.2, within=0.1), moved(0.3 - EPSILON), moved(0.3 + EPSILON)),
    "near from below": (JointNear("slide", 0.2, within=0.1), moved(0.1 + EPSILON), moved(0.1 - EPSILON)),
    "detected": (
        Detected("block", "zone{k}"),
        State(binding={"k": "2"}, distances={("block", "zone2"): -EPSILON}),
        State(binding={"k": "2"}, distances={("block", "zone2"): EPSILON, ("block", "zone1"): -1.0}),
    ),
    "undetected": (
        Undetected("block", "zone{k}"),
        State(binding={"k": "2"}, distances={("block", "zone2"): EPSILON, ("block", "zone1"): -1.0}),
        State(binding={"k": "2"}, distances={("block", "zone2"): -EPSILON}),
    ),
    "held": (Held("{which}"), State({"which": "lid"}, held=("lid",)), State({"which": "lid"}, held=("pan",))),
    "at least": (
        AtLeast("{n}", tuple(Detected("block", f"zone{k}") for k in range(3))),
        State({"n": "2"}, distances={("block", f"zone{k}"): d for k, d in enumerate((-0.1, 0.2, -EPSILON))}),
        State({"n": "2"}, distances={("block", f"zone{k}"): d for k, d in enumerate((-0.1, 0.2, EPSILON))}),
    ),
    "nothing grasped": (NothingGrasped(), State(), State(held=("lid",))),
    "all": (
        All(JointMoved("slide", by=0.1), NothingGrasped()),
        moved(0.1 + EPSILON),
        dataclasses.replace(moved(0.1 + EPSILON), held=("lid",)),
    ),
    "in order": (InOrder(JointMoved("slide", by=0.1)), State(progress=1), State(progress=0, joints={"slide": 0.0})),
}


@pytest.mark.parametrize("name", PAIRS)
def test_each_threshold_has_two_sides(name: str) -> None:
    condition, yes, no = PAIRS[name]
    assert condition.met(yes)
    assert not condition.met(no)
    assert condition.margin(yes) <= 0.0 < condition.margin(no)


@pytest.mark.parametrize("name", PAIRS)
def test_asking_changes_nothing(name: str) -> None:
    condition, yes, no = PAIRS[name]
    for state in (yes, no):
        before = repr(state)
        answers = [(condition.met(state), condition.margin(state)) for _ in range(2)]
        assert answers[0] == answers[1]
        assert repr(state) == before


@pytest.mark.parametrize("name", PAIRS)
def test_conditions_compare_and_print(name: str) -> None:
    condition = PAIRS[name][0]
    assert condition == dataclasses.replace(condition) if not isinstance(condition, All | InOrder) else True
    assert type(condition).__name__ in repr(condition)


def test_equal_compositions_are_equal() -> None:
    assert All(NothingGrasped()) == All(NothingGrasped())
    assert All(JointMoved("a", 1.0)) != All(JointMoved("a", 2.0))
    assert InOrder(NothingGrasped(), count="1") != InOrder(NothingGrasped(), count="2")


@pytest.mark.parametrize("composition", [All, InOrder])
def test_an_empty_composition_is_refused(composition: type) -> None:
    with pytest.raises(ConfigurationError, match="at least one condition"):
        composition()


def buttons(*pressed: int, progress: int = 0, count: str = "3") -> State:
    joints = {f"j{k}": -0.002 if k in pressed else 0.0 for k in range(3)}
    return State(binding={"count": count}, progress=progress, joints=joints)


IN_ORDER = InOrder(*(JointMoved(f"j{k}", by=0.001) for k in range(3)), count="{count}")


def test_parts_latch_in_order() -> None:
    assert IN_ORDER.advance(buttons(1)) == 0, "the second before the first does not count yet"
    assert IN_ORDER.advance(buttons(0)) == 1
    assert IN_ORDER.advance(buttons(progress=1)) == 1, "released, and still latched"
    assert IN_ORDER.advance(buttons(0, progress=1)) == 1, "the first again is no second"
    assert IN_ORDER.advance(buttons(1, progress=1)) == 2
    assert IN_ORDER.advance(buttons(0, 1, 2)) == 3, "all at once count one after the other"


def test_the_count_ends_the_order_early() -> None:
    assert IN_ORDER.advance(buttons(0, 1, 2, count="2")) == 2
    assert IN_ORDER.met(buttons(progress=2, count="2"))
    assert not IN_ORDER.met(buttons(progress=2, count="3"))
    assert IN_ORDER.margin(buttons(progress=2, count="3")) == pytest.approx(0.001)


@given(st.lists(st.sets(st.integers(0, 2)), max_size=12), st.integers(1, 3))
def test_progress_never_falls_nor_passes_the_count(moments: list[set[int]], count: int) -> None:
    progress = 0
    for pressed in moments:
        after = IN_ORDER.advance(buttons(*pressed, progress=progress, count=str(count)))
        assert progress <= after <= count
        # One slow, obvious reading of "latched, in order".
        expected = progress
        for k in range(progress, count):
            if k not in pressed:
                break
            expected += 1
        assert after == expected
        progress = after


TASK = SimpleNamespace(
    name="toy",
    props=(SimpleNamespace(name="block", params={"lid": "cap", "size": 0.1}, graspable=True),),
    sensors=(SimpleNamespace(name="zone"),),
)  # what ``check`` reads of a TaskSpec


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    Detected("block", "zone").check(TASK)
    Detected("block", "{zone}").check(TASK)
    Detected("cap", "zone").check(TASK)  # a part that the prop's builder names
    with pytest.raises(ConfigurationError, match=r"no prop 'blok'; it has \['block', 'cap'\]"):
        Detected("blok", "zone").check(TASK)
    with pytest.raises(ConfigurationError, match=r"no sensor 'zone1'; it has \['zone'\]"):
        All(NothingGrasped(), Detected("block", "zone1")).check(TASK)
    with pytest.raises(ConfigurationError, match="no sensor"):
        InOrder(NothingGrasped(), Detected("block", "zone1")).check(TASK)


def test_a_missing_binding_is_named() -> None:
    with pytest.raises(ConfigurationError, match="'k', the binding has colour"):
        Detected("block", "zone{k}").met(State(binding={"colour": "red"}))
