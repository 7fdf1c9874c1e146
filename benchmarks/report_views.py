"""Parts of a run's page: its episodes, films, failures and settings, as plain values that the templates draw."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from hansgym.benchmarks import figures
from hansgym.benchmarks.config import DEFAULT_FACTORY, FACTORIES, RunConfig, backend_of
from hansgym.benchmarks.report_data import Record, Run
from hansgym.benchmarks.video import GAP, LABEL, TILE

FPS = 20
"""Control steps in a second of a film."""
MOST_EPISODES = 3000
MOST_FILM_BYTES, MOST_FILMS_BYTES = 4_000_000, 48_000_000
"""One film larger than this, or films beyond this in all, are named but not put into the page."""


def stem(record: Record) -> str:
    """What an episode's files are called."""
    return f"{record['task']}_{record['seed']}_{record['trial']}"


def result(record: Record) -> str:
    """``success``, ``failure`` or ``error``."""
    return "error" if record["error"] is not None else "success" if record["success"] else "failure"


def episodes(run: Run) -> list[dict[str, Any]]:
    """One entry per episode, at most :data:`MOST_EPISODES`."""
    return [_episode(k, r, run) for k, r in enumerate(run.records[:MOST_EPISODES])]


def _episode(index: int, record: Record, run: Run) -> dict[str, Any]:
    unit = run.details["effects"]["unit"] or ""
    effects = [
        {
            "factor": factor,
            "e": f"{figures.significant(entry['d2'] ** 0.5)} {unit}".strip(),
            "decisions": entry["decisions"],
            "draws": entry["draws"],
            "unchanged": entry["unchanged"],
        }
        for factor, entry in (record["do"] or {}).items()
    ]
    nmr = record.get("nmr", {})
    return {
        **{k: record[k] for k in ("task", "variation", "seed", "trial", "steps", "error", "instruction", "ner")},
        "id": f"episode-{index}",
        "result": result(record),
        "nmr": nmr.get("10"),
        "nmr_all": [(k, figures.number(v)) for k, v in nmr.items()],
        "cue": cue_words(record["perturbations"]),
        "perturbations": flat(record["perturbations"]),
        "facts": _facts(record),
        "effects": effects,
        "timeline": _timeline(record),
    }


def _facts(record: Record) -> list[tuple[str, str]]:
    """What else is known about an episode, label and text; what was not measured is left out."""
    words = {
        "reset seed": record["reset_seed"],
        "decisions": record["decisions"],
        "margin": None if record["margin"] is None else margin(record["margin"]),
        "actions clipped to the limits": record["clipped"],
        "targets beyond the speed limits": record["speed_limited"],
        "poses without a joint solution": record["ik_unreached"],
        "decisions without NMR": f"{record['nmr_nulls']}: {record['nmr_reason']}" if record["nmr_reason"] else None,
        "random map's NMR": None if record["nuisance_area"] is None else f"{record['nuisance_area']:.2f}",
        "split-half reliability": None if record["split_half"] is None else f"{record['split_half']:.2f}",
        "no NER": record["ner_reason"],
        "do decisions skipped for contact": record["do_skipped"],
        "time": None if record["wall_s"] is None else f"{record['wall_s']:.1f} s",
    }
    return [(label, str(value)) for label, value in words.items() if value is not None]


def margin(value: float) -> str:
    """How far the success condition was from being met."""
    return f"{value:.4g} m or rad missing" if value > 0 else "met"


def _timeline(record: Record) -> dict[str, Any] | None:
    found = figures.timeline(record["timeline"], record["steps"], record["nuisance_area"])
    return found if found["explained"] else None


