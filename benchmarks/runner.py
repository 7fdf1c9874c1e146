"""``evaluate``: an agent over tasks and seeds, into a run directory and a table."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hansgym
from hansgym.agent import Agent
from hansgym.benchmarks import listing, workers
from hansgym.benchmarks.aggregate import details, summarise
from hansgym.benchmarks.config import DEFAULT_FACTORY, FACTORIES, RunConfig, backend_of, parse_names, parse_seeds
from hansgym.benchmarks.guard import GuardedAgent
from hansgym.benchmarks.labels import labels
from hansgym.benchmarks.lanes import LanePool
from hansgym.benchmarks.progress import RunProgress
from hansgym.benchmarks.records import RunDirectory
from hansgym.benchmarks.scheduler import Scheduler
from hansgym.benchmarks.workers import EnvSettings
from hansgym.errors import ConfigurationError
from hansgym.lookup import unknown
from hansgym.specs import AgentSpec

if TYPE_CHECKING:
    import pandas

FACTORS = ("wall", "floor", "light", "poster", "nuisance", "task")
PACKAGES = ("numpy", "gymnasium", "mujoco", "torch", "opencv-python-headless")


def evaluate(
    agent: str | Agent,
    tasks: str | Sequence[str] | None = None,
    *,
    suite: str | None = None,
    trials: int = 1,
    seeds: str | int | Sequence[int] = (0,),
    attribute: str | Sequence[str] = (),
    perturb: str | Sequence[str] = (),
    workers: int | None = None,
    out: str | os.PathLike[str] | None = None,
    protocol: str = "default",
    variation: int | None = None,
    backend: str = "mujoco",
    image_size: int | None = None,
    partition: str = "table_supports",
    execute: int = 8,
    attribute_stride: int = 1,
    method: str = "iss",
    n_masks: int = 100,
    do_stride: int = 4,
    do_draws: int = 8,
    do_severity: float = 1.0,
    do_factors: str | Sequence[str] = (),
    videos: int = 0,
    run_seed: int = 0,
    agent_limit_s: float = 120.0,
    env_limit_s: float = 300.0,
    progress: bool = True,
    env_factory: str = DEFAULT_FACTORY,
) -> pandas.DataFrame:
    """Evaluate ``agent`` (a URI or an :class:`hansgym.agent.Agent`) and return one row per episode.

    Each task runs seeds x trials episodes. ``out`` is the run directory (default: one under ``runs/`` named after the
    agent and the settings); if it holds the same run, only what is missing is run. The control mode, the cameras and,
    where it has one, the image size are the agent's. ``attribute``: "iss" explains every ``attribute_stride``-th
    decision by ``method`` with ``n_masks`` masks; "do" resamples the world at every ``do_stride``-th one, ``do_draws``
    times per factor (``do_factors``: only these). ``protocol``: one for all tasks or, by task,
    ``"push_buttons=balanced"`` (the others: default). ``backend``: "mujoco", "rlbench" or "rlbench:opengl".
    ``perturb``: texts such as ``"cue:code=place,setting=aligned"``. ``videos``: episodes per task that are filmed. An
    agent or an environment that raises, or is silent for ``agent_limit_s`` or ``env_limit_s`` seconds, makes its
    episode an error, and the run goes on.

    Results do not depend on ``workers``. The table's ``attrs["summary"]`` is the object that ``hansgym evaluate
    --json`` prints. Settings that cannot work raise :class:`hansgym.errors.HansGymError`.
    """
    env_factory = _environments(backend, env_factory)
    names = _tasks(tasks, suite, env_factory)
    seed_list = parse_seeds(str(seeds)) if isinstance(seeds, (str, int)) else tuple(int(s) for s in seeds)
    guard = GuardedAgent(_factory(agent), agent_limit_s)
    try:
        spec = guard.spec
        config = RunConfig(
            agent=agent if isinstance(agent, str) else f"object:{type(agent).__module__}.{type(agent).__qualname__}",
            tasks=names,
            seeds=seed_list,
            control=spec.action.mode,
            trials=trials,
            suite=suite,
            protocol=protocol,
            variation=variation,
            perturb=_perturbations(perturb, env_factory),
            cameras=tuple(spec.cameras),
            image_size=_image_size(spec, image_size),
            partition=partition,
            execute=execute,
            attribute=parse_names(attribute),
            attribute_stride=attribute_stride,
            method=method,
            n_masks=n_masks,
            do_stride=do_stride,
            do_draws=do_draws,
            do_severity=do_severity,
            do_factors=parse_names(do_factors),
            videos=videos,
            run_seed=run_seed,
            agent_limit_s=agent_limit_s,
            env_limit_s=env_limit_s,
            env_factory=env_factory,
        )
        _check(config, guard)
        return run(config, guard, Path(out) if out is not None else default_out(config), workers, progress)
    finally:
        guard.close()


def run(config: RunConfig, guard: GuardedAgent, out: Path, workers: int | None, progress: bool) -> pandas.DataFrame:
    """Play what ``out`` lacks of the run ``config`` and return its table."""
    jobs = config.jobs()
    header = _header(config, guard.spec)
    with RunDirectory(out, header) as directory:
        todo = [job for job in jobs if job.key not in directory.done]
        count = min(workers or len(os.sched_getaffinity(0)), len(todo))
        title = f"{guard.spec.name} on {len(config.tasks)} task{'s' if len(config.tasks) > 1 else ''}"
        if todo:
            with (
                RunProgress(title, total=len(todo), show=progress) as bar,
                LanePool(count, env_settings(config, guard.spec), config.env_limit_s) as pool,
            ):
                Scheduler(config, guard, pool, directory, bar).run(todo)
        records = directory.records
    frame = table(out, records, config)
    frame.attrs["labels"] = labels(header)
    return frame


def table(out: Path, records: Sequence[dict[str, Any]], config: RunConfig) -> pandas.DataFrame:
    """One row per episode in the order of the jobs; ``attrs["summary"]`` holds the run's summary."""
    import pandas

    order = {job.key: k for k, job in enumerate(config.jobs())}
    ranked = sorted(records, key=lambda r: order[(r["task"], r["seed"], r["trial"])])
    frame = pandas.DataFrame(ranked)
    for column in ("error", "instruction"):  # missing ones stay None
        frame[column] = pandas.Series([r[column] for r in ranked], dtype=object)
    frame["nmr@10"] = [(r.get("nmr") or {}).get("10") for r in ranked]
    frame.attrs["summary"] = summarise(out, records, config.identity())
    frame.attrs["details"] = details(records, config.identity())
    frame.attrs["run"] = str(out)
    return frame


