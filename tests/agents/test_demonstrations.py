"""Demonstrations: the picture, the label and the state are of one moment, whatever the regime."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from redrive.agents import demonstrations
from redrive.agents.demonstrations import (
    REGIMES,
    demonstration_task,
    demonstrator,
    drive_episodes,
    record,
    recording_header,
)
from redrive.agents.disturbed import NoisyDriver
from redrive.agents.expert import Expert
from redrive.agents.rollout import rollout
from redrive.models.previous import PREVIOUS_COMMAND, WithPreviousCommand
from redrive.sim.appearance import Appearance
from redrive.sim.guidance import guide
from redrive.sim.recording import Recording, RecordingWriter, validate
from redrive.sim.sensors.odometry import Odometry
from redrive.sim.vehicle import Command, Vehicle
from redrive.sim.world import RoadWorld

STEPS = 25
SIDECAR = {"driver": "expert", "regime": "noise-injection"}


class Straight:
    """A learner that has learned nothing: it holds the wheel straight."""

    def begin(self, batch_size: int) -> tuple[()]:
        return ()

    def act(self, view: object, memory: tuple[()]) -> tuple[Command, tuple[()]]:
        batch = len(view["state_id"])  # type: ignore[index]
        return Command(np.zeros(batch), np.zeros(batch)), memory


def make_world(regime: str = "noise-injection", steps: int = STEPS, threads: int = 1) -> RoadWorld:
    return RoadWorld(
        "procedural:0-30",
        task=demonstration_task(regime, steps, 0.1),
        appearance=Appearance(randomise=1.0),
        threads=threads,
    )


def test_a_picture_its_label_and_its_state_are_of_one_moment() -> None:
    world, driver = make_world(), NoisyDriver(Expert(), 0.1)
    for columns, _ in drive_episodes(world, driver, np.arange(6)):
        np.testing.assert_array_equal(columns["state_id"], np.arange(len(columns["time"])))
        np.testing.assert_array_equal(columns["camera_state_id"], columns["state_id"])
        np.testing.assert_array_equal(columns["label_state_id"], columns["state_id"])


@dataclass(frozen=True, eq=False)
class Recorded:
    """Columns as an episode."""

    columns: dict[str, np.ndarray]

    @property
    def steps(self) -> int:
        return len(self.columns["time"])

    def read(self, column: str, start: int, stop: int) -> np.ndarray:
        return self.columns[column][start:stop]


@pytest.mark.parametrize("late", [{}, {"delay_steps": 3, "steer_lag": 0.4, "accel_lag": 0.3}])
def test_a_recording_knows_the_previous_command_as_the_driver_saw_it(
    late: dict[str, float],
) -> None:
    """Pushed so hard that commands beyond the limits occur."""
    vehicle = Vehicle(max_curvature=0.01, **late)  # type: ignore[arg-type]
    world = replace(make_world(), sensors={"odometry": Odometry()}, vehicle=vehicle)
    driver = NoisyDriver(Expert(), 0.1, lateral=8.0, clean_share=0.0)
    frames = list(rollout(world, driver, world.reset(np.arange(4))))
    limited = False
    for car, (columns, _) in enumerate(drive_episodes(world, driver, np.arange(4))):
        limited |= bool((np.abs(columns["command"][:, 0]) == np.float32(0.01)).any())
        seen = [frame.view[PREVIOUS_COMMAND][car] for frame in frames[: len(columns["time"])]]
        known = WithPreviousCommand(Recorded(columns)).read(PREVIOUS_COMMAND, 0, len(seen))
        assert np.stack(seen).tobytes() == known.tobytes()
    assert limited


def test_the_stored_pose_drawn_again_is_the_stored_picture() -> None:
    world, other = make_world(), make_world()
    for columns, entries in drive_episodes(world, NoisyDriver(Expert(), 0.1), np.arange(3)):
        steps = len(columns["time"])
        start = other.reset(np.full(steps, entries["seed"]))
        at = {name: columns[name] for name in ("x", "y", "yaw", "speed")}
        posed = start._replace(steps=columns["state_id"], **at)
        assert other.observe(posed)["camera"].tobytes() == columns["camera"].tobytes()
        one_late = np.roll(columns["camera"], 1, axis=0)
        assert (one_late != columns["camera"]).any(axis=(1, 2, 3)).all()


def test_labels_are_what_the_expert_does_in_that_very_state() -> None:
    world, driver = make_world(), NoisyDriver(Expert(), 0.1)
    frames = list(rollout(world, driver, world.reset(np.arange(5))))
    limits = Vehicle()
    for car, (columns, _) in enumerate(drive_episodes(world, driver, np.arange(5))):
        for t in range(len(columns["time"])):
            state = frames[t].state
            assert columns["x"][t] == state.x[car] and columns["speed"][t] == state.speed[car]
            label = guide(world.lane_view(state))
            curvature = np.clip(label.curvature[car], -limits.max_curvature, limits.max_curvature)
            assert columns["expert_command"][t, 0] == np.float32(curvature)
            assert columns["expert_command"][t, 1] == np.float32(label.accel[car])


def test_what_was_done_leads_from_each_row_to_the_next() -> None:
    world = make_world()
    for columns, entries in drive_episodes(world, NoisyDriver(Expert(), 0.1), np.arange(4)):
        state = world.reset(np.array([entries["seed"]]))
        for t in range(len(columns["time"])):
            assert columns["x"][t] == pytest.approx(state.x[0], abs=1e-4)
            assert columns["yaw"][t] == pytest.approx(state.yaw[0], abs=1e-4)
            assert columns["lateral_offset"][t] == pytest.approx(state.lateral_offset[0], abs=1e-3)
            assert columns["time"][t] == pytest.approx(0.1 * t)
            np.testing.assert_allclose(
                columns["odometry"][t],
                [state.speed[0], state.speed[0] * state.curvature[0]],
                atol=1e-3,
            )
            done = columns["command"][t].astype(float)
            state = world.step(state, Command(done[None, 0], done[None, 1]))
        assert entries["distance_m"] == pytest.approx(float(state.distance[0]), abs=1e-2)
        assert state.ended[0] != 0


def test_commands_and_labels_are_within_what_the_car_can_do() -> None:
    world, limits = make_world(steps=100), Vehicle()
    for columns, _ in drive_episodes(world, NoisyDriver(Expert(), 0.1, lateral=9.0), np.arange(8)):
        for name in ("command", "expert_command"):
            assert np.abs(columns[name][:, 0]).max() <= np.float32(limits.max_curvature)
            assert columns[name][:, 1].max() <= limits.max_accel
            assert columns[name][:, 1].min() >= -limits.max_brake


@pytest.mark.parametrize("regime", ["log", "noise-injection", "dagger"])
def test_regimes_differ_in_who_drives_and_agree_on_the_label(regime: str) -> None:
    assert regime in REGIMES
    world = make_world(regime)
    driver = demonstrator(regime, Straight() if regime == "dagger" else Expert(), 0.1, 0.5)
    same, off_centre = [], []
    for columns, _ in drive_episodes(world, driver, np.arange(24)):
        same.append(bool((columns["command"] == columns["expert_command"]).all()))
        off_centre.append(float(np.abs(columns["lateral_offset"]).max()))
    if regime == "log":
        assert all(same) and max(off_centre) < 0.2
    else:
        assert 1 <= sum(same) < 20  # clean episodes; episodes that the expert drives
        assert np.median(off_centre) > 0.2


def record_some(folder: Path, seeds: np.ndarray, threads: int = 1) -> dict[str, bytes]:
    """What is in the folder after recording: a name and content for each file."""
    world = make_world(threads=threads)
    with RecordingWriter(folder, recording_header(world)) as writer:
        record(world, NoisyDriver(Expert(), 0.1), writer, seeds, SIDECAR)
    return contents(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(("batch", "threads"), [(1, 1), (3, 1), (16, 2)])
def test_a_recording_is_the_same_to_the_byte_however_it_was_batched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int, threads: int
) -> None:
    usual = record_some(tmp_path / "usual", np.arange(7))
    monkeypatch.setattr(demonstrations, "BATCH", batch)
    assert record_some(tmp_path / "other", np.arange(7), threads) == usual
    assert not validate(tmp_path / "other")


def test_two_recordings_of_one_seed_are_the_same_to_the_byte(tmp_path: Path) -> None:
    one, other = (record_some(tmp_path / name, np.arange(3)) for name in "ab")
    assert one == other
    third = record_some(tmp_path / "c", np.arange(3, 6))
    assert all(third[name] != one[name] for name in one if name.startswith("episodes"))


def test_each_episode_is_saved_when_it_is_over_and_told(tmp_path: Path) -> None:
    world = make_world()
    told: list[int] = []
    with RecordingWriter(tmp_path / "r", recording_header(world)) as writer:
        record(world, Expert(), writer, np.arange(4), SIDECAR, on_episode=told.append)
    recording = Recording.open(tmp_path / "r")
    assert [episode.steps for episode in recording.episodes] == told
    for seed, episode in enumerate(recording.episodes):
        assert episode.sidecar["seed"] == seed
        assert episode.sidecar["world"].startswith("procedural:")
        assert episode.sidecar["result"] in ("time_up", "off_lane", "end_of_road", "wrong_way")
        assert episode.read("camera").shape == (episode.steps, 64, 96, 3)
    assert recording.header.dt == 0.1 and recording.header.camera is not None


def test_an_episode_that_ends_early_has_no_rows_after_its_end() -> None:
    world = make_world("dagger", steps=60)
    lengths = []
    for columns, entries in drive_episodes(world, Straight(), np.arange(16)):
        lengths.append(len(columns["time"]))
        assert {len(column) for column in columns.values()} == {lengths[-1]}
        assert (entries["result"] == "time_up") == (lengths[-1] == 60)
    assert min(lengths) < 60


def test_a_world_without_a_camera_can_be_recorded(tmp_path: Path) -> None:
    world = RoadWorld(
        "procedural:3", sensors={"odometry": Odometry()}, task=demonstration_task("log", 10, 0.1)
    )
    with RecordingWriter(tmp_path / "r", recording_header(world)) as writer:
        record(world, Expert(), writer, np.arange(2), {**SIDECAR, "regime": "log"})
    assert "camera" not in Recording.open(tmp_path / "r").header.features
    assert not validate(tmp_path / "r")
