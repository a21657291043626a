import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from redrive.agents import results as results_file
from redrive.agents.results import PolicyResult, Results, Video
from redrive.cli import main
from redrive.report import build

VOID = {"meta", "line", "rect", "circle", "path", "polyline", "br", "img"}


class Page(HTMLParser):
    """A page taken apart: what a reader sees, which sections there are, what it would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html, self.open, self.texts = html, list[str](), list[str]()
        self.sections, self.loads, self.tags = list[str](), list[str](), list[str]()
        self.feed(html)
        assert self.open == []  # every element that was opened is closed

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "data-shows":
                self.sections.append(value or "")
            if name in {"src", "href"}:
                self.loads.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def episode(seed: int, success: bool, lateral: float, **more: Any) -> dict[str, Any]:
    return {
        "seed": seed,
        "road": f"procedural:{4000 + seed}",
        "success": success,
        "ended": "finished" if success else "off_lane",
        "route_completion": 1.0 if success else 0.4,
        "distance_m": 300.0,
        "steps": 300,
        "lateral_mae_m": lateral,
        "lateral_rmse_m": 1.2 * lateral,
        "beyond_margin_share": 0.0,
    } | more


def driver(name: str, failures: int, lateral: float, **more: Any) -> PolicyResult:
    return PolicyResult(
        name=name,
        run=None if name == "expert" else f"runs/{name}",
        episodes=[
            episode(seed, seed >= failures, lateral * (1.0 + 0.02 * seed), **more)
            for seed in range(24)
        ],
    )


def save(folder: Path, policies: Sequence[PolicyResult], suite: str = "roads") -> Path:
    path = folder / f"{suite}.json"
    results_file.save(Results(suite, 0, 0.1, policies, settings={"seconds": 30}), path)
    return path


def three(folder: Path) -> Path:
    return save(folder, [driver("mlp", 9, 0.3), driver("expert", 0, 0.04), driver("lstm", 1, 0.1)])


def test_the_report_says_who_drove_best_and_how_sure_that_is(tmp_path: Path) -> None:
    page = Page(build([three(tmp_path)]))
    assert "lstm is the best learned driver on “roads”" in page.text
    assert "Three drivers drove the same 24 episodes." in page.text
    assert "95.8 % [79.8, 99.3]" in page.text  # lstm, Wilson
    order = [page.html.index(f"<b>{name}</b>") for name in ("expert", "lstm", "mlp")]
    assert order == sorted(order)  # the best first
    assert "−33.3 [" in page.text  # mlp against lstm, in points
    assert "p = 0.008" in page.text  # 2 / 2**8: eight episodes that only lstm passed


def test_the_page_is_complete_in_itself(tmp_path: Path) -> None:
    (tmp_path / "lstm.webm").write_bytes(b"a film")
    policy = driver("lstm", 3, 0.1)
    with_film = PolicyResult(
        policy.name, policy.run, policy.episodes, videos=[Video("lstm.webm", "in the rain")]
    )
    page = Page(build([save(tmp_path, [with_film])]))
    assert "data:video/webm;base64,YSBmaWxt" in page.loads
    assert "in the rain" in page.text
    assert all(load.startswith(("data:", "#")) for load in page.loads)
    assert not re.search(r"https?:(?!//www.w3.org/2000/svg)|@import|url\(", page.html)
    assert not {"link", "iframe", "img", "object"} & set(page.tags)


def test_a_film_that_is_gone_is_said_so(tmp_path: Path) -> None:
    policy = driver("lstm", 3, 0.1)
    video = Video("gone.webm", "")
    path = save(tmp_path, [PolicyResult("lstm", "r", policy.episodes, videos=[video])])
    assert "The film gone.webm was not beside the results." in Page(build([path])).text


def test_sections_are_there_when_there_is_something_to_show(tmp_path: Path) -> None:
    small = Page(build([save(tmp_path, [driver("lstm", 0, 0.1)], "small")]))
    assert small.sections == [
        "leaderboard",
        "success",
        "lateral",
        "metrics",
        "drivers",
        "episodes",
    ]
    assert "lstm on “small”" in small.text

    run = tmp_path / "runs" / "lstm"
    run.mkdir(parents=True)
    lines = [{"step": step, "loss": 1.0 / (step + 1), "validation_loss": 0.5} for step in range(9)]
    log = "\n".join(json.dumps(line) for line in lines)
    (run / "log.jsonl").write_text(log + '\n{"step": 9, "lo')  # killed while it wrote
    for place in range(3):
        columns = {"lateral_offset": [0.1 * place] * 30}
        results_file.save_trace(tmp_path / f"trace-{place}.json", 0.1, columns)
    lstm = [
        episode(
            seed,
            seed > 2,
            0.1 + 0.01 * seed,
            road_max_curvature=0.003 * (seed + 1),
            **({"trace": f"trace-{seed % 3}.json"} if seed < 3 else {}),
        )
        for seed in range(24)
    ]
    drivers = [
        PolicyResult("lstm", "runs/lstm", lstm, open_loop={"curvature_mae": 0.001}),
        PolicyResult(
            "mlp",
            "runs/mlp",
            driver("mlp", 9, 0.3).episodes,
            open_loop={"curvature_mae": 0.002},
            facts={"parameters": 201346},
        ),
    ]
    page = Page(build([save(tmp_path, drivers)]))
    assert page.sections == [
        "leaderboard",
        "success",
        "differences",
        "lateral",
        "metrics",
        "difficulty",
        "endings",
        "failures",
        "drives",
        "training",
        "open-loop",
        "drivers",
        "episodes",
    ]
    for text in (
        "redrive watch runs/mlp --world procedural:4000",
        "201,346",
        "off lane, lateral MAE 0.100 m",
        "held back",
        "14–18 m",
        "open-loop error: curvature MAE",
    ):
        assert text in page.text


def test_roads_are_listed_when_each_was_driven_often(tmp_path: Path) -> None:
    episodes = [
        episode(start, start != 2, 0.1, road=road)
        for road in ("Monza", "Spa")
        for start in range(5)
    ]
    page = Page(build([save(tmp_path, [PolicyResult("lstm", "r", episodes)], "racetracks")]))
    assert "Road by road" in page.text
    assert page.text.count("4 of 5") == 2
    assert "a first impression" in page.text  # ten episodes are few


def test_leaving_the_lane_is_told_by_both_rules(tmp_path: Path) -> None:
    flags = {"left_lane_free_margin": True, "left_lane_centre_2m": False}
    text = Page(build([save(tmp_path, [driver("lstm", 2, 0.1, **flags)])])).text
    assert "driver left the lane beyond 2 m lstm 100.0 % [86.2, 100.0] 0.0 % [0.0, 13.8]" in text


@pytest.mark.parametrize(
    ("seen", "told"),
    [(True, "Careful: 24 drives were on roads seen in"), (False, "was trained on any of these")],
)
def test_roads_seen_in_training_are_told(tmp_path: Path, seen: bool, told: str) -> None:
    path = save(tmp_path, [driver("lstm", 2, 0.1, road_seen_in_training=seen)])
    assert told in Page(build([path])).text
    assert "trained on any" not in Page(build([three(tmp_path)])).text


def test_several_results_are_chapters_of_one_page(tmp_path: Path) -> None:
    paths = [three(tmp_path), save(tmp_path, [driver("lstm", 9, 0.3)], "racetracks")]
    page = Page(build(paths))
    assert page.sections.count("leaderboard") == 2
    ids = re.findall(r' id="([^"]+)"', page.html)
    assert len(ids) == len(set(ids))
    assert {load[1:] for load in page.loads if load.startswith("#")} <= set(ids)


def test_names_from_files_are_text_and_nothing_else(tmp_path: Path) -> None:
    bad = "<script>alert(1)</script>"
    episodes = [episode(0, False, 0.1, road=bad, ended=bad), episode(1, True, 0.1)]
    policies = [PolicyResult(bad, bad, episodes, facts={bad: bad}), driver("lstm", 1, 0.1)]
    page = Page(build([save(tmp_path, policies)]))
    assert page.tags.count("script") == 2  # the data and the page's own
    assert bad in page.text
    assert bad not in page.html


def test_the_same_results_make_the_same_page(tmp_path: Path) -> None:
    path = three(tmp_path)
    assert build([path]) == build([path])


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "deep" / "report.html"
    assert main(["report", str(three(tmp_path)), "--out", str(out)]) == 0
    assert f"{out}: " in capsys.readouterr().out
    assert out.read_text() == build([tmp_path / "roads.json"])


def test_bad_results_are_one_line_and_leave_the_old_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report.html"
    out.write_text("the old page")
    broken = three(tmp_path)
    broken.write_text(broken.read_text()[:500])
    for arguments, message in [
        ([str(broken)], "roads.json is not valid JSON"),
        ([str(tmp_path / "none.json")], "no results at"),
        ([], "no results given"),
    ]:
        assert main(["report", *arguments, "--out", str(out)]) == 2
        said = capsys.readouterr().err
        assert said.startswith("redrive: error: ") and said.count("\n") == 1
        assert message in said
    assert out.read_text() == "the old page"
