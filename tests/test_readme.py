"""What the README promises: its Python runs, its commands exist, its links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from redrive import cli

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def commands(text: str) -> list[str]:
    """The lines that are commands of ours, without their comments."""
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if re.match(r"redrive [a-z]", line)]


def test_the_python_on_the_first_screen_rolls_out_an_episode(tmp_path: Path) -> None:
    (program,) = blocks("python")
    assert len([line for line in program.splitlines() if line]) <= 12
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"\(64, 96, 3\) \[.*\] reward [0-9.]+\n", done.stdout)


@pytest.mark.parametrize("line", [line for block in blocks("bash") for line in commands(block)])
def test_its_commands_can_be_typed(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    check_options(line, capsys)


@pytest.mark.parametrize("line", commands(cli.help_text().split("for example")[1]))
def test_the_examples_in_the_help_can_be_typed(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    check_options(line, capsys)


def check_options(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The command is there, and its help names every option in the line."""
    name, *rest = line.split()[1:]
    kind = rest[:1] if name == "import" else []  # its help is that of the kind of drive
    assert cli.main([name, *kind, "--help"]) == 0
    shown = capsys.readouterr().out
    for option in re.findall(r"--[a-z-]+", line):
        assert option in shown, f"redrive {name} has no {option}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"<!--.*?-->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