def env_settings(config: RunConfig, spec: AgentSpec) -> EnvSettings:
    """How the lanes of a run make their environments."""
    return EnvSettings(
        factory=config.env_factory,
        control=config.control,
        horizon=spec.horizon,
        execute=config.execute,
        cameras=config.cameras,
        image_size=config.image_size,
        partition=config.partition,
        protocol=config.protocol,
        variation=config.variation,
        segmentation=config.iss,
        perturb=config.perturb,
    )


def default_out(config: RunConfig) -> Path:
    """A folder that the same settings always lead to, so that the same command resumes."""
    return Path("runs") / f"{re.sub(r'[^A-Za-z0-9]+', '-', config.agent).strip('-')}-{config.hash[:8]}"


def _factory(agent: str | Agent) -> Callable[[], Agent]:
    if not isinstance(agent, str):
        return lambda: agent

    def make() -> Agent:
        from hansgym.agents.registry import make_agent

        return make_agent(agent)

    return make


def _environments(backend: str, factory: str) -> str:
    """What makes the environments: a factory that was named, else that of ``backend``."""
    if backend not in FACTORIES:
        raise unknown("backend", backend, FACTORIES)
    return FACTORIES[backend] if factory == DEFAULT_FACTORY else factory


def _tasks(tasks: str | Sequence[str] | None, suite: str | None, factory: str) -> tuple[str, ...]:
    if factory not in FACTORIES.values() and tasks is not None and suite is None:
        return parse_names(tasks)
    return listing.chosen(tasks, suite)


def _perturbations(texts: str | Sequence[str], factory: str) -> tuple[str, ...]:
    """The perturbations asked for, every option written out, so that equal settings look equal."""
    given = (texts,) if isinstance(texts, str) else tuple(texts)
    if factory not in FACTORIES.values() or not given:
        return given
    from hansgym.wrappers.perturbations import parse

    return tuple(str(parse(text)) for text in given)


def _image_size(spec: AgentSpec, wanted: int | None) -> int:
    if spec.image_size is not None and wanted not in (None, spec.image_size):
        raise ConfigurationError(
            f"agent {spec.name!r} takes images of {spec.image_size} px, image_size is {wanted}; leave image_size out"
        )
    return wanted or spec.image_size or 224


def _check(config: RunConfig, agent: Agent) -> None:
    """Refuse what cannot work before anything is started."""
    spec = agent.spec
    if config.execute > spec.horizon:
        raise ConfigurationError(
            f"execute={config.execute} is more than the {spec.horizon} steps that agent {spec.name!r} predicts; "
            f"choose 1 to {spec.horizon}"
        )
    strange = [f for f in config.do_factors if f not in FACTORS and not f.startswith("distractor:")]
    if strange:
        raise unknown("factor", strange[0], (*FACTORS, "distractor:<name>"))
    if config.iss and config.n_masks < 4:
        raise ConfigurationError(f"n_masks must be at least 4, two halves of two, got {config.n_masks}")
    if config.iss:
        from hansgym.attribution.method import method

        method(config.method).check(agent)
        if not spec.cameras:
            raise ConfigurationError(f"agent {spec.name!r} sees no camera: there is nothing to explain; leave out iss")
    if "expert_chunk" in spec.needs and backend_of(config.env_factory).startswith("rlbench"):
        raise ConfigurationError(
            f"agent {spec.name!r} asks for the expert's next steps, and backend 'rlbench' has none: upstream "
            "plays whole demonstrations; use backend 'mujoco' for it"
        )
    if config.env_factory in FACTORIES.values():
        make = getattr(workers, config.env_factory.partition(":")[2])
        for task in config.tasks:  # a simulator starts with the first reset only: this costs nothing
            make(task, env_settings(config, spec)).close()


def _header(config: RunConfig, spec: AgentSpec) -> dict[str, Any]:
    """What ``run.json`` says: the configuration that must be equal to resume, and the circumstances, which need not."""
    described = {**asdict(spec), "needs": sorted(spec.needs)}
    return {
        "config": config.identity(),
        "agent": described,
        "command": sys.argv,
        "versions": {"python": platform.python_version(), **_versions()},
        "platform": platform.platform(),
    }


def _versions() -> dict[str, str]:
    found = {"hansgym": hansgym.__version__}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