def flat(table: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    """A nested table as (path, value) texts."""
    found: list[tuple[str, str]] = []
    for name, value in table.items():
        path = f"{before}{name}"
        found += flat(value, f"{path} / ") if isinstance(value, Mapping) else [(path, str(value))]
    return found


def cue_words(perturbations: Mapping[str, Any]) -> str:
    """What the cue said, for a table: ``says drawer_middle, right is drawer_bottom``."""
    cue = perturbations.get("cue")
    if not isinstance(cue, Mapping) or cue.get("says") is None:
        return "no cue shown" if isinstance(cue, Mapping) else ""
    right = cue.get("right")
    return f"says {cue['says']}, {'which is right' if cue['says'] == right else f'right is {right}'}"


def films(run: Run) -> list[dict[str, Any]]:
    """The filmed episodes. ``src`` is the film as a data URI, or None with ``why``."""
    found, total = [], 0
    for index, record in enumerate(run.records):
        if record["video"] is None:
            continue
        src, why = film_source(run.path, record["video"], MOST_FILMS_BYTES - total)
        total += len(src or "")
        found.append({**film(record, run), "episode": index, "src": src, "why": why})
    return found


def film(record: Record, run: Run) -> dict[str, Any]:
    """What is shown around a film."""
    rows = 2 if any("nmr" in entry for entry in record["timeline"]) else 1
    cameras = max(len(run.config["cameras"]), 1)
    return {
        **{k: record[k] for k in ("task", "variation", "seed", "trial", "steps", "instruction", "error")},
        "result": result(record),
        "cue": cue_words(record["perturbations"]),
        "timeline": _timeline(record),
        "nmr": (record.get("nmr") or {}).get("10"),
        "cameras": run.config["cameras"],
        "rows": rows,
        "width": cameras * TILE + (cameras - 1) * GAP,
        "height": TILE + LABEL,
        "fps": FPS,
    }


def film_source(run_dir: Path, name: str, room: int = MOST_FILMS_BYTES) -> tuple[str | None, str | None]:
    """The film ``name`` of a run as a data URI, or None and why. Only files in its ``videos`` folder are read."""
    folder = (Path(run_dir) / "videos").resolve()
    try:
        path = (Path(run_dir) / name).resolve()
        if path.parent != folder or path.suffix != ".mp4":
            return None, "the run names a file that is not in its videos folder"
        if not path.is_file():
            return None, "the file is missing"
        size = path.stat().st_size
        if size > MOST_FILM_BYTES or 4 * size / 3 > room:
            return None, f"left out of the page for its size ({size / 1e6:.1f} MB); it lies in the run directory"
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        return None, f"it cannot be read ({type(error).__name__})"
    if data[4:8] != b"ftyp":
        return None, "the file is no MP4 film"
    return f"data:video/mp4;base64,{base64.b64encode(data).decode()}", None


def failures(run: Run) -> list[dict[str, Any]]:
    """Episodes that ended without success and without error, nearest misses first within each task."""
    lost = [(k, r) for k, r in enumerate(run.records) if result(r) == "failure"]
    order = {task: k for k, task in enumerate(run.config["tasks"])}
    lost.sort(key=lambda p: (order[p[1]["task"]], p[1]["margin"] is None, p[1]["margin"] or 0.0, p[0]))
    names = ("task", "variation", "seed", "trial", "steps", "margin", "instruction")
    shown = [{**{n: r[n] for n in names}, "episode": k, "cue": cue_words(r["perturbations"])} for k, r in lost]
    for entry in shown:
        entry["missing"] = None if entry["margin"] is None else margin(entry["margin"])
    return shown


def errors(run: Run) -> list[dict[str, Any]]:
    """Reasons of errors, the most frequent first, with the episodes they ended."""
    reasons: dict[str, list[str]] = {}
    for record in run.records:
        if record["error"] is not None:
            reasons.setdefault(record["error"], []).append(stem(record))
    found = [{"reason": reason, "count": len(who), "episodes": who[:20]} for reason, who in reasons.items()]
    return sorted(found, key=lambda e: -e["count"])


def settings(run: Run) -> list[tuple[str, list[tuple[str, str]]]]:
    """What decided the run and what it ran on, as (heading, [(name, value)])."""
    header = run.header
    agent = header.get("agent") if isinstance(header.get("agent"), Mapping) else {}
    circumstances = {k: header.get(k) for k in ("versions", "graphics", "platform", "config_hash")}
    order = [f.name for f in fields(RunConfig) if f.name in run.config]
    config = {**{k: run.config[k] for k in order}, **run.config, "seeds": compact(run.config["seeds"])}
    return [
        ("Settings", [(k, words(v) or "none") for k, v in config.items()]),
        ("Agent", [(k, words(v) or "none") for k, v in _flat_once(agent)]),
        ("Made with", [(k, words(v)) for k, v in _flat_once(circumstances) if v is not None]),
    ]


def _flat_once(table: Any) -> list[tuple[str, Any]]:
    """The entries of a table, those of tables in it as ``outer.inner``."""
    found: list[tuple[str, Any]] = []
    for name, value in table.items():
        inner = [(f"{name}.{k}", v) for k, v in value.items()] if isinstance(value, Mapping) else [(name, value)]
        found += inner
    return found


def words(value: Any) -> str:
    """A setting as text."""
    if value is None:
        return "none"
    return ", ".join(str(v) for v in value) if isinstance(value, (list, tuple)) else str(value)


def compact(seeds: Sequence[int]) -> str:
    """Seeds as ``--seeds`` takes them, runs of consecutive ones as half-open ranges: ``0:5,9``."""
    runs: list[list[int]] = []
    for seed in seeds:
        if runs and seed == runs[-1][1]:
            runs[-1][1] += 1
        else:
            runs.append([seed, seed + 1])
    return ",".join(str(a) if b == a + 1 else f"{a}:{b}" for a, b in runs)


_OPTIONS = {
    "trials": "--trials",
    "protocol": "--protocol",
    "variation": "--variation",
    "partition": "--partition",
    "execute": "--execute",
    "videos": "--videos",
    "run_seed": "--run-seed",
    "method": "--method",
    "n_masks": "--masks",
    "attribute_stride": "--attribute-stride",
    "do_stride": "--do-stride",
    "do_draws": "--do-draws",
    "do_severity": "--do-severity",
    "do_factors": "--do-factors",
    "agent_limit_s": "--agent-limit",
    "env_limit_s": "--env-limit",
}


def command(run: Run) -> tuple[str | None, str | None]:
    """The ``hansgym evaluate`` command that repeats a run, or None and the reason why there is none."""
    config = run.config
    if run.agent.startswith("object:"):
        return None, "the agent was a Python object; call hansgym.benchmarks.evaluate with it and these settings"
    backend = backend_of(config["env_factory"])
    if backend not in FACTORIES:
        return None, "the environments came from a factory; call hansgym.benchmarks.evaluate with these settings"
    parts = ["hansgym", "evaluate", "--agent", run.agent]
    parts += ["--suite", str(config["suite"])] if config["suite"] else ["--tasks", ",".join(config["tasks"])]
    parts += ["--seeds", compact(config["seeds"])]
    parts += ["--attribute", ",".join(config["attribute"])] if config["attribute"] else []
    parts += ["--backend", backend] if config["env_factory"] != DEFAULT_FACTORY else []
    for text in config["perturb"]:
        parts += ["--perturb", text]
    own = run.header.get("agent")
    if not (isinstance(own, Mapping) and own.get("image_size")) and config["image_size"] != 224:
        parts += ["--image-size", str(config["image_size"])]
    usual = {f.name: f.default for f in fields(RunConfig)}
    for name, option in _OPTIONS.items():
        value = config[name]
        if (tuple(value) if isinstance(value, list) else value) != usual[name]:
            parts += [option, ",".join(value) if isinstance(value, list) else str(value)]
    return shlex.join(parts), None
