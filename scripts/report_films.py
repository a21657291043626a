"""Films for the report: as they are where there is room, else smaller ones made of them."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from redrive import terminal
from redrive.agents.results import PolicyResult
from redrive.report_study import Study
from redrive.video import silence, write_video

MEDIA = {".webm": "video/webm", ".mp4": "video/mp4"}
FILMS_ROOM = 6_500_000  # [bytes] of a page for films, before base64 makes a third more of them
POSTER = 480  # [px] wide
SMALLER = (
    (640, 10.0),
    (480, 10.0),
    (320, 5.0),
)  # width [px] and frames a second, one after the other


@dataclass(frozen=True)
class Film:
    """A film that goes into the page, or why it does not."""

    name: str
    kind: str  # of media
    data: bytes | None
    missing: str = ""
    poster: bytes = b""  # a JPEG of its first picture; empty where it could not be read


def film_name(study: Study, policy: PolicyResult, number: int) -> str:
    """The id of a driver's film in the page."""
    return f"{study.prefix}film-{study.ranked.index(policy)}-{number}"


def load_films(paths: Sequence[Path], room: int = FILMS_ROOM) -> list[Film]:
    """Films that together fit into `room` bytes: the largest are made smaller until they do.

    The last ones are left out where even that does not help.

    Raises:
        ValueError: a file is no film by its ending.
    """
    for path in paths:
        if path.suffix not in MEDIA:
            raise ValueError(f"{path} is no film we can show; expected {' or '.join(MEDIA)}")
    contents = {path: path.read_bytes() for path in paths if path.is_file()}
    made_smaller = dict.fromkeys(contents, 0)
    while sum(map(len, contents.values())) > room:
        left = [path for path, times in made_smaller.items() if times < len(SMALLER)]
        if not left:
            break
        largest = max(left, key=lambda path: (len(contents[path]), path))
        width, fps = SMALLER[made_smaller[largest]]
        terminal.say(f"making {largest.name} smaller ({width} pixels wide): the page is to be sent")
        contents[largest] = _smaller(largest, contents[largest], width, fps)
        made_smaller[largest] += 1
    films = []
    for path in paths:
        if path not in contents:
            why = f"The film {path.name} was not beside the results."
        elif len(contents[path]) > room:
            why = f"The film {path.name} is too large for this page; it lies beside the results."
        else:
            room -= len(contents[path])
            films.append(Film(path.name, MEDIA[path.suffix], contents[path], poster=_poster(path)))
            continue
        films.append(Film(path.name, MEDIA[path.suffix], None, why))
    return films


def film_element(film: Film, name: str) -> Markup:
    """A player with the film in it; `name` is its id."""
    if film.data is None:
        return Markup('<p class="missing">{}</p>').format(film.missing)
    if film.poster:
        picture = base64.b64encode(film.poster).decode()
        poster = Markup(' preload="none" poster="data:image/jpeg;base64,{}"').format(picture)
    else:
        poster = Markup(' preload="metadata"')
    return Markup(
        '<video id="{}" controls muted loop playsinline{} src="data:{};base64,{}"></video>'
    ).format(name, poster, film.kind, base64.b64encode(film.data).decode())


def _poster(path: Path) -> bytes:
    import cv2

    with silence():
        reader = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        good, frame = reader.read()
        reader.release()
    if not good:
        return b""
    height = round(POSTER * frame.shape[0] / frame.shape[1])
    small = cv2.resize(frame, (POSTER, height), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 75])[1].tobytes()


def _smaller(path: Path, old: bytes, width: int, fps: float) -> bytes:
    """The film with fewer pixels and frames; the old one where that does not make it smaller."""
    import cv2

    with silence():
        reader = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        rate = reader.get(cv2.CAP_PROP_FPS) or fps
        every = max(1, round(rate / fps))
        frames: list[np.ndarray] = []
        count = 0
        while True:
            good, frame = reader.read()
            if not good:
                break
            if count % every == 0:
                height = round(width * frame.shape[0] / frame.shape[1] / 2.0) * 2
                small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
                frames.append(cv2.cvtColor(small, cv2.COLOR_BGR2RGB))
            count += 1
        reader.release()
    if not frames:
        return old  # not a film that OpenCV reads; the browser will tell
    with tempfile.TemporaryDirectory() as folder:
        new = Path(folder) / "small.webm"
        write_video(new, frames, rate / every)
        content = new.read_bytes()
    return content if path.suffix == ".webm" and len(content) < len(old) else old
