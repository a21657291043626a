"""The package is what pyproject.toml says, imports point one way, and the wheel works alone."""

import ast
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from redrive.sim.pictures import draw_cars
from redrive.sim.sensors.odometry import _measure

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
TOPS = {folder: package for package, folder in SETUPTOOLS["package-dir"].items()}

# Who may import whom: scripts -> agents -> sim, and scripts, agents -> models.
ALLOWED = {
    "sim": {"sim"},
    "models": {"models"},
    "agents": {"agents", "sim", "models"},
    "scripts": {"scripts", "agents", "sim", "models"},
}
WINDOWS = ("scripts/watch", "agents/human")  # the only ones that need a display
# Imported inside functions in scripts/: they take seconds, and most commands need none of them.
SLOW = {"torch", "matplotlib", "pygame"}


def files_of(top: str) -> list[Path]:
    return [
        path
        for path in sorted((ROOT / top).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]


def sources() -> list[Path]:
    return [path for top in TOPS for path in files_of(top) if path.suffix == ".py"]


def module_of(path: Path) -> str:
    """The import name of a source file: sim/sensors/camera.py is redrive.sim.sensors.camera."""
    top, *rest = path.relative_to(ROOT).with_suffix("").parts
    return ".".join([TOPS[top], *(part for part in rest if part != "__init__")])


def imports_of(path: Path, nodes: Iterator[ast.AST]) -> set[str]:
    """The modules that these statements import, relative ones by their full name."""
    module = module_of(path)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) + 1 - node.level]
                base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return found


def folder_of(module: str) -> str | None:
    """The folder of ours that an imported module is in, if it is ours."""
    parts = module.split(".")
    if parts[0] != "redrive":
        return None
    return parts[1] if len(parts) > 1 and parts[1] in {"sim", "agents", "models"} else "scripts"


