"""A screen that nobody sees, for windows that real keys are pressed in."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

LOG = "log.jsonl"


class Screen:
    """An X server of its own, and the environment of a program that shows its window there."""

    def __init__(self, size: tuple[int, int] = (1280, 720)) -> None:
        told, number = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(number), "-screen", "0", f"{size[0]}x{size[1]}x24",
             "-nolisten", "tcp"],
            pass_fds=[number],
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(number)
        with os.fdopen(told) as pipe:
            name = pipe.readline().strip()
        self.env = {**os.environ, "DISPLAY": f":{name}", "SDL_VIDEODRIVER": "x11"}

    def start(
        self, words: list[str], folder: Path, env: dict[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        """A command of ours; it is ready when its log says what the window is like."""
        process = subprocess.Popen(
            [sys.executable, "-m", "redrive", *words, "--log", LOG],
            cwd=folder, env=env or self.env, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        until(lambda: bool(lines(folder, "window")), 120.0, process)
        return process

    def tool(self, *words: str) -> str:
        """What xdotool says to this."""
        return subprocess.run(
            ["xdotool", *words],
            env=self.env,
            check=True,
            timeout=20,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def window(self) -> str:
        """X's number of our window."""
        for number in self.tool("search", "--onlyvisible", "--class", ".*").splitlines():
            if self.tool("getwindowname", number).startswith("redrive"):
                return number
        raise AssertionError("no window of ours on the screen")

    def close(self) -> None:
        self.server.terminate()
        self.server.wait(10)


def screens(*sizes: tuple[int, int]) -> Iterator[Screen]:
    """For a fixture: a screen, closed at the end; the test is skipped where there is none."""
    missing = [name for name in ("Xvfb", "xdotool") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"no {' and no '.join(missing)}: the real window is not tried here")
    opened = Screen(*sizes)
    yield opened
    opened.close()


def until(
    holds: Callable[[], bool],
    patience: float = 20.0,
    process: "subprocess.Popen[str] | None" = None,
) -> None:
    """Waits until something holds; fails after so many seconds, or when the process has ended."""
    deadline = time.monotonic() + patience
    while not holds():
        if process is not None and process.poll() is not None and not holds():
            assert process.stderr is not None
            raise AssertionError(f"it ended with {process.returncode}: {process.stderr.read()}")
        assert time.monotonic() < deadline, f"not within {patience} s"
        time.sleep(0.02)


def lines(folder: Path, kind: str = "step") -> list[dict[str, Any]]:
    """The log's finished lines of one kind: steps, or what the window was like."""
    path = folder / LOG
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    found = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return [line if kind == "step" else line[kind] for line in found if kind in line]
