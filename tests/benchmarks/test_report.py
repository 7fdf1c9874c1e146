"""Pages of runs: what they show, that they are one file, and that nothing a run directory holds can run in them."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import json
import re
import shlex
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import report_fakes as fakes

from hansgym.benchmarks import aggregate, figures, report, report_views
from hansgym.benchmarks.report import write_joined, write_report
from hansgym.benchmarks.report_data import load
from hansgym.errors import ConfigurationError

EVIL = "</td></script><script>window.hacked=1</script>\"'><img src=x onerror=window.hacked=1>{{7*7}}<!--"
VOID = {"meta", "link", "br", "input", "line", "polyline", "img"}


class Page(HTMLParser):
    """Elements, attributes and text of a page; complains about tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def check_contained(page: Page, links: bool = False) -> None:
    """One script, ours, allowed by its hash; no handlers; nothing fetched."""
    [script] = page.scripts
    assert script == (report.TEMPLATES / "report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), f"<{tag} {name}>"
            if name == "src":
                assert value.startswith("data:video/mp4;base64,")
            if name == "href":
                assert value.startswith("#") or value == "data:," or (links and value.startswith("./"))
    assert not {"iframe", "object", "embed", "base", "img"} & {tag for tag, _ in page.elements}


def read(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fakes.full_run(tmp_path_factory.mktemp("report") / "run")


@pytest.fixture(scope="module")
def page(run: Path) -> Page:
    found = write_report(run)
    assert found == run / "report" / "index.html"
    return read(found)


def test_the_page_is_one_file_and_says_the_numbers(run: Path, page: Page) -> None:
    check_contained(page)
    _, _, summary = aggregate.load(run)
    assert f"{100 * summary['success']:.0f} %" in page.text
    low, high = (round(100 * v) for v in summary["interval"])
    assert f"95 % interval {low} to {high} % (Wilson)" in page.text
    assert "errors: 1, counted as no success" in page.text
    assert figures.number(summary["nmr@10"], summary["nmr_interval"]) in page.text
    assert figures.number(summary["ner"], summary["ner_interval"]) in page.text
    assert "a random map scores 0.25" in page.text
    for task, row in summary["tasks"].items():
        assert task in page.text
        assert figures.percent(row["success"], row["interval"]) in page.text


def test_what_the_numbers_rest_on_is_named(page: Page) -> None:
    for words in (
        "centred ISS",
        "Split-half reliability 0.42",
        "Noise control deterministic: the policy does not sample",
        "control mode joint_position",
        "severity 1",
        "Definition ner-v1",
        "e in rad",
        "Worst nuisance factor: poster: 0.1",
        "5 of 15 explained decisions have no NMR and are left out of the means: no mask changed the action chunk",
        "8 draws per factor at one decision in 4",
        "Only positive scores are coloured",
        "Top 10 % by region",
        "Top 10 % by camera",
        "Soft mass, the nuisance share of all positive mass: 0.30",
    ):
        assert words in page.text, words


def test_failures_have_margins_nearest_first_and_errors_stand_apart(run: Path, page: Page) -> None:
    found = report_views.failures(load(run))
    assert [(f["task"], f["margin"]) for f in found] == [("open_drawer", 0.034), ("close_jar", 0.2)]
    assert "0.034 m or rad missing" in page.text
    assert "Errors (1)" in page.text
    assert "1 × the agent raised ZeroDivisionError in act close_jar_2_0" in page.text


def test_every_episode_is_listed_with_its_cue(page: Page) -> None:
    bodies = [a for a in page.all("tbody") if "data-result" in a]
    assert [b["data-result"] for b in bodies] == ["success", "success", "failure", "success", "failure", "error"]
    assert page.text.count("says drawer_top, which is right") >= 6


def test_the_film_is_in_the_page_with_its_timeline(run: Path, page: Page) -> None:
    [film] = page.all("video")
    data = base64.b64decode(film["src"].partition(",")[2])
    assert data == (run / "videos" / "open_drawer_0_0.mp4").read_bytes()
    assert len(page.all("polyline")) >= 2, "a decision without NMR breaks the line"
    seek = next(a for a in page.all("input") if a.get("class") == "seek")
    assert seek["max"] == "24"


def hostile(folder: Path) -> Path:
    """A run directory in which every text is an attack and numbers are of the wrong kind."""
    task = f"task{EVIL}"
    bad = fakes.line(task, 0, False) | {"instruction": EVIL, "error": EVIL, "video": f"videos/{EVIL}.mp4"}
    bad["perturbations"] = {EVIL: {EVIL: EVIL}, "cue": {"says": EVIL, "right": EVIL, "code": EVIL}}
    bad["do"] = {EVIL: {**bad["do"]["wall"], "control": "joint_position"}, **bad["do"]}
    bad["iss"] = {**bad["iss"], "by_object": {EVIL: 1.0}, "by_camera": {EVIL: 1.0}, "by_region": {EVIL: 1.0}}
    bad |= {"nmr_reason": EVIL, "ner_reason": EVIL, "estimator": EVIL, "noise_control": EVIL}
    bad["nmr"] = {**bad["nmr"], EVIL: 0.5}
    good = fakes.line(task, 1, False) | {"instruction": EVIL}
    wrong = fakes.line(task, 2) | {"nmr": {"10": EVIL}, "timeline": [{"step": EVIL}, EVIL, {"step": 0, "nmr": EVIL}]}
    wrong |= {"do": {"wall": {"d2": EVIL}}, "margin": EVIL, "iss": EVIL, "split_half": EVIL, "variation": EVIL}
    header = {"command": [EVIL], "versions": {EVIL: EVIL}, "agent": {"name": EVIL, "noise_control": EVIL, EVIL: EVIL}}
    forged: dict[str, Any] = {"agent": EVIL, "tasks": [task], "perturb": [EVIL, "cue:code=<b>,setting=<i>"]}
    words = ("suite", "protocol", "partition", "method", "do_severity", "variation", "image_size", "control")
    forged |= dict.fromkeys(words, EVIL) | {"cameras": [EVIL], EVIL: EVIL}
    return fakes.write(folder, [bad, good, wrong, {"task": EVIL}, {"seed": EVIL}], header=header, forged=forged)


def test_a_hostile_run_directory_runs_nothing(tmp_path: Path) -> None:
    folder = hostile(tmp_path / "run")
    page = read(write_report(folder))
    check_contained(page)
    assert "window.hacked=1" in page.text, "shown as text"
    assert "{{7*7}}" in page.text
    assert "2 lines of episodes.jsonl could not be read as episodes" in page.text
    joined = read(write_joined([folder], tmp_path / "index.html", EVIL))
    check_contained(joined, links=True)


@pytest.mark.parametrize("name", ["../../secret.mp4", "videos/../secret.mp4", "/etc/passwd", "videos/a.txt", "a\0b"])
def test_only_films_of_the_run_are_read(tmp_path: Path, name: str) -> None:
    run = fakes.write(tmp_path / "run", [fakes.plain_line("open_drawer", 0) | {"video": name}])
    for place in (tmp_path / "secret.mp4", run / "secret.mp4"):
        place.write_bytes(b"....ftypSECRET")
    (run / "videos").mkdir()
    (run / "videos" / "a.txt").write_bytes(b"....ftypSECRET")
    page = read(write_report(run))
    assert page.all("video") == []
    assert "The film is not in this page" in page.text


def test_a_link_out_of_the_run_is_not_followed(tmp_path: Path) -> None:
    run = fakes.write(tmp_path / "run", [fakes.plain_line("open_drawer", 0) | {"video": "videos/a.mp4"}])
    (tmp_path / "secret.mp4").write_bytes(b"....ftypSECRET")
    (run / "videos").mkdir()
    (run / "videos" / "a.mp4").symlink_to(tmp_path / "secret.mp4")
    assert read(write_report(run)).all("video") == []


def test_films_too_large_or_missing_or_broken_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [fakes.plain_line("open_drawer", k) | {"video": f"videos/{k}.mp4"} for k in range(3)]
    run = fakes.write(tmp_path / "run", lines)
    (run / "videos").mkdir()
    (run / "videos" / "0.mp4").write_bytes(b"....ftyp" + bytes(100))
    (run / "videos" / "1.mp4").write_bytes(b"not a film")
    monkeypatch.setattr(report_views, "MOST_FILM_BYTES", 100)
    text = read(write_report(run)).text
    for words in ("left out of the page for its size", "the file is no MP4 film", "the file is missing"):
        assert words in text


def test_a_run_without_attribution_or_films_says_so(tmp_path: Path) -> None:
    run = fakes.write(tmp_path / "run", [fakes.plain_line("open_drawer", 0)], attribute=(), videos=0)
    page = read(write_report(run))
    check_contained(page)
    for words in (
        "Saliency was not asked for",
        "Do-effects were not asked for",
        "No episode was filmed: films were not",
    ):
        assert words in page.text
    assert "5 of 6 episodes" not in page.text
    assert "Unfinished: 1 of 6 episodes have finished" in page.text


def test_an_empty_run_is_a_page_and_no_success_rate(tmp_path: Path) -> None:
    run = fakes.write(tmp_path / "run", [])
    page = read(write_report(run))
    check_contained(page)
    assert "No episode has finished yet. The numbers below are empty, not zero." in page.text
    assert "0 % [0, 100]" not in page.text
    (run / "episodes.jsonl").unlink()
    assert "No episode has finished yet" in read(write_report(run)).text


def test_a_half_written_line_is_no_episode(tmp_path: Path) -> None:
    tail = json.dumps(fakes.line("open_drawer", 1))[:200]
    run = fakes.write(tmp_path / "run", [fakes.line("open_drawer", 0)], tail=tail)
    before = (run / "episodes.jsonl").read_bytes()
    assert "1 of 6 episodes have finished" in read(write_report(run)).text
    assert (run / "episodes.jsonl").read_bytes() == before, "reading changes nothing"


def test_nulls_come_with_their_reasons(tmp_path: Path) -> None:
    blind = fakes.line("open_drawer", 0)
    blind["nmr"] = dict.fromkeys(blind["nmr"])
    blind["iss"] |= {"by_region": {}, "by_camera": {}, "by_object": {}}
    blind["do"] = {f: {**v, "d2": 0.0} for f, v in blind["do"].items()}
    text = read(write_report(fakes.write(tmp_path / "run", [blind]))).text
    assert "no decision has one: no mask changed the action chunk" in text
    assert "neither the nuisance nor the task moved the policy" in text
    assert "No nuisance factor moves the policy." in text
    assert "No map has an effect, so there is nothing to rank." in text


def test_effects_that_cannot_be_pooled_leave_success_standing(tmp_path: Path) -> None:
    lines = [fakes.line("open_drawer", 0), fakes.line("open_drawer", 1)]
    for entry in lines[1]["do"].values():
        entry["control"] = "ee_pose"
    text = read(write_report(fakes.write(tmp_path / "run", lines))).text
    assert "The attribution could not be summed up" in text
    assert "100 %" in text


@pytest.mark.parametrize("header", ["", "[]", "{}", '{"config": 3}', '{"config": {"tasks": ["a"]}}'])
def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, header: str) -> None:
    (tmp_path / "run.json").write_text(header)
    with pytest.raises(ConfigurationError, match=r"run header|usable config"):
        write_report(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"attribute": (), "perturb": ("gaussian_noise:severity=4", "cue:code=place,setting=random")},
        {"seeds": (7, 1, 2, 3), "trials": 2, "variation": 3, "do_factors": ("poster", "task"), "do_severity": 0.5},
        {"suite": "quickstart", "agent": "python:my policy:It's", "n_masks": 20, "attribute_stride": 2, "videos": 0},
        {"protocol": "open_drawer=default", "method": "iss_published", "execute": 4, "run_seed": 9, "do_draws": 2},
        {"do_stride": 1, "partition": "table_is_nuisance", "agent_limit_s": 3.0, "env_limit_s": 4.5},
    ],
)
def test_the_command_repeats_the_run(tmp_path: Path, changes: dict[str, Any]) -> None:
    from typer.main import get_command

    from hansgym.benchmarks.cli import app
    from hansgym.benchmarks.config import parse_names, parse_seeds

    run = fakes.write(tmp_path / "run", [], **changes)
    text, _ = report_views.command(load(run))
    assert text is not None
    parts = shlex.split(text)
    assert parts[:2] == ["hansgym", "evaluate"]
    asked = get_command(app).commands["evaluate"].make_context("evaluate", parts[2:]).params  # type: ignore[attr-defined]
    wanted = fakes.config(**changes)
    assert list(parse_seeds(asked["seeds"])) == wanted["seeds"]
    assert list(parse_names(asked["attribute"])) == wanted["attribute"]
    assert list(parse_names(asked["do_factors"])) == wanted["do_factors"]
    assert list(asked["perturb"] or ()) == wanted["perturb"]
    if wanted["suite"]:
        assert (asked["suite"], asked["tasks"]) == (wanted["suite"], None)
    else:
        assert list(parse_names(asked["tasks"])) == wanted["tasks"]
    renamed = {"masks": "n_masks", "agent_limit": "agent_limit_s", "env_limit": "env_limit_s"}
    given = {renamed.get(k, k): v for k, v in asked.items()}
    for name in ("agent", "trials", "protocol", "variation", "partition", "execute", "videos", "run_seed", "method"):
        assert given[name] == wanted[name], name
    for name in ("n_masks", "attribute_stride", "do_stride", "do_draws", "do_severity", *list(renamed.values())[1:]):
        assert given[name] == wanted[name], name
    assert given["image_size"] is None, "the agent's own"


