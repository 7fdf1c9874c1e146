"""Pages in headless Chromium: click through them, let the film play, and find nothing on the console."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import report_fakes as fakes
from test_report import hostile

from hansgym.benchmarks.report import write_joined, write_report

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1280,1000"),
)
PATIENCE_S = 60  # a decoder on a busy machine may take long; nothing is asserted about time

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="NO BROWSER: chromium and chromedriver are not installed"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="NO BROWSER: selenium is not installed")
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = fakes.full_run(tmp_path_factory.mktemp("browser") / "hans-aligned")
    write_report(folder)
    return folder


def visit(browser: Any, page: Path) -> None:
    quiet(browser, ignore=True)
    browser.get(page.as_uri())


def quiet(browser: Any, ignore: bool = False) -> None:
    """Nothing on the console, and nothing asked of the network."""
    said = browser.get_log("browser")
    events = browser.get_log("performance")
    if ignore:
        return
    assert said == []
    urls = [part.split('"')[0] for e in events for part in e["message"].split('"url":"')[1:]]
    assert [u for u in urls if not u.startswith(("file:", "data:", "blob:", "about:", "chrome"))] == []


def until(browser: Any, script: str, holds: Callable[[Any], bool] = bool) -> Any:
    """Wait for what ``script`` returns to be as wanted."""
    end = time.monotonic() + PATIENCE_S
    while not holds(value := browser.execute_script(f"return {script}")):
        assert time.monotonic() < end, f"{script} is {value!r}"
        time.sleep(0.1)
    return value


def one(browser: Any, selector: str) -> Any:
    element = browser.find_element("css selector", selector)
    browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
    return element


def test_the_film_decodes_plays_and_moves_the_cursor(browser: Any, run: Path) -> None:
    visit(browser, run / "report" / "index.html")
    one(browser, ".film")
    video = "document.querySelector('.film video')"
    until(browser, f"{video}.readyState", lambda ready: ready >= 2)
    size = browser.execute_script(f"return [{video}.videoWidth, {video}.videoHeight]")
    assert size == [2 * 224 + 4, 2 * 244]
    one(browser, ".film .play").click()
    until(browser, f"{video}.currentTime", lambda now: now > 0.1)
    until(browser, f"{video}.ended")
    until(browser, "document.querySelector('.film .seek').value", lambda step: step == "24")
    assert browser.execute_script("return document.querySelector('.film .cursor').style.left") == "100%"
    assert one(browser, ".film .play").text == "▶ Play"
    quiet(browser)


def test_the_overlay_is_switched_and_the_slider_seeks(browser: Any, run: Path) -> None:
    visit(browser, run / "report" / "index.html")
    one(browser, ".film")
    height = "document.querySelector('.film .screen').offsetHeight"
    both = browser.execute_script(f"return {height}")
    shift = "document.querySelector('.film video').getBoundingClientRect().top - " + (
        "document.querySelector('.film .screen').getBoundingClientRect().top"
    )
    for view, expected in (("saliency", -both / 2), ("camera", 0), ("both", 0)):
        one(browser, f".film [data-view={view}]").click()
        assert browser.execute_script(f"return {height}") == pytest.approx(both if view == "both" else both / 2, abs=2)
        assert browser.execute_script(f"return {shift}") == pytest.approx(expected, abs=2)
        pressed = browser.execute_script(
            "return Array.from(document.querySelectorAll('.film [aria-pressed=true]'), b => b.dataset.view)"
        )
        assert pressed == [view]
    until(browser, "document.querySelector('.film video').readyState", lambda ready: ready >= 1)
    slider = one(browser, ".film .seek")
    slider.send_keys("\ue010")  # End: keys move it, as they move any slider
    until(browser, "document.querySelector('.film video').currentTime", lambda now: now > 1.0)
    one(browser, ".film .plot").click()  # the middle of the chart
    until(browser, "Math.abs(document.querySelector('.film video').currentTime - 0.6) < 0.06")
    quiet(browser)


def in_sight(browser: Any, selector: str) -> None:
    """What is selected lies within the page: nobody has to scroll sideways to read it."""
    right = f"document.querySelector('{selector}').getBoundingClientRect().right"
    assert browser.execute_script(f"return {right} <= document.documentElement.clientWidth")


def test_labels_stand_beside_every_row(browser: Any, tmp_path: Path) -> None:
    hides = "the server hides chunks of 5 actions"
    agent = {"agent": {"name": "s", "noise_control": "none", "details": {"flags": [hides]}}}
    flagged = fakes.full_run(tmp_path / "flagged", header=agent)
    visit(browser, write_report(flagged))
    rows = browser.find_elements("css selector", "#results tbody tr")
    assert len(rows) == 2 * 3
    for row, below in zip(rows[::2], rows[1::2], strict=True):
        assert row.find_elements("css selector", "th")
        assert below.is_displayed()
        assert below.text == f"sampling noise cannot be paired: differences between two answers contain it; {hides}"
    in_sight(browser, "#results .labels td")
    assert hides in one(browser, ".notes").text
    quiet(browser)
    visit(browser, write_joined([flagged], tmp_path / "joined.html", "one"))
    assert hides in one(browser, "table.joined .labels td").text
    in_sight(browser, "table.joined .labels td")
    quiet(browser)


def test_the_table_sorts_filters_and_opens(browser: Any, run: Path) -> None:
    visit(browser, run / "report" / "index.html")
    seeds = (
        "Array.from(document.querySelectorAll('.episodes tbody:not([hidden])'), b => b.rows[0].cells[2].textContent)"
    )
    assert browser.execute_script(f"return {seeds}") == ["0", "1", "2", "0", "1", "2"]
    head = one(browser, ".episodes thead th:nth-child(3) .sort")
    head.click()
    assert browser.execute_script(f"return {seeds}") == ["0", "0", "1", "1", "2", "2"]
    head.send_keys("\ue007")  # Enter: the other way round
    assert browser.execute_script(f"return {seeds}") == ["2", "2", "1", "1", "0", "0"]
    assert head.find_element("xpath", "..").get_attribute("aria-sort") == "descending"
    nmr = one(browser, ".episodes thead th:nth-child(6) .sort")
    for _ in range(2):
        nmr.click()
        last = browser.execute_script(
            "return Array.from(document.querySelector('.episodes').tBodies).pop().dataset.result"
        )
        assert last == "error", "episodes without a value come last, whatever the direction"
    more = one(browser, "#episode-2 .more")
    assert not one(browser, "#episode-2-details").is_displayed()
    more.click()
    assert "0.034 m or rad missing" in one(browser, "#episode-2-details").text
    one(browser, ".filters [name=result]").send_keys("error")
    until(browser, "document.querySelector('.filters .shown').value", lambda text: text == "1 of 6 shown")
    quiet(browser)


def test_a_failure_leads_to_its_episode(browser: Any, run: Path) -> None:
    visit(browser, run / "report" / "index.html")
    one(browser, "#failures table a").click()
    until(browser, "document.querySelector('#episode-2-details').hidden === false")
    quiet(browser)


def test_the_page_fits_a_phone_and_darkness(browser: Any, run: Path) -> None:
    wide = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    try:
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", wide)
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
        for page in (run / "report" / "index.html", write_joined([run], run.parent / "index.html", "One")):
            visit(browser, page)
            assert browser.execute_script("return document.documentElement.scrollWidth") == 390
            assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(17, 21, 28)"
            quiet(browser)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_films_play_together_and_links_lead_to_reports(browser: Any, run: Path) -> None:
    other = fakes.full_run(run.parent / "hans-misleading", perturb=("cue:code=place,setting=misleading",))
    write_report(other)
    visit(browser, write_joined([run, other], run.parent / "index.html", "Clever Hans"))
    one(browser, ".together").click()
    times = "Math.min(...Array.from(document.querySelectorAll('.film video'), v => v.currentTime))"
    until(browser, times, lambda now: now > 0.1)
    assert len(browser.find_elements("css selector", ".film video")) == 2
    quiet(browser)
    one(browser, "table.joined a").click()
    until(browser, "document.title", lambda title: title == "reference:hans on 2 tasks · HansGym")
    quiet(browser)


def test_a_hostile_run_directory_runs_nothing(browser: Any, tmp_path: Path) -> None:
    folder = hostile(tmp_path / "run")
    for page in (
        write_report(folder),
        write_joined([folder], tmp_path / "index.html", "<script>window.hacked=1</script>"),
    ):
        visit(browser, page)
        for button in browser.find_elements("css selector", "button.more"):
            browser.execute_script("arguments[0].click()", button)
        assert browser.execute_script("return window.hacked") is None
        quiet(browser)
