"""The report as a reader meets it: in a browser, with the mouse, with the keyboard, on a phone."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from redrive.agents import results as results_file
from redrive.agents.results import Video
from redrive.cli import main
from redrive.report_data import unpacked
from redrive.video import write_video

from ..browser import Tab, find_browser
from .test_evaluate import untrained

PICKED = "document.querySelector('.picked-episode h3').textContent"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An expert and a driver that has learned nothing, driven for real, with a film of the one."""
    folder = tmp_path_factory.mktemp("driven")
    out = folder / "results.json"
    beginner = untrained(folder / "beginner")
    given = ["--suite", "recovery", "--episodes", "15", "--out", str(out)]
    assert main(["evaluate", "expert", str(beginner), *given]) == 0
    frames = []
    for step in range(30):
        frame = np.full((90, 160, 3), 60, np.uint8)
        frame[30:60, 4 * step : 4 * step + 30] = (250, 180, 20)
        frames.append(frame)
    write_video(folder / "expert.webm", frames, 10.0)
    driven = results_file.load(out)
    expert, other = driven.policies
    filmed = replace(expert, videos=[Video("expert.webm", "expert, episode 3: a square")])
    results_file.save(replace(driven, policies=[filmed, other]), out)
    return out


@pytest.fixture(scope="module")
def page(results: Path) -> Path:
    out = results.parent / "report.html"
    assert main(["report", str(results), "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    found = find_browser()
    if found is None:
        pytest.skip("no Chromium here: the page was not opened (Debian's package is chromium)")
    with Tab(found, tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.fixture
def tab(browser: Tab, page: Path) -> Tab:
    browser.open(page.as_uri())
    return browser


def data_of(page: Path) -> dict[str, Any]:
    found = re.search(
        r'<script type="application/json" id="c0-data">(.*?)</script>', page.read_text()
    )
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def column(tab: Tab, table: str, index: int) -> list[float]:
    """What a column of a table is sorted by, from top to bottom, as far as it is shown."""
    rows = f"[...document.querySelector('{table}').tBodies[0].rows].filter(row => !row.hidden)"
    values: list[float] = tab.run(f"{rows}.map(row => Number(row.cells[{index}].dataset.sort))")
    return values


def test_nothing_is_asked_for_and_nothing_complains(tab: Tab, page: Path) -> None:
    tab.run("document.querySelectorAll('details').forEach(folded => { folded.open = true; })")
    assert tab.run("document.title") == "redrive report · recovery"
    assert tab.complaints == []
    assert tab.requests[0] == page.as_uri()
    assert all(url.startswith("data:") for url in tab.requests[1:])


def test_the_leaderboard_sorts_by_keyboard(tab: Tab) -> None:
    table = "[data-shows=leaderboard] table"
    heads = f"[...document.querySelector('{table}').tHead.rows[0].cells]"
    assert tab.run(f"{heads}.map(head => head.ariaSort)")[:2] == [None, "descending"]
    assert column(tab, table, 1) == sorted(column(tab, table, 1), reverse=True)
    tab.run(f"{heads}[3].querySelector('button').focus()")
    for key, told, downwards in (("Enter", "descending", True), (" ", "ascending", False)):
        tab.press(key)
        assert tab.run(f"{heads}.map(head => head.ariaSort)")[:4] == [None, None, None, told]
        errors = column(tab, table, 3)
        assert errors == sorted(errors, reverse=downwards) and len(set(errors)) == 2


def test_a_table_is_filtered_by_words(tab: Tab) -> None:
    table = "[data-shows=metrics] table"
    tab.run("document.querySelector('[data-shows=metrics] details').open = true")
    everything = len(column(tab, table, 0))
    tab.run("document.querySelector('[data-shows=metrics] input').focus()")
    for letter in "lateral":
        tab.press(letter, letter)
    assert len(column(tab, table, 0)) == 3
    told = tab.run(
        "document.querySelector('[data-shows=metrics] .controls:has(input) output').textContent"
    )
    assert told == f"3 of {everything} rows"


def test_episodes_are_filtered_sorted_and_listed_by_and_by(tab: Tab) -> None:
    listed = "document.querySelectorAll('.episodes tbody tr').length"
    counts = "[...document.querySelectorAll('.explorer .controls output')].map(o => o.textContent).join()"
    assert "30 of 30 episodes" in tab.run(counts) and tab.run(listed) == 25
    tab.run("document.querySelector('.more').click()")
    assert tab.run(listed) == 30
    tab.run(
        "{ const select = document.querySelector('.explorer select[data-column=driver]');"
        "select.value = 'beginner'; select.dispatchEvent(new Event('change')); }"
    )
    assert "15 of 30 episodes" in tab.run(counts)
    names = tab.run(
        "[...document.querySelectorAll('.episodes tbody th')].map(cell => cell.textContent)"
    )
    assert set(names) == {"beginner"}
    tab.run("document.querySelector('.episodes thead th:nth-child(3) button').click()")  # seed
    seeds = tab.run(
        "[...document.querySelectorAll('.episodes tbody tr')].map(row => row.cells[2].textContent)"
    )
    assert seeds == [str(seed) for seed in range(14, -1, -1)]


def test_a_picked_episode_is_drawn_and_scrubbed(tab: Tab) -> None:
    assert tab.run(PICKED).startswith("beginner on procedural:")  # the worst of the best learned
    tab.run("document.querySelector('.episodes tbody button').focus()")
    tab.press("Enter")
    assert tab.run(PICKED).startswith("expert on procedural:") and "seed 0" in tab.run(PICKED)
    assert tab.run("document.querySelectorAll('.picked-episode .map').length") == 2
    assert tab.run("document.querySelectorAll('.picked-episode .asphalt').length") > 0
    assert tab.run("document.querySelectorAll('.picked-episode .frame').length") == 4
    place = "document.querySelector('.picked-episode .car').getAttribute('cx')"
    clock = "document.querySelector('.scrub output').textContent"
    before = tab.run(place), tab.run(clock)
    tab.run("document.querySelector('.scrub input').focus()")
    tab.press("ArrowRight")
    seconds = [float(told.split()[0]) for told in (before[1], tab.run(clock))]
    assert seconds[1] - seconds[0] == pytest.approx(0.1)
    assert tab.run(place) != before[0]
    tab.run("document.querySelector('.also input').click()")
    assert tab.run("document.querySelectorAll('.picked-episode .frame .curve').length") >= 8
    for seed in (1, 2, 3):
        assert not tab.run("document.querySelector('.picked-episode video')")
        tab.run("document.querySelector('.buttons .after').click()")
        assert f"seed {seed}" in tab.run(PICKED)
    assert tab.run("document.querySelector('.picked-episode video').src.length") > 1000  # filmed
    assert tab.complaints == []


def test_the_film_plays(tab: Tab) -> None:
    tab.run("document.querySelector('video').play()")
    tab.wait_for(lambda: tab.run("document.querySelector('video').currentTime") > 0.3, "the film")
    assert tab.run("document.querySelector('video').error") is None
    assert tab.run("document.querySelector('video').videoWidth") == 160
    assert tab.run("document.querySelector('video').duration") == pytest.approx(3.0, abs=0.2)


def test_a_metric_is_chosen_and_the_others_are_hidden(tab: Tab) -> None:
    shown = "[...document.querySelectorAll('.choices.brief > :not([hidden])')].map(p => p.dataset.choice)"
    assert tab.run(shown) == ["lateral MAE"]
    tab.run(
        "{ const select = document.querySelector('[data-shows=metrics] select');"
        "select.value = 0; select.dispatchEvent(new Event('change')); }"
    )
    assert tab.run(shown) == ["success"]


@pytest.mark.parametrize("width", [320, 390, 768, 1400])
def test_no_screen_is_too_narrow(browser: Tab, page: Path, width: int) -> None:
    browser.open(page.as_uri(), width, 800, phone=width < 700)
    assert browser.run("document.documentElement.scrollWidth") == width


def test_figures_can_be_computed_again_from_the_page(page: Path, results: Path) -> None:
    data = data_of(page)
    names = [entry["name"] for entry in data["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in data["episodes"]]
    step = data["steps"]["lateral_offset"]
    assert len(data["courses"]) == len(rows) == 30
    for number, course in data["courses"].items():
        row = rows[int(number)]
        offsets = unpacked(course["lateral_offset"], step)
        assert len(offsets) == row["steps"]
        assert np.abs(offsets).mean() == pytest.approx(row["lateral_mae_m"], abs=step)
        assert np.sqrt((offsets**2).mean()) == pytest.approx(row["lateral_rmse_m"], abs=step)
        places = np.stack([unpacked(course[axis], data["steps"][axis]) for axis in "xy"])
        driven = np.hypot(*np.diff(places)).sum()
        assert driven == pytest.approx(row["distance_m"], rel=0.03, abs=2.5)
    for policy in results_file.load(results).policies:
        mine = [row for row in rows if row["driver"] == policy.name]
        rate = sum(row["success"] for row in mine) / len(mine)
        assert rate == policy.summary["success_rate"].mean
        assert f"{100.0 * rate:.1f}\N{NO-BREAK SPACE}%" in page.read_text()
