"""Pages lead somewhere: links between them are alive, and the index knows every page."""

import re
import subprocess
from pathlib import Path

import pytest

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:")  # https:, mailto:


def pages(checkout: Path) -> list[Path]:
    """Every Markdown file that belongs to the project."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=checkout, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode != 0:
        pytest.skip("not a git checkout: which files belong to it is not known")
    return [path for name in listed.stdout.splitlines() if (path := checkout / name).is_file()]


def prose(page: Path) -> str:
    """A page without its code, where brackets mean something else."""
    text = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    return re.sub(r"`[^`\n]*`", "", text)


def links(page: Path) -> list[str]:
    return [target for target in LINK.findall(prose(page)) if not ELSEWHERE.match(target)]


def anchors(page: Path) -> set[str]:
    """What a page's headings can be linked by, as GitHub makes it."""
    text = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    heads = [match.replace("`", "") for match in re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)]
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_no_link_is_dead(checkout: Path) -> None:
    dead = []
    for page in pages(checkout):
        for target in links(page):
            name, _, anchor = target.partition("#")
            place = page if not name else page.parent / name
            if not place.exists():
                dead.append(f"{page.relative_to(checkout)}: there is no {target}")
            elif anchor and place.suffix == ".md" and anchor not in anchors(place):
                dead.append(
                    f"{page.relative_to(checkout)}: {name or 'it'} has no heading #{anchor}"
                )
    assert not dead, "\n".join(dead)


def test_links_stay_inside_the_checkout(checkout: Path) -> None:
    for page in pages(checkout):
        for target in links(page):
            place = (page.parent / target.partition("#")[0]).resolve()
            assert place.is_relative_to(checkout.resolve()), f"{page}: {target}"


def test_the_index_leads_to_every_page_of_the_docs(checkout: Path) -> None:
    docs = checkout / "docs"
    index = docs / "README.md"
    linked = {(docs / target.partition("#")[0]).resolve() for target in links(index)}
    missing = [p for p in pages(checkout) if p.parent == docs and p.resolve() not in linked]
    missing = [page for page in missing if page != index]
    assert not missing, f"add to docs/README.md: {', '.join(page.name for page in missing)}"
    for folder in ("studies", "decisions"):
        assert (docs / folder).resolve() in linked
