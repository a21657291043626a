from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from redrive.sim.imports.pictures import ImageFolder, Video, read_image


@pytest.mark.parametrize("ending", [".png", ".jpg"])
def test_a_cut_off_image_is_no_image(ending: str, made_up: ModuleType, tmp_path: Path) -> None:
    (path,) = made_up.write_images(tmp_path, np.zeros(1), ending)
    assert read_image(path) is not None
    path.write_bytes(path.read_bytes()[:-200])
    assert read_image(path) is None
    path.write_bytes(b"")
    assert read_image(path) is None


def test_images_are_numbered_by_their_names(made_up: ModuleType, tmp_path: Path) -> None:
    made_up.write_images(tmp_path, np.zeros(12), name="frame{}")
    folder = ImageFolder(tmp_path)
    assert folder.numbers == list(range(12))
    assert folder.size == (96, 64)
    (tmp_path / "frame5.png").unlink()
    pictures = list(ImageFolder(tmp_path).read([4, 5, 6]))
    assert [picture is None for picture in pictures] == [False, True, False]


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no images"):
        ImageFolder(tmp_path)


def test_a_picture_of_another_size_is_none(made_up: ModuleType, tmp_path: Path) -> None:
    import cv2

    made_up.write_images(tmp_path, np.zeros(3))
    cv2.imwrite(str(tmp_path / "000001.png"), np.zeros((65, 96), np.uint8))
    assert [picture is None for picture in ImageFolder(tmp_path).read([0, 1, 2])] == [
        False,
        True,
        False,
    ]


def test_frames_of_a_video_come_by_number(made_up: ModuleType, tmp_path: Path) -> None:
    path = made_up.write_video(tmp_path / "a.mp4", np.linspace(0.0, 1.0, 12))
    video = Video(path)
    assert (len(video.numbers), video.size, video.fps) == (12, (96, 64), 10.0)
    whole = list(video.read(range(12)))
    some = list(video.read([1, 5, 11, 12]))
    assert some[3] is None
    for picture, number in zip(some[:3], (1, 5, 11), strict=True):
        np.testing.assert_array_equal(picture, whole[number])


@pytest.mark.parametrize("content", [b"", b"this is no video"])
def test_an_empty_video_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="no frame that can be decoded"):
        Video(path)


def test_a_stream_without_a_table_of_contents_is_counted(
    made_up: ModuleType, tmp_path: Path
) -> None:
    images = made_up.write_images(tmp_path / "images", np.linspace(0.0, 1.0, 12), ".jpg")
    stream = tmp_path / "a.mjpeg"
    stream.write_bytes(b"".join(path.read_bytes() for path in images))
    assert len(Video(stream).numbers) == 12
