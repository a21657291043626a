"""Sections of the report about single drives: films, the best and worst on the road, any to pick."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from redrive import report_charts as charts
from redrive import report_tables as tables
from redrive.agents.results import EpisodeResult, PolicyResult
from redrive.report_camera import Strip, camera_strips
from redrive.report_charts import Line
from redrive.report_course import Course, telling
from redrive.report_data import as_script, chapter_data
from redrive.report_films import FILMS_ROOM, film_element, film_name, load_films
from redrive.report_map import draw_road, find_road, map_of
from redrive.report_scales import Scale, scale_for
from redrive.report_study import Section, Study

BEND = "command_curvature"
FAR = 2.0  # [m] beside the lane's centre; a car that is farther out is shown at the edge
LANE = (-0.5, 0.5)  # a band around the centre, so that charts can be compared [m]
SHOWN_DRIVERS = 8  # whose drives are laid out; those of the others can be picked
PRINTED = 4  # pictures of a strip


def videos(study: Study) -> Section | None:
    """The films, inside the page."""
    wanted = [
        (policy, place, video)
        for policy in study.ranked
        for place, video in enumerate(policy.videos)
    ]
    if not wanted:
        return None
    films = load_films(
        [study.path.parent / video.file for _, _, video in wanted], FILMS_ROOM // study.filmed
    )
    shown = Markup("").join(
        Markup("<figure>{}<figcaption>{} {}</figcaption></figure>").format(
            film_element(film, film_name(study, policy, place)),
            study.named(policy),
            _caption(video.caption, policy.name),
        )
        for film, (policy, place, video) in zip(films, wanted, strict=True)
    )
    return Section(
        "videos",
        "What it looks like",
        "Drives of these drivers; the captions say where and how.",
        Markup('<div class="films">{}</div>').format(shown),
    )


def drives(study: Study) -> Section | None:
    """The best, the median and the worst drive of each: on the road, over time, by camera."""
    shown = [(policy, told) for policy in study.ranked if (told := telling(study, policy))]
    if not shown:
        return None
    shown = shown[:SHOWN_DRIVERS]
    courses = [course for _, told in shown for _, _, course in told]
    time = scale_for([0.0, *(course.time[-1] for course in courses)])
    offsets = np.abs(np.concatenate([course.columns["lateral_offset"] for course in courses]))
    reach = min(FAR, 1.1 * float(np.percentile(offsets, 99.0)))
    lateral = scale_for([-reach, reach])
    bends = [c.columns[BEND] for c in courses if BEND in c.columns]
    bend = scale_for(np.percentile(np.concatenate(bends), [0.5, 99.5]) if bends else [0.0])
    parts = []
    for policy, told in shown:
        strips = camera_strips(study, policy)
        figures = Markup("").join(
            _drive(study, policy, name, episode, course, strip, (time, lateral, bend))
            for (name, episode, course), strip in zip(told, strips, strict=True)
        )
        parts.append(
            Markup(
                '<div class="drive" data-choice="{}"><h3>{}</h3><div class="panels">{}</div></div>'
            ).format(policy.name, study.named(policy), figures)
        )
    return Section(
        "drives",
        "The best, the median and the worst drive",
        "Of each driver, by success, then the share of the route, then the lateral error. From "
        "above, every drive begins at the left; a red line is where the car’s outline was over a "
        "bound of its lane, a cross is where it failed. Below, the place in the lane and the "
        "commanded curvature over time, on axes that all share, and what the camera saw.",
        charts.choices("Driver", parts),
    )


def episodes(study: Study) -> Section:
    """Every episode as data; the page's script makes a table of it, and draws what is picked."""
    total = sum(len(policy.episodes) for policy in study.ranked)
    data = chapter_data(study)
    name = f"{study.prefix}data"
    kept = len(data["courses"])
    lead = f"Means hide things; here are all {total} episodes." if total > 1 else "The one episode."
    if kept:
        lead += " Pick one by its driver’s name to see it."
    if 0 < kept < total:
        lead += f" The steps of {kept} are in this page; the others’ lie beside the results."
    return Section(
        "episodes",
        "Pick an episode",
        lead,
        Markup(
            '<div class="explorer" data-from="{name}"><noscript><p>This table needs the page’s '
            "script; the same rows are in the .csv file beside the results.</p></noscript></div>{data}"
        ).format(name=name, data=as_script(data, name)),
    )


def _caption(caption: str, driver: str) -> str:
    """A film's caption without the driver's name, which stands before it."""
    return caption.removeprefix(driver).lstrip(",: ")


def _drive(
    study: Study,
    policy: PolicyResult,
    name: str,
    episode: EpisodeResult,
    course: Course,
    strip: Strip,
    scales: tuple[Scale, Scale, Scale],
) -> Markup:
    """One drive: the map, two charts, the strip."""
    sign = study.signs[policy.name]
    time, lateral, bend = scales
    failed = not episode["success"]
    how = tables.words(episode["ended"]) + f", lateral MAE {episode['lateral_mae_m']:.3f} m"
    told = f"{name}: {episode['road']}, seed {episode['seed']}"
    parts = []
    if course.points is not None:
        road = find_road(study, episode["road"])
        drawing = None if road is None else draw_road(road, [course])
        label = f"{policy.name}, {told}, from above"
        parts.append(map_of(drawing, course, sign % charts.SIGNS, failed, label))
    offsets = Line("", course.time.tolist(), course.columns["lateral_offset"].tolist(), sign=sign)
    parts.append(
        charts.lines_chart(
            [offsets], time, lateral, "time [s]", "beside the centre [m], left up", LANE, 110, False
        )
    )
    if BEND in course.columns:
        curvature = Line("", course.time.tolist(), course.columns[BEND].tolist(), sign=sign)
        parts.append(
            charts.lines_chart(
                [curvature], time, bend, "time [s]", "commanded curvature [1/m]", None, 90, False
            )
        )
    chosen = strip[:: max(1, len(strip) // PRINTED)][:PRINTED]
    if chosen:
        pictures = Markup("").join(
            Markup('<img src="{}" alt="the camera at {:g} s" title="{:g} s">').format(uri, at, at)
            for at, uri in chosen
        )
        parts.append(Markup('<div class="strip">{}</div>').format(pictures))
    return Markup("<figure><figcaption><b>{}</b><br>{}</figcaption>{}</figure>").format(
        told, how, Markup("").join(parts)
    )
