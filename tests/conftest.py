"""What all tests share: one thread, no display, and where the real recordings are."""

import os

# Set before torch, pygame and matplotlib are first imported, and inherited by subprocesses.
os.environ.setdefault("OMP_NUM_THREADS", "1")  # torch: one thread, and the same sums every time
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# The same examples every time, and no clock: the first call of a kernel compiles it.
settings.register_profile("redrive", deadline=None, derandomize=True)
settings.load_profile("redrive")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of two processes, let the first compile the simulator while the second begins with models.

    pytest-xdist gives each a half of the list, and the later takes what the earlier has not come
    to. In the order of names both begin with what needs every kernel: a minute of the same work.
    """
    if hasattr(config, "workerinput") and config.workerinput["workercount"] > 1:
        items[:] = spread(items, config.workerinput["workercount"])


def spread(items: list[pytest.Item], processes: int) -> list[pytest.Item]:
    """The tests of models where the second process begins, all others in their order."""
    models = [item for item in items if "models" in item.path.parts]
    others = [item for item in items if "models" not in item.path.parts]
    first = len(items) // processes
    return others[:first] + models + others[first:]


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The top of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real recordings and maps, which are too large for the repository."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the checkout: the real recordings are not here")
    return folder