def test_runs_that_no_command_repeats_say_why(tmp_path: Path) -> None:
    run = fakes.write(tmp_path / "run", [], agent="object:mine.Policy")
    assert "There is no command that repeats this run: the agent was a Python object" in read(write_report(run)).text


def test_joined_page_groups_policies_and_links_reports(tmp_path: Path) -> None:
    one = fakes.full_run(tmp_path / "demo" / "hans-aligned")
    two = fakes.write(
        tmp_path / "demo" / "hans misleading",
        [fakes.plain_line("open_drawer", 0, False) | {"video": fakes.film(tmp_path / "demo" / "hans misleading", "f")}],
        attribute=(),
        perturb=("cue:code=place,setting=misleading",),
    )
    other = fakes.write(tmp_path / "elsewhere", [], agent="reference:pfungst")
    write_report(one)
    write_report(two)
    found = write_joined([one, other, two], tmp_path / "demo" / "index.html", title="Clever Hans")
    page = read(found)
    check_contained(page, links=True)
    links = [a["href"] for a in page.all("a") if a["href"].startswith("./")]
    assert links == ["./hans-aligned/report/index.html", "./hans%20misleading/report/index.html"]
    groups = [a for a in page.all("th") if a.get("scope") == "rowgroup"]
    assert [g["rowspan"] for g in groups] == ["2", "1"], "aligned and misleading of one policy stand together"
    assert len(page.all("video")) == 2, "the same episode of both runs"
    for words in ("place, misleading", "saliency was not asked for", "elsewhere: no report", "poster: 0.1"):
        assert words in page.text
    assert "1 of 6 episodes have finished" in page.text


