"""What a diagnosis says: numbers per joint, what was tried, and a verdict in plain words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hansgym.agents._closeness import Closeness
from hansgym.agents.mistakes import Mistake
from hansgym.specs import ActionSpec

SHOWN = 5
"""How many of the mistakes that were tried a person is shown."""


@dataclass(frozen=True)
class Tried:
    """One mistake undone: how close the answers came, whether that convinces, how far they moved at most."""

    mistake: Mistake
    closeness: Closeness
    named: bool
    moved: float


@dataclass(frozen=True)
class Diagnosis:
    """What was found out about an agent.

    ``found``: the mistakes that explain the difference, in the order they were found; ``lost``: inputs without effect.
    ``before`` and ``after``: closeness to the expert as it is, and with ``found`` undone. ``alike``: mistakes that
    cannot be told from the first one found. ``tried``: all, the most convincing first. ``words`` and ``pictures``: how
    far other words (None: there were none) and other pictures move the answers, in action units.
    """

    agent: str
    action: ActionSpec
    decisions: int
    episodes: int
    found: tuple[Mistake, ...]
    lost: tuple[Mistake, ...]
    alike: tuple[Mistake, ...]
    before: Closeness
    after: Closeness
    tried: tuple[Tried, ...]
    words: float | None
    pictures: float
    like_the_expert: bool

    @property
    def verdict(self) -> str:
        """``plumbing``: a mistake explains the difference; ``lost``: an input has no effect; ``sound``; ``policy``."""
        if self.found:
            return "plumbing"
        if self.lost:
            return "lost"
        return "sound" if self.like_the_expert else "policy"

    @property
    def mistakes(self) -> tuple[str, ...]:
        """Kinds of what was found or lost."""
        return tuple(m.kind for m in (*self.found, *self.lost))

    @property
    def message(self) -> str:
        """The verdict in words."""
        if self.found:
            words = "; and behind it: ".join(m.says for m in self.found)
            drop = f"{_share(self.before)} as it is, {_share(self.after)} when that is undone"
            doubt = f" (or: {'; '.join(m.says for m in self.alike)})" if self.alike else ""
            return f"it is the plumbing: {words}{doubt}. Distance to the expert: {drop}"
        if self.lost:
            return "; ".join(m.says for m in self.lost) + f". Distance to the expert: {_share(self.before)}"
        if self.like_the_expert:
            return f"the plumbing looks right: distance to the expert {_share(self.before)}"
        return (
            f"no mistake of the plumbing that was tried explains the distance to the expert, {_share(self.before)}: "
            "it is the policy, or something else"
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values; distances are shares of what an arm has that stands still, None where not finite."""
        return {
            "verdict": self.verdict,
            "mistakes": list(self.mistakes),
            "message": self.message,
            "episodes": self.episodes,
            "decisions": self.decisions,
            "arm": _number(self.before.arm),
            "gripper": _number(self.before.gripper),
            "joints": self._joints(),
            "words_effect": self.words,
            "picture_effect": _number(self.pictures),
            "tried": [
                {
                    "kind": t.mistake.kind,
                    "says": t.mistake.says,
                    "named": t.named,
                    "arm": _number(t.closeness.arm),
                    "gripper": _number(t.closeness.gripper),
                }
                for t in self.tried
            ],
        }

    def _joints(self) -> list[dict[str, Any]]:
        b = self.before
        rows = zip(b.names, b.units, b.error, b.still, strict=True)
        return [{"name": n, "unit": u, "error": _number(e), "still": _number(s)} for n, u, e, s in rows]

    def __str__(self) -> str:
        lines = [
            f"open loop on {self.episodes} expert episodes, {self.decisions} decisions: difference (standing still)"
        ]
        lines += [f"  {j['name']:8s} {_text(j['error'])} ({_text(j['still'])}) {j['unit']}" for j in self._joints()]
        lines.append(f"  gripper  wrong in {100 * self.before.gripper:.0f} % of steps")
        lines.append(f"distance to the expert: {_share(self.before)}; with one mistake undone:")
        lines += [f"  {_share(t.closeness):>40s}  {t.mistake.says}" for t in self.tried[:SHOWN]]
        return "\n".join([*lines, self.message])


def _share(close: Closeness) -> str:
    arm = f"{100 * close.arm:.0f} %" if math.isfinite(close.arm) else "no motion"
    return f"arm {arm}, gripper {100 * close.gripper:.0f} % wrong"


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _text(value: float | None) -> str:
    return "no motion" if value is None else f"{value:8.4f}"
