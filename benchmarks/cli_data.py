"""``hansgym record`` and ``hansgym play``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

FORMATS = ("hansgym", "lerobot")
JSON = Annotated[bool, typer.Option("--json", help="Print JSON for a program instead of a line for a person.")]


def record(
    out: Annotated[Path, typer.Option(help="Folder of the recording. The same command with the same --out resumes.")],
    tasks: Annotated[str | None, typer.Option(help="Tasks, separated by commas: open_drawer,close_jar.")] = None,
    suite: Annotated[str | None, typer.Option(help="All tasks of a suite instead: agnostos-seen.")] = None,
    episodes: Annotated[int, typer.Option(help="Successful episodes per task.")] = 200,
    variation: Annotated[int | None, typer.Option(help="One variation. Default: all of them in turn.")] = None,
    protocol: Annotated[str, typer.Option(help="default or agnostos (variation 0, published rules).")] = "default",
    image_size: Annotated[int, typer.Option(help="Pixels of a camera's picture, height and width.")] = 224,
    control: Annotated[str, typer.Option(help="Control mode of the recorded actions.")] = "joint_position",
    first_seed: Annotated[int, typer.Option(help="Reset seed of the first attempt.")] = 2_000_000,
    format: Annotated[
        str, typer.Option(help="hansgym (a folder an episode), or lerobot (LeRobotDataset v3).")
    ] = "hansgym",
    videos: Annotated[bool, typer.Option(help="lerobot: MP4 files, or lossless PNG within the tables.")] = True,
    workers: Annotated[int, typer.Option(help="Processes that record.")] = 2,
    as_json: JSON = False,
) -> None:
    """Record expert demonstrations: pictures, object ids, state, action and instruction of every control step.

    One folder per episode, <out>/<task>/<seed>/, in open formats (PNG, NumPy, JSON). Failed attempts are dropped and
    listed in <out>/<task>/failed.json. `hansgym play FOLDER` makes a film of an episode.

    With --format lerobot, <out> becomes a LeRobotDataset of the same episodes, which are kept in <out>.episodes: an
    interrupted recording goes on there, and the dataset is written whole at the end.

    With --json: {"tasks": {name: {"episodes", "failed"}}}, failed being the seeds of failed attempts.
    """
    from hansgym.benchmarks.listing import chosen
    from hansgym.benchmarks.progress import StageProgress
    from hansgym.benchmarks.record import Settings
    from hansgym.benchmarks.record import record as run

    dataset = _wants_dataset(format, out)
    folder = out.with_name(f"{out.name}.episodes") if dataset else out
    settings = Settings(
        first_seed=first_seed,
        image_size=image_size,
        control=control,
        protocol=protocol,
        variation=variation,
    )
    with StageProgress() as bar:

        def report(task: str, done: int, wanted: int, failed: int) -> None:
            bar.report(task, done, wanted, {"failed": failed} if failed else {})

        found = run(chosen(tasks, suite), episodes, folder, settings=settings, workers=workers, progress=report)
        if dataset:
            from hansgym.benchmarks.lerobot_dataset import chosen_episodes, write_dataset

            kept = chosen_episodes(folder, [(r.task, seed) for r in found for seed in r.seeds])
            failed = {r.task: r.failed for r in found}
            write_dataset(kept, out, videos=videos, failed=failed, progress=lambda k, n: report("dataset", k, n, 0))
    if as_json:
        print(json.dumps({"tasks": {r.task: {"episodes": r.episodes, "failed": r.failed} for r in found}}))
        return
    for each in found:
        lost = f", {len(each.failed)} failed attempts dropped" if each.failed else ""
        print(f"{each.task}: {each.episodes} episodes in {folder / each.task}{lost}")
    if dataset:
        print(f"LeRobotDataset of {sum(r.episodes for r in found)} episodes in {out}")


def convert(
    folder: Annotated[Path, typer.Argument(help="A recording of `hansgym record`, or one task of it.")],
    out: Annotated[Path, typer.Option(help="The dataset to write.")],
    videos: Annotated[bool, typer.Option(help="MP4 files, or lossless PNG within the tables.")] = True,
    as_json: JSON = False,
) -> None:
    """Write recorded episodes as a LeRobotDataset v3, with LeRobot's own writer (pip install 'hansgym[lerobot]').

    With --json: {"dataset"}.
    """
    from hansgym.benchmarks.lerobot_dataset import convert as run
    from hansgym.benchmarks.progress import StageProgress

    _wants_dataset("lerobot", out)
    with StageProgress() as bar:
        run(folder, out, videos=videos, progress=lambda done, wanted: bar.report("dataset", done, wanted, {}))
    print(json.dumps({"dataset": str(out)}) if as_json else f"LeRobotDataset in {out}")


def _wants_dataset(name: str, out: Path) -> bool:
    """Whether a LeRobotDataset is asked for; it raises before anything is recorded where ``out`` cannot become one."""
    from hansgym.lookup import require, unknown

    if name not in FORMATS:
        raise unknown("format", name, FORMATS)
    if name == "lerobot":
        from hansgym.benchmarks.lerobot_dataset import check_place

        require("lerobot.datasets.lerobot_dataset", "lerobot")
        check_place(out)
    return name == "lerobot"


def play(
    what: Annotated[str, typer.Argument(help="A task, or the folder of a recorded episode.")],
    seed: Annotated[int, typer.Option(help="Reset seed of the task's episode.")] = 0,
    variation: Annotated[int | None, typer.Option(help="Variation of the task. Default: by seed.")] = None,
    out: Annotated[Path | None, typer.Option(help="The film to write. Default: named after the task.")] = None,
    image_size: Annotated[int, typer.Option(help="Pixels at which a camera is rendered.")] = 224,
    viewer: Annotated[
        bool, typer.Option("--viewer", help="Show it in MuJoCo's viewer instead (needs a display).")
    ] = False,
    as_json: JSON = False,
) -> None:
    """Watch the scripted expert solve a task, as a film or in MuJoCo's viewer; or make a film of a recorded episode.

    With --json: {"film", "instruction", "steps", "success"}.
    """
    from hansgym.benchmarks.play import play_episode, play_task

    shown: Any
    if Path(what).is_dir():
        shown = play_episode(Path(what), out)
    else:
        shown = play_task(what, seed=seed, variation=variation, out=out, image_size=image_size, viewer=viewer)
    film = None if shown.film is None else str(shown.film)
    if as_json:
        row = {"film": film, "instruction": shown.instruction, "steps": shown.steps, "success": shown.success}
        print(json.dumps(row))
        return
    print(f"{shown.instruction!r}: {'solved' if shown.success else 'not solved'} in {shown.steps} steps")
    if film:
        print(f"wrote {film}")
