"""The settings of a run: what decides its results, how they are written on a command line, and how two runs differ."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from hansgym.errors import ConfigurationError, HansGymError
from hansgym.lookup import unknown
from hansgym.seeds import reset_seed
from hansgym.specs import CAMERAS

ATTRIBUTIONS = ("iss", "do")
DEFAULT_FACTORY = "hansgym.benchmarks.workers:make_env"
FACTORIES = {
    "mujoco": DEFAULT_FACTORY,
    "rlbench": "hansgym.benchmarks.workers:make_rlbench_env",
    "rlbench:opengl": "hansgym.benchmarks.workers:make_rlbench_opengl_env",
}
"""Backend, with its renderer where there is a choice -> what makes its environments."""


@dataclass(frozen=True, order=True)
class Job:
    """One episode: its key (task, seed, trial) and the seed that the environment is reset with."""

    task: str
    seed: int
    trial: int

    @property
    def reset_seed(self) -> int:
        """The seed given to the environment."""
        return reset_seed(self.seed, self.trial)

    @property
    def key(self) -> tuple[str, int, int]:
        """What an episode is known by in a run."""
        return (self.task, self.seed, self.trial)

    @property
    def stem(self) -> str:
        """The file name, without ending, of what is kept about this episode."""
        return f"{self.task}_{self.seed}_{self.trial}"


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides what a run's episodes are. Equal configurations give equal episodes.

    ``execute`` of the predicted steps are carried out before the next decision. ``attribute`` holds "iss" and "do".
    ``attribute_stride``: every so many decisions is explained by ``method`` with ``n_masks`` masks. ``do_stride``,
    ``do_draws``, ``do_severity``, ``do_factors`` (empty: all that are present): the do-effects. ``videos``: how many
    episodes per task are filmed. Limits are seconds for one answer of the agent or of an environment. ``env_factory``
    is the ``module:function`` that makes an environment for a task.
    """

    agent: str
    tasks: tuple[str, ...]
    seeds: tuple[int, ...]
    control: str
    trials: int = 1
    suite: str | None = None
    protocol: str = "default"
    variation: int | None = None
    perturb: tuple[str, ...] = ()
    cameras: tuple[str, ...] = CAMERAS
    image_size: int = 224
    partition: str = "table_supports"
    execute: int = 8
    attribute: tuple[str, ...] = ()
    attribute_stride: int = 1
    method: str = "iss"
    n_masks: int = 100
    do_stride: int = 4
    do_draws: int = 8
    do_severity: float = 1.0
    do_factors: tuple[str, ...] = ()
    videos: int = 0
    run_seed: int = 0
    agent_limit_s: float = 120.0
    env_limit_s: float = 300.0
    env_factory: str = DEFAULT_FACTORY

    def __post_init__(self) -> None:
        for name in self.attribute:
            if name not in ATTRIBUTIONS:
                raise _unknown_attribution(name)
        for name, values in (("tasks", self.tasks), ("seeds", self.seeds)):
            if not values:
                raise ConfigurationError(f"a run needs {name}, got none")
            twice = sorted({v for v in values if values.count(v) > 1})
            if twice:
                raise ConfigurationError(f"{name} lists {twice} more than once; give each once (use trials to repeat)")
        if min(self.seeds) < 0:
            raise ConfigurationError(f"seeds must not be negative, got {min(self.seeds)}")
        for name in ("trials", "execute", "attribute_stride", "n_masks", "do_stride", "do_draws", "image_size"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("agent_limit_s", "env_limit_s"):
            if not getattr(self, name) > 0:
                raise ConfigurationError(f"{name} must be positive, got {getattr(self, name)}")
        named = {_pair(part)[0] for part in self.protocol.split(",")} if "=" in self.protocol else set()
        strange = sorted(named - set(self.tasks))
        if strange:
            raise ConfigurationError(
                f"protocol {self.protocol!r} names {strange}, the tasks of this run are {list(self.tasks)}"
            )
        if self.videos < 0 or self.do_severity < 0:
            raise ConfigurationError(
                f"videos and do_severity must not be negative, got {self.videos} and {self.do_severity}"
            )

    def identity(self) -> dict[str, Any]:
        """The configuration as plain JSON values."""
        return json.loads(json.dumps(asdict(self)))

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits that change when any field does."""
        return hash_of(self.identity())

    @property
    def do(self) -> bool:
        """Whether do-effects are measured."""
        return "do" in self.attribute

    @property
    def iss(self) -> bool:
        """Whether decisions are explained."""
        return "iss" in self.attribute

    def jobs(self) -> list[Job]:
        """Every episode asked for, in the order in which lanes take them."""
        return [Job(task, seed, trial) for task in self.tasks for seed in self.seeds for trial in range(self.trials)]

    def filmed(self) -> set[tuple[str, int, int]]:
        """Keys of the episodes that are filmed: the first ``videos`` of each task."""
        return {job.key for task in self.tasks for job in [j for j in self.jobs() if j.task == task][: self.videos]}


def backend_of(factory: str) -> str:
    """The backend that ``factory`` makes environments of; a factory of somebody else's stands for itself."""
    return {ours: backend for backend, ours in FACTORIES.items()}.get(factory, factory)


def from_identity(identity: Mapping[str, Any]) -> RunConfig:
    """The configuration that :meth:`RunConfig.identity` wrote; fields of a newer version are refused."""
    known = {f.name for f in fields(RunConfig)}
    extra = sorted(set(identity) - known)
    if extra:
        raise ConfigurationError(f"this run was written by another version: unknown settings {extra}")
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in identity.items()}
    return RunConfig(**values)


