import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redrive.report_scales import log_scale_for, number, percent, scale_for


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5), st.booleans())
def test_a_linear_axis_holds_its_values_between_round_ticks(
    values: list[float], zero: bool
) -> None:
    scale = scale_for(values, zero)
    span = scale.high - scale.low
    assert scale.low <= min(values) + 1e-6 * span
    assert max(values) - 1e-6 * span <= scale.high
    assert 2 <= len(scale.ticks) <= 8
    assert not zero or scale.low <= 0.0 <= scale.high
    places = [scale.percent(tick) for tick in scale.ticks]
    assert places[0] == 0.0 and places[-1] == 100.0
    assert places == sorted(places)


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=5))
def test_a_logarithmic_axis_holds_its_values(values: list[float]) -> None:
    scale = log_scale_for(values)
    assert scale.low <= min(values) * 1.01
    assert max(values) <= scale.high * 1.01
    assert 1 <= len(scale.ticks) <= 14
    assert scale.percent(math.sqrt(scale.low * scale.high)) == pytest.approx(50.0)


def test_ticks_are_round() -> None:
    assert scale_for([0.0, 0.87]).ticks == pytest.approx((0.0, 0.5, 1.0))
    assert scale_for([3.0, 19.0], zero=True).ticks == pytest.approx((0.0, 5.0, 10.0, 15.0, 20.0))
    assert log_scale_for([0.03, 0.9]).ticks == pytest.approx((0.02, 0.05, 0.1, 0.2, 0.5, 1.0))


def test_what_lies_outside_an_axis_comes_to_its_end() -> None:
    scale = scale_for([0.0, 1.0])
    assert scale.percent(-5.0) == 0.0
    assert scale.percent(9.0) == 100.0
    assert log_scale_for([1.0, 10.0]).percent(0.0) == 0.0


@pytest.mark.parametrize("values", [[], [math.nan], [0.0], [5.0], [-2.0, -2.0]])
def test_an_axis_of_nothing_much_still_has_two_ends(values: list[float]) -> None:
    assert scale_for(values).low < scale_for(values).high
    assert log_scale_for(values).low < log_scale_for(values).high


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (0.015, "0.015"),
        (0.000123, "0.000123"),
        (1.0, "1"),
        (12.345, "12.3"),
        (-2.5, "−2.5"),
        (201346, "201,346"),
        (3 * 0.005, "0.015"),
    ],
)
def test_numbers_are_written_for_people(value: float, text: str) -> None:
    assert number(value) == text


def test_shares_are_written_in_percent() -> None:
    assert percent(0.25).replace("\N{NO-BREAK SPACE}", " ") == "25 %"
