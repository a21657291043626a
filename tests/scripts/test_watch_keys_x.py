"""Every key that the help names, pressed as a real key in a real window: its effect, not its absence.

One window, one story, in the order of the help; what each key did stands in the window's log, in
its files, or in the picture on the screen.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import pygame
import pytest

from redrive.sim.recording import Recording, validate
from redrive.watch_keys import HELP
from redrive.watch_reel import RATE

from .screen import Screen, lines, screens, until

NAMES = {  # xdotool's names of the keys that the help shows
    "←": "Left", "→": "Right", "↑": "Up", "↓": "Down", ".": "period", "+": "plus", "-": "minus",
    "⇧ R": "shift+r", "?": "question", "Esc": "Escape",
}  # fmt: skip


@pytest.fixture
def screen() -> Iterator[Screen]:
    yield from screens((1400, 900))


class Hand:
    """Presses keys in a window, and looks at what its log says."""

    def __init__(self, screen: Screen, folder: Path, process: "subprocess.Popen[str]") -> None:
        self.screen, self.folder, self.process = screen, folder, process
        self.pressed: set[str] = set()

    def press(self, key: str, effect: Callable[[], bool] | None = None, **window: Any) -> None:
        """A key as the help names it, and what comes of it: entries of the window's state."""
        self.pressed.add(key)
        self.screen.tool("key", NAMES.get(key, key.lower() if len(key) == 1 else key))
        self.see(effect, **window)

    def see(self, effect: Callable[[], bool] | None = None, **window: Any) -> None:
        """Waits until the window is like this."""

        def so() -> bool:
            now = self.window
            return all(now[name] == value for name, value in window.items())

        try:
            until(lambda: so() and (effect is None or effect()), 10.0, self.process)
        except AssertionError as error:
            raise AssertionError(f"wanted {window}, have {self.window}: {error}") from None

    @property
    def window(self) -> dict[str, Any]:
        return lines(self.folder, "window")[-1]

    @property
    def steps(self) -> list[dict[str, Any]]:
        return lines(self.folder)

    def picture(self, name: str) -> pygame.Surface:
        """The screenshot with this name, complete."""
        until(lambda: (self.folder / name).is_file(), 10.0, self.process)
        self.see(lambda: self.window["notice"] == f"saved {name}")
        return pygame.image.load(self.folder / name)


@pytest.mark.slow
def test_every_key_does_what_the_help_says(screen: Screen, tmp_path: Path) -> None:
    words = ["watch", "expert", "expert", "--world", "procedural:7-9", "--seed", "3"]
    words += ["--record", "r", "--screenshot", "shot.png"]
    process = screen.start(words, tmp_path)
    try:
        hand = Hand(screen, tmp_path, process)
        hand.see(paused=False, filming=False, recording=True)  # as the options ask
        _time(hand)
        _wheel(hand)
        _what_is_drawn(hand)
        _what_is_kept(hand)
        hand.press("Q")
        _, error = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, error
    assert len(error.splitlines()) == 2, error  # the film, and how it was
    assert not validate(tmp_path / "r")
    regimes = [episode.sidecar["regime"] for episode in Recording.open(tmp_path / "r").episodes]
    assert "intervention" in regimes
    told = {key for keys, _ in HELP for key in keys}
    assert told - hand.pressed <= {"Esc"}, "a key that the help names is not tried here"


def film_seconds(path: Path) -> float:
    film, count = cv2.VideoCapture(str(path)), 0
    while film.grab():
        count += 1
    return count / RATE


