import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redrive.sim import metrics
from redrive.sim.metrics import COMFORT, METRICS, EpisodeLog

DT = 0.1
TIME = DT * np.arange(601)


def circle(radius: float, speed: float, offset: float = 0.0) -> EpisodeLog:
    """A held arc to the left, all the way `offset` m beside the lane's centre."""
    angle = speed * TIME / radius
    still = np.zeros_like(TIME)
    return EpisodeLog(
        dt=DT,
        x=radius * np.sin(angle),
        y=radius * (1.0 - np.cos(angle)),
        speed=still + speed,
        curvature=still + 1.0 / radius,
        command_curvature=still + 1.0 / radius,
        lateral_offset=still + offset,
        heading_error=still,
        beyond_margin=TIME < 15.0,
        progress=speed * TIME[-1],
        road_length=1200.0,
        speed_limit=15.0,
    )


def test_a_circle_at_a_held_speed_is_known_exactly() -> None:
    told = metrics.episode_metrics(circle(radius=50.0, speed=10.0, offset=-0.3))
    chord = 2.0 * 50.0 * np.sin(0.5 * 10.0 * DT / 50.0)
    assert told == pytest.approx(
        {
            "route_completion": 0.5,
            "distance_m": 600 * chord,
            "mean_speed_mps": 10.0,
            "lateral_mae_m": 0.3,
            "lateral_rmse_m": 0.3,
            "lateral_max_m": 0.3,
            "heading_mae_rad": 0.0,
            "beyond_margin_share": 150 / 601,
            "off_centre_share": 0.0,
            "whiteness": 0.0,
            "jerk_rms": 0.0,
            "comfort_share": 1.0,
            "speed_compliance": 1.0,
        },
        abs=1e-9,
    )
    assert told.keys() <= METRICS.keys()


def test_a_circle_that_is_too_fast_is_not_comfortable() -> None:
    pull = COMFORT["lat_accel"].high
    for speed, share in [(np.sqrt(50.0 * pull) - 0.01, 1.0), (np.sqrt(50.0 * pull) + 0.01, 0.0)]:
        told = metrics.episode_metrics(circle(radius=50.0, speed=float(speed)))
        assert told["comfort_share"] == share


def test_a_sine_weave_is_known_in_closed_form() -> None:
    size, period = 0.4, 6.0  # [m], [s]; ten whole periods in the log
    weave = size * np.sin(2.0 * np.pi * TIME[:-1] / period)
    assert metrics.mean_absolute(weave) == pytest.approx(size * 2.0 / np.pi, rel=2e-3)
    assert metrics.root_mean_square(weave) == pytest.approx(size / np.sqrt(2.0))
    rate = 2.0 * np.pi / period
    assert metrics.whiteness(weave, DT) == pytest.approx(size * rate / np.sqrt(2.0), rel=2e-3)
    assert metrics.derivative(weave, DT) == pytest.approx(
        size * rate * np.cos(rate * TIME[:-1]), abs=0.04 * size * rate
    )


def test_braking_to_a_stop_is_comfortable_when_it_is_gentle() -> None:
    def stop(braking: float) -> np.ndarray:
        return np.maximum(0.0, 12.0 - braking * TIME)

    straight = np.zeros_like(TIME)
    gentle = metrics.motion(stop(2.0), straight, DT)
    assert gentle["lon_accel"][5:50] == pytest.approx(-2.0)
    assert gentle["lon_accel"][70:] == pytest.approx(0.0, abs=1e-9)
    assert metrics.comfortable(stop(2.0), straight, DT)[:50].all()
    harsh = metrics.comfortable(stop(6.0), straight, DT)
    assert not harsh[:15].any()
    assert harsh[40:].all()


def test_standing_still_completes_nothing_and_disturbs_nobody() -> None:
    still = np.zeros(50)
    log = EpisodeLog(
        DT, still, still, still, still, still, still, still, still > 0, 0.0, 100.0, 10.0
    )
    told = metrics.episode_metrics(log)
    assert told["route_completion"] == told["distance_m"] == told["jerk_rms"] == 0.0
    assert told["comfort_share"] == told["speed_compliance"] == 1.0


@pytest.mark.parametrize(("progress", "expected"), [(-3.0, 0.0), (25.0, 0.25), (130.0, 1.0)])
def test_route_completion_lies_between_0_and_1(progress: float, expected: float) -> None:
    assert metrics.route_completion(progress, 100.0) == expected


