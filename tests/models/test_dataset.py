"""Windows: the right steps of the right drives, each counting what it should, the same every time."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from redrive.models.dataset import Batch, Windows, WindowSettings, mirror
from redrive.models.previous import WithPreviousCommand

SENSORS = ("camera", "odometry")


@dataclass(eq=False)
class Numbered:
    """A drive whose every value says which drive and step it belongs to; it counts how it is read."""

    number: int
    steps: int
    curvature: float = 0.0
    read_rows: list[int] = field(default_factory=list)

    def read(self, column: str, start: int, stop: int) -> np.ndarray:
        self.read_rows.append(stop - start)
        t = np.arange(start, stop)
        if column == "camera":
            picture = np.zeros((stop - start, 2, 3, 3), np.uint8)
            picture[:, 0, 0, 0] = self.number + 1
            picture[:, 0, 0, 1] = t % 256
            return picture
        if column == "odometry":
            return np.stack([0.0 * t + self.number, 1.0 + t], 1).astype(np.float32)
        assert column == "expert_command"
        return np.stack([0.0 * t + self.curvature, 100.0 * self.number + t], 1).astype(np.float32)


def numbered(*steps: int) -> list[Numbered]:
    return [Numbered(number, count) for number, count in enumerate(steps)]


def same(one: Batch, other: Batch) -> bool:
    return (
        all(torch.equal(one.obs[name], other.obs[name]) for name in one.obs)
        and torch.equal(one.command, other.command)
        and torch.equal(one.is_first, other.is_first)
        and torch.equal(one.weight, other.weight)
    )


lengths = st.lists(st.integers(1, 30), min_size=1, max_size=6)


@st.composite
def window_settings(draw: st.DrawFn) -> WindowSettings:
    steps = draw(st.integers(1, 12))
    return WindowSettings(
        batch=draw(st.integers(1, 5)),
        steps=steps,
        burn_in=draw(st.integers(0, steps - 1)),
        from_start=draw(st.sampled_from([0.0, 0.25, 1.0])),
        balance=1.0,
    )


def assert_right_steps(batch: Batch, drives: list[Numbered]) -> list[tuple[int, int, int]]:
    """Every row is a run of consecutive steps of one drive, padded; (drive, start, length) of each."""
    rows = []
    for b in range(len(batch.command)):
        camera, odometry = batch.obs["camera"][b], batch.obs["odometry"][b]
        length = int((camera[:, 0, 0, 0] > 0).sum())
        number, start = int(odometry[0, 0]), int(odometry[0, 1]) - 1
        drive = drives[number]
        assert torch.equal(
            camera[:length], torch.from_numpy(drive.read("camera", start, start + length))
        )
        for values, column in ((odometry, "odometry"), (batch.command[b], "expert_command")):
            wanted = torch.from_numpy(drive.read(column, start, start + length))
            assert torch.equal(values[:length], wanted)
            assert not values[length:].any()
        assert not camera[length:].any()
        assert not batch.weight[b, length:].any()
        assert batch.is_first[b].tolist() == [True] + [False] * (camera.shape[0] - 1)
        rows.append((number, start, length))
    return rows


@given(steps=lengths, settings=window_settings(), step=st.integers(0, 1000))
def test_a_window_is_consecutive_steps_of_one_drive(
    steps: list[int], settings: WindowSettings, step: int
) -> None:
    drives = numbered(*steps)
    batch = Windows(drives, SENSORS, settings).batch(step)
    for b, (number, start, length) in enumerate(assert_right_steps(batch, drives)):
        assert length == min(settings.steps, steps[number])  # padded only if the drive is short
        burn_in = settings.burn_in if start > 0 else 0
        assert batch.weight[b, :length].tolist() == [0.0] * burn_in + [1.0] * (length - burn_in)


@given(steps=lengths, settings=window_settings())
def test_measuring_counts_every_step_exactly_once(
    steps: list[int], settings: WindowSettings
) -> None:
    drives = numbered(*steps)
    counted = []
    for batch in Windows(drives, SENSORS, settings).once():
        assert_right_steps(batch, drives)
        assert set(batch.weight.unique().tolist()) <= {0.0, 1.0}
        counted += [(int(n), int(t) - 1) for n, t in batch.obs["odometry"][batch.weight > 0.0]]
    assert sorted(counted) == [(n, t) for n, count in enumerate(steps) for t in range(count)]


def test_burn_in_before_measured_steps_is_as_long_as_asked_for() -> None:
    (batch,) = Windows(
        numbered(20), SENSORS, WindowSettings(batch=4, steps=10, burn_in=4, balance=1.0)
    ).once()
    starts = batch.obs["odometry"][:, 0, 1] - 1
    assert starts.tolist() == [0, 6, 12]
    assert (batch.weight == 0.0).sum(dim=1).tolist() == [0, 4, 4 + 2]


@given(steps=lengths, seed=st.integers(0, 50))
def test_windows_that_carry_on_walk_through_every_drive_in_one_piece(
    steps: list[int], seed: int
) -> None:
    """Row by row: the next window begins where the last one ended, and says so; all drives have
    been gone through before the first comes again."""
    drives = numbered(*steps)
    settings = WindowSettings(batch=3, steps=7, burn_in=2, carry=True, balance=1.0)
    windows = Windows(drives, SENSORS, settings, seed)
    pieces = sum(-(-count // 7) for count in steps)
    batches = [windows.batch(step) for step in range(2 * pieces)]
    for row in range(3):
        seen: list[list[tuple[int, int]]] = []
        before = None
        for step, batch in enumerate(batches):
            odometry = batch.obs["odometry"][row]
            length = int((odometry[:, 1] > 0).sum())
            number, start = int(odometry[0, 0]), int(odometry[0, 1]) - 1
            begins = bool(batch.is_first[row, 0])
            assert begins == (start == 0 or step == 0)
            assert not batch.is_first[row, 1:].any()
            if not begins:
                assert before == (number, start)
            assert length == min(7, steps[number] - start)
            burn_in = min(2, length) if begins and start else 0
            assert batch.weight[row, :length].tolist() == [0.0] * burn_in + [1.0] * (
                length - burn_in
            )
            before = (number, start + length)
            seen.append([(number, start + t) for t in range(length)])
        whole = [(n, t) for n, count in enumerate(steps) for t in range(count)]
        assert any(  # it begins somewhere in the first turn; the second is whole
            sorted(itertools.chain(*seen[first : first + pieces])) == whole
            for first in range(pieces + 1)
        )


def test_rows_that_carry_on_do_not_march_in_step() -> None:
    windows = Windows(
        numbered(*[40] * 6), SENSORS, WindowSettings(batch=6, steps=8, burn_in=0, carry=True)
    )
    starts = windows.batch(9).obs["odometry"][:, 0]
    assert len({start for _, start in starts.tolist()}) > 2


def test_each_batch_can_have_a_length_of_its_own() -> None:
    drives = numbered(*[60] * 5)
    settings = WindowSettings(batch=3, steps=20, shortest=5, burn_in=4)
    windows = Windows(drives, SENSORS, settings)
    lengths = []
    for step in range(60):
        batch = windows.batch(step)
        assert_right_steps(batch, drives)
        lengths.append(batch.command.shape[1])
        assert same(batch, Windows(drives, SENSORS, settings).batch(step))
    assert (min(lengths), max(lengths)) == (5, 20)
    assert all(batch.command.shape[1] == 20 for batch in windows.once())


def test_a_batch_follows_from_seed_and_step_alone() -> None:
    settings = WindowSettings(batch=8, steps=4, burn_in=1, brightness=0.3, contrast=0.3, mirror=0.5)

    def windows(seed: int) -> Windows:
        return Windows(numbered(9, 30, 14), SENSORS, settings, seed)

    one, other = windows(3), windows(3)
    later = one.batch(7)
    one.batch(0)
    assert same(one.batch(7), later)
    assert same(other.batch(7), later)
    assert not same(one.batch(8), later)
    assert not same(windows(4).batch(7), later)


def test_drives_that_do_not_fit_into_memory_are_read_in_slices() -> None:
    kept = WindowSettings(batch=3, steps=5, burn_in=1)
    read = WindowSettings(batch=3, steps=5, burn_in=1, cache_gb=1e-7)
    drives = numbered(40, 60)
    lazy = Windows(drives, SENSORS, read)
    for drive in drives:
        drive.read_rows.clear()
    cached = Windows(numbered(40, 60), SENSORS, kept)
    for step in range(5):
        assert same(lazy.batch(step), cached.batch(step))
    assert max(row for drive in drives for row in drive.read_rows) == 5
    quiet = numbered(40)
    cached = Windows(quiet, SENSORS, kept)
    quiet[0].read_rows.clear()
    cached.batch(0)
    assert quiet[0].read_rows == []


def test_a_share_of_windows_begins_where_drives_begin() -> None:
    for share in (0.0, 0.25, 1.0):
        settings = WindowSettings(batch=500, steps=5, burn_in=1, from_start=share)
        starts = Windows(numbered(2000, 2000), SENSORS, settings).batch(0).obs["odometry"][:, 0, 1]
        assert float((starts == 1.0).float().mean()) == pytest.approx(share, abs=0.06)


def test_long_drives_are_seen_more_often() -> None:
    settings = WindowSettings(batch=1000, steps=5, burn_in=1)
    drive = Windows(numbered(104, 304), SENSORS, settings).batch(0).obs["odometry"][:, 0, 0]
    assert float(drive.mean()) == pytest.approx(0.75, abs=0.05)


def test_rare_curvatures_count_more_but_not_too_much() -> None:
    drives = [
        Numbered(0, 900, 0.001),
        Numbered(1, 300, 0.05),
        Numbered(2, 10, -0.1),
    ]

    def weights(balance: float) -> list[float]:
        settings = WindowSettings(batch=300, steps=1, burn_in=0, balance=balance)
        batch = Windows(drives, SENSORS, settings).batch(0)
        number = batch.obs["odometry"][:, 0, 0]
        return [float(batch.weight[number == n][0, 0]) for n in range(3)]

    common, rare, rarest = weights(5.0)
    assert rare / common == pytest.approx(3.0)
    assert rarest / common == pytest.approx(5.0)
    average = (900 * common + 300 * rare + 10 * rarest) / 1210
    assert average == pytest.approx(1.0)
    assert weights(1.0) == [1.0, 1.0, 1.0]


def test_the_command_scale_is_the_typical_size() -> None:
    drives = [Numbered(0, 1, 0.03), Numbered(0, 1, -0.04)]
    curvature, accel = Windows(drives, SENSORS, WindowSettings()).command_scale
    assert curvature == pytest.approx(np.sqrt((0.03**2 + 0.04**2) / 2))
    assert accel == 0.1  # no acceleration at all: not zero


def test_the_fingerprint_names_what_is_learned_from() -> None:
    def fingerprint(*steps: int, seed: int = 0, batch: int = 2) -> str:
        return Windows(numbered(*steps), SENSORS, WindowSettings(batch=batch), seed).fingerprint

    assert fingerprint(9, 7) == fingerprint(9, 7)
    others = [fingerprint(7, 9), fingerprint(9, 7, seed=1), fingerprint(9, 7, batch=3)]
    assert len({fingerprint(9, 7), *others}) == 4


def test_the_previous_command_is_hidden_in_some_whole_windows(
    drives: Callable[..., list],
) -> None:
    made = drives(3)
    for drive in made:
        drive.columns["command"] = drive.columns["expert_command"]
    episodes = [WithPreviousCommand(drive) for drive in made]
    sensors = (*SENSORS, "previous_command")
    batches = {
        share: Windows(
            episodes, sensors, WindowSettings(batch=200, steps=5, burn_in=0, hide_previous=share)
        ).batch(0)
        for share in (0.0, 0.4)
    }
    shown = batches[0.4].obs["previous_command"]
    hidden = (shown == 0.0).flatten(1).all(dim=1)
    assert 0.3 < hidden.double().mean() < 0.5
    assert torch.equal(shown[~hidden], batches[0.0].obs["previous_command"][~hidden])


def test_a_mirrored_drive_is_the_drive_in_a_mirror(drives: Callable[..., list]) -> None:
    made = drives(3)
    plain = Windows(made, SENSORS, WindowSettings(batch=6, steps=5, burn_in=1)).batch(0)
    all_of_it = torch.ones(6, dtype=torch.bool)
    obs, command = mirror(plain.obs, plain.command, all_of_it)
    assert torch.equal(obs["camera"], plain.obs["camera"].flip(3))
    assert torch.equal(command, plain.command * torch.tensor([-1.0, 1.0]))
    assert torch.equal(obs["odometry"], plain.obs["odometry"] * torch.tensor([1.0, -1.0]))
    back, command = mirror(obs, command, all_of_it)
    assert torch.equal(back["camera"], plain.obs["camera"])
    assert torch.equal(command, plain.command)
    some = Windows(made, SENSORS, WindowSettings(batch=400, steps=1, burn_in=0, mirror=0.25))
    straight = Windows(made, SENSORS, WindowSettings(batch=400, steps=1, burn_in=0))
    turned = some.batch(0).command[..., 0] != straight.batch(0).command[..., 0]
    assert float(turned.float().mean()) == pytest.approx(0.25, abs=0.07)


def test_relighting_changes_a_whole_window_alike_and_stays_in_range(
    drives: Callable[..., list],
) -> None:
    made = drives(3)
    plain = Windows(made, SENSORS, WindowSettings(batch=6, steps=5, burn_in=1)).batch(0)
    settings = WindowSettings(batch=6, steps=5, burn_in=1, brightness=0.2, contrast=0.3)
    lit = Windows(made, SENSORS, settings).batch(0)
    assert torch.equal(lit.command, plain.command)
    assert lit.obs["camera"].dtype == torch.uint8
    levels = []
    for before, after in zip(plain.obs["camera"], lit.obs["camera"], strict=True):
        level: dict[int, int] = {}
        for old, new in zip(before.flatten().tolist(), after.flatten().tolist(), strict=True):
            assert level.setdefault(old, new) == new  # one curve for all pictures of the window
        ordered = [level[old] for old in sorted(level)]
        assert ordered == sorted(ordered)  # brighter stays brighter: nothing wraps round
        levels.append(level[min(level)] - min(level))
    assert len(set(levels)) > 1
    assert max(map(abs, levels)) <= 0.2 * 255 + 0.3 * 128 + 1


def test_measuring_sees_pictures_as_they_were_recorded(drives: Callable[..., list]) -> None:
    made = drives(1, steps=5)
    settings = WindowSettings(batch=1, steps=5, brightness=0.5, contrast=0.5, mirror=1.0, burn_in=0)
    (batch,) = Windows(made, SENSORS, settings).once()
    assert torch.equal(batch.obs["camera"][0], torch.from_numpy(made[0].columns["camera"]))
    assert batch.weight.tolist() == [[1.0] * 5]


def test_no_drives_are_an_error() -> None:
    with pytest.raises(ValueError, match="there are no episodes to learn from"):
        Windows([], SENSORS, WindowSettings())
    with pytest.raises(ValueError, match="episode 1 has no steps"):
        Windows(numbered(3, 0), SENSORS, WindowSettings())


def test_labels_that_are_not_numbers_are_an_error(drives: Callable[..., list]) -> None:
    made = drives(2)
    made[1].columns["expert_command"][7, 0] = np.nan
    with pytest.raises(ValueError, match=r"expert_command of episode 1 .* with NaN or infinity"):
        Windows(made, SENSORS, WindowSettings())
    made[1].columns["expert_command"] = np.zeros((40, 3), np.float32)
    with pytest.raises(ValueError, match=r"of shape \(40, 2\), .* got shape \(40, 3\)"):
        Windows(made, SENSORS, WindowSettings())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"batch": 0}, "batch and steps must be at least 1"),
        ({"steps": 8, "burn_in": 8}, r"burn_in must be from 0 to below steps \(8\), got 8"),
        ({"burn_in": 4, "shortest": 4}, r"shortest must be above burn_in \(4\) .*, got 4"),
        ({"shortest": 10, "carry": True}, "carry a memory on are all as long: leave out shortest"),
        ({"balance": 0.5}, "balance must be at least 1"),
        ({"from_start": 1.5}, "from_start must be a share from 0 to 1, got 1.5"),
        ({"mirror": -0.1}, "mirror must be a share"),
    ],
)
def test_settings_out_of_range_are_refused(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WindowSettings(**values)


def test_drives_with_a_route_are_not_mirrored(drives: Callable[..., list]) -> None:
    with pytest.raises(ValueError, match="drives with a route cannot be mirrored"):
        Windows(drives(1), ("camera", "odometry", "route"), WindowSettings(mirror=0.5))