def asked_for() -> set[str]:
    """The names of all distributions in pyproject.toml."""
    project = PROJECT["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    return {requirement.split(">")[0] for each in lists for requirement in each}


def test_every_folder_is_in_the_list_of_packages() -> None:
    found = {
        ".".join([TOPS[top], *path.parent.relative_to(ROOT / top).parts])
        for top in TOPS
        for path in files_of(top)
    }
    assert found == set(SETUPTOOLS["packages"])


def test_no_module_hides_a_subpackage() -> None:
    modules = {path.stem for path in (ROOT / "scripts").iterdir()}
    assert modules.isdisjoint({"sim", "agents", "models"})


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_one_way(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = imports_of(path, ast.walk(tree))
    top = path.relative_to(ROOT).parts[0]
    anybody = {"redrive", "redrive.__version__"}  # the version is written into files
    folders = {folder_of(name) for name in imported - anybody} - {None}
    assert folders <= ALLOWED[top], f"{top}/ may not import from {folders - ALLOWED[top]}"

    roots = {name.split(".")[0] for name in imported}
    twins = roots & set(TOPS)
    assert not twins, f"{twins}: a second copy of every class; say redrive.sim, or .sim"
    name = path.relative_to(ROOT).as_posix()
    if not name.startswith(WINDOWS):
        assert "pygame" not in roots, "windows are for scripts/watch*.py and agents/human.py"
    if top == "sim":
        assert "torch" not in roots, "sim/ knows no network"
    if top == "scripts" and not name.startswith("scripts/watch_"):  # watch.py imports them late
        eager = {name.split(".")[0] for name in imports_of(path, iter(tree.body))}
        assert not eager & SLOW, f"import {eager & SLOW} inside the functions that need it"


def test_constraints_pin_all_that_is_asked_for() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pinned = {line.split("==")[0].lower() for line in text.splitlines() if "==" in line}
    assert {name.lower() for name in asked_for()} <= pinned
    assert "torch==2.13.0" in text.splitlines()


def test_every_dependency_says_why() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    unexplained = {name for name in asked_for() if f"`{name}`" not in page}
    assert not unexplained


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: the checkout's build/ may hold modules that are gone."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for top in TOPS:
        shutil.copytree(ROOT / top, copy / top, ignore=shutil.ignore_patterns("__pycache__"))
    build = "from setuptools import build_meta; build_meta.build_wheel('dist')"
    run([sys.executable, "-c", build], copy)
    (made,) = (copy / "dist").glob("*.whl")
    return made


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.split("/")[0] for name in names} == {
        "redrive",
        f"redrive-{PROJECT['project']['version']}.dist-info",
    }
    wanted = {
        "/".join([*TOPS[top].split("."), path.relative_to(ROOT / top).as_posix()])
        for top in TOPS
        for path in files_of(top)
    }
    assert {name for name in names if ".dist-info/" not in name} == wanted
    assert "redrive/py.typed" in names


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts folder of an environment with the wheel and the libraries we have, not the checkout."""
    place = tmp_path_factory.mktemp("installed")
    run([sys.executable, "-m", "venv", "--without-pip", str(place / "venv")], place)
    windows = os.name == "nt"
    scripts = place / "venv" / ("Scripts" if windows else "bin")
    python = scripts / ("python.exe" if windows else "python")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install"]
    run([*pip, "--no-deps", "--no-index", "--no-compile", str(wheel)], place)
    # Libraries come from here. A path added in a .pth file brings no import hooks along, so the
    # editable install of the checkout stays out.
    (site,) = (place / "venv").rglob("site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return scripts


def run(command: Sequence[str | Path], folder: Path) -> str:
    """What a command prints; run in another folder, and without the help of PYTHONPATH."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_an_installed_wheel_is_not_the_checkout(installed: Path, tmp_path: Path) -> None:
    place = "import redrive.sim; print(redrive.__file__, redrive.sim.__file__)"
    shown = run([installed / "python", "-c", place], tmp_path)
    assert str(ROOT) not in shown
    assert shown.count("site-packages") == 2


def test_an_installed_wheel_explains_itself(installed: Path, tmp_path: Path) -> None:
    by_name = run([installed / "redrive", "--help"], tmp_path)
    by_module = run([installed / "python", "-m", "redrive", "--help"], tmp_path)
    assert by_name == by_module
    assert "redrive demo" in by_name


def test_an_installed_wheel_lists_what_there_is(installed: Path, tmp_path: Path) -> None:
    shown = run([installed / "redrive", "list"], tmp_path)
    for word in ("procedural", "camera", "lstm", "attention", "racetracks"):
        assert word in shown


def test_an_installed_wheel_drives(installed: Path, tmp_path: Path) -> None:
    # What this environment has compiled is known to the wheel, which would take a minute for it.
    # Machine code is kept beside a digest of the files that it was made of (sim/compiled.py):
    # where the wheel's are others, it compiles all the same.
    program = (
        "import shutil, sys\n"
        "from pathlib import Path\n"
        "import gymnasium, redrive\n"
        "from redrive.sim import pictures\n"
        "from redrive.sim.sensors import odometry\n"
        "kernels = pictures.draw_cars, odometry._measure\n"
        "for kernel, known in zip(kernels, sys.argv[1:], strict=True):\n"
        "    theirs = Path(kernel.stats.cache_path)\n"
        "    theirs.mkdir(parents=True, exist_ok=True)\n"
        "    for path in Path(known).glob('*.nb[ci]'):\n"
        "        shutil.copy(path, theirs)\n"
        "gymnasium.spec('redrive/Road-v0')\n"
        "env = gymnasium.make('redrive/Road-v0', world='procedural:7')\n"
        "obs, info = env.reset(seed=0)\n"
        "obs, *_ = env.step(info['expert_action'])\n"
        "print(obs['camera'].shape, env.action_space.shape)"
    )
    kernels: list[Any] = [draw_cars, _measure]
    known = [kernel.stats.cache_path for kernel in kernels]
    shown = run([installed / "python", "-c", program, *known], tmp_path)
    assert shown.strip() == "(64, 96, 3) (2,)"


def test_gymnasium_makes_the_id_without_an_import(tmp_path: Path) -> None:
    program = "import gymnasium; gymnasium.make('redrive:redrive/Road-v0'); print('made')"
    assert run([sys.executable, "-c", program], tmp_path).strip() == "made"
