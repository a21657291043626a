"""The state of the watched car as lines of JSON, one for each step: for scripts beside the window."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from redrive.watch_drive import Step, words
from redrive.watch_session import Session

DIGITS = 6


class Log:
    """Writes every step of the drive that is followed as soon as it is decided."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8")
        self._last: Step | None = None

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