def _time(hand: Hand) -> None:
    """space, right arrow, dot; R, N; plus and minus."""
    until(lambda: len(hand.steps) > 3)
    hand.press("space", paused=True)
    count = len(hand.steps)
    time.sleep(0.4)
    assert len(hand.steps) == count  # nothing moves
    hand.press("→", lambda: len(hand.steps) == count + 1, paused=True, wheel="expert")
    hand.press(".", lambda: len(hand.steps) == count + 2, paused=True)
    at = hand.steps[-1]["step"]
    assert at >= 5
    hand.press("R", lambda: hand.steps[-1]["step"] == 0, episode=0)
    hand.press("N", lambda: hand.steps[-1]["episode"] == 1, episode=1)
    assert hand.steps[-1]["step"] == 0
    assert hand.steps[-1]["road"] != hand.steps[-2]["road"]
    hand.press("space", paused=False)
    until(lambda: hand.steps[-1]["step"] > 2)
    for speed in (2.0, 4.0, 8.0, 16.0, None, None):  # None: as fast as it goes
        hand.press("+", speed=speed)
    until(lambda: len({line["episode"] for line in hand.steps}) > 2)  # whole episodes pass
    for speed in (16.0, 8.0, 4.0, 2.0, 1.0, 0.5, 0.25, 0.25):
        hand.press("-", speed=speed)
    began, count = time.monotonic(), len(hand.steps)
    until(lambda: len(hand.steps) >= count + 3)
    assert time.monotonic() - began > 0.6  # 0.4 s each, at a quarter of the pace
    for speed in (0.5, 1.0):
        hand.press("+", speed=speed)


def _wheel(hand: Hand) -> None:
    """The arrows, H, and the digits."""
    hand.press("N", episode=hand.window["episode"] + 1)
    hand.press("H", lambda: hand.steps[-1]["driver"] == "human", wheel="human")
    hand.press("H", lambda: hand.steps[-1]["driver"] == "expert", wheel="expert")
    for key in ("←", "→", "↑", "↓"):  # each takes the wheel
        hand.press(key, lambda: hand.steps[-1]["driver"] == "human", wheel="human")
        hand.screen.tool("key", "h")
        hand.see(lambda: hand.steps[-1]["driver"] == "expert", wheel="expert")
    tool = hand.screen.tool
    tool("key", "n", "h")
    hand.see(lambda: hand.steps[-1]["driver"] == "human")
    for key, entry, sign in (("Up", "command_accel", 1), ("Down", "command_accel", -1),
                             ("Left", "command_curvature", 1), ("Right", "command_curvature", -1)):  # fmt: skip
        before = hand.steps[-1][entry] if entry == "command_curvature" else 0.0
        tool("keydown", key)
        until(lambda: sign * (hand.steps[-1][entry] - before) > 1e-3)  # noqa: B023
        tool("keyup", key)
    count = len(hand.steps)
    until(lambda: len(hand.steps) > count + 3)
    assert hand.steps[-1]["driver"] == "human"  # no key is down, it still is the person's
    tool("key", "h")
    hand.see(wheel="expert")
    hand.press("9", notice="no driver 9: there are 2 drivers", following=1)
    tool("key", "2")
    hand.see(following=2)
    hand.press("1", following=1)


def _what_is_drawn(hand: Hand) -> None:
    """Z, A, M, L with a number, F1, ?, Escape; and the size of the window."""
    zoom = hand.window["zoom"]
    hand.press("Z", zoom=zoom + 1)
    assert "saliency" not in hand.window["layers"]
    hand.press("A", lambda: "saliency" in hand.window["layers"])
    hand.press("M", lambda: "memory" not in hand.window["layers"])
    hand.press("M", lambda: "memory" in hand.window["layers"])
    hand.press("L", menu=True)
    hand.screen.tool("key", "1")
    hand.see(lambda: "trail" not in hand.window["layers"], menu=True, following=1)
    hand.press("Esc", menu=False)
    hand.press("F1", help=True)
    hand.press("F1", help=False)
    hand.press("?", help=True)
    hand.press("Esc", help=False)
    hand.screen.tool("windowsize", hand.screen.window(), "900", "640")
    hand.see(size=[900, 640])


def _what_is_kept(hand: Hand) -> None:
    """S, V, shift and R."""
    hand.press("S")
    assert hand.picture("shot.png").get_size() == (900, 640)
    hand.press("V", filming=True)
    count = len(hand.steps)
    until(lambda: len(hand.steps) > count + 5)
    hand.press("V", filming=False)
    assert film_seconds(next(hand.folder.glob("*.webm"))) > 0.4
    hand.press("⇧ R", recording=False)
    saved = len(Recording.open(hand.folder / "r"))
    assert saved >= 2
    hand.screen.tool("key", "shift+r")
    hand.see(recording=True)
    count = len(hand.steps)
    until(lambda: len(hand.steps) > count + 4)
    hand.screen.tool("key", "shift+r")
    hand.see(lambda: len(Recording.open(hand.folder / "r")) == saved + 1, recording=False)
