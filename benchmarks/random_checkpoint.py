"""Checkpoints of published sizes with random weights, for measuring what a policy costs where no hub can be reached.

``python -m hansgym.benchmarks.random_checkpoint pi05 /tmp/pi05`` writes a folder that ``lerobot:/tmp/pi05,…`` loads
like any other, and prints that URI. What a policy costs depends on its sizes, not on its weights; what such a policy
*does* means nothing, so its scores are nobody's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from hansgym.benchmarks import _random_lerobot, _random_openvla
from hansgym.errors import ConfigurationError, HansGymError
from hansgym.lookup import unknown

Make = Callable[[Path, str, int, Path | None], str]

POLICIES: dict[str, Make] = {
    "pi05": _random_lerobot.pi05,
    "smolvla": _random_lerobot.smolvla,
    "openvla": _random_openvla.openvla,
}
"""Name -> ``make(folder, device, seed, code)``, which returns the agent's URI."""


def make(policy: str, folder: Path, device: str = "cpu", seed: int = 0, code: Path | None = None) -> str:
    """Write the checkpoint into ``folder``, which must be new or empty; returns the URI of its agent.

    ``device``: where the random numbers are drawn (a GPU is faster; other numbers come out). ``code``: for ``openvla``
    the folder with its published Python files.
    """
    if policy not in POLICIES:
        raise unknown("policy", policy, POLICIES)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(f"{folder} is there already and not empty; name a new folder")
    if code is not None and policy != "openvla":
        raise ConfigurationError(f"code={str(code)!r}, but {policy} needs none: LeRobot has its program")
    return POLICIES[policy](folder.resolve(), device, seed, code)


def main(
    policy: Annotated[str, typer.Argument(help="One of " + ", ".join(POLICIES) + ".")],
    folder: Annotated[Path, typer.Argument(help="A new folder; pi05 takes 9 GB, smolvla 2 GB, openvla 15 GB.")],
    device: Annotated[str, typer.Option(help="cpu or cuda: where the numbers are drawn.")] = "cpu",
    seed: Annotated[int, typer.Option(help="Seed of the weights.")] = 0,
    code: Annotated[Path | None, typer.Option(help="openvla: clone of its repository, or folder of its files.")] = None,
) -> None:
    """Write a checkpoint of the published size with random weights, and print the URI of its agent."""
    try:
        uri = make(policy, folder, device, seed, code)
    except HansGymError as error:
        print(f"hansgym: {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    print(uri)


if __name__ == "__main__":
    typer.run(main)
