import errno
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from redrive.sim import files, recording
from redrive.sim.recording import (
    Feature,
    Recording,
    RecordingHeader,
    RecordingWriter,
    SplitRule,
    simulated_features,
)

H, W, T = 4, 6, 20
CAMERA = {"width": W, "height": H, "pitch": 0.05}
HEADER = RecordingHeader(
    features=simulated_features((H, W)), dt=0.1, source="a test", licence="CC0-1.0", camera=CAMERA
)


def drive(seed: int, steps: int = T) -> dict[str, np.ndarray]:
    """Columns of a drive that is different for every seed."""
    rng = np.random.default_rng(seed)
    columns = {}
    for name, feature in HEADER.features.items():
        values = rng.uniform(0.0, 200.0, (steps, *feature.shape))
        columns[name] = values.astype(feature.dtype)
    ids = np.arange(steps)
    return columns | {
        "time": 0.1 * np.arange(steps),
        "speed": np.full(steps, 10.0),
        "state_id": ids,
        "camera_state_id": ids,
        "label_state_id": ids,
    }


def sidecar(seed: int) -> dict[str, object]:
    return {
        "seed": seed,
        "world": f"procedural:{seed}",
        "driver": "expert",
        "regime": "log",
        "result": "finished",
    }


def record(folder: Path, episodes: int = 3, header: RecordingHeader = HEADER) -> Path:
    with RecordingWriter(folder, header) as writer:
        for seed in range(episodes):
            assert writer.add(drive(seed), sidecar(seed)) == seed
    return folder


