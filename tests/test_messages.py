"""Every error a user can meet says what was given, what is allowed and what to do next.

Two ways of looking: all texts in the sources, and a table of errors that are really provoked.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import hansgym  # noqa: F401  registers the ids
from hansgym import errors, lookup, seeds
from hansgym.agents.registry import make_agent
from hansgym.attribution.explain import explain
from hansgym.attribution.method import method
from hansgym.attribution.statistics import wilson
from hansgym.batch import Batch, MaskedBatch
from hansgym.benchmarks import evaluate
from hansgym.benchmarks.leaderboard import build
from hansgym.benchmarks.listing import check_task, tasks_of
from hansgym.errors import HansGymError
from hansgym.roles import Role, SceneObject, partition, region_image
from hansgym.specs import ActionSpec, AgentSpec, check_chunk
from hansgym.wrappers import AttributionWrapper, ChunkedExecution, perturb

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("hansgym", "assets", "attribution", "envs", "agents", "wrappers", "benchmarks")
OURS = {name for name, value in vars(errors).items() if isinstance(value, type)}

ADVICE = re.compile(
    r"\b(choose|give|use|make|call|install|reinstall|write|add|remove|name|say|set|leave out|run|reset|record|"
    r"pool|ask|take|takes|needs?|wants?|must|was due|there are|they have|did you mean)\b",
    re.IGNORECASE,
)
"""Words that tell what would be right or what to do."""

NO_VALUE_TO_SHOW = (
    "All() without parts",
    "InOrder() without parts",
    "call add_panda(spec) before add_room(spec)",
    "this renderer is closed",
    "shares per object need both",
    "give a batch of at least two observations",
    "the environment reports no info['reset_seed']",
    "a leaderboard needs at least one run directory",
    "a film needs at least one frame",
    "run --ci --write without --tasks or --suite",
)
"""What is wrong is that something is not there."""

REPORTS = ("benchmarks/guard.py",)
"""Not advice to a user but what is recorded of an agent that failed; ``hansgym check-agent`` gives the advice."""


def faults(source: str) -> Iterator[str]:
    """``line: what is missing: text`` of every ``raise OurError("...")`` that shows no value or gives no advice."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args):
            continue
        text = node.exc.args[0]
        known = ast.unparse(node.exc.func).split(".")[-1] in OURS
        if not known or not isinstance(text, ast.JoinedStr | ast.Constant):
            continue
        parts = text.values if isinstance(text, ast.JoinedStr) else [text]
        words = "".join(str(p.value) if isinstance(p, ast.Constant) else ast.unparse(p) for p in parts)
        if len(parts) == 1 and not any(start in words for start in NO_VALUE_TO_SHOW):
            yield f"{node.lineno}: no value: {words}"
        if not ADVICE.search(words) and "_HOW" not in words:
            yield f"{node.lineno}: no advice: {words}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_text_shows_the_value_and_gives_advice(folder: str) -> None:
    found = {
        path.relative_to(ROOT).as_posix(): list(faults(path.read_text(encoding="utf-8")))
        for path in (ROOT / folder).rglob("*.py")
    }
    assert {k: v for k, v in found.items() if v and k not in REPORTS} == {}


def test_planted_texts_are_caught() -> None:
    planted = (
        'raise ConfigurationError("bad stride; choose another")\n'
        'raise errors.ContractError(f"shape {shape} is off")\n'
        'raise AgentError(f"shape {shape} is off; give (8,)")\n'
        'raise ValueError("not ours")\n'
    )
    assert [f.split(": ")[:2] for f in faults(planted)] == [["1", "no value"], ["2", "no advice"]]


# ------------------------------------------------------------------------------------------------ provoked errors

GRIPPER = np.array([0, 0, 0, -1.5, 0, 1.8, 0, 1], float)


def made(**arguments: Any) -> gym.Env:
    return gym.make("hansgym/close_jar-v0", **arguments)


def started(**arguments: Any) -> gym.Env:
    env = made(image_size=16, **arguments)
    env.reset(seed=0)
    return env


def batch(rows: int = 2) -> Batch:
    state = {k: np.zeros((rows, n), np.float32) for k, n in (("joint_positions", 7), ("gripper_pose", 7))}
    images = {c: np.zeros((rows, 8, 8, 3), np.uint8) for c in ("front", "overhead", "wrist")}
    return Batch(images, state, ("close the jar",) * rows, np.arange(rows))


def masked(rows: int) -> MaskedBatch:
    return MaskedBatch(batch(rows), {c: np.ones((4, 7, 7), np.uint8) for c in ("front", "overhead", "wrist")})


SPEC = AgentSpec("tester", ActionSpec.of("joint_position"), horizon=4)
NAN = np.full((1, 4, 8), np.nan)

