"""Films go into the page as they are where there is room, and smaller where there is not."""

from pathlib import Path

import numpy as np
import pytest

from redrive.report_films import film_element, load_films
from redrive.video import write_video


def noisy(path: Path, seed: int) -> Path:
    """A film that cannot be made small without fewer pixels."""
    rng = np.random.default_rng(seed)
    write_video(path, list(rng.integers(0, 255, (6, 360, 640, 3), np.uint8)), 20.0)
    return path


def test_films_that_fit_are_left_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.webm"
    write_video(path, [np.full((90, 160, 3), shade, np.uint8) for shade in range(5)], 10.0)
    (film,) = load_films([path], room=10**8)
    assert film.data == path.read_bytes()
    assert film.poster.startswith(b"\xff\xd8")  # JPEG
    assert 'poster="data:image/jpeg;base64,' in film_element(film, "film")


def test_the_largest_films_are_made_smaller_until_all_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    large, still = noisy(tmp_path / "large.webm", 1), tmp_path / "still.webm"
    write_video(still, [np.zeros((90, 160, 3), np.uint8)] * 5, 10.0)
    room = still.stat().st_size + int(0.7 * large.stat().st_size)
    films = load_films([large, still], room)
    assert all(film.data is not None for film in films)
    assert sum(len(film.data or b"") for film in films) <= room
    assert films[1].data == still.read_bytes()
    assert "making large.webm smaller" in capsys.readouterr().err


def test_a_film_that_is_too_large_or_gone_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "strange.webm"
    path.write_bytes(bytes(5000))  # nothing that can be made smaller
    films = load_films([path, tmp_path / "gone.webm"], room=1000)
    assert [film.data for film in films] == [None, None]
    assert "too large for this page" in film_element(films[0], "a")
    assert "was not beside the results" in film_element(films[1], "b")


def test_what_is_no_film_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no film we can show; expected .webm or .mp4"):
        load_films([tmp_path / "film.avi"])
