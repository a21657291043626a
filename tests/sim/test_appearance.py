"""Looks are a function of the key; without randomisation there is one."""

import numpy as np
import pytest

from redrive.sim.appearance import (
    COLOURS,
    SKYLINE_STEPS,
    SKYLINES,
    Appearance,
    clear_day,
    make_look,
    skylines,
)


def generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_an_empty_appearance_is_a_clear_day_whatever_the_seed() -> None:
    for seed in range(5):
        assert make_look(Appearance(), generator(seed)) == clear_day()


def test_a_random_look_follows_from_its_key() -> None:
    random = Appearance(randomise=1.0)
    assert make_look(random, generator(3)) == make_look(random, generator(3))
    assert make_look(random, generator(3)) != make_look(random, generator(4))


@pytest.mark.parametrize("much", [0.3, 1.0, 2.0])
def test_every_random_look_can_be_drawn(much: float) -> None:
    for seed in range(200):
        look = make_look(Appearance(randomise=much), generator(seed))
        for name in COLOURS:
            assert 0.0 <= look[name].min() <= look[name].max() <= 255.0
        assert look["light"].min() > 0.0
        assert look["haze"] > 0.0
        assert look["grain"] > 0.0
        assert 0.0 <= look["wear"] <= 0.5
        assert look["noise"] >= 0.0
        assert 0 <= look["skyline"] < SKYLINES


def test_paint_stays_brighter_than_asphalt() -> None:
    for seed in range(200):
        look = make_look(Appearance(randomise=1.0), generator(seed))
        assert look["white"].mean() > look["asphalt"].mean() + 30.0


def test_sensor_noise_is_a_setting_of_its_own() -> None:
    assert make_look(Appearance(sensor_noise=2.5), generator(0))["noise"] == 2.5


def test_skylines_close_around_the_horizon() -> None:
    table = skylines()
    assert table.shape == (SKYLINES, SKYLINE_STEPS + 1)
    np.testing.assert_allclose(table[:, 0], table[:, -1], atol=1e-5)
    assert table.min() > 0.0
    assert table.max() < 0.2
    np.testing.assert_array_equal(table, skylines())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"randomise": -0.1}, "between 0 and 2"),
        ({"randomise": 3.0}, "between 0 and 2"),
        ({"sensor_noise": -1.0}, "0 to 100 grey levels"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Appearance(**settings)


def test_night_darkens_the_light_and_nothing_else() -> None:
    day = make_look(Appearance(randomise=1.0), generator(3))
    night = make_look(Appearance(randomise=1.0, daylight=0.15), generator(3))
    np.testing.assert_allclose(night["light"], 0.15 * day["light"], rtol=1e-6)
    for name in set(day.dtype.names or ()) - {"light"}:
        np.testing.assert_array_equal(night[name], day[name])


def test_fog_takes_the_contrast_and_never_makes_it_clearer() -> None:
    for seed in range(20):
        clear = make_look(Appearance(randomise=1.0), generator(seed))
        foggy = make_look(Appearance(randomise=1.0, fog=12.0), generator(seed))
        assert foggy["haze"] == 12.0
        np.testing.assert_array_equal(foggy["sky_top"], foggy["sky_low"])
        np.testing.assert_array_equal(foggy["asphalt"], clear["asphalt"])
        thin = make_look(Appearance(randomise=1.0, fog=5000.0), generator(seed))
        assert thin["haze"] == clear["haze"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"daylight": 0.0}, "daylight is a factor above 0"),
        ({"fog": 0.5}, "fog is 0 .none. or a distance from 1 to 10000 m, got 0.5"),
    ],
)
def test_light_and_fog_are_checked(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Appearance(**settings)