def hash_of(identity: Mapping[str, Any]) -> str:
    """The hash of a configuration's plain form."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """One line per field in which two plain configurations differ."""
    return [
        f"{name}: there {there.get(name)!r}, here {here.get(name)!r}"
        for name in sorted({*there, *here})
        if there.get(name) != here.get(name)
    ]


def parse_seeds(text: str) -> tuple[int, ...]:
    """``"0,1,7"`` or half-open ranges ``"90000:90050"`` (fifty seeds), or both, separated by commas."""
    seeds: list[int] = []
    for part in (p.strip() for p in text.split(",")):
        try:
            if ":" in part:
                first, last = (int(p) for p in part.split(":"))
                if last <= first:
                    raise ConfigurationError(f"seeds {part!r} is empty: write START:END for START up to END - 1")
                seeds.extend(range(first, last))
            else:
                seeds.append(int(part))
        except ConfigurationError:
            raise
        except ValueError:
            raise ConfigurationError(
                f"seeds {part!r} is neither a number nor a range; write 0,1,2 or 90000:90050 (half-open)"
            ) from None
    return tuple(seeds)


def protocol_of(text: str, task: str) -> str:
    """The protocol of ``task`` under ``"default"`` (one for all) or ``"push_buttons=balanced"`` (others: default)."""
    if "=" not in text:
        return text
    return dict(_pair(part) for part in text.split(",")).get(task, "default")


def _unknown_attribution(name: str) -> HansGymError:
    from hansgym.attribution.method import methods

    if name in methods():
        return ConfigurationError(
            f"attribution {name!r} is a saliency method; give attribute='iss' with method={name!r}, on a command line "
            f"--attribute iss --method {name}"
        )
    return unknown("attribution", name, (*ATTRIBUTIONS, "none"))


def _pair(part: str) -> tuple[str, str]:
    task, mark, protocol = (p.strip() for p in part.partition("="))
    if not (task and mark and protocol):
        raise ConfigurationError(
            f"protocol {part!r} cannot be read; write one name for all tasks or TASK=PROTOCOL,TASK=PROTOCOL"
        )
    return task, protocol


def parse_names(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """Names separated by commas; ``none`` and nothing mean no names."""
    if text is None:
        return ()
    parts = text.split(",") if isinstance(text, str) else list(text)
    return tuple(p.strip() for p in parts if p.strip() and p.strip() != "none")
