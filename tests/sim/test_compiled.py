"""Machine code is kept between runs, and forgotten when what it was made of changes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

INNER = """
from redrive.sim.compiled import {how}

FACTOR = {factor}

@{how}
def inner(x):
    return x + {added}
"""
OUTER = """
import inner as module
from inner import FACTOR, inner
from redrive.sim.compiled import compiled, on_disk

@compiled
def outer(x):
    return {call}(x) * FACTOR

found = on_disk(outer)
hits = (outer(2.0), sum(outer.stats.cache_hits.values()))
assert found == bool(hits[1]) and on_disk(outer)
print(*hits)
"""


def run(folder: Path) -> tuple[float, int]:
    """What the program gives, and how much of it was compiled before."""
    done = subprocess.run(
        [sys.executable, "outer.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache")},
    )
    value, hits = done.stdout.split()
    return float(value), int(hits)


@pytest.mark.parametrize(
    ("how", "call"), [("compiled", "inner"), ("inlined", "module.inner"), ("uncounted", "inner")]
)
def test_a_change_in_what_a_kernel_calls_or_counts_with_is_not_overlooked(
    tmp_path: Path, how: str, call: str
) -> None:
    (tmp_path / "outer.py").write_text(OUTER.format(call=call))
    for factor, added, expected in ((10, 1.0, 30.0), (10, 3.0, 50.0), (7, 3.0, 35.0)):
        (tmp_path / "inner.py").write_text(INNER.format(how=how, factor=factor, added=added))
        assert run(tmp_path) == (expected, 0)
    assert run(tmp_path) == (35.0, 1)