def all_bytes(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_what_was_written_is_read(tmp_path: Path) -> None:
    opened = Recording.open(record(tmp_path / "r"))
    assert opened.header == HEADER
    assert len(opened) == 3
    assert opened.steps == 3 * T
    assert [episode.index for episode in opened] == [0, 1, 2]
    assert opened.episodes[2].sidecar["world"] == "procedural:2"
    for seed, episode in enumerate(opened):
        for name, column in drive(seed).items():
            np.testing.assert_array_equal(episode.read(name), column, strict=True)
            np.testing.assert_array_equal(opened.read(seed, name, 5, 9), column[5:9], strict=True)
    assert recording.validate(tmp_path / "r") == []


def test_the_files_are_safetensors_files(tmp_path: Path) -> None:
    folder = record(tmp_path / "r", 1)
    loaded = safetensors.numpy.load_file(folder / "episodes" / "000000.safetensors")
    for name, column in drive(0).items():
        np.testing.assert_array_equal(loaded[name], column, strict=True)


def test_files_that_safetensors_wrote_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    arrays = {"b": np.arange(6.0).reshape(3, 2), "flag": np.array([True, False, True])}
    safetensors.numpy.save_file(arrays, path, metadata={"made": "elsewhere"})
    columns = files.read_columns(path)
    assert columns.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(files.read_slice(path, columns[name], 1, 3), array[1:])


def test_the_same_content_is_the_same_bytes(tmp_path: Path) -> None:
    first, second = record(tmp_path / "a"), record(tmp_path / "b")
    assert all_bytes(first) == all_bytes(second)
    assert Recording.open(first).identity == Recording.open(second).identity
    other = record(tmp_path / "c", 2)
    assert Recording.open(other).identity != Recording.open(first).identity


def test_only_the_asked_rows_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Recording.open(record(tmp_path / "r"))
    shapes = []
    read_slice = files.read_slice

    def spy(*args: object) -> np.ndarray:
        rows = read_slice(*args)  # type: ignore[arg-type]
        shapes.append(rows.shape)
        return rows

    monkeypatch.setattr(files, "read_slice", spy)
    opened.read(1, "camera", 3, 5)
    assert shapes == [(2, H, W, 3)]


@pytest.mark.parametrize("rows", [(-1, 3), (0, T + 1), (5, 4)])
def test_rows_that_are_not_there_are_an_error(tmp_path: Path, rows: tuple[int, int]) -> None:
    opened = Recording.open(record(tmp_path / "r", 1))
    with pytest.raises(IndexError, match="it has 20"):
        opened.read(0, "x", *rows)
    with pytest.raises(KeyError, match="no column 'lidar'"):
        opened.read(0, "lidar")


def test_appending_adds_episodes_and_leaves_the_old_ones(tmp_path: Path) -> None:
    folder = record(tmp_path / "r")
    before = all_bytes(folder)
    with RecordingWriter(folder, HEADER, append=True) as writer:
        assert writer.add(drive(3), sidecar(3) | {"round": 1}) == 3
    after = all_bytes(folder)
    assert all(after[name] == content for name, content in before.items() if "index" not in name)
    assert [episode.sidecar.get("round") for episode in Recording.open(folder)] == [None] * 3 + [1]
    assert recording.validate(folder) == []


def test_a_recording_is_not_overwritten(tmp_path: Path) -> None:
    folder = record(tmp_path / "r")
    with pytest.raises(FileExistsError, match="holds a recording already"):
        RecordingWriter(folder, HEADER)
    with pytest.raises(FileNotFoundError, match="no recording to append to"):
        RecordingWriter(tmp_path / "none", HEADER, append=True)


def test_unlike_episodes_are_not_appended(tmp_path: Path) -> None:
    folder = record(tmp_path / "r")
    with pytest.raises(ValueError, match=r"with dt = 0.1, these episodes have 0.05"):
        RecordingWriter(folder, replace(HEADER, dt=0.05), append=True)
    other = replace(HEADER, camera=CAMERA | {"pitch": 0.0})
    with pytest.raises(ValueError, match=r"camera.pitch = 0.05, these episodes have 0.0"):
        RecordingWriter(folder, other, append=True)
    RecordingWriter(folder, HEADER, append=True).close()  # a failed try leaves no lock


@pytest.mark.skipif(os.name != "posix", reason="locks are posix only")
def test_two_writers_do_not_share_a_folder(tmp_path: Path) -> None:
    first = RecordingWriter(tmp_path / "r", HEADER)
    with pytest.raises(BlockingIOError, match="another recorder"):
        RecordingWriter(tmp_path / "r", HEADER, append=True)
    first.close()
    RecordingWriter(tmp_path / "r", HEADER, append=True).close()


def test_wrong_columns_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "r", HEADER)
    good = drive(0)
    without = {name: column for name, column in good.items() if name != "yaw"}
    nan = good["x"].copy()
    nan[7] = np.nan
    for columns, message in [
        (without, "column yaw is missing"),
        (good | {"lidar": good["x"]}, "column lidar is not in the header"),
        (good | {"x": good["x"].astype(np.float32)}, "column x must be float64"),
        (good | {"camera": good["camera"][:, :2]}, r"rows of shape \(4, 6, 3\)"),
        (good | {"x": good["x"][1:]}, "equally many rows"),
        (good | {"x": nan}, "column x is not finite in row 7"),
        (drive(0, 0), "at least one"),
    ]:
        with pytest.raises(ValueError, match=message):
            writer.add(columns, sidecar(0))
    with pytest.raises(ValueError, match="sidecar entry driver is missing"):
        writer.add(good, {k: v for k, v in sidecar(0).items() if k != "driver"})
    with pytest.raises(TypeError, match="sidecar entry seed must be int, got 'one'"):
        writer.add(good, sidecar(0) | {"seed": "one"})
    with pytest.raises(ValueError, match="sha256 is written by the recording"):
        writer.add(good, sidecar(0) | {"sha256": ""})
    with pytest.raises(ValueError, match="cannot be written as JSON"):
        writer.add(good, sidecar(0) | {"beta": float("nan")})
    assert list((tmp_path / "r" / "episodes").iterdir()) == []
    assert writer.add(good, sidecar(0) | {"seed": np.int64(4)}) == 0
    assert Recording.open(tmp_path / "r").episodes[0].sidecar["seed"] == 4


def test_the_index_is_only_a_cache(tmp_path: Path) -> None:
    folder = record(tmp_path / "r")
    index = folder / "index.jsonl"
    whole = index.read_bytes()
    for content in (b"", whole[:-20], whole[: whole.index(b"\n") + 1], b"\xff{", None):
        index.unlink() if content is None else index.write_bytes(content)
        assert [episode.sidecar["seed"] for episode in Recording.open(folder)] == [0, 1, 2]
        assert recording.validate(folder) == []
    assert recording.rebuild_index(folder) == [0, 1, 2]
    assert index.read_bytes() == whole


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not valid JSON"),
        (b'{"index": 1,', "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b'{"seed": NaN}', "NaN is not a number"),
    ],
)
def test_a_broken_sidecar_is_noticed_although_the_index_is_there(
    tmp_path: Path, content: bytes, message: str
) -> None:
    folder = record(tmp_path / "r")
    path = folder / "episodes" / "000001.json"
    path.write_bytes(content)
    later(path, folder / "index.jsonl")
    with pytest.raises(ValueError, match=f"000001.json.*{message}"):
        Recording.open(folder)


