"""What `redrive bench` says: every figure, and the ratios that are quoted."""

import json

import pytest

from redrive import bench, cli
from redrive.bench import BenchOptions

TINY = BenchOptions(cars=2, seconds=0.01)
ALWAYS = {
    "opencv_warp_nearest",
    "batch_with_camera",
    "batch_without_camera",
    "single_with_camera",
    "lstm_frame_to_command",
    "attention_frame_to_command",
}


def test_ratios_are_of_the_rates_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """CarRacing-v3 is pretended: its physics is not among what the tests install."""
    monkeypatch.setattr(bench, "car_racing", lambda: (lambda: sum(range(2000)), 1))
    found = bench.run(TINY)
    assert set(found["per_second"]) == ALWAYS | {"car_racing_v3"}
    for rates, ratios in (
        (found["per_second"], found),
        (found["best_per_second"], found["best_ratios"]),
    ):
        for ratio, ours, theirs in (
            ("batch_against_opencv_warp", "batch_with_camera", "opencv_warp_nearest"),
            ("batch_against_car_racing", "batch_with_camera", "car_racing_v3"),
            ("single_against_car_racing", "single_with_camera", "car_racing_v3"),
        ):
            assert ratios[ratio] == pytest.approx(rates[ours] / rates[theirs], abs=2e-3)
    for name, rate in found["per_second"].items():
        assert 0.0 < rate <= found["best_per_second"][name]
    assert found["repetitions"] >= bench.LEAST_ROUNDS


def test_without_box2d_the_rest_is_measured_and_the_remedy_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "car_racing", lambda: None)
    words = ["bench", "--cars", "2", "--seconds", "0.01"]
    assert cli.main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["per_second"]) == ALWAYS
    assert not any("car_racing" in name for name in (*found, *found["best_ratios"]))
    assert (found["cars"], found["threads"], found["clock"]) == (2, 1, "processor")
    assert cli.main(words) == 0
    assert 'pip install "gymnasium[box2d]"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("word", "value", "right"),
    [("--cars", "0", "1"), ("--seconds", "0", "above 0"), ("--threads", "-1", "1")],
)
def test_what_cannot_be_measured_is_told(
    word: str, value: str, right: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["bench", word, value]) == 2
    error = capsys.readouterr().err
    assert word in error and right in error
    assert len(error.splitlines()) == 1
