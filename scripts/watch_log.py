"""What is watched as lines of JSON: for scripts beside the window.

Two kinds of lines: one for each step, when it is decided; and one with the single entry `window`
whenever something about the window has changed: paused, speed, size, who is followed, ...
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from redrive.watch_drive import Step, words
from redrive.watch_session import Layer, Session

DIGITS = 6


class Log:
    """Writes every step of the drive that is followed as soon as it is decided."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8")
        self._last: Step | None = None
        self._window: dict[str, Any] = {}

    def see(self, session: Session) -> None:
        """What has happened since the last look."""
        new: list[Step] = []
        for step in reversed(session.drive.steps):
            if step is self._last:
                break
            new.append(step)
        for step in reversed(new):
            self._file.write(json.dumps(entry(session, step)) + "\n")
        if new:
            self._file.flush()
            self._last = new[0]

    def see_window(self, session: Session, size: tuple[int, int]) -> None:
        """What the window is like, where that has changed.

        Args:
            size: of the picture [px].
        """
        window = window_entry(session, size)
        if window != self._window:
            self._window = window
            self._file.write(json.dumps({"window": window}) + "\n")
            self._file.flush()

    def close(self) -> None:
        """No more."""
        self._file.close()


def entry(session: Session, step: Step) -> dict[str, Any]:
    """One line: where the car was when the step was decided, and what was done. SI units."""
    state, command, after = step.frame.state, step.frame.command, step.frame.after
    numbers = {
        "time": state.steps[0] * session.drive.world.dt,
        "x": state.x[0],
        "y": state.y[0],
        "yaw": state.yaw[0],
        "speed": state.speed[0],
        "curvature": state.curvature[0],
        "arc_length": state.arc_length[0],
        "lateral_offset": state.lateral_offset[0],
        "heading_error": state.heading_error[0],
        "progress": state.progress[0],
        "command_curvature": command.curvature[0],
        "command_accel": command.accel[0],
    }
    return {
        "road": session.drive.road.name,
        "lane": int(state.lane[0]) - int(session.drive.world.pool.lanes.road_first[state.slot[0]]),
        "episode": session.drive.episode,
        "step": int(state.steps[0]),
        "driver": "human" if step.by_hand or session.person_drives else session.drive.driver,
        **{name: round(float(value), DIGITS) for name, value in numbers.items()},
        "ended": words(session.drive.ended) if after.ended[0] else "",
    }


def window_entry(session: Session, size: tuple[int, int]) -> dict[str, Any]:
    """What can be changed about a window; `speed` is null where it goes as fast as it can."""
    return {
        "size": list(size),
        "following": session.shown + 1,
        "wheel": "human" if session.at_the_wheel else session.drive.driver,
        "episode": session.drive.episode,
        "paused": session.paused,
        "speed": session.speed if math.isfinite(session.speed) else None,
        "zoom": session.zoom,
        "help": session.help,
        "menu": session.menu,
        "layers": [layer.name.lower() for layer in Layer if layer not in session.off],
        "filming": session.filming,
        "recording": session.recording,
        "notice": session.notice,
    }
