"""What is compiled ahead is what commands need, and is known to be there."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from redrive import kernels
from redrive.sim.gym_step import step_cars
from redrive.sim.motion import advance
from redrive.sim.pictures import draw_cars
from redrive.sim.starts import place_at_start
from redrive.sim.vehicle import Command
from redrive.sim.world import RoadWorld

LONGEST: tuple[Any, ...] = (advance, draw_cars, place_at_start, step_cars)


def quiet(count: int, note: str) -> None:
    """Nobody looks."""


def test_drivers_and_environments_find_everything_compiled() -> None:
    import gymnasium

    kernels._draw(quiet)
    kernels._drive(quiet)
    before = [list(kernel.signatures) for kernel in LONGEST]

    world = RoadWorld("procedural:0-5")
    state = world.reset(np.arange(3))
    said = np.zeros((3, 2), np.float32)  # as a network says it: a row for each car
    for _ in range(2):
        state = world.step_or_restart(state, Command(said[:, 0], said[:, 1]))
        state = world.step_or_restart(state, Command(*said.astype(float).T))
        world.observe(state)
    for made in (gymnasium.make("redrive/Road-v0"), gymnasium.make_vec("redrive/Road-v0", 2)):
        made.reset(seed=0)
        made.step(made.action_space.sample())
        made.close()
    assert [list(kernel.signatures) for kernel in LONGEST] == before
    assert kernels.is_ready()


def test_an_empty_cache_is_not_taken_for_a_full_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from redrive import kernels; print(kernels.is_ready())"],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"


def test_what_is_ready_is_not_spoken_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kernels, "is_ready", lambda: True)
    assert kernels.main([]) == 0
    assert capsys.readouterr() == ("", "")
