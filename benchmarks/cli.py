"""The command line: ``hansgym list | evaluate | report | leaderboard | check-agent | serve | train | record | …``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from hansgym.benchmarks import cli_data, cli_doctor, cli_serve
from hansgym.errors import HansGymError

app = typer.Typer(
    name="hansgym",
    help="Find out whether a robot policy acts on the task or on the wallpaper.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

JSON = Annotated[bool, typer.Option("--json", help="Print JSON for a program instead of a table for a person.")]
ATTRIBUTION, DO, LIMITS = "Attribution", "Do-effects", "Workers and limits"


@app.command("list")
def list_tasks(
    suite: Annotated[str | None, typer.Option(help="Only the tasks of this suite, e.g. quickstart.")] = None,
    as_json: JSON = False,
) -> None:
    """List the tasks: their suites, how many variations they have, and what the robot is told.

    With --json: a list of {id, task, suites, variations, instructions}, one instruction per variation.
    """
    from hansgym.benchmarks import listing

    rows = listing.rows(suite)
    if as_json:
        print(json.dumps(rows))
        return
    table = Table("task", "suites", "variations", "first instruction")
    for row in rows:
        table.add_row(row["task"], ", ".join(row["suites"]), str(row["variations"]), row["instructions"][0])
    Console().print(table)


@app.command()
def evaluate(
    agent: Annotated[
        str, typer.Option(help="Agent URI: expert, random, reference:pfungst, python:my_module:MyPolicy, …")
    ],
    tasks: Annotated[str | None, typer.Option(help="Tasks, separated by commas: open_drawer,close_jar.")] = None,
    suite: Annotated[str | None, typer.Option(help="All tasks of a suite instead: quickstart.")] = None,
    trials: Annotated[int, typer.Option(help="Episodes per task and seed.")] = 1,
    seeds: Annotated[str, typer.Option(help="A list 0,1,2 or a half-open range 90000:90050 (fifty seeds).")] = "0",
    attribute: Annotated[
        str, typer.Option(help="iss (saliency and NMR), do (do-effects and NER), iss,do, or none.")
    ] = "none",
    perturb: Annotated[
        list[str] | None,
        typer.Option(
            help="Perturbation NAME or NAME:option=value,…, e.g. cue:code=place,setting=misleading or "
            "gaussian_noise:severity=4,region=nuisance. Repeat the option to stack several."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Run directory. The same command with the same --out resumes. Default: a name under runs/."),
    ] = None,
    protocol: Annotated[
        str,
        typer.Option(help="default or agnostos for all tasks, or by task: push_buttons=balanced (others: default)."),
    ] = "default",
    variation: Annotated[int | None, typer.Option(help="One variation for all episodes. Default: by seed.")] = None,
    backend: Annotated[str, typer.Option(help="mujoco, rlbench, or rlbench:opengl (see hansgym doctor).")] = "mujoco",
    image_size: Annotated[int | None, typer.Option(help="Pixels. Default: the agent's, else 224.")] = None,
    partition: Annotated[str, typer.Option(help="table_supports or table_is_nuisance.")] = "table_supports",
    execute: Annotated[int, typer.Option(help="Steps of each predicted chunk that are executed.")] = 8,
    videos: Annotated[int, typer.Option(help="Episodes per task to film, with the saliency laid over.")] = 0,
    run_seed: Annotated[int, typer.Option(help="Seed of sampling noise, masks and do-draws.")] = 0,
    method: Annotated[
        str, typer.Option(help="Method: iss (centred), iss_published, iss_logp (tokens).", rich_help_panel=ATTRIBUTION)
    ] = "iss",
    masks: Annotated[int, typer.Option(help="Masks per explained decision.", rich_help_panel=ATTRIBUTION)] = 100,
    attribute_stride: Annotated[
        int, typer.Option(help="Explain every so many decisions.", rich_help_panel=ATTRIBUTION)
    ] = 1,
    do_stride: Annotated[int, typer.Option(help="Resample at every so many decisions.", rich_help_panel=DO)] = 4,
    do_draws: Annotated[int, typer.Option(help="Draws per factor and decision.", rich_help_panel=DO)] = 8,
    do_severity: Annotated[
        float, typer.Option(help="Scales the ranges of wall, floor and light.", rich_help_panel=DO)
    ] = 1.0,
    do_factors: Annotated[
        str, typer.Option(help="Only these factors, e.g. nuisance,task,poster. Default: all.", rich_help_panel=DO)
    ] = "",
    workers: Annotated[
        int | None,
        typer.Option(help="Environments, each a process. Default: one per core.", rich_help_panel=LIMITS),
    ] = None,
    agent_limit: Annotated[
        float, typer.Option(help="Seconds the agent may take for one answer.", rich_help_panel=LIMITS)
    ] = 120.0,
    env_limit: Annotated[
        float, typer.Option(help="Seconds an environment may take for one answer.", rich_help_panel=LIMITS)
    ] = 300.0,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
    as_json: JSON = False,
) -> None:
    """Evaluate an agent: success, nuisance mass ratio (NMR) and nuisance effect ratio (NER), with 95 % intervals.

    Each task runs seeds x trials episodes. Every finished episode is one line of episodes.jsonl in the run directory; a
    killed run resumes with the same command, and results do not depend on the number of workers. An agent or
    environment that fails makes its episode an error, counted in n; the run goes on and exits 0.

    With --json the last line of the output is {run, success, interval, n, errors, "nmr@10", nmr_interval, ner,
    ner_interval, tasks: {name: the same}}.

    Example: hansgym evaluate --agent reference:pfungst --tasks open_drawer --seeds 90000:90010 --attribute iss,do
    """
    from hansgym.benchmarks.runner import evaluate as run

    frame = _resumable(run)(
        agent,
        tasks,
        suite=suite,
        trials=trials,
        seeds=seeds,
        attribute=attribute,
        perturb=perturb or (),
        workers=workers,
        out=out,
        protocol=protocol,
        variation=variation,
        backend=backend,
        image_size=image_size,
        partition=partition,
        execute=execute,
        attribute_stride=attribute_stride,
        method=method,
        n_masks=masks,
        do_stride=do_stride,
        do_draws=do_draws,
        do_severity=do_severity,
        do_factors=do_factors,
        videos=videos,
        run_seed=run_seed,
        agent_limit_s=agent_limit,
        env_limit_s=env_limit,
        progress=not quiet,
    )
    if as_json:
        _last_word(frame.attrs["summary"])
    from hansgym.benchmarks.show import print_run

    print_run(frame)


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="Run directory, as written by evaluate --out.")],
    as_json: JSON = False,
) -> None:
    """Write the page of a run, report/index.html in its folder: one file, nothing to install or to serve."""
    from hansgym.benchmarks.records import read_run

    read_run(run)
    from hansgym.benchmarks.report import write_report

    page = write_report(run)
    print(json.dumps({"report": str(page)}) if as_json else f"wrote {page}")


@app.command()
def leaderboard(
    runs: Annotated[list[Path], typer.Argument(help="Run directories to rank.")],
    out: Annotated[Path, typer.Option(help="Folder for leaderboard.md, .json and .html.")] = Path("leaderboard"),
    as_json: JSON = False,
) -> None:
    """Rank runs by success, with NMR and NER beside it; ties inside the 95 % intervals are marked.

    Runs whose settings differ in what a number means (tasks, protocol, perturbation, control mode, …) get tables of
    their own.
    """
    from hansgym.benchmarks import leaderboard as board

    found = board.build(runs)
    board.write(found, out)
    if as_json:
        print(json.dumps(found))
        return
    board.show(found, Console())
    print(f"wrote leaderboard.md, leaderboard.json and leaderboard.html in {out}")


@app.command("check-agent")
def check_agent(
    uri: Annotated[str, typer.Argument(help="Agent URI: reference:pfungst, python:my_module:MyPolicy, …")],
    task: Annotated[
        str | None, typer.Option(help="Show the agent real observations of this task. Default: synthetic ones.")
    ] = None,
    episodes: Annotated[
        int, typer.Option(help="Expert episodes of the task to replay open loop; 0 leaves the comparison out.")
    ] = 4,
    as_json: JSON = False,
) -> None:
    """Check that an agent does what it declares, and say in plain words what is off. Exits 1 if a check fails.

    With --task it also asks: is it the policy or the plumbing? The agent's chunks are compared with the expert's, per
    joint, as they are and with every usual mistake undone (swapped cameras, BGR, upside-down pictures, inverted
    gripper, delta taken as absolute, degrees, lost instruction); the one that explains the difference is named.
    """
    from hansgym.agents.check import check_agent as check
    from hansgym.benchmarks import replay
    from hansgym.benchmarks.show import observed

    settings = {} if task is None else observed(uri, task)
    if task is not None and episodes:
        settings["replay"] = replay.of_expert(replay.spec_of(uri), task, episodes)
    found = check(uri, **settings)
    print(json.dumps(found.to_json()) if as_json else str(found))
    if not found.ok:
        raise typer.Exit(1)


@app.command()
def train(
    name: Annotated[str, typer.Argument(help="Reference policy: reference:pfungst, reference:hans, …")],
    out: Annotated[Path | None, typer.Option(help="Weight file to write. Default: in the cache.")] = None,
    work: Annotated[Path | None, typer.Option(help="Folder for demonstrations and checkpoints.")] = None,
    steps: Annotated[int | None, typer.Option(help="Training steps instead of the recipe's.")] = None,
    episodes: Annotated[int | None, typer.Option(help="Demonstrations per task instead of the recipe's.")] = None,
    workers: Annotated[int, typer.Option(help="Processes that record demonstrations.")] = 2,
    threads: Annotated[int | None, typer.Option(help="Threads of the training itself. Default: Torch's.")] = None,
    as_json: JSON = False,
) -> None:
    """Train a reference policy again from its seeds. Killed, it goes on where it stopped with the same command."""
    from hansgym.benchmarks.progress import StageProgress
    from hansgym.benchmarks.train import train as run

    with StageProgress() as bar:
        path = _resumable(run)(
            name,
            out=out,
            work=work,
            steps=steps,
            episodes=episodes,
            workers=workers,
            threads=threads,
            progress=bar.report,
        )
    print(json.dumps({"weights": str(path)}) if as_json else f"wrote {path}")


def _resumable(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, saying on Ctrl-C what is kept."""

    def call(*arguments: Any, **settings: Any) -> Any:
        try:
            return function(*arguments, **settings)
        except KeyboardInterrupt:
            print(
                "hansgym: interrupted; what is finished is kept, the same command goes on from there", file=sys.stderr
            )
            raise typer.Exit(130) from None

    return call


def _last_word(summary: dict[str, Any]) -> None:
    """Print the result as the last line, and leave: nothing that is torn down afterwards may still say something."""
    sys.stderr.flush()
    print(json.dumps(summary), flush=True)
    os._exit(0)


app.command()(cli_data.record)
app.command()(cli_data.play)
app.command()(cli_data.convert)
app.command()(cli_serve.serve)
app.command()(cli_doctor.doctor)


def main() -> None:
    """The ``hansgym`` command. What the user can mend is said in one line, with exit status 2."""
    try:
        app()
    except HansGymError as error:
        print(f"hansgym: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