# name: (what is done, what was given, what is allowed or what to do)
PROVOKED: dict[str, tuple[Callable[[], Any], str, str]] = {
    "control": (lambda: made(control="torque"), r"'torque'", r"Choose one of: ee_delta, ee_pose, joint_delta"),
    "near name": (lambda: made(control="joint_positon"), r"'joint_positon'", r"Did you mean 'joint_position'\?"),
    "camera": (lambda: made(cameras=("top",)), r"'top'", r"Choose one of: front, overhead, wrist"),
    "camera twice": (lambda: made(cameras=("front", "front")), r"\('front', 'front'\)", r"name each camera once"),
    "cameras text": (lambda: made(cameras="front"), r"'front'", r"give a list of names, such as \('front',\)"),
    "image size": (lambda: made(image_size=7), r"image_size is 7", r"whole number of pixels from 16 to 1024"),
    "backend": (lambda: made(backend="bullet"), r"'bullet'", r"Choose one of: mujoco"),
    "backend option": (
        lambda: made(backend="rlbench", backend_options={"renderer": "vulkan"}),
        r"renderer of backend 'rlbench' 'vulkan'",
        r"Choose one of: opengl, opengl3",
    ),
    "protocol": (
        lambda: made(protocol="agnostic"),
        r"'agnostic'",
        r"Did you mean 'agnostos'\? Choose one of: agnostos",
    ),
    "partition": (lambda: made(partition="x"), r"'x'", r"Choose one of: table_is_nuisance, table_supports"),
    "partition map": (lambda: partition("x"), r"'x'", r"choose one of table_is_nuisance, table_supports"),
    "layout": (lambda: made(obs_layout="rlds"), r"'rlds'", r"Choose one of: hansgym, lerobot"),
    "variation": (lambda: made(variation=99), r"variation 99 of task 'close_jar'", r"choose 0 to 19"),
    "option": (lambda: made().reset(options={"variation": -1}), r"variation -1", r"choose 0 to 19"),
    "paraphrase": (lambda: made().reset(options={"paraphrase": 99}), r"paraphrase 99", r"choose 0 to \d+"),
    "action shape": (lambda: started().step(np.zeros(7)), r"shape \(7,\)", r"wants \(8,\): joint1, .*gripper"),
    "action NaN": (lambda: started().step(GRIPPER * np.nan), r"action\[0\] \(joint1\) is nan", r"must be finite"),
    "action text": (lambda: started().step(["up"] * 8), r"\['up', .*", r"must be 8 numbers"),
    "quaternion": (
        lambda: started(control="ee_pose").step(np.array([0.3, 0, 1, 0, 0, 0, 0, 1.0])),
        r"\[0\.0, 0\.0, 0\.0, 0\.0\]",
        r"give x, y, z, w of a rotation",
    ),
    "factor": (
        lambda: started().get_wrapper_attr("counterfactual")("wal", 0),
        r"'wal'",
        r"Did you mean 'wall'\? Choose one of: .*floor",
    ),
    "no episode": (lambda: made().get_wrapper_attr("observe")(), r"no episode yet", r"call reset\(\) first"),
    "execute": (lambda: ChunkedExecution(made(), 4, 9), r"got 9", r"between 1 and horizon \(4\)"),
    "observe": (lambda: ChunkedExecution(made(), observe="never"), r"'never'", r"Choose one of: every, last"),
    "chunk": (
        lambda: ChunkedExecution(started()).step(np.zeros((3, 8))),
        r"shape \(3, 8\)",
        r"\(horizon, dim\) = \(16, 8\) was due",
    ),
    "perturbation": (lambda: perturb(made(), "blurr"), r"'blurr'", r"Choose one of: cue, fbm_texture, gaussian_noise"),
    "perturbation option": (lambda: perturb(made(), "cue:colour=red"), r"'colour'", r"Choose one of: code, setting"),
    "perturbation value": (lambda: perturb(made(), "cue:setting=kind"), r"'kind'", r"absent, aligned, misleading"),
    "no candidates": (
        lambda: perturb(gym.make("hansgym/close_microwave-v0"), "cue:code=place,setting=aligned"),
        r"'close_microwave'",
        r"candidates",
    ),
    "method": (lambda: AttributionWrapper(made(), "expert", method="issue"), r"'issue'", r"Choose one of: iss"),
    "unchunked": (lambda: AttributionWrapper(made(), "expert"), r"horizon", r"ChunkedExecution"),
    "saliency": (lambda: method("grad"), r"'grad'", r"Choose one of: iss, iss_logp, iss_published"),
    "tokens": (
        lambda: method("iss_logp").check(make_agent("random")),
        r"agent 'random' lacks its act_tokens and score_tokens",
        r"choose one of the methods that work with it: iss, iss_published",
    ),
    "method as attribution": (
        lambda: evaluate("random", "open_drawer", attribute="iss_logp"),
        r"'iss_logp' is a saliency method",
        r"--attribute iss --method iss_logp",
    ),
    "scheme": (lambda: make_agent("experts"), r"'experts'", r"Did you mean 'expert'\?.*Examples: "),
    "agent option": (lambda: make_agent("random:speed=2"), r"'speed'", r"Choose one of: amplitude, control, horizon"),
    "agent value": (lambda: make_agent("random:horizon=two"), r"horizon='two'", r"write horizon=<int>"),
    "agent pair": (lambda: make_agent("random:two"), r"got 'two'", r"takes key=value options \(amplitude, control"),
    "amplitude": (lambda: make_agent("random:amplitude=2"), r"got 2", r"between 0 and 1"),
    "module": (
        lambda: make_agent("python:no_such_module:P"),
        r"'no_such_module'",
        r"run from the folder that holds it",
    ),
    "class": (lambda: make_agent("python:json:Decoder"), r"no 'Decoder'", r"Its classes: "),
    "no class": (lambda: make_agent("python:json"), r"'python:json'", r"write python:<module>:<Class>"),
    "policy": (lambda: make_agent("reference:clever"), r"'clever'", r"Choose one of: "),
    "lazy": (lambda: make_agent("random").act(masked(1), np.zeros(4)), r"'random'", r"materialise\(batch\)"),
    "expert": (lambda: make_agent("expert").act(batch(), np.zeros(2)), r"expert_chunk", r"ask the environment: env\."),
    "chunk dtype": (lambda: check_chunk(np.array([["a"]]), 1, SPEC), r"dtype <U1", r"must hold real numbers"),
    "chunk shape": (lambda: check_chunk(np.zeros(3), 1, SPEC), r"shape \(3,\)", r"= \(1, 4, 8\) was due"),
    "chunk NaN": (lambda: check_chunk(NAN, 1, SPEC), r"returned nan at \(row, step, dimension\)", r"must be finite"),
    "horizon": (lambda: AgentSpec("t", SPEC.action, horizon=0), r"got 0, 64", r"must be at least 1"),
    "scale": (lambda: ActionSpec.of("ee_delta", (1.0,)), r"got 7 and 1", r"7 dimensions needs as many"),
    "contract": (
        lambda: ActionSpec.of("ee_pose").check(ActionSpec.of("ee_delta")),
        r"frame: agent 'world', environment 'base'",
        r"Make the environment with control='ee_pose'",
    ),
    "rows": (lambda: Batch({}, {}, ("a", "b"), np.arange(3)), r"3 entries, the batch has 2", r"give one lane"),
    "masked rows": (lambda: masked(2), r"got 2", r"take one: batch\.take\(\[k\]\)"),
    "ids": (
        lambda: region_image(np.full((2, 2), 9), (SceneObject(1, "jar", Role.TARGET),), "table_supports"),
        r"object ids \[9\]",
        r"belong to no object of the scene",
    ),
    "noise seeds": (lambda: explain(make_agent("random"), batch(), noise_seeds=[1]), r"got 1", r"2 observations need"),
    "keep": (
        lambda: explain(make_agent("random"), batch(), keep_probability=1.5),
        r"got 1\.5",
        r"between 0 and 1",
    ),
    "wilson": (lambda: wilson(5, 4), r"got 5 of 4", r"between 0 and n"),
    "extra": (lambda: lookup.require("no_such_thing", "torch"), r"'no_such_thing'", r"pip install 'hansgym\[torch\]'"),
    "seed": (lambda: seeds.stream(-1, "x"), r"got -1", r"must not be negative"),
    "task": (lambda: check_task("close_the_jar"), r"'close_the_jar'", r"Did you mean 'close_jar'\?"),
    "suite": (lambda: tasks_of("slow"), r"'slow'", r"Choose one of: .*quickstart"),
    "no runs": (lambda: build([]), r"", r"needs at least one run directory"),
    "seeds": (
        lambda: evaluate("random", "close_jar", seeds="9:3"),
        r"'9:3' is empty",
        r"write START:END for START up to END - 1",
    ),
    "trials": (lambda: evaluate("random", "close_jar", seeds="0", trials=0), r"got 0", r"must be at least 1"),
    "execute more": (lambda: evaluate("random", "close_jar", seeds="0", execute=99), r"execute=99", r"choose 1 to 16"),
    "attribute": (lambda: evaluate("random", "close_jar", seeds="0", attribute="lime"), r"'lime'", r"Choose one of: "),
    "do factor": (
        lambda: evaluate("random", "close_jar", seeds="0", attribute="do", do_factors="sky"),
        r"'sky'",
        r"Choose one of: .*wall",
    ),
}


@pytest.mark.parametrize("name", PROVOKED)
def test_provoked(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    act, value, allowed = PROVOKED[name]
    with pytest.raises((HansGymError, ValueError, gym.error.Error)) as caught:
        act()
    text = str(caught.value)
    assert re.search(value, text), text
    assert re.search(allowed, text), text
    assert not list(tmp_path.iterdir()), "a run was begun although its settings cannot work"