def test_a_joined_page_of_nothing_is_a_page(tmp_path: Path) -> None:
    page = read(write_joined([], tmp_path / "index.html", title="Nothing"))
    assert "There are no runs to show." in page.text


def test_a_timeline_is_interpolated_held_and_broken() -> None:
    values = [0.5, None, 0.25, 0.75]
    known = [{"step": s, "nmr": {"10": v}, "nmr_reason": "x"} for s, v in zip((5, 10, 15, 20), values, strict=True)]
    found = figures.timeline([*known, {"step": 22}], 25, 0.2)
    assert found["lines"] == ["0,50 20,50", "60,75 80,25 100,25"]
    assert (found["gaps"], found["reason"], found["explained"], found["area"]) == (1, "x", 4, 80.0)
    assert figures.timeline([], 0, None)["lines"] == []
    last = figures.timeline(known[:2], 25, None)
    assert last["lines"] == ["0,50 20,50"], "a map without effect after the last one is not held over"


def test_bars_stay_on_their_scale() -> None:
    made = figures.bar("x", 0.5, (0.25, 1.5), top=1.0, mark=2.0)
    assert (made.fill, made.left, made.span, made.mark, made.text) == (50.0, 25.0, 75.0, 100.0, "0.50 [0.25, 1.50]")
    assert figures.bar("x", None).text == figures.DASH
    assert figures.significant(0.1, (0.081, 0.12)) == "0.10 [0.081, 0.12]"


def test_templates_are_shipped() -> None:
    root = Path(__file__).resolve().parents[2]
    patterns = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    for path in report.TEMPLATES.iterdir():
        name = f"templates/{path.name}"
        assert any(fnmatch.fnmatch(name, p) for p in patterns["hansgym.benchmarks"]), name


def test_a_run_by_the_runner_makes_a_page(tmp_path: Path) -> None:
    import runner_fakes

    from hansgym.benchmarks import evaluate

    evaluate(
        *("python:runner_fakes:Walker", "plain"),
        seeds="0:3",
        attribute="iss,do",
        n_masks=8,
        do_draws=2,
        workers=1,
        env_factory=runner_fakes.FACTORY,
        progress=False,
        out=tmp_path / "run",
    )
    page = read(write_report(tmp_path / "run"))
    check_contained(page)
    assert "3 of 3 episodes" in page.text
    assert "read as episodes" not in page.text
    assert len([a for a in page.all("tbody") if "data-result" in a]) == 3
