"""The single conformance checks; :mod:`hansgym.agents.check` runs them.

Each is a function from a :class:`Probe` to a :class:`Finding`; its name in :data:`CHECKS` is what a report calls it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import get_args

import numpy as np

from hansgym.abilities import ScoresTokens, check_said, check_scores
from hansgym.agents._probe import ROUNDING_SHARE, Finding, Probe, Skip, copied, furthest, pairs, rounded, same, sliced
from hansgym.batch import Batch
from hansgym.errors import ContractError
from hansgym.specs import AgentSpec, NoiseControl

KNOWN_NEEDS = frozenset({"expert_chunk"})
"""Privileged inputs that environments provide."""

MOST_ROWS = 128
"""Rows of the largest batch that is tried, however many the agent says it takes."""


def spec(agent: object) -> Finding:
    """``spec`` is an AgentSpec with sound values, and the two methods are there."""
    found = getattr(agent, "spec", None)
    if not isinstance(found, AgentSpec):
        return Finding("fail", f"spec is {type(found).__name__}; make it a hansgym.specs.AgentSpec")
    wrong = [f"no {n}(...) method" for n in ("reset", "act") if not callable(getattr(agent, n, None))]
    if found.noise_control not in get_args(NoiseControl):
        wrong.append(f"noise_control {found.noise_control!r} is none of {', '.join(get_args(NoiseControl))}")
    if not found.cameras:
        wrong.append("cameras is empty")
    if found.image_size is not None and found.image_size < 1:
        wrong.append(f"image_size {found.image_size} is not a number of pixels")
    scale = np.asarray(found.action.scale, float)
    if not np.isfinite(scale).all() or (scale < 0).any() or not scale.any():
        wrong.append(f"action scale {found.action.scale} must be finite, not negative and not all zero")
    if found.needs - KNOWN_NEEDS:
        wrong.append(f"needs {sorted(found.needs - KNOWN_NEEDS)}; environments provide {sorted(KNOWN_NEEDS)}")
    if wrong:
        return Finding("fail", "; ".join(wrong))
    return Finding("pass", f"{found.action.mode}, horizon {found.horizon}, noise {found.noise_control}")


def answer(probe: Probe) -> Finding:
    """Right shape, a numeric dtype, every number finite."""
    try:
        return Finding("pass", f"chunks of shape {probe.clean.shape}, all finite")
    except ContractError as error:
        return Finding("fail", str(error))


def determinism(probe: Probe) -> Finding:
    """Equal observations and equal noise seeds give equal chunks."""
    gap = furthest(probe.clean, probe.ask())
    kind = probe.spec.noise_control
    if kind == "none":
        return Finding("note", f"asked twice, the answer differs by up to {gap:.3g}: noise is not paired", gap)
    cure = "seed all sampling from noise_seeds, or declare noise_control='none'"
    bad = f"declares noise_control={kind!r}, but asked twice with equal noise seeds it answers differently; {cure}"
    return same(probe, probe.clean, probe.ask(), "asked twice with equal noise seeds, answers the same", bad)


def noise_seeds(probe: Probe) -> Finding:
    """Noise seeds matter exactly where the agent says that it samples."""
    kind = probe.spec.noise_control
    if kind == "none":
        raise Skip("the agent declares that its noise cannot be controlled")
    gap = furthest(probe.clean, probe.ask(seeds=probe.seeds + np.uint64(1)))
    if kind == "deterministic":
        if gap <= probe.tolerance:
            return Finding("pass", "ignores noise seeds, as it declares", gap)
        return Finding(
            "fail", "declares 'deterministic', but other noise seeds change its answer; declare 'exact'", gap
        )
    if gap > 0.0:
        return Finding("pass", f"other noise seeds change the answer by up to {gap:.3g}", gap)
    return Finding("fail", f"declares {kind!r}, but ignores noise_seeds: other seeds give the same chunks", gap)


def batch_invariance(probe: Probe) -> Finding:
    """A row alone is answered as in company."""
    probe.needs_row_noise()
    alone = [probe.ask(probe.batch.take([k]), probe.seeds[k : k + 1]) for k in range(len(probe.batch))]
    bad = "a row is answered differently alone and in a batch"
    return rounded(probe, probe.clean, np.concatenate(alone), "a row alone is answered as in a batch", bad)


def permutation(probe: Probe) -> Finding:
    """Rows in another order (with their lanes and seeds) give the answers in that order."""
    probe.needs_row_noise()
    order = np.arange(len(probe.batch))[::-1]
    turned = probe.ask(probe.batch.take(order), probe.seeds[order])
    bad = "rows in another order are answered differently: something depends on the position in the batch"
    return same(probe, probe.clean[order], turned, "permuted rows give permuted answers", bad)


def repetition(probe: Probe) -> Finding:
    """Answers do not depend on what was asked in between, as attributions ask about masked views many times."""
    probe.needs_repeatable()
    other = probe.batch.with_images({c: 255 - i for c, i in probe.batch.images.items()})
    for _ in range(3):
        probe.ask(other, probe.seeds + np.uint64(7))
    bad = "act changes what a later act answers: questions about other views leave traces"
    return same(probe, probe.clean, probe.ask(), "earlier questions leave no trace", bad)


def partial_reset(probe: Probe) -> Finding:
    """Resetting one lane leaves the others alone, and a lane starts again as it started before."""
    probe.needs_repeatable()
    probe.agent.reset([int(probe.batch.rows[0])], [100])
    bad = "resetting one lane changes answers that it must not change (of other lanes, or of a lane started again)"
    return same(probe, probe.clean, probe.ask(), "one lane can be reset alone", bad)


def inputs(probe: Probe) -> Finding:
    """Observations are left as they were, and read-only ones are accepted."""
    given = copied(probe.batch)
    seeds = probe.seeds.copy()
    for start in range(0, len(given), probe.spec.max_batch):
        pick = slice(start, min(start + probe.spec.max_batch, len(given)))
        probe.agent.act(sliced(given, pick), seeds[pick])
    changed = [n for n, a, b in pairs(given, probe.batch) if not np.array_equal(a, b)]
    if not np.array_equal(seeds, probe.seeds):
        changed.append("noise_seeds")
    if changed:
        return Finding("fail", f"act writes into what it is given: {', '.join(changed)}; copy before changing")
    for _, array, _ in pairs(given, given):
        array.flags.writeable = False
    probe.ask(given)
    return Finding("pass", "leaves its inputs as they were, and takes read-only ones")


def max_batch(probe: Probe) -> Finding:
    """A batch of ``max_batch`` rows is answered, row for row as a small one."""
    rows = min(probe.spec.max_batch, MOST_ROWS)
    pick = np.arange(rows) % len(probe.batch)
    answers = probe.ask(probe.batch.take(pick), probe.seeds[pick])
    said = f"{rows} rows at once" + (f" (of {probe.spec.max_batch} declared)" if rows < probe.spec.max_batch else "")
    if probe.spec.noise_control in ("none", "rng"):
        return Finding("pass", f"{said} are answered")
    bad = f"{said} are answered differently from {len(probe.batch)}"
    return rounded(probe, probe.clean[pick], answers, f"{said} are answered as {len(probe.batch)} are", bad)


def lazy(probe: Probe) -> Finding:
    """A lazily masked batch is answered as the same views blended on the host."""
    if not probe.spec.lazy:
        raise Skip("the agent does not declare lazy=True; masks are blended for it")
    probe.needs_row_noise()
    seeds = np.repeat(probe.seeds[:1], len(probe.masked))
    gap, effect = furthest(probe.ask(probe.masked, seeds), probe.answers_to_masked), probe.masks_move
    allowed = max(probe.tolerance, ROUNDING_SHARE * effect)
    if gap <= allowed:
        return Finding(
            "pass", f"lazy and blended views agree within {gap:.1e} (masks move the chunk by {effect:.3g})", gap
        )
    return Finding(
        "fail", f"lazy views are answered differently from blended ones, by {gap:.3g} (allowed {allowed:.1e})", gap
    )


def tokens(probe: Probe) -> Finding:
    """What it says in tokens is what it does, and its scores are log-probabilities of the tokens it is given."""
    agent, rows = probe.agent, min(probe.spec.max_batch, len(probe.batch))
    if not isinstance(agent, ScoresTokens):
        raise Skip("the agent does not score action tokens (hansgym.abilities.ScoresTokens)")
    probe.needs_row_noise()
    due = probe.clean[:rows]
    batch, seeds = probe.batch.take(np.arange(rows)), probe.seeds[:rows].copy()
    try:
        chunks, said = check_said(agent.act_tokens(batch, seeds), rows, probe.spec)
        each, one = (check_scores(agent.score_tokens(batch, t), rows, probe.spec, t) for t in (said, said[0]))
    except ContractError as error:
        return Finding("fail", str(error))
    found = same(probe, due, chunks, "act_tokens answers as act", "act_tokens answers differently from act")
    if found.status == "fail":
        return found
    good = f"{said.shape[1]} tokens an action, on average worth {-each.total.mean():.3g} nat"
    bad = "an action is scored differently when it is given for all rows"
    return same(probe, each.logp[0], one.logp[0], good, bad)


def instruction(probe: Probe) -> Finding:
    """Whether other words change the answer (worth knowing, not required)."""
    probe.needs_repeatable()
    words = probe.batch.instructions
    other = Batch(
        probe.batch.images,
        probe.batch.state,
        tuple(("push the green button" if w == words[-1] else words[-1]) for w in words),
        probe.batch.rows,
        probe.batch.privileged,
    )
    gap = furthest(probe.clean, probe.ask(other))
    says = f"other words change the chunk by up to {gap:.3g}" if gap > probe.tolerance else "other words change nothing"
    return Finding("note", says, gap)


def image(probe: Probe) -> Finding:
    """Whether each camera's image changes the answer (worth knowing, not required)."""
    probe.needs_repeatable()
    gaps = {}
    for camera in probe.spec.cameras:
        turned = {**probe.batch.images, camera: 255 - probe.batch.images[camera]}
        gaps[camera] = furthest(probe.clean, probe.ask(probe.batch.with_images(turned)))
    blind = [c for c, gap in gaps.items() if gap <= probe.tolerance]
    seen = ", ".join(f"{c} {gap:.3g}" for c, gap in gaps.items() if gap > probe.tolerance)
    says = f"negative images change the chunk by up to: {seen}" if seen else "images change nothing"
    return Finding("note", says + (f"; no effect of: {', '.join(blind)}" if seen and blind else ""), max(gaps.values()))


