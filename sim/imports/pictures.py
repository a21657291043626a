"""Pictures of a drive, read one after the other: a folder of images, or a video file."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".pgm", ".tif", ".tiff", ".webp")
_NUMBER = re.compile(r"\d+")


class Pictures(Protocol):
    """Numbered pictures of one size; BGR or grey, as OpenCV reads them."""

    @property
    def numbers(self) -> Sequence[int]:
        """Which pictures there are, growing."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height [px]."""

    def read(self, wanted: Sequence[int]) -> Iterator[np.ndarray | None]:
        """One picture for each number, which must grow; None for one that cannot be read."""


class ImageFolder:
    """A folder of image files; the first number in a file's name is the picture's."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._paths: dict[int, Path] = {}
        images = [path for path in self.folder.iterdir() if path.suffix.lower() in ENDINGS]
        for path in sorted(images):
            digits = _NUMBER.search(path.stem)
            if digits is None:
                raise ValueError(f"{path}: the name has no number, so its place is unknown")
            number = int(digits.group())
            if number in self._paths:
                raise ValueError(
                    f"{path} and {self._paths[number].name} are both picture {number}; "
                    "the first number in a name must be its place"
                )
            self._paths[number] = path
        if not self._paths:
            raise ValueError(f"{folder} holds no images ({', '.join(ENDINGS)})")
        self._paths = dict(sorted(self._paths.items()))
        for path in self._paths.values():
            picture = read_image(path)
            if picture is not None:
                self._size = (picture.shape[1], picture.shape[0])
                break
        else:
            raise ValueError(f"{folder}: not one of {len(self._paths)} images can be read")

    @property
    def numbers(self) -> list[int]:
        return list(self._paths)

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    def read(self, wanted: Sequence[int]) -> Iterator[np.ndarray | None]:
        for number in wanted:
            path = self._paths.get(int(number))
            picture = None if path is None else read_image(path)
            if picture is not None and picture.shape[1::-1] != self._size:
                picture = None
            yield picture


class Video:
    """A video file, decoded frame after frame; frames are numbered from 0."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(f"{path} is not there; give a video file or an image folder")
        capture = cv2.VideoCapture(str(path))
        try:
            count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
            self.fps = float(capture.get(cv2.CAP_PROP_FPS))  # [1/s] 0 when the file does not say
            there, picture = capture.read() if capture.isOpened() else (False, None)
            if (
                there and count < 1
            ):  # a bare stream, such as comma's .hevc, has no table of contents
                count = 1
                while capture.grab():
                    count += 1
        finally:
            capture.release()
        if not there or picture is None:
            raise ValueError(
                f"{path} holds no frame that can be decoded: it is empty, cut off or no video; "
                "convert it with ffmpeg, or give a folder of images"
            )
        self._count = count
        self._size = (picture.shape[1], picture.shape[0])

    @property
    def numbers(self) -> range:
        return range(self._count)

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    def read(self, wanted: Sequence[int]) -> Iterator[np.ndarray | None]:
        capture = cv2.VideoCapture(str(self.path))
        place = 0
        try:
            for number in wanted:
                while place < number and capture.grab():
                    place += 1
                there, picture = capture.read() if place == number else (False, None)
                place += there
                yield picture if there else None
        finally:
            capture.release()


def read_image(path: Path) -> np.ndarray | None:
    """An image file, grey or BGR; None when it is cut off or no image.

    OpenCV returns a half-grey picture for a JPEG that is cut off, so its end is looked at first.
    """
    data = path.read_bytes()
    if data[:2] == b"\xff\xd8" and b"\xff\xd9" not in data[-1024:]:
        return None
    if data[:4] == b"\x89PNG" and b"IEND" not in data[-1024:]:
        return None
    if not data:
        return None
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_ANYCOLOR)
    return picture if picture is not None and picture.dtype == np.uint8 else None