def test_a_route_needs_a_length() -> None:
    with pytest.raises(ValueError, match="road_length must be above 0 m, got 0.0"):
        metrics.route_completion(1.0, 0.0)


def test_speed_compliance_falls_in_proportion() -> None:
    assert metrics.speed_compliance(np.full(10, 10.0), 10.0) == 1.0
    assert metrics.speed_compliance(np.full(10, 10.0 + 2.23 / 2), 10.0) == pytest.approx(0.5)
    assert metrics.speed_compliance(np.full(10, 20.0), 10.0) == 0.0
    limits = np.array([20.0] * 5 + [5.0] * 5)
    assert metrics.speed_compliance(np.full(10, 7.23), limits) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [([0, 0, 0], 0), ([1, 1, 1], 1), ([1, 0, 1], 2), ([0, 1, 1, 0, 1], 2)],
)
def test_times_begun_counts_beginnings(flags: list[int], expected: int) -> None:
    assert metrics.times_begun(np.array(flags)) == expected


def test_the_two_off_lane_rules_differ_by_the_car() -> None:
    offset = np.array([0.0, 0.7, 0.9, 1.9, 2.1, -0.7, -0.9])
    straight = np.zeros_like(offset)
    margin = metrics.outside_free_margin(
        offset, straight, straight, straight + 1.75, straight + 1.75, 3.7, 0.9, 0.95
    )
    assert margin.tolist() == [False, False, True, True, True, False, True]
    assert metrics.off_centre(offset).tolist() == [False] * 4 + [True] + [False] * 2


def test_a_turned_car_reaches_out_with_its_nose() -> None:
    turned = np.array([0.2, -0.2])
    none = np.zeros(2)
    corners = metrics.corner_offsets(none, turned, none, 3.7, 0.9, 0.95)
    reach = 3.7 * np.sin(0.2) + 0.95 * np.cos(0.2)
    assert corners.max(axis=1) == pytest.approx([reach, 0.95 * np.cos(0.2) + 0.9 * np.sin(0.2)])
    assert corners.min(axis=1) == pytest.approx(-corners.max(axis=1)[::-1])


@given(offset=st.floats(-2.0, 2.0), error=st.floats(-0.5, 0.5), curvature=st.floats(-0.06, 0.06))
def test_corner_offsets_are_distances_to_the_lanes_arc(
    offset: float, error: float, curvature: float
) -> None:
    given_corners = metrics.corner_offsets(
        np.array(offset), np.array(error), np.array(curvature), 3.7, 0.9, 0.95
    )
    for (ahead, aside), found in zip(
        [(3.7, 0.95), (3.7, -0.95), (-0.9, 0.95), (-0.9, -0.95)], given_corners, strict=True
    ):
        x = ahead * np.cos(error) - aside * np.sin(error)
        y = offset + ahead * np.sin(error) + aside * np.cos(error)
        if abs(curvature) < 1e-6:
            expected = y
        else:  # to the circle's centre, which lies at (0, 1 / curvature)
            radius = 1.0 / curvature
            expected = radius - np.sign(radius) * np.hypot(x, y - radius)
        assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("steps", [2, 3, 4, 6, 7, 8, 30])
def test_the_derivative_of_a_parabola_is_exact(steps: int) -> None:
    time = DT * np.arange(steps)
    order = min(2, steps - 1)
    values = 1.0 + 2.0 * time + (3.0 * time**2 if order == 2 else 0.0)
    slope = 2.0 + (6.0 * time if order == 2 else 0.0 * time)
    assert metrics.derivative(values, DT) == pytest.approx(slope)
    assert metrics.derivative(values[:1], DT).tolist() == [0.0]


@pytest.mark.parametrize("dt", [0.05, 0.1, 0.2])
def test_the_derivative_is_scipys(dt: float) -> None:
    signal = pytest.importorskip("scipy.signal")
    values = np.random.default_rng(0).normal(size=60)
    window = {0.05: 15, 0.1: 7, 0.2: 3}[dt]
    expected = signal.savgol_filter(values, window, 2, deriv=1, delta=dt, mode="interp")
    assert metrics.derivative(values, dt) == pytest.approx(expected)


def test_a_log_checks_itself() -> None:
    log = circle(50.0, 10.0)
    values = vars(log)
    with pytest.raises(ValueError, match=r"speed has shape \(3,\), expected \(601,\)"):
        EpisodeLog(**(values | {"speed": np.zeros(3)}))
    with pytest.raises(ValueError, match="lateral_offset is not finite"):
        EpisodeLog(**(values | {"lateral_offset": np.full(601, np.nan)}))