def test_a_sidecar_that_was_corrected_counts(tmp_path: Path) -> None:
    folder = record(tmp_path / "r")
    path = folder / "episodes" / "000001.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"driver": "human"}))
    later(path, folder / "index.jsonl")
    opened = Recording.open(folder)
    assert [episode.sidecar["driver"] for episode in opened] == ["expert", "human", "expert"]


def later(path: Path, than: Path) -> None:
    """Clocks of file systems tick in milliseconds; a person takes longer."""
    when = than.stat().st_mtime_ns + 10**9
    os.utime(path, ns=(when, when))


def test_no_world_is_on_both_sides_of_the_split(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "r", HEADER) as writer:
        for world in [*range(30), *range(30)]:
            writer.add(drive(world, 1), sidecar(world))
    opened = Recording.open(tmp_path / "r")
    sides = opened.split()
    assert sorted(sides[0] + sides[1]) == list(range(60))
    training, validation = (
        {opened.episodes[position].sidecar["world"] for position in side} for side in sides
    )
    assert training and validation and not training & validation
    # The hash is ours, not the interpreter's: these are the same in every process, for ever.
    assert sorted(validation) == [f"procedural:{seed}" for seed in (15, 20, 21, 8)]


@pytest.mark.parametrize("share", [0.01, 0.99])
def test_both_sides_of_a_split_have_a_world(tmp_path: Path, share: float) -> None:
    header = replace(HEADER, split=SplitRule(validation_share=share))
    training, validation = Recording.open(record(tmp_path / "r", 3, header)).split()
    assert training and validation


def test_one_world_has_no_validation_side(tmp_path: Path) -> None:
    assert Recording.open(record(tmp_path / "r", 1)).split() == ((0,), ())


def test_the_split_can_go_by_another_entry(tmp_path: Path) -> None:
    header = replace(HEADER, split=SplitRule(by="town", validation_share=0.5))
    with RecordingWriter(tmp_path / "r", header) as writer:
        with pytest.raises(ValueError, match="sidecar entry town is missing"):
            writer.add(drive(0), sidecar(0))
        for seed in range(4):
            writer.add(drive(seed), sidecar(seed) | {"town": f"town {seed % 2}"})
    sides = Recording.open(tmp_path / "r").split()
    assert {frozenset(side) for side in sides} == {frozenset({0, 2}), frozenset({1, 3})}


