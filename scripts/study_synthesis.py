"""The study `synthesis`: what a re-synthesized view costs, against the true one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from redrive import terminal
from redrive.agents.synthesis_audit import (
    LATERAL,
    YAW_DEG,
    Scene,
    audit,
    forward_correlations,
    offset_views,
    stereo_correlations,
    summary,
)
from redrive.sim.recording import Recording
from redrive.sim.sensors.camera import Camera
from redrive.sim.trace import TraceSource
from redrive.sim.world import RoadWorld
from redrive.study import StudyOptions, write_page, write_table

ROADS = "procedural:0-1000"
SCENES, QUICK_SCENES = 96, 12
FORWARD_STEPS = (1, 3, 5)  # frames ahead
SHOWN = ((0.5, 3.0), (1.0, -6.0), (2.0, 10.0))  # offsets in the picture [m, degrees]


def study(options: StudyOptions) -> dict[str, Any]:
    """Run it; the summary."""
    world = RoadWorld(world=ROADS)
    count = QUICK_SCENES if options.quick else SCENES
    state = world.reset(options.seed * 1_000_000 + np.arange(count))
    with terminal.progress("comparing views", len(LATERAL) * len(YAW_DEG)) as tick:
        rows = audit(world, state, tick)
    found = summary(rows)
    write_table(options.out / "table.csv", rows)
    _plot(options.out / "audit.png", rows)
    _show(options.out / "views.png", world, options.seed)
    pictures = [
        ("audit.png", "PSNR and SSIM inside the mask, and the share of the picture that is valid"),
        ("views.png", "source, synthesized, true, and four times their difference (white: holes)"),
    ]
    if options.recording is not None:
        found |= real_frames(options.recording, options.quick)
    least = found["within_1m_6deg"]["psnr_db_least"]
    command = f"redrive study synthesis --out {options.out}" + " --quick" * options.quick
    if options.recording is not None:
        command += f" --recording {options.recording}"
    write_page(
        options.out / "index.html",
        "What a re-synthesized view costs",
        f"Within 1 m and 6 degrees of the recorded path, views made of a recorded frame are at "
        f"least {least:.1f} dB (PSNR) from the true ones, over {count} scenes.",
        pictures,
        command,
    )
    return found


def real_frames(folder: Path, quick: bool) -> dict[str, Any]:
    """Correlations between frames of a real drive: forward, and to the second camera."""
    source = TraceSource(folder)
    every = 5 if quick else 1
    forward: dict[str, float] = {}
    with terminal.progress("comparing real frames", len(FORWARD_STEPS)) as tick:
        for steps in FORWARD_STEPS:
            values = [
                value
                for i in range(source.count)
                for value in forward_correlations(source.trace(i), steps, every)
            ]
            if values:
                forward[str(steps)] = float(np.mean(values))
            tick(1)
    found: dict[str, Any] = {"forward_ncc": forward}
    stereo = _stereo(Recording.open(folder), source.camera)
    return found | ({"stereo_ncc": stereo} if stereo else {})


def _stereo(recording: Recording, camera: Camera) -> dict[str, float] | None:
    """Left against right, where the recording has a second camera."""
    second = recording.header.camera_right
    if second is None:
        return None
    pairs = []
    for episode in recording:
        kept = np.flatnonzero(episode.read("camera_right_state_id") >= 0)
        if len(kept):
            left, right = episode.read("camera")[kept], episode.read("camera_right")[kept]
            pairs.append(stereo_correlations(left, right, camera, float(second["baseline"])))
    if not pairs:
        return None
    return {name: float(np.mean([pair[name] for pair in pairs])) for name in pairs[0]}


def _plot(path: Path, rows: list[dict[str, float]]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(15, 4.6), layout="constrained")
    for axis, (name, label, form) in zip(
        axes,
        (("psnr_db", "PSNR [dB]", "{:.1f}"), ("ssim", "SSIM", "{:.2f}"),
         ("valid", "valid share", "{:.2f}")),
        strict=True,
    ):  # fmt: skip
        cells = np.array([[_cell(rows, lat, yaw)[name] for yaw in YAW_DEG] for lat in LATERAL])
        axis.imshow(cells, cmap="cividis", aspect="auto")
        for (i, j), value in np.ndenumerate(cells):
            bright = value > cells.min() + 0.6 * np.ptp(cells)
            axis.text(
                j, i, form.format(value), ha="center", va="center",
                color="black" if bright else "white", fontsize=9,
            )  # fmt: skip
        axis.set_xticks(range(len(YAW_DEG)), [f"{yaw:g}" for yaw in YAW_DEG])
        axis.set_yticks(range(len(LATERAL)), [f"{lateral:g}" for lateral in LATERAL])
        axis.set_xlabel("turned by [degrees]")
        axis.set_title(label)
    axes[0].set_ylabel("moved to the left by [m]")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _cell(rows: list[dict[str, float]], lateral: float, yaw: float) -> dict[str, float]:
    return next(r for r in rows if r["lateral_m"] == lateral and r["yaw_deg"] == yaw)


def _show(path: Path, world: RoadWorld, seed: int) -> None:
    """A sheet of scenes for people."""
    state = world.reset(seed * 1_000_000 + np.arange(len(SHOWN)))
    strips = []
    for car, (lateral, yaw) in enumerate(SHOWN):
        scenes, _ = offset_views(world, state, lateral, yaw)
        strips.append(_strip(scenes[car]))
    sheet = np.concatenate(strips, axis=0)
    cv2.imwrite(str(path), sheet[..., ::-1])


def _strip(scene: Scene) -> np.ndarray:
    """Source, synthesized, true and difference side by side, enlarged."""
    difference = 4 * np.abs(scene.synthesized.astype(int) - scene.true)
    difference[~scene.mask] = 255
    tall = 4 * scene.true.shape[0]
    shown = [scene.source, scene.synthesized, scene.true, np.minimum(difference, 255)]
    gap = np.full((tall + 8, 8, 3), 255, np.uint8)
    parts: list[np.ndarray] = []
    for picture in shown:
        height, width = picture.shape[:2]
        large = cv2.resize(
            picture.astype(np.uint8), (round(width * tall / height), tall),
            interpolation=cv2.INTER_NEAREST,
        )  # fmt: skip
        parts += [np.pad(large, ((0, 8), (0, 0), (0, 0)), constant_values=255), gap]
    return np.concatenate(parts[:-1], axis=1)
