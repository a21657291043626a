"""Keys and pictures, in a window of SDL's dummy driver; real keys are in test_watch_keys_x.py."""

import gc
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pygame
import pytest

from redrive.agents.expert import Expert
from redrive.agents.human import Human
from redrive.agents.learned import observation_spec
from redrive.cli import main
from redrive.models.checkpoint import save_policy
from redrive.models.registry import make_policy
from redrive.sim.recording import Recording, validate
from redrive.sim.world import RoadWorld
from redrive.watch_drive import begin
from redrive.watch_keys import BY_KEY, HELP
from redrive.watch_outputs import Outputs
from redrive.watch_paint import picture, surface
from redrive.watch_record import Recorder, free_name
from redrive.watch_session import Session, tick
from redrive.watch_view import render
from redrive.watch_window import Pace, canvas_for, keep_open

SIZE = (640, 400)


@pytest.fixture(scope="module")
def world() -> RoadWorld:
    return RoadWorld(world="procedural:7")


@pytest.fixture
def session(world: RoadWorld) -> Session:
    return new_session(world)


def new_session(world: RoadWorld, seed: int = 3) -> Session:
    return Session((begin(world, Expert(), seed, driver="expert"),), Human(world.vehicle, world.dt))


def later(session: Session, seconds: float, pictures: int = 20) -> Session:
    for _ in range(pictures):
        session = tick(session, seconds / pictures)
    return session


@pytest.fixture
def window() -> Iterator[pygame.Surface]:
    pygame.display.init()
    yield pygame.display.set_mode(SIZE, pygame.RESIZABLE)
    pygame.display.quit()


def press(*keys: int | str) -> None:
    """Keys, by pygame's number or by the letter that they write."""
    for key in keys:
        code, letter = (key, "") if isinstance(key, int) else (pygame.key.key_code(key), key)
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=code, unicode=letter))


def typed(session: Session, *keys: int | str, quit_by: int | str = "q", **more: Path) -> Session:
    """The session after these keys."""
    press(*keys, quit_by)
    after, _ = keep_open(session, outputs(**more))
    assert after.quit
    return after


def outputs(folder: Path = Path("never-written"), **more: Path) -> Outputs:
    return Outputs(Recorder(folder, 1.0), **more)


def test_a_window_shows_what_is_drawn(window: pygame.Surface, session: Session) -> None:
    after = typed(session)
    assert (picture(window) == picture(render(after, SIZE))).all()


@pytest.mark.parametrize("key", ["q", pygame.K_ESCAPE])
def test_quit_quits(window: pygame.Surface, session: Session, key: int | str) -> None:
    assert typed(session, quit_by=key).quit


def test_the_windows_own_button_quits(window: pygame.Surface, session: Session) -> None:
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    assert keep_open(session, outputs())[0].quit


def test_space_pauses_and_the_right_arrow_steps(window: pygame.Surface, session: Session) -> None:
    after = typed(session, pygame.K_SPACE, pygame.K_RIGHT, pygame.K_RIGHT, ".")
    assert after.paused
    assert after.drive.state.steps[0] == 3
    assert not after.at_the_wheel


@pytest.mark.parametrize("key", [pygame.K_LEFT, pygame.K_RIGHT, pygame.K_UP, pygame.K_DOWN, "h"])
def test_any_arrow_takes_the_wheel_and_h_gives_it_back(
    window: pygame.Surface, session: Session, key: int | str
) -> None:
    taken = typed(session, key)
    assert taken.drive.by_hand
    assert "H gives the wheel back" in taken.notice
    assert not typed(replace(taken, quit=False), "h").drive.by_hand


def test_at_the_wheel_arrows_drive_also_in_a_pause(
    window: pygame.Surface, session: Session
) -> None:
    after = typed(session, pygame.K_LEFT, pygame.K_SPACE, pygame.K_RIGHT, pygame.K_RIGHT)
    assert after.drive.state.steps[0] == 0
    assert typed(replace(after, quit=False), ".").drive.state.steps[0] == 1


def test_a_person_who_drives_anyway_needs_not_take_the_wheel(
    window: pygame.Surface, world: RoadWorld
) -> None:
    human = Human(world.vehicle, world.dt)
    session = Session((begin(world, human, 3),), human)
    assert session.at_the_wheel
    after = typed(session, pygame.K_UP, "h")
    assert not after.drive.by_hand
    assert after.at_the_wheel


def test_r_n_plus_minus_z(window: pygame.Surface, session: Session) -> None:
    session = later(session, 2.0)
    assert typed(session, "r").drive.state.steps[0] == 0
    assert typed(session, "r").drive.episode == 0
    assert typed(session, "n").drive.episode == 1
    assert typed(session, "+", "=").speed == 4.0
    assert typed(session, "-", pygame.K_KP_MINUS, pygame.K_KP_PLUS).speed == 0.5
    assert typed(session, "z").zoom == 1


