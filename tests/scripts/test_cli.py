import subprocess
import sys
from pathlib import Path

import pytest

from redrive import cli

HEAVY = ("torch", "matplotlib", "pygame", "numba", "cv2", "tyro", "rich")


def test_help_names_every_command_and_the_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, entry in cli.COMMANDS.items():
        assert f"  {name:<10}{entry.purpose}" in shown
    assert shown.rstrip().endswith("Next, type: redrive demo")
    assert max(map(len, shown.splitlines())) <= 80


def test_nothing_typed_is_answered_with_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    assert "start here" in capsys.readouterr().out


def test_the_public_commands_are_there() -> None:
    public = "demo import record train evaluate compare watch report study bench list validate info"
    assert set(cli.COMMANDS) == set(public.split())


@pytest.mark.parametrize(
    ("typed", "meant"), [("trian", "train"), ("eval", "evaluate"), ("Watch", "watch")]
)
def test_a_wrong_command_is_answered_with_the_near_one(
    typed: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([typed]) == 2
    said = capsys.readouterr().err
    assert said == (
        f"redrive: error: no command {typed!r}; did you mean {meant!r}? redrive --help lists them\n"
    )


def test_the_version_is_the_one_of_the_package(
    capsys: pytest.CaptureFixture[str], checkout: Path
) -> None:
    assert cli.main(["--version"]) == 0
    version = capsys.readouterr().out.split()[1]
    assert f'version = "{version}"' in (checkout / "pyproject.toml").read_text(encoding="utf-8")
    assert f"## [{version}]" in (checkout / "CHANGELOG.md").read_text(encoding="utf-8")


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from redrive.cli import main; main(['--help'])\n"
        f"sys.exit(' '.join(set({HEAVY}) & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"imported by --help: {done.stderr}"


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: redrive {name}")


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_refuses_an_option_it_has_not(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([name, "--no-such-option", "1"]) == 2
    said = capsys.readouterr().err
    assert said.splitlines()[-1].startswith("redrive: error: no option --no-such-option")
    assert f"redrive {name} --help" in said
