"""``hansgym doctor``: says what is missing, and how to get it."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def doctor(
    backend: Annotated[
        list[str] | None, typer.Option(help="A backend that must work, e.g. rlbench. May be repeated.")
    ] = None,
    extra: Annotated[
        list[str] | None, typer.Option(help="An extra that must be there, e.g. torch. May be repeated.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON for a program instead of a list for a person.")
    ] = False,
) -> None:
    """Say what is installed and what is missing, step by step, for each backend and extra. Nothing is changed.

    Exits 1 if the package, MuJoCo, or something asked for with --backend or --extra does not work; what else is missing
    is listed and does no harm. With --json: {ok, sections: [{name, about, required, ok, steps}]}; steps are {name,
    ok, found, fix}.

    Example: hansgym doctor --backend rlbench
    """
    from hansgym.benchmarks import doctor as examination

    found = examination.examine(("mujoco", *(backend or ())), tuple(extra or ()))
    good = examination.verdict(found)
    if as_json:
        print(json.dumps({"ok": good, "sections": [section.to_json() for section in found]}))
    else:
        print("\n".join(examination.lines(found)))
    if not good:
        raise typer.Exit(1)