def contract(probe: Probe) -> Finding:
    """Agent and environment mean the same by an action."""
    if probe.environment is None:
        raise Skip("no environment was given to compare with")
    try:
        probe.spec.action.check(probe.environment)
    except ContractError as error:
        return Finding("fail", str(error))
    return Finding("pass", f"agent and environment agree: {probe.environment.mode}")


def latency(probe: Probe) -> Finding:
    """Seconds of one call for one row, and per row in the largest batch tried (worth knowing)."""
    one = _timed(probe, np.zeros(1, int))
    rows = min(probe.spec.max_batch, 16)
    many = _timed(probe, np.arange(rows) % len(probe.batch)) / rows
    return Finding("note", f"{1000 * one:.1f} ms for one row, {1000 * many:.1f} ms a row in {rows}", one)


def _timed(probe: Probe, pick: np.ndarray) -> float:
    batch, seeds = probe.batch.take(pick), probe.seeds[pick]
    begun = time.perf_counter()
    for _ in range(3):
        probe.ask(batch, seeds)
    return (time.perf_counter() - begun) / 3


CHECKS: dict[str, Callable[[Probe], Finding]] = {
    "answer": answer,
    "determinism": determinism,
    "noise_seeds": noise_seeds,
    "batch_invariance": batch_invariance,
    "permutation": permutation,
    "repetition": repetition,
    "partial_reset": partial_reset,
    "inputs": inputs,
    "max_batch": max_batch,
    "lazy": lazy,
    "tokens": tokens,
    "contract": contract,
    "instruction": instruction,
    "image": image,
    "latency": latency,
}
