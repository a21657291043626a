"""`redrive import`: a real drive becomes a recording."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from tyro.conf import Positional

from redrive import terminal
from redrive.agents.refined_pitch import refine_pitch
from redrive.command import parse
from redrive.sim import files
from redrive.sim.imports import comma, donkeycar, filmed, kitti, store
from redrive.sim.imports.drive import Drive
from redrive.sim.imports.lens import Mounting
from redrive.sim.imports.store import Imported, View
from redrive.sim.recording import Recording
from redrive.sim.recording_header import HEADER_FILE, header_to_json
from redrive.sim.trace import TraceSource

SHEET_FILE, PATH_FILE = "contact-sheet.png", "path.png"


@dataclass(frozen=True)
class ImportOptions:
    """Make a recording of a real drive; `redrive import kitti --help` and so on say more.

    kitti: odometry sequences. comma2k19: a segment's folder. donkeycar: a tub.
    video: a film or a folder of images, with a table of poses and a camera file.
    """

    source: Positional[Literal["kitti", "comma2k19", "donkeycar", "video"]]
    """What kind of drive; its own options come after the name."""


@dataclass(frozen=True, kw_only=True)
class Common:
    """What every import is asked."""

    path: Positional[Path]
    """What to read."""
    out: Path
    """The folder to write; a new one."""
    size: str = ""
    """Width, or WIDTHxHEIGHT, of the pictures kept; without it they are at most 640 px wide."""
    crop: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Pixels of the source to cut off at the left, top, right and bottom, such as the bonnet."""
    every: int = 1
    """Keep one frame of so many."""
    mount_height: float | None = None
    """Of the camera above the road, in metres, where you know better than the source."""
    mount_forward: float | None = None
    """Of the camera ahead of the rear axle, in metres."""
    pitch_deg: float | None = None
    """How far the camera looks down; without it, from the direction of travel where there is one."""
    yaw_deg: float | None = None
    """How far the camera looks to the left; pictures are turned to look straight ahead."""
    refine_pitch: bool = False
    """Find the pitch, within 2 degrees of that, with which frames foretell the next ones best."""
    source: str = ""
    """Where the drive comes from, to be kept with it."""
    licence: str = ""
    """Under what terms it may be used, to be kept with it."""

    @property
    def view(self) -> View:
        """Which frames and how large."""
        return View(parse_size(self.size), self.crop, self.every)

    @property
    def mounting(self) -> Mounting:
        """What was said of the camera's place."""
        pitch, yaw = (
            None if value is None else float(np.deg2rad(value))
            for value in (self.pitch_deg, self.yaw_deg)
        )
        return Mounting(self.mount_height, self.mount_forward, pitch, yaw)


@dataclass(frozen=True, kw_only=True)
class KittiOptions(Common):
    """A KITTI odometry sequence: poses, and where there are any, pictures of one or two cameras.

    PATH is the data set's folder, a sequence's folder, or a folder with poses.txt and calib.txt.
    """

    sequence: str = ""
    """Which one, when PATH holds several."""
    as_shaken: bool = False
    """Leave the pictures as they are; without it they are freed of the car's pitching and rolling."""
    period: float | None = None
    """Seconds between frames, where times.txt is missing; 0.1031 is assumed."""

    def read(self) -> Drive:
        drive = kitti.read(self.path, self.sequence or None, self.period, self.mounting)
        return replace(drive, tilt=None) if self.as_shaken else drive


@dataclass(frozen=True, kw_only=True)
class CommaOptions(Common):
    """A comma2k19 segment: poses, speed, steering, and the video where it is there."""

    wheelbase: float = comma.WHEELBASE
    """Of the car, in metres."""
    steer_ratio: float = comma.STEER_RATIO
    """Turns of the hand wheel for one of the road wheels."""
    as_shaken: bool = False
    """Leave the pictures as they are; without it they are freed of the car's pitching and rolling."""

    def read(self) -> Drive:
        drive = comma.read(self.path, self.wheelbase, self.steer_ratio, self.mounting)
        return replace(drive, tilt=None) if self.as_shaken else drive


@dataclass(frozen=True, kw_only=True)
class DonkeycarOptions(Common):
    """A Donkeycar tub (version 2): pictures, steering and throttle; the path is dead reckoning."""

    wheelbase: float = donkeycar.Chassis.wheelbase
    """Of the car, in metres."""
    max_steer_deg: float = 25.0
    """Angle of the road wheels at full lock."""
    full_speed: float = donkeycar.Chassis.full_speed
    """Metres per second at full throttle."""
    rate: float | None = None
    """Pictures a second; without it the time stamps, or 20 where they cannot be true."""
    camera: Path | None = None
    """Calibration (JSON, see docs/importing.md); without it a 120 degree fisheye is assumed."""

    def read(self) -> Drive:
        chassis = donkeycar.Chassis(
            self.wheelbase, float(np.deg2rad(self.max_steer_deg)), self.full_speed
        )
        return donkeycar.read(self.path, chassis, self.rate, self.camera, self.mounting)