def test_escape_closes_the_help_before_the_window(window: pygame.Surface, session: Session) -> None:
    assert typed(session, pygame.K_F1).help
    assert typed(session, "?").help
    assert not typed(session, pygame.K_F1, pygame.K_ESCAPE).help


def test_the_help_names_every_key() -> None:
    named = {word.lower() for keys, _ in HELP for word in keys}
    for key in BY_KEY:
        name = pygame.key.name(key).strip("[]") or "?"
        assert name in named | {"break", "pause"}, name


def test_s_saves_the_picture_and_overwrites_none(
    window: pygame.Surface, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    after = typed(session, "s")
    assert after.notice == "saved redrive-procedural-7.png"
    typed(session, "s")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "redrive-procedural-7-2.png",
        "redrive-procedural-7.png",
    ]
    saved = pygame.image.load(tmp_path / "redrive-procedural-7.png")
    assert saved.get_size() == SIZE
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert str(blocked) in typed(session, "s", screenshot=blocked / "a.png").notice
    assert typed(session, "s", screenshot=tmp_path / "new" / "a.png").notice.startswith("saved")


def test_a_free_name_is_counted_up(tmp_path: Path) -> None:
    taken = {Path("a.png"), Path("a-2.png")}
    assert free_name(Path("b.png"), taken.__contains__) == Path("b.png")
    assert free_name(Path("a.png"), taken.__contains__) == Path("a-3.png")


def test_the_picture_follows_the_size_of_the_window(
    window: pygame.Surface, session: Session
) -> None:
    window = pygame.display.set_mode((800, 600), pygame.RESIZABLE)
    after = typed(session)
    assert (picture(window) == picture(render(after, (800, 600)))).all()


def test_the_window_itself_is_drawn_on_where_its_pixels_are_ours() -> None:
    same, other = surface(SIZE), pygame.Surface(SIZE, 0, 16)
    assert canvas_for(same, None) is same
    canvas = canvas_for(other, None)
    assert canvas is not other and canvas.get_size() == SIZE
    assert canvas_for(other, canvas) is canvas
    assert canvas_for(pygame.Surface((64, 64), 0, 16), canvas).get_size() == (64, 64)


def test_a_window_counts_the_pictures_that_were_late() -> None:
    pace = Pace(gaps=[0.016, 0.016, 0.040, 0.008], work=[0.004] * 4)
    assert (pace.pictures, pace.late) == (4, 1)
    assert "50.0 a second, 25.0 % of them late" in pace.told()
    assert "the longest 40 ms); 4.0 ms of work" in pace.told()


def test_python_is_as_it_was_when_the_window_has_closed(
    window: pygame.Surface, session: Session
) -> None:
    before = sys.getswitchinterval(), gc.get_freeze_count()
    typed(session)
    assert (sys.getswitchinterval(), gc.get_freeze_count()) == before


def test_a_window_can_stop_after_some_steps(window: pygame.Surface, session: Session) -> None:
    after, pace = keep_open(replace(session, speed=64.0), outputs(), steps=20)
    assert not after.quit
    assert after.steps >= 20
    assert pace.pictures > 0


def test_a_window_that_is_closed_while_it_records_keeps_the_drive(
    window: pygame.Surface, session: Session, tmp_path: Path
) -> None:
    recording = later(replace(session, recording=True), 1.0)
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    after, _ = keep_open(recording, outputs(tmp_path / "r"))
    assert after.quit and not validate(tmp_path / "r")
    assert Recording.open(tmp_path / "r").episodes[0].steps >= 10


def test_no_sound_is_touched(
    window: pygame.Surface, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a computer without a sound card makes no difference."""
    monkeypatch.setenv("SDL_AUDIODRIVER", "there-is-none")
    assert typed(session).quit
    assert pygame.mixer.get_init() is None


def test_a_run_of_another_pace_is_told_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], world: RoadWorld
) -> None:
    """Other cameras are in test_trained_camera.py."""
    save_policy(tmp_path / "run", make_policy("mlp", observation_spec(world)), {"policy": "mlp"})
    words = ["watch", str(tmp_path / "run"), "--headless", "--screenshot", str(tmp_path / "a.png")]
    assert main([*words, "--world", "procedural:7", "--dt", "0.05"]) == 2
    error = capsys.readouterr().err
    assert "expects dt 0.1 s, this world has 0.05 s" in error and len(error.splitlines()) == 1
    assert not (tmp_path / "a.png").exists()
