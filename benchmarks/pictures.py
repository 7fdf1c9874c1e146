"""``python -m hansgym.benchmarks.pictures``: one picture of every task, three cameras and the regions of the first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from hansgym.roles import Region
from hansgym.specs import CAMERAS

REGION_COLOURS = {Region.NUISANCE: (196, 78, 82), Region.ACTION: (85, 168, 104), Region.SUPPORT: (76, 114, 176)}
COLUMNS = 2


def regions(mask: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 picture of a region image (H, W)."""
    table = np.array([REGION_COLOURS[Region(k)] for k in range(len(Region))], np.uint8)
    return table[mask]


def row(task: str, seed: int, size: int) -> np.ndarray:
    """(size + caption, 4 size, 3) uint8: what the cameras see at reset, the front image's regions, the instruction."""
    import cv2
    import gymnasium

    from hansgym.envs.registration import env_id

    env: Any = gymnasium.make(env_id(task), image_size=size)
    observation, info = env.reset(seed=seed)
    env.close()
    pictures = [observation[f"{c}_rgb"] for c in CAMERAS] + [regions(observation["front_mask"])]
    strip = np.concatenate(pictures, axis=1)
    caption = np.full((24, strip.shape[1], 3), 255, np.uint8)
    text = f"{task}: {info['instruction']}"
    cv2.putText(caption, text, (4, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (30, 30, 30), 1, cv2.LINE_AA)
    return np.concatenate([caption, strip])


def sheet(tasks: Sequence[str], seed: int = 7, size: int = 160) -> np.ndarray:
    """The rows of ``tasks`` in two columns, (H, W, 3) uint8."""
    rows = [row(task, seed, size) for task in tasks]
    rows += [np.full_like(rows[0], 255)] * (-len(rows) % COLUMNS)
    per = len(rows) // COLUMNS
    return np.concatenate([np.concatenate(rows[k * per : (k + 1) * per]) for k in range(COLUMNS)], axis=1)


def main(
    out: Annotated[Path, typer.Option(help="The picture to write.")] = Path("docs/tasks.png"),
    tasks: Annotated[str | None, typer.Option(help="Tasks, separated by commas. Default: all.")] = None,
    seed: Annotated[int, typer.Option(help="Reset seed.")] = 7,
    size: Annotated[int, typer.Option(help="Pixels of one camera image.")] = 160,
) -> None:
    """Draw what the cameras see at reset, and which pixels belong to which region."""
    import imageio.v3 as imageio

    from hansgym.envs.registration import index

    names = tasks.split(",") if tasks else [r["task"] for r in index()]
    out.parent.mkdir(parents=True, exist_ok=True)
    imageio.imwrite(out, sheet(names, seed, size))
    typer.echo(f"wrote {out}")


if __name__ == "__main__":
    typer.run(main)
