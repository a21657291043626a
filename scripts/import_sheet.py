"""What an imported drive looks like: a contact sheet of its pictures, and its path."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from redrive.sim.recording import RecordedEpisode, Recording
from redrive.sim.sensors.camera import Camera

COLUMNS, ROWS, WIDTH = 4, 5, 320  # of the sheet, and of a picture on it [px]
FONT = cv2.FONT_HERSHEY_SIMPLEX
HORIZON, TEXT = (255, 80, 200), (255, 255, 255)  # RGB


def draw_sheet(folder: Path, target: Path) -> None:
    """Pictures from all over the recording, each with its horizon as the camera's pitch puts it."""
    recording = Recording.open(folder)
    assert recording.header.camera is not None
    camera = Camera.from_json(dict(recording.header.camera))
    height = max(1, round(camera.height * WIDTH / camera.width))
    total = recording.steps
    chosen = np.unique(np.linspace(0, total - 1, COLUMNS * ROWS).astype(int))
    sheet = np.zeros((-(-len(chosen) // COLUMNS) * height, COLUMNS * WIDTH, 3), np.uint8)
    for place, step in enumerate(chosen):
        episode, row = _find(recording, int(step))
        picture = episode.read("camera", row, row + 1)[0]
        kind = cv2.INTER_AREA if camera.width > WIDTH else cv2.INTER_LINEAR
        picture = np.ascontiguousarray(cv2.resize(picture, (WIDTH, height), interpolation=kind))
        level = round(camera.horizon * height / camera.height)
        cv2.line(picture, (0, level), (WIDTH, level), HORIZON, 1)
        number = int(episode.read("state_id", row, row + 1)[0])
        speed = float(episode.read("speed", row, row + 1)[0])
        bend = round(float(episode.read("curvature", row, row + 1)[0]), 4) + 0.0
        text = f"{number}  {speed:.1f} m/s  {bend:+.4f} 1/m"
        for colour, shift in (((0, 0, 0), 1), (TEXT, 0)):
            place_at = (6 + shift, height - 8 + shift)
            cv2.putText(picture, text, place_at, FONT, 0.42, colour, 1, cv2.LINE_AA)
        top, left = place // COLUMNS * height, place % COLUMNS * WIDTH
        sheet[top : top + height, left : left + WIDTH] = picture
    if not cv2.imwrite(str(target), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)):
        raise OSError(f"{target} could not be written; is the disk full?")


def draw_path(folder: Path, target: Path) -> None:
    """The path from above, a colour for each stretch, and speed and curvature over time."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    recording = Recording.open(folder)
    figure = Figure(figsize=(11, 5), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.2, 1.0))
    above = figure.add_subplot(grid[:, 0])
    speed = figure.add_subplot(grid[0, 1])
    bend = figure.add_subplot(grid[1, 1], sharex=speed)
    for number, episode in enumerate(recording):
        colour = f"C{number % 10}"
        x, y, yaw = (episode.read(name) for name in ("x", "y", "yaw"))
        time = episode.read("time")
        above.plot(x, y, color=colour, linewidth=1.5)
        above.plot(x[:1], y[:1], "o", color=colour, markersize=5)
        arrows = np.linspace(0, len(x) - 1, 9).astype(int)[1:]
        above.quiver(
            x[arrows], y[arrows], np.cos(yaw[arrows]), np.sin(yaw[arrows]),
            color=colour, width=0.004, scale=25.0,
        )  # fmt: skip
        speed.plot(time, episode.read("speed"), color=colour, linewidth=1.0)
        bend.plot(time, episode.read("curvature"), color=colour, linewidth=1.0)
    above.set_aspect("equal", adjustable="datalim")
    above.set(xlabel="x [m], ahead at the start", ylabel="y [m], left", title="rear axle's path")
    above.grid(alpha=0.3)
    speed.set(ylabel="speed [m/s]")
    bend.set(ylabel="curvature [1/m], left is positive", xlabel="time [s]")
    for axes in (speed, bend):
        axes.grid(alpha=0.3)
    figure.savefig(target, dpi=100)


def _find(recording: Recording, step: int) -> tuple[RecordedEpisode, int]:
    """The episode and the row of the `step`-th row of all."""
    for episode in recording:
        if step < episode.steps:
            return episode, step
        step -= episode.steps
    raise IndexError(step)
