"""The table of :mod:`hansgym.benchmarks.iss_cost`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PUBLISHED = {50: 33, 100: 66, 150: 99, 200: 132}
"""Published slowdown of ISS with so many masks against a single inference, batched on a GPU (arXiv 2605.00321)."""

COLUMNS = (
    *("N", "time", "evaluations/s", "slowdown", "published", "outside the policy"),
    *("operations", "bytes, least", "bytes, moved", "bound by"),
)


def markdown(found: Mapping[str, Any]) -> str:
    """A table for each agent, and how to read them."""
    lines = ["# What a saliency map costs", "", f"`{found['command']}`", ""]
    for one in found["agents"]:
        lines += _agent(one)
    return "\n".join([*lines, NOTES.strip()]) + "\n"


NOTES = """
An explanation with N masks evaluates the policy N + 1 times. Slowdown: its time over that of a single inference, the
median over the rounds of the ratio within a round. Published: of another policy, on a GPU that batches; a slowdown
below N + 1 is what batching gains. Outside the policy: masks, blurring, blending, sending, scores, NMR (of an agent
whose policy cannot be watched apart, all that it does itself counts as the policy). Bytes, least: weights and inputs
read once per batch; moved: as if every operator read its inputs and wrote its outputs in memory, without caches. In
brackets the share of the policy's time that the operations or bytes would take at the speed that a large matrix product
or a large copy reached on this machine in the same run; a share over a half is a bound, and two that make a half
together are two, since operators run one after the other. Products smaller than that one may fit a cache better, and
then take more than 100 %.
"""


def _agent(one: Mapping[str, Any]) -> list[str]:
    lines = [f"## `{one['agent']}`", "", _setting(one), ""]
    lines += [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
    lines += [f"| {' | '.join(_cells(row))} |" for row in one["rows"]]
    roof = one["roofline"]
    if roof["reason"]:
        return [*lines, "", f"No roofline: {roof['reason']}.", ""]
    products = ", ".join(f"{si(speed)}OP/s in a matrix product of {k}" for k, speed in roof["operations_per_s"].items())
    reached = f"Reached on this machine ({roof['device']}): {products}, {si(roof['bytes_per_s'])}B/s in a copy."
    return [*lines, "", reached + _mixture(one["rows"][-1]), ""]


def _mixture(row: Mapping[str, Any]) -> str:
    """What kinds of number the operations are done in, where there are several."""
    if len(row["kinds"]) == 1:
        return ""
    parts = (f"{100 * n / row['operations']:.0f} % {k}" for k, n in sorted(row["kinds"].items(), key=lambda i: -i[1]))
    return f" Of the operations {', '.join(parts)}."


def _setting(one: Mapping[str, Any]) -> str:
    machine = one["machine"]
    gpu = machine["gpu"] or "no GPU"
    load = "" if machine["load"] is None else f", load {machine['load']} (other work included)"
    torch = ""
    if "torch" in machine:
        torch = f", Torch {machine['torch']} on {machine['threads']} thread{'s' if machine['threads'] > 1 else ''}"
    return (
        f"A single inference takes {1e3 * one['single_s']:.1f} ms. {len(one['cameras'])} cameras of "
        f"{one['image_size']} pixels, batches of at most {one['max_batch']}, task {one['task']}; "
        f"{machine['cores']} processor cores, {gpu}{load}, Python {machine['python']}{torch}."
    )


def _cells(row: Mapping[str, Any]) -> list[str]:
    published = PUBLISHED.get(int(row["masks"]))
    shares = row["shares"] or {}
    return [
        str(row["masks"]),
        f"{row['explained_s']:.2f} s",
        f"{row['evaluations_per_s']:.0f}",
        f"{row['slowdown']:.1f}x",
        "-" if published is None else f"{published}x",
        f"{100 * row['outside_policy']:.1f} %",
        *(_counted(row[key], shares.get(key)) for key in ("operations", "least_bytes", "moved_bytes")),
        row["bound"] or "-",
    ]


def _counted(value: float | None, share: float | None) -> str:
    return "-" if value is None or share is None else f"{si(value)} ({100 * share:.0f} %)"


def si(value: float) -> str:
    """``1.5e9`` as ``1.50 G``; a unit may follow at once."""
    for prefix in ("", "k", "M", "G", "T", "P"):
        if value < 999.5 or prefix == "P":
            return f"{value:.3g} {prefix}"
        value /= 1000
    raise AssertionError("unreachable")
