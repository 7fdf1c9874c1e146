"""Is it the policy or the plumbing? Expert episodes replayed open loop, and what would make the answers fit.

At moments of expert episodes the agent is asked what it would do, and its chunk is compared with the expert's, per
joint. Then every mistake of :mod:`hansgym.agents.mistakes` is undone in turn. One that brings the answers much closer
to the expert is named; when it is undone, others are looked for behind it. Nothing here knows a simulator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hansgym.agent import Agent
from hansgym.agents._closeness import Closeness, closeness
from hansgym.agents._diagnosis_report import Diagnosis, Tried
from hansgym.agents.mistakes import Mistake, candidates
from hansgym.batch import Batch
from hansgym.errors import AgentError, ConfigurationError
from hansgym.seeds import seed_of
from hansgym.specs import ActionSpec, check_chunk

MOST_MISTAKES = 3
"""How many mistakes are looked for behind each other."""

BETTER = 0.85
"""A mistake is named when undoing it brings the distance to the expert below this share of what it was …"""
CERTAIN = 2.5
"""… by so many standard errors over the decisions …"""
WORTH = 0.85
"""… and to less than this share of the distance of an arm that stands still: garbage in other units is garbage."""
GRIPPER_WORTH = 0.3
"""For the gripper: the share of steps that may still be wrong."""
ALIKE = 0.02
"""Mistakes whose undoing differs by less than this cannot be told apart."""
LIKE_THE_EXPERT = 0.5
NEEDS_NOTHING = 0.15
"""Below this distance a policy does well enough without an input that has no effect on it."""
UNMOVED = 1e-6


@dataclass(frozen=True)
class Replay:
    """Decisions of expert episodes: ``batch`` has a row each, on the lane of its episode (``batch.rows``), in order.

    ``expert``: (N, steps, dim) chunks in the control mode of ``action``; ``decision``: (N,) the place of each row in
    its episode.
    """

    batch: Batch
    expert: np.ndarray
    decision: np.ndarray
    action: ActionSpec

    def __post_init__(self) -> None:
        sizes = {len(self.batch), len(self.expert), len(self.decision)}
        if len(sizes) != 1 or len(self.batch) < 2:
            raise ConfigurationError(f"a replay needs two decisions or more, and one chunk for each; got {sizes}")

    @property
    def seeds(self) -> np.ndarray:
        """(N,) noise seeds, one per decision."""
        pairs = zip(self.batch.rows, self.decision, strict=True)
        return np.array([seed_of(0, "replay", int(lane), int(d)) for lane, d in pairs], np.uint64)


def diagnose(agent: Agent, replay: Replay) -> Diagnosis:
    """Compare ``agent`` with the expert on ``replay`` and name the mistake that best explains the difference."""
    agent.spec.action.check(replay.action)
    return _Search(agent, replay).run()


@dataclass(frozen=True)
class _Attempt:
    tried: Tried
    answers: np.ndarray


@dataclass
class _Search:
    """The search for what explains the difference: ``undone`` grows."""

    agent: Agent
    replay: Replay
    undone: list[Mistake] = field(default_factory=list)

    def run(self) -> Diagnosis:
        plain = self.ask(self.undone)
        first = now = self.compare(plain)
        rounds: list[list[Tried]] = []
        while len(self.undone) < MOST_MISTAKES:
            attempts = self.try_all(now, plain)
            rounds.append([a.tried for a in attempts])
            best = attempts[:1] if attempts and attempts[0].tried.named else self.try_pairs(now, attempts)
            if not best:
                break
            self.undone += [a.tried.mistake for a in best]
            now, plain = best[-1].tried.closeness, best[-1].answers
        words, pictures = self.words_effect(plain), self.picture_effect(rounds[0])
        lost = [] if self.undone or now.total < NEEDS_NOTHING else self.lost(words, pictures)
        return Diagnosis(
            agent=self.agent.spec.name,
            action=self.replay.action,
            decisions=len(self.replay.batch),
            episodes=len(set(self.replay.batch.rows.tolist())),
            found=tuple(self.undone),
            lost=tuple(lost),
            alike=tuple(t.mistake for t in rounds[0][1:] if self.undone and t.named and _same(t, rounds[0][0])),
            before=first,
            after=now,
            tried=tuple(rounds[0]),
            words=words,
            pictures=pictures,
            like_the_expert=self.like_the_expert(first),
        )

    # ------------------------------------------------------------ asking

    def ask(self, mistakes: Sequence[Mistake], batch: Batch | None = None) -> np.ndarray:
        """(N, horizon, dim): the answers, with ``mistakes`` undone on both ways."""
        batch = self.replay.batch if batch is None else batch
        state = batch.state
        for mistake in reversed(mistakes):  # the last found lies nearest to the policy
            batch = batch if mistake.show is None else mistake.show(batch)
        chunk = self._answers(batch)
        for mistake in mistakes:
            chunk = chunk if mistake.answer is None else mistake.answer(chunk, state)
        return chunk

    def _answers(self, batch: Batch) -> np.ndarray:
        """All rows in as few calls as may be: between resets an answer depends on the observation alone."""
        spec, seeds = self.agent.spec, self.replay.seeds
        lanes = sorted(set(batch.rows.tolist()))
        self.agent.reset(lanes, [seed_of(0, "replay-episode", lane) for lane in lanes])
        parts = []
        for start in range(0, len(batch), spec.max_batch):
            pick = np.arange(start, min(start + spec.max_batch, len(batch)))
            parts.append(check_chunk(self.agent.act(batch.take(pick), seeds[pick]), len(pick), spec))
        return np.concatenate(parts)

    def compare(self, chunk: np.ndarray) -> Closeness:
        """How close answers are to the expert's."""
        try:
            return closeness(chunk, self.replay.expert, self.replay.action, self.replay.batch.state)
        except AgentError:  # e.g. quaternions of length zero
            return Closeness.nonsense(self.replay.action, len(chunk))

    # ------------------------------------------------------------ judging

    def try_all(self, now: Closeness, plain: np.ndarray) -> list[_Attempt]:
        """Every mistake undone on top of those found so far, the most convincing first."""
        done = {m.kind for m in self.undone}
        found = []
        for mistake in candidates(self.agent.spec):
            if mistake.kind not in done:
                answers = self._answered(mistake, plain) if mistake.show is None else self.ask([*self.undone, mistake])
                found.append(self._attempt(mistake, now, answers, float(np.abs(answers - plain).max())))
        return sorted(found, key=lambda a: (not a.tried.named, a.tried.closeness.total))

    def try_pairs(self, now: Closeness, attempts: Sequence[_Attempt]) -> list[_Attempt]:
        """A mistake on the way in together with one on the way out, each of which hides that undoing the other helps.

        Costs no policy evaluation: the answers to what was shown are there.
        """
        if self.like_the_expert(now):
            return []
        found = []
        for shown in (a for a in attempts if a.tried.mistake.show is not None):
            for answered in (a for a in attempts if a.tried.mistake.answer is not None):
                answers = self._answered(answered.tried.mistake, shown.answers)
                attempt = self._attempt(answered.tried.mistake, now, answers, answered.tried.moved)
                if attempt.tried.named and self.like_the_expert(attempt.tried.closeness, gripper=False):
                    found.append([shown, attempt])
        return min(found, key=lambda pair: pair[1].tried.closeness.total, default=[])

    def _attempt(self, mistake: Mistake, now: Closeness, answers: np.ndarray, moved: float) -> _Attempt:
        close = self.compare(answers)
        return _Attempt(Tried(mistake, close, _convinces(mistake, now, close), moved), answers)

    def _answered(self, mistake: Mistake, plain: np.ndarray) -> np.ndarray:
        assert mistake.answer is not None
        try:
            return mistake.answer(plain, self.replay.batch.state)
        except AgentError:
            return np.full_like(plain, np.inf)

    @staticmethod
    def like_the_expert(close: Closeness, gripper: bool = True) -> bool:
        """Whether the arm, and if asked the gripper, does about what the expert does."""
        return close.arm < LIKE_THE_EXPERT and (not gripper or close.gripper < GRIPPER_WORTH)

    def words_effect(self, plain: np.ndarray) -> float | None:
        """How far other words move the answers; None when all episodes are told the same."""
        told = self.replay.batch.instructions
        texts = sorted(set(told))
        if len(texts) < 2:
            return None
        other = tuple(texts[(texts.index(t) + 1) % len(texts)] for t in told)
        changed = self.ask(self.undone, replace(self.replay.batch, instructions=other))
        return float(np.abs(changed - plain).max())

    @staticmethod
    def picture_effect(tried: Sequence[Tried]) -> float:
        """How far other pictures move the answers."""
        seen = ("swapped_cameras", "camera_order", "bgr", "upside_down", "rotated_180", "mirrored")
        return max((t.moved for t in tried if t.mistake.kind in seen), default=0.0)

    def lost(self, words: float | None, pictures: float) -> list[Mistake]:
        """Inputs without any effect on answers that are not the expert's."""
        found = []
        if words is not None and words <= UNMOVED:
            says = "words change nothing: the instruction is lost on the way, or the policy does not listen"
            found.append(Mistake("lost_instruction", says))
        if pictures <= UNMOVED and self.agent.spec.cameras:
            says = "pictures change nothing: they are lost on the way, or the policy does not look"
            found.append(Mistake("lost_images", says))
        return found


def _convinces(mistake: Mistake, before: Closeness, after: Closeness) -> bool:
    """Whether undoing ``mistake`` helps so much that chance, or a change of scale, does not explain it."""
    if mistake.part == "gripper":
        old, new, worth = before.gripper_rows, after.gripper_rows, after.gripper < GRIPPER_WORTH
    else:
        old, new, worth = before.arm_rows, after.arm_rows, after.arm < WORTH
    if not worth or not np.isfinite(new).all():
        return False
    if not np.isfinite(old).all():
        return True
    gain = old - new
    error = gain.std(ddof=1) / np.sqrt(len(gain))
    return bool(new.mean() < BETTER * old.mean() and gain.mean() > CERTAIN * error)


def _same(a: Tried, b: Tried) -> bool:
    return abs(a.closeness.total - b.closeness.total) <= ALIKE * max(a.closeness.total, 1e-6)