def test_a_full_disk_leaves_what_was_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = record(tmp_path / "r")
    before = all_bytes(folder)
    writer = RecordingWriter(folder, HEADER, append=True)
    replaced = os.replace
    for fail_at in range(4):  # in the columns, in the sidecar, at either rename
        calls = iter(range(4))

        def full(*args: object, calls=calls, fail_at=fail_at) -> None:  # type: ignore[no-untyped-def]
            if next(calls) == fail_at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if len(args) == 2:
                replaced(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(os, "fsync", full)
        monkeypatch.setattr(os, "replace", full)
        with pytest.raises(OSError, match="3 before it are safe: make room") as caught:
            writer.add(drive(3), sidecar(3))
        assert caught.value.errno == errno.ENOSPC
        assert all_bytes(folder) == before
    monkeypatch.undo()
    assert writer.add(drive(3), sidecar(3)) == 3
    assert recording.validate(folder) == []


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
def test_a_file_that_cannot_grow_is_one_line_and_no_half_episode(tmp_path: Path) -> None:
    folder = record(tmp_path / "r", 2)
    code = f"""
        import resource, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_recording import HEADER, RecordingWriter, drive, sidecar
        writer = RecordingWriter({str(folder)!r}, HEADER, append=True)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        try:
            writer.add(drive(2), sidecar(2))
        except OSError as error:
            print(error)
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], check=False, capture_output=True, text=True
    )
    assert "episode 2 could not be saved" in ran.stdout, ran.stderr
    assert len(Recording.open(folder)) == 2
    assert recording.validate(folder) == []


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_kill_loses_at_most_the_open_episode(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    record(folder, 1)
    code = f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_recording import HEADER, RecordingWriter, drive, sidecar
        columns = drive(0)
        writer = RecordingWriter({str(folder)!r}, HEADER, append=True)
        while True:
            print(writer.add(columns, sidecar(0)), flush=True)
    """
    rng = random.Random(0)
    said = 0
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            said = int(process.stdout.readline())
            time.sleep(rng.uniform(0.0, 0.05))
            process.send_signal(signal.SIGKILL)
            said = max([said, *map(int, process.stdout.read().split("\n")[:-1])])
        opened = Recording.open(folder)
        # Everything that was promised is there, and at most the open episode beyond it.
        assert said + 1 <= len(opened) <= said + 2
        assert all(episode.read("time").shape == (T,) for episode in opened)
        problems = recording.validate(folder)
        assert all(
            p.remedy == "delete it" and ("stopped" in p.what or "never" in p.what) for p in problems
        )
    with RecordingWriter(folder, HEADER, append=True) as writer:
        writer.add(drive(0), sidecar(0))
    assert recording.validate(folder) == []


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def test_a_truncated_episode_is_one_clear_error(tmp_path: Path) -> None:
    folder = record(tmp_path / "r")
    opened = Recording.open(folder)
    path = folder / "episodes" / "000001.safetensors"
    truncate(path)
    with pytest.raises(ValueError, match=r"000001.safetensors is truncated.*record again"):
        opened.read(1, "camera")
    with pytest.raises(ValueError, match=r"000001.safetensors is truncated.*record again"):
        Recording.open(folder)
    for size in (100, 5, 0):
        path.write_bytes(path.read_bytes()[:size])
        with pytest.raises(ValueError, match=f"is truncated: .* {size} are there"):
            files.read_columns(path)
    opened.read(0, "camera")


def test_a_file_cut_after_its_header_was_read_is_an_error_too(tmp_path: Path) -> None:
    folder = record(tmp_path / "r", 1)
    opened = Recording.open(folder)
    opened.read(0, "camera")
    truncate(folder / "episodes" / "000000.safetensors")
    with pytest.raises(ValueError, match="truncated"):
        opened.read(0, "camera")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not safetensors at all, but long enough", "does not begin as safetensors"),
        ((8).to_bytes(8, "little") + b"{ nope }", "damaged header"),
        ((2).to_bytes(8, "little") + b"[]", "damaged header"),
        ((2).to_bytes(8, "little") + b"{}extra", "its header describes 10"),
    ],
)
def test_what_is_no_column_file_is_said_so(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        files.read_columns(path)


def test_columns_without_a_sidecar_are_ignored_and_reported(tmp_path: Path) -> None:
    folder = record(tmp_path / "r")
    (folder / "episodes" / "000002.json").unlink()
    opened = Recording.open(folder)
    assert len(opened) == 2
    assert [path.name for path in opened.uncommitted] == ["000002.safetensors"]
    assert [problem.file for problem in recording.validate(folder)] == [
        "episodes/000002.safetensors"
    ]
    with RecordingWriter(folder, HEADER, append=True) as writer:
        assert writer.add(drive(2), sidecar(2)) == 2
    assert recording.validate(folder) == []


def test_a_sidecar_without_columns_is_an_error(tmp_path: Path) -> None:
    folder = record(tmp_path / "r")
    (folder / "episodes" / "000001.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="000001.safetensors is missing"):
        Recording.open(folder)
    assert [problem.what for problem in recording.validate(folder)] == [
        "missing although its sidecar is there"
    ]


def test_a_folder_that_is_no_recording_is_said_so(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        for door in (Recording.open, recording.validate, recording.describe):
            with pytest.raises(FileNotFoundError, match="is not a recording"):
                door(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": 1}, "unknown colour"),
        ({"dt": None}, "missing dt"),
        ({"dt": -0.1}, "dt must be a time above 0 s, got -0.1"),
        ({"schema": 2}, "schema must be 1, got 2"),
        ({"camera": "a lens"}, "camera must be an object"),
        ({"features": []}, "features must be an object"),
        ({"features": {"x": {"dtype": "float64"}}}, "features.x: missing frame, shape, unit"),
        ({"split": {"by": "world"}}, "missing validation_share"),
        ({"source": ""}, "source is missing"),
    ],
)
def test_a_wrong_header_is_one_clear_error(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    folder = record(tmp_path / "r", 1)
    path = folder / "dataset.json"
    values = json.loads(path.read_text()) | change
    path.write_text(json.dumps({k: v for k, v in values.items() if v is not None}))
    with pytest.raises(ValueError, match=f"dataset.json: {message}"):
        Recording.open(folder)
    (problem,) = recording.validate(folder)
    assert problem.file == "dataset.json"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"dt": 0.1,', "not valid JSON"),
        ('{"dt": NaN}', "NaN is not a number that JSON knows"),
        (b"\xff\xfe", "not valid JSON"),
        ("[]", "expected an object"),
    ],
)
def test_wrong_json_is_one_clear_error(tmp_path: Path, content: str | bytes, message: str) -> None:
    folder = record(tmp_path / "r", 1)
    path = folder / "dataset.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=message):
        Recording.open(folder)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("float", (), "m"), "dtype must be a numpy name"),
        (("no", (), "m"), "dtype must be a numpy name"),
        (("uint8", (0,), "m"), "shape must be whole numbers above 0"),
        (("uint8", (), ""), "unit is missing"),
    ],
)
def test_a_feature_checks_itself(values: tuple[str, tuple[int, ...], str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Feature(*values)


def test_frames_need_a_camera() -> None:
    with pytest.raises(ValueError, match="camera is null although"):
        replace(HEADER, camera=None)
    light = replace(HEADER, features=simulated_features(None), camera=None)
    assert "camera" not in light.features


def rewrite(folder: Path, index: int, header: RecordingHeader, **columns: np.ndarray) -> None:
    """Replace an episode's columns, with a checksum that fits."""
    data = folder / "episodes" / f"{index:06d}.safetensors"
    size, digest = files.write_synced(data, files.column_chunks(drive(index) | columns))
    mark = data.with_suffix(".json")
    entries = json.loads(mark.read_text()) | {"bytes": size, "sha256": digest}
    mark.write_text(json.dumps(entries))
    (folder / "index.jsonl").unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("field", "values", "message"),
    [
        ("x", np.full(T, np.nan), "not a finite number in row 0"),
        ("camera", np.zeros((T, H, 5, 3), np.uint8), r"is uint8 \(20, 4, 5, 3\).*\(20, 4, 6, 3\)"),
        ("yaw", np.zeros(T, np.float32), "is float32"),
        ("y", np.zeros(T - 1), r"is float64 \(19,\)"),
        ("time", np.zeros(T), "does not grow after row 0"),
        ("label_state_id", np.arange(T) + 1, r"row 0 labels state 1.*\(20 rows differ\)"),
        ("extra", np.zeros(T), "the header does not have this column"),
    ],
)
def test_validate_finds_a_wrong_column(
    tmp_path: Path, field: str, values: np.ndarray, message: str
) -> None:
    folder = record(tmp_path / "r", 2)
    rewrite(folder, 1, HEADER, **{field: values})
    (problem,) = recording.validate(folder)
    assert (problem.file, problem.field) == ("episodes/000001.safetensors", field)
    with pytest.raises(ValueError, match=message):
        raise ValueError(problem.what)
    assert problem.remedy and str(problem).startswith(f"episodes/000001.safetensors: {field}: ")


def test_validate_finds_every_damage_at_once(tmp_path: Path) -> None:
    folder = record(tmp_path / "r", 6)
    episodes = folder / "episodes"
    truncate(episodes / "000000.safetensors")
    whole = bytearray((episodes / "000001.safetensors").read_bytes())
    whole[-5] ^= 1
    (episodes / "000001.safetensors").write_bytes(whole)
    (episodes / "000002.json").write_text("{")
    entries = json.loads((episodes / "000003.json").read_text())
    (episodes / "000003.json").write_text(json.dumps(entries | {"steps": "many"}))
    (episodes / "000004.json").unlink()
    (episodes / ".tmp-000006.safetensors").write_bytes(b"half")
    found = {problem.file: problem.what for problem in recording.validate(folder)}
    expected = {
        "episodes/000000.safetensors": "truncated",
        "episodes/000001.safetensors": "checksum",
        "episodes/000002.json": "not valid JSON",
        "episodes/000003.json": "steps must be int, got 'many'",
        "episodes/000004.safetensors": "sidecar is missing",
        "episodes/.tmp-000006.safetensors": "temporary",
    }
    assert found.keys() == expected.keys()
    assert all(text in found[name] for name, text in expected.items())


def test_validate_finds_an_index_that_contradicts(tmp_path: Path) -> None:
    folder = record(tmp_path / "r")
    index = folder / "index.jsonl"
    index.write_text(index.read_text().replace('"driver": "expert"', '"driver": "human"'))
    assert [problem.file for problem in recording.validate(folder)] == ["index.jsonl"] * 3


def test_a_recording_describes_itself(tmp_path: Path) -> None:
    told = recording.describe(record(tmp_path / "r"))
    assert told["episodes"] == 3
    assert told["steps"] == 3 * T
    assert told["hours"] == pytest.approx(3 * T * 0.1 / 3600.0)
    assert told["km"] == pytest.approx(3 * T * 0.1 * 10.0 / 1000.0)
    assert told["drivers"] == {"expert": 3}
    assert told["results"] == {"finished": 3}
    assert told["columns"]["yaw"]["unit"] == "rad"
    assert told["camera"] == CAMERA
    assert told["licence"] == "CC0-1.0"
    json.dumps(told, allow_nan=False)
