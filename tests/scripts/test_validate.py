import json
from pathlib import Path

import numpy as np
import pytest

from redrive import info, validate
from redrive.cli import main
from redrive.sim.recording import RecordingHeader, RecordingWriter, simulated_features

H, W, T = 4, 6, 10


def record(folder: Path) -> Path:
    header = RecordingHeader(
        features=simulated_features((H, W)),
        dt=0.1,
        source="a test",
        licence="CC0-1.0",
        camera={"width": W, "height": H},
    )
    with RecordingWriter(folder, header) as writer:
        for seed in range(2):
            columns = {
                name: np.zeros((T, *feature.shape), feature.dtype)
                for name, feature in header.features.items()
            } | {"time": 0.1 * np.arange(T), "speed": np.full(T, 5.0)}
            entries = {"seed": seed, "world": f"procedural:{seed}"}
            writer.add(columns, entries | {"driver": "expert", "regime": "log"})
    return folder


def train(folder: Path, weight: float = 1.0) -> Path:
    """A folder such as training makes."""
    from safetensors.numpy import save_file

    folder.mkdir()
    weights = {"weight": np.full((2, 3), weight, np.float32), "scale": np.array(2.0)}
    save_file(weights, folder / "policy.safetensors")
    (folder / "policy.json").write_text('{"architecture": "lstm", "settings": {"width": 64}}')
    return folder


@pytest.mark.parametrize("make", [record, train])
def test_a_sound_folder_is_said_to_be_well(
    tmp_path: Path, make: type[object], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(tmp_path / "r")  # type: ignore[call-arg]
    assert main(["validate", str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder}: all is well\n"


def test_each_problem_is_a_line_and_the_exit_status_is_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = record(tmp_path / "r")
    path = folder / "episodes" / "000001.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    (folder / "episodes" / ".tmp-000002.safetensors").touch()
    assert main(["validate", str(folder)]) == 1
    first, second, summary = capsys.readouterr().out.splitlines()
    assert first.startswith("episodes/.tmp-000002.safetensors: a temporary file")
    assert second.startswith("episodes/000001.safetensors: is truncated")
    assert summary == f"{folder}: 2 problems"


@pytest.mark.parametrize(
    ("file", "content", "what"),
    [
        ("policy.json", "{", "not valid JSON"),
        ("policy.json", None, "nobody knows what the weights are"),
        ("policy.safetensors", None, "missing"),
        ("policy.safetensors", "", "truncated"),
    ],
)
def test_a_damaged_run_is_found(tmp_path: Path, file: str, content: str | None, what: str) -> None:
    folder = train(tmp_path / "run")
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_text(content)
    (problem,) = validate.validate(folder)
    assert problem.file == file
    assert what in problem.what


def test_weights_that_are_not_finite_are_found(tmp_path: Path) -> None:
    (problem,) = validate.validate(train(tmp_path / "run", weight=np.nan))
    assert (problem.file, problem.field) == ("policy.safetensors", "weight")


@pytest.mark.parametrize("command", ["validate", "info"])
def test_another_folder_is_one_line(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, str(tmp_path / "nothing")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("redrive: error: ") and said.err.count("\n") == 1
    assert "is neither a recording" in said.err


def test_info_tells_what_a_recording_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = record(tmp_path / "r")
    assert main(["info", str(folder)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for text in (
        "episodes 2 (1 to train, 1 to validate, split by world)",
        "steps 20 of 0.1 s",
        "km 0.01",
        "camera height 4, width 6",
        "licence CC0-1.0",
        "camera uint8 T x 4 x 6 x 3 image",
        "x float64 T m world",
    ):
        assert text in said


def test_info_as_json_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--json", str(record(tmp_path / "r"))]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 2 * T


def test_info_tells_what_a_run_holds(tmp_path: Path) -> None:
    told = info.describe(train(tmp_path / "run"))
    assert told["kind"] == "run"
    assert told["settings"] == {"width": 64}
