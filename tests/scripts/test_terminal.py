import io
import sys
from pathlib import Path

import pytest

from redrive import terminal
from redrive.terminal import interval, progress, rate, say, table, typed


def test_progress_in_a_pipe_is_few_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("recording", total=1000) as tick:
        for _ in range(1000):
            tick()
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[-1].startswith("recording: 1000 of 1000, ")
    assert len(said.err.splitlines()) <= 11


def test_slow_progress_is_a_line_for_every_tenth(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr(terminal.time, "monotonic", lambda: next(clock))
    with progress("training", total=40) as tick:
        for step in range(40):
            tick(note=f"loss {step}")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[0].startswith("training: 4 of 40 (10%), ")
    assert lines[0].endswith("loss 3")


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def make_screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """A terminal in the place of stderr."""
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return screen


def test_progress_on_a_terminal_is_a_bar_that_reaches_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = make_screen(monkeypatch)
    with progress("driving", total=3) as tick:
        tick(2)
        say("half [way]")
        tick()
    assert "half [way]" in screen.getvalue()
    assert "3/3" in screen.getvalue()


def test_a_part_of_what_has_a_bar_shows_none(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = make_screen(monkeypatch)
    for _ in range(2):
        with progress("whole", total=7) as tick:
            with progress("part", total=5) as part:
                part(5)
            tick(7)
    assert "7/7" in screen.getvalue() and "whole" in screen.getvalue()
    assert "part" not in screen.getvalue()


def test_an_error_leaves_no_line_that_says_done(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="broken"), progress("recording", total=2) as tick:
        tick()
        raise ValueError("broken")
    assert "2 of 2" not in capsys.readouterr().err


def test_status_goes_to_stderr_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    say("compiling kernels, once [red]" + "x" * 200)
    said = capsys.readouterr()
    assert said.err == "compiling kernels, once [red]" + "x" * 200 + "\n"
    assert said.out == ""


def test_a_table_keeps_its_cells_whole(capsys: pytest.CaptureFixture[str]) -> None:
    table(["driver", "success"], [["a" * 90, rate(0.95, 0.881, 0.983)], ["b", "-"]], title="[x]")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].strip() == "[x]"
    assert lines[1].split() == ["driver", "success"]
    assert lines[2] == "a" * 90 + "  95.0 % [88.1, 98.3]"
    assert lines[3].split() == ["b", "-"]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="a row of 1 cells in a table of 2"):
        table(["a", "b"], [["1"]])


def test_numbers_stand_with_their_intervals() -> None:
    assert interval(0.1234, 0.1, 0.15) == "0.123 [0.100, 0.150]"
    assert interval(12.34, 10, 15, digits=1) == "12.3 [10.0, 15.0]"


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of programs in an environment of its own, in the current folder."""
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "redrive"):
        (programs / name).touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    return programs


def test_a_next_step_is_given_as_it_can_be_typed(environment: Path) -> None:
    assert typed("watch runs/a") == str(Path(".venv", "bin", "redrive")) + " watch runs/a"


def test_in_an_active_environment_the_name_will_do(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(environment))
    assert typed("watch runs/a") == "redrive watch runs/a"
