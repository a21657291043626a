import errno
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import pytest

from redrive.command import did_you_mean, parse, run_command, unknown, user_message


def raising(error: BaseException) -> Callable[[Sequence[str]], int]:
    def main(argv: Sequence[str]) -> int:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("a.pt expects camera (64, 96, 3)"), "a.pt expects camera (64, 96, 3)"),
        (ValueError("two\n  lines"), "two lines"),
        (FloatingPointError("the loss is nan in step 7"), "the loss is nan in step 7"),
        (FileNotFoundError("no run at runs/a; train one"), "no run at runs/a; train one"),
        (FileNotFoundError(2, "No such file or directory", "a"), "a: no such file or directory"),
        (KeyError("unknown policy 'x'; there are mlp"), "unknown policy 'x'; there are mlp"),
        (ImportError("install tensorboard"), "install tensorboard"),
        (MemoryError(), "out of memory; ask for less at a time"),
    ],
)
def test_what_a_user_can_mend_is_one_line(
    error: Exception, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(raising(error), []) == 2
    said = capsys.readouterr()
    assert said.err == f"redrive: error: {line}\n"
    assert said.out == ""


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "runs/a/log.jsonl"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError('IoError(Os { code: 28, message: "No space left on device" })'),
    ],
)
def test_a_full_disk_says_what_to_do(error: Exception) -> None:
    message = user_message(error)
    assert message is not None
    assert message.startswith("the disk is full")
    assert "give the same command again" in message


def test_a_full_disk_in_words_of_our_own_is_told_in_them() -> None:
    error = OSError("episode 7 could not be saved; the 7 before it are safe: append to them")
    error.errno = errno.ENOSPC
    assert user_message(error) == str(error)


def test_a_full_disk_names_the_file() -> None:
    message = user_message(OSError(errno.ENOSPC, "No space left on device", "runs/a/log.jsonl"))
    assert message is not None
    assert "(while writing runs/a/log.jsonl)" in message


@pytest.mark.parametrize(
    "error", [TypeError("no"), KeyError("x"), KeyError(3), ZeroDivisionError()]
)
def test_a_mistake_of_ours_is_shown_whole(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(raising(error), []) == 1
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.splitlines()[-1].startswith("redrive: error: this is a mistake in redrive")


def test_a_traceback_can_be_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDRIVE_TRACEBACK", "1")
    assert run_command(raising(ValueError("bad")), []) == 2
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.endswith("redrive: error: bad\n")


def test_ctrl_c_is_a_clean_stop(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(raising(KeyboardInterrupt()), []) == 130
    assert capsys.readouterr().err == "stopped; what was finished is saved\n"


def test_a_status_is_handed_on() -> None:
    assert run_command(lambda argv: len(argv), ["a", "b", "c"]) == 3
    assert run_command(raising(SystemExit()), []) == 0
    assert run_command(raising(SystemExit(2)), []) == 2


def test_a_closed_pipe_is_quiet() -> None:
    program = (
        "import sys; from redrive.command import run_command\n"
        "def main(argv):\n"
        "    print('x' * 100_000)\n"
        "    return 0\n"
        "sys.exit(run_command(main, []))"
    )
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert done.returncode == 141
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("word", "near"),
    [("lsmt", "'lstm'"), ("LSTM", "'lstm'"), ("att", "'attention'"), ("perceptrn", "'perceptron'")],
)
def test_a_wrong_word_is_answered_with_the_near_one(word: str, near: str) -> None:
    assert (
        did_you_mean(word, ["attention", "lstm", "mlp", "perceptron"]) == f"did you mean {near}? "
    )


def test_a_far_word_gets_no_guess_but_all_the_words() -> None:
    sentence = unknown("policy", "transformer", ["rnn", "mlp"])
    assert sentence == "unknown policy 'transformer'; there are mlp, rnn"


@dataclass(frozen=True)
class Options:
    """Learn."""

    policy: Literal["perceptron", "mlp", "lstm"] = "lstm"
    """which memory"""
    seed: int = 0


def test_options_are_read() -> None:
    assert parse(Options, ["--policy", "mlp"], "train") == Options(policy="mlp")


def test_a_wrong_choice_is_told_the_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(Options, ["--policy", "lsmt"], "train")
    said = capsys.readouterr().err
    assert said == (
        "redrive: error: --policy: unknown choice 'lsmt'; did you mean 'lstm'? "
        "there are lstm, mlp, perceptron; redrive train --help explains\n"
    )


@pytest.mark.parametrize("typed", [["--polcy", "mlp"], ["--polcy=mlp"]])
def test_a_wrong_option_is_told_the_near_one(
    typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(Options, typed, "train")
    said = capsys.readouterr().err
    assert said == (
        "redrive: error: no option --polcy; did you mean '--policy'; redrive train --help explains\n"
    )


def test_a_wrong_value_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(Options, ["--seed", "seven"], "train")
    said = capsys.readouterr().err
    assert "--seed" in said and "'seven'" in said
    assert len(said.splitlines()) == 1


@dataclass(frozen=True)
class Folder:
    """Keep."""

    out: str
    """Where it goes."""


def test_what_is_missing_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(Folder, [], "record")
    said = capsys.readouterr().err
    assert said.startswith("redrive: error: Missing from redrive record: --out STR Where it goes")
    assert said.endswith("redrive record --help explains\n") and len(said.splitlines()) == 1


def test_help_shows_the_choices(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(Options, ["--help"], "train")
    assert "perceptron" in capsys.readouterr().out
