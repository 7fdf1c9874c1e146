"""A run directory written by hand: small, and with whatever a test wants to be wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from hansgym.benchmarks import video
from hansgym.benchmarks.config import RunConfig, hash_of

CAMERAS = ("front", "wrist")


def config(**changes: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {"agent": "reference:hans", "tasks": ("open_drawer", "close_jar"), "seeds": (0, 1, 2)}
    usual |= {
        "control": "joint_position",
        "cameras": CAMERAS,
        "attribute": ("iss", "do"),
        "image_size": 64,
        "videos": 1,
    }
    usual["videos"] = 1
    return RunConfig(**{**usual, "perturb": ("cue:code=place,setting=aligned",), **changes}).identity()


def line(task: str, seed: int, success: bool = True, **changes: Any) -> dict[str, Any]:
    """A line as the runner writes it, with saliency and do-effects."""
    nmr = {str(k): 0.2 + 0.01 * k + 0.01 * seed for k in (1, 5, 10, 15, 20)}
    effects = {"wall": 1e-6, "poster": 0.01 * (1 + seed), "nuisance": 0.012, "task": 0.01}
    usual = {"decisions": 3, "draws": 24, "unchanged": 0, "control": "joint_position", "d2_gripper": 0.0}
    cue = {"code": "place", "setting": "aligned", "right": "drawer_top", "says": "drawer_top", "slot": 2}
    return {
        **{"task": task, "variation": seed % 2, "seed": seed, "trial": 0, "reset_seed": seed, "success": success},
        **{"steps": 24, "error": None, "instruction": "open the top drawer", "decisions": 3},
        **{"margin": -0.01 if success else 0.034, "clipped": 2, "speed_limited": 0, "ik_unreached": 0},
        **{"perturbations": {"cue": cue}, "noise_control": "deterministic", "nmr": nmr, "nmr_nulls": 1},
        **{"nmr_reason": "no mask changed the action chunk", "estimator": "centred ISS", "nuisance_area": 0.25},
        "split_half": 0.42,
        "iss": {
            **{"method": "iss", "decisions": 3, "evaluations": 303, "effect_cv": 0.5, "mean_effect": 0.1},
            **{"gripper_share": 0.1, "soft_mass": 0.3, "top_mass": dict.fromkeys(nmr, 0.25)},
            **{"nmr_by_camera": {"front": 0.4, "wrist": None}, "by_camera": {"front": 0.7, "wrist": 0.3}},
            "by_region": {"nuisance": 0.3, "action": 0.2, "support": 0.5},
            "by_object": {"poster": 0.2, "drawer_top": 0.8},
        },
        "ner": 0.5,
        "ner_reason": None,
        "do": {factor: {"d2": d2, **usual} for factor, d2 in effects.items()},
        **{"do_factors": list(effects), "do_severity": 1.0, "do_skipped": 1},
        "timeline": [
            {"step": 0, "nmr": nmr, "nmr_reason": None},
            {"step": 8, "nmr": dict.fromkeys(nmr), "nmr_reason": "no mask changed the action chunk"},
            {"step": 16, "nmr": nmr, "nmr_reason": None},
        ],
        "video": None,
        "wall_s": 1.5,
    }


def plain_line(task: str, seed: int, success: bool = True, **changes: Any) -> dict[str, Any]:
    """A line of a run without attribution."""
    full = line(task, seed, success, **changes)
    kept = {k: v for k, v in full.items() if k not in ("nmr", "nmr_nulls", "nmr_reason", "estimator", "iss")}
    gone = ("nuisance_area", "split_half", "ner", "ner_reason", "do", "do_factors", "do_severity", "do_skipped")
    return {**{k: v for k, v in kept.items() if k not in gone}, "timeline": [{"step": 0}, {"step": 8}], **changes}


def write(
    folder: Path,
    lines: list[Any],
    tail: str = "",
    header: dict[str, Any] | None = None,
    forged: dict[str, Any] | None = None,
    **changes: Any,
) -> Path:
    """A run directory with these lines; ``tail`` is what a kill left of the next one, ``forged`` settings that no run
    would have.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = {**config(**changes), **(forged or {})}
    agent = {"name": "hans", "noise_control": "deterministic", "image_size": 64, "cameras": list(CAMERAS)}
    top = {"config": settings, "agent": agent, "command": ["hansgym"], "versions": {"python": "3.11"}}
    (folder / "run.json").write_text(json.dumps({**top, "config_hash": hash_of(settings), **(header or {})}))
    text = "".join(json.dumps(entry) + "\n" for entry in lines)
    (folder / "episodes.jsonl").write_text(text + tail)
    return folder


def film(folder: Path, name: str, steps: int = 24, cells: bool = True) -> str:
    """A film in the run directory; its name for the line."""
    (folder / "videos").mkdir(parents=True, exist_ok=True)
    frames = [{c: np.full((64, 64, 3), (5 * k, 80, 120), np.uint8) for c in CAMERAS} for k in range(steps + 1)]
    scores = np.arange(49.0).reshape(7, 7) - 20
    decisions = [{"step": s, "cells": dict.fromkeys(CAMERAS, scores) if cells else None} for s in (0, 8, 16)]
    video.write_episode(folder / "videos" / f"{name}.mp4", frames, decisions)
    return f"videos/{name}.mp4"


def full_run(folder: Path, **changes: Any) -> Path:
    """Two tasks, three seeds: successes, a failure, an error, a film."""
    name = film(folder, "open_drawer_0_0")
    broken = plain_line("close_jar", 2, False, error="the agent raised ZeroDivisionError in act", margin=None)
    lines = [
        line("open_drawer", 0, video=name, **{}) | {"video": name},
        *(line("open_drawer", 1), line("open_drawer", 2, False), line("close_jar", 0), line("close_jar", 1, False)),
        broken | {"nmr": dict.fromkeys(("1", "5", "10", "15", "20")), "nmr_nulls": 0, "ner": None, "do": {}},
    ]
    lines[4]["margin"] = 0.2
    return write(folder, lines, **changes)
