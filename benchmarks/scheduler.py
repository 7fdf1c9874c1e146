"""Plays episodes on lanes: many environments, one agent, each episode waiting for one or the other."""

from __future__ import annotations

import traceback
import warnings
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hansgym.batch import Batch
from hansgym.benchmarks import measures
from hansgym.benchmarks.config import Job, RunConfig
from hansgym.benchmarks.episode import Act, Call, Episode, Request, Use
from hansgym.benchmarks.guard import GuardedAgent
from hansgym.benchmarks.lanes import LanePool, Reply
from hansgym.benchmarks.progress import RunProgress
from hansgym.benchmarks.records import RunDirectory
from hansgym.errors import AgentError, ConfigurationError

Story = Generator[Request, Any, None]


class EpisodeError(Exception):
    """The lane of an episode failed; the text is the reason."""


@dataclass
class Scheduler:
    """Plays jobs on lanes. Each lane has one episode; each episode waits for its lane or for the agent.

    The agent answers one request at a time while the lanes go on. Requests of several episodes share a batch only if
    the agent declares ``batch_invariant`` in its spec's details: for other policies a row's numbers may depend on how
    many rows are beside it, and results would depend on the number of workers.
    """

    config: RunConfig
    agent: GuardedAgent
    pool: LanePool
    directory: RunDirectory
    progress: RunProgress
    _playing: dict[int, tuple[Episode, Story]] = field(default_factory=dict)
    _asks: deque[tuple[int, Act | Use]] = field(default_factory=deque)

    def run(self, jobs: Sequence[Job]) -> None:
        """Play every job; returns when each has its line."""
        waiting = deque(jobs)
        self.agent.on_fresh = self._reintroduce
        while waiting or self._playing:
            for lane in self.pool.lanes:
                if waiting and lane.index not in self._playing:
                    self._begin(lane.index, waiting.popleft())
            if self._asks:
                self._serve()
            for lane, reply in self.pool.wait(block=not self._asks):
                self._answer(lane.index, reply)

    def _begin(self, index: int, job: Job) -> None:
        episode = Episode(self.config, self.agent.spec, job, row=index)
        self._playing[index] = (episode, episode.play())
        self._advance(index, next)

    def _answer(self, index: int, reply: Reply) -> None:
        if reply.error is None:
            self._advance(index, lambda story: story.send(reply.value))
        elif reply.fatal:
            raise ConfigurationError(reply.error)
        else:
            error = EpisodeError(reply.error)
            self.directory.log(f"{self._playing[index][0].job.stem}: {reply.error}\n{reply.trace}")
            self._advance(index, lambda story: story.throw(error))

    def _advance(self, index: int, move: Callable[[Story], Request]) -> None:
        """Let an episode go on until its next request, its end, or its error."""
        try:
            request = move(self._playing[index][1])
        except StopIteration:
            self._finish(index, None)
        except EpisodeError as error:
            self._finish(index, str(error))
        except Exception as error:
            trace = "".join(traceback.format_exception(error.__cause__ or error))
            self.directory.log(f"{self._playing[index][0].job.stem}: {error}\n{trace}")
            self._finish(index, str(error) if isinstance(error, AgentError) else f"{type(error).__name__}: {error}")
        else:
            if isinstance(request, Call):
                self.pool.lanes[index].ask(request.method, *request.arguments)
            else:
                self._asks.append((index, request))

    def _serve(self) -> None:
        """Answer the oldest request to the agent, with others beside it where that changes nothing."""
        index, request = self._asks.popleft()
        if isinstance(request, Use):
            function = request.function
            self._reply(index, lambda: function(self.agent))
            return
        beside = self._take_beside() if self.agent.spec.details.get("batch_invariant") is True else []
        if not beside:
            self._reply(index, lambda: self._act([request])[0])
            return
        group = [(index, request), *beside]
        try:
            chunks = self._act([ask for _, ask in group])
        except AgentError:  # one row is guilty, the others are not
            for one, ask in group:
                self._reply(one, lambda ask=ask: self._act([ask])[0])  # type: ignore[misc]
            return
        for (one, _), chunk in zip(group, chunks, strict=True):
            self._reply(one, lambda chunk=chunk: chunk)  # type: ignore[misc]

    def _take_beside(self) -> list[tuple[int, Act]]:
        """Other plain requests that are waiting, taken from the queue, as many as fit into a batch."""
        most = self.agent.spec.max_batch - 1
        taken = [(index, ask) for index, ask in self._asks if isinstance(ask, Act)][:most]
        rows = {index for index, _ in taken}
        self._asks = deque(item for item in self._asks if item[0] not in rows)
        return taken

    def _act(self, asks: Sequence[Act]) -> np.ndarray:
        seeds = np.array([ask.noise_seed for ask in asks], np.uint64)
        batch = asks[0].batch if len(asks) == 1 else Batch.concatenate([ask.batch for ask in asks])
        return self.agent.act(batch, seeds)

    def _reply(self, index: int, function: Callable[[], Any]) -> None:
        """Send an episode what ``function`` returns, or raise in it what ``function`` raises."""
        try:
            value = function()
        except Exception as raised:
            error = raised
            self._advance(index, lambda story: story.throw(error))
        else:
            self._advance(index, lambda story: story.send(value))

    def _finish(self, index: int, error: str | None) -> None:
        """Keep what is known of an episode: arrays and film first, the line that speaks of them last."""
        episode, _ = self._playing.pop(index)
        if error is None and episode.attributions:
            self.directory.save_arrays(episode.job.stem, _arrays(episode))
        if episode.graphics:
            self.directory.describe("graphics", episode.graphics)
        if episode.frames:
            episode.film = _film(self.directory, episode)
        self.progress.finished(self.directory.append(episode.record(error)))

    def _reintroduce(self, agent: GuardedAgent) -> None:
        """Tell a fresh agent, made after the old one hung, of the episodes it finds under way."""
        under_way = [episode for episode, _ in self._playing.values()]
        if under_way:
            agent.reset([e.row for e in under_way], [e.agent_seed for e in under_way])


def _arrays(episode: Episode) -> dict[str, np.ndarray]:
    return measures.arrays(list(episode.attributions), list(episode.attributions.values()))


def _film(directory: RunDirectory, episode: Episode) -> str | None:
    """Write the film of an episode; its name in the run directory, or None with a warning: no result hangs on it."""
    name = f"videos/{episode.job.stem}.mp4"
    try:
        from hansgym.benchmarks import video

        (directory.path / "videos").mkdir(exist_ok=True)
        video.write_episode(
            directory.path / name, episode.frames, measures.overlays(episode.decisions, episode.attributions)
        )
    except Exception as error:
        warnings.warn(f"{name} was not written: {type(error).__name__}: {error}", stacklevel=2)
        return None
    return name