@dataclass(frozen=True, kw_only=True)
class VideoOptions(Common):
    """A video file or a folder of images, with where the car was.

    The table is a CSV with t,x,y,yaw,speed or with t,speed,yaw_rate; the camera file is JSON with
    fx, fy, cx, cy, distortion, mount_height, pitch. See docs/importing.md.
    """

    poses: Path
    """The CSV."""
    camera: Path
    """The camera file."""
    fps: float | None = None
    """Pictures a second, where the file does not say or is wrong."""
    first_frame_time: float = 0.0
    """When the first picture was taken, by the clock of the CSV, in seconds."""
    poses_of_camera: bool = False
    """x and y are the camera's, not the rear axle's; mount_forward is between them."""

    def read(self) -> Drive:
        return filmed.read(
            self.path,
            self.poses,
            self.camera,
            self.fps,
            self.first_frame_time,
            self.poses_of_camera,
            self.mounting,
        )


Options = KittiOptions | CommaOptions | DonkeycarOptions | VideoOptions
KINDS: dict[str, type[Options]] = {
    "kitti": KittiOptions,
    "comma2k19": CommaOptions,
    "donkeycar": DonkeycarOptions,
    "video": VideoOptions,
}


def parse_size(text: str) -> tuple[int, int | None] | None:
    """Width and height of `640x360`, width alone of `640`, None of nothing."""
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text)
    if found is None:
        raise ValueError(f"--size is a width, or WIDTHxHEIGHT as in 640x360, got {text!r}")
    width, height = found.groups()
    return int(width), None if height is None else int(height)


def run(options: Options) -> Imported:
    """Read, write, draw, and say what there is now."""
    view = options.view  # a wrong --size is told before anything is read
    drive = options.read()
    drive = replace(
        drive,
        source=options.source or drive.source,
        licence=options.licence or drive.licence,
    )
    total = sum(len(rows) for rows in store.segments_of(drive.starts, view.every))
    with terminal.progress("importing", total=total) as tick:
        done = store.write(drive, options.out, view, on_rows=tick)
    if options.refine_pitch:
        _refine_pitch(options.out)
    from redrive.import_sheet import draw_path, draw_sheet

    draw_path(options.out, options.out / PATH_FILE)
    drawn = [PATH_FILE]
    if drive.eye is not None:
        draw_sheet(options.out, options.out / SHEET_FILE)
        drawn.insert(0, SHEET_FILE)
    for note in done.notes:
        terminal.say(f"note: {note}")
    pictures = "frames" if drive.eye is not None else "poses without pictures"
    stretches = "1 stretch" if len(done.segments) == 1 else f"{len(done.segments)} stretches"
    terminal.say(
        f"{options.out}: {done.kept} {pictures} of {done.rows} in {stretches}, "
        f"{done.metres / 1000.0:.3f} km"
        + "".join(f"; {count} left out: {why}" for why, count in done.left_out.items())
    )
    terminal.say(f"licence: {drive.licence}")
    terminal.say(f"look at {' and '.join(str(options.out / name) for name in drawn)}")
    return done


def _refine_pitch(folder: Path) -> None:
    """Look for a better pitch in the recording's longest drive, and keep it in the header."""
    header = Recording.open(folder).header
    if header.camera is None:
        raise ValueError("--refine-pitch needs pictures, and this drive has none")
    source = TraceSource(folder)
    longest = max(range(source.count), key=lambda i: len(source.trace(i).x))
    found = refine_pitch(source.trace(longest))
    camera = {**header.camera, "pitch": found.pitch}
    about = {
        **(header.about or {}),
        "pitch_given": header.camera["pitch"],
        "pitch_correlation": [found.before, found.after],
    }
    header = replace(header, camera=camera, about=about)
    files.write_whole(folder / HEADER_FILE, header_to_json(header))
    terminal.say(
        f"pitch {np.rad2deg(source.camera.pitch):.2f} degrees, refined to "
        f"{np.rad2deg(found.pitch):.2f}: the road of one frame foretells the next with a "
        f"correlation of {found.after:.3f} ({found.before:.3f} before)"
    )


def main(argv: Sequence[str]) -> int:
    """The command."""
    if not argv or argv[0] not in KINDS:
        parse(ImportOptions, argv, "import")
    options = parse(KINDS[argv[0]], argv[1:], f"import {argv[0]}")
    run(options)
    terminal.say(f"next: {terminal.typed(f'info {options.out}')}")
    return 0
