"""The next step while this one is still being shown: computed in a thread, so pictures do not wait.

Between two steps there are 100 ms in which a window has little to do. A driver that is a function of
what it saw may decide then; a person may not, since what their hands do is only known when the step
begins. It is the same computation on the same values, so nothing depends on whether it was early.
"""

from __future__ import annotations

import sys
from concurrent.futures import Future, ThreadPoolExecutor

from redrive.watch_drive import Drive, advance
from redrive.watch_insight import attention_of, hidden_states, saliency_of
from redrive.watch_session import Layer, Session


class Ahead:
    """Steps that are computed before they are asked for."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "redrive-ahead", initializer=_one_thread)
        self._coming: dict[int, tuple[Drive, Future[Drive]]] = {}  # by the identity of the drive

    def prepare(self, session: Session) -> None:
        """Begin with the steps that will be asked for next."""
        coming = {}
        for number, drive in enumerate(session.drives):
            if drive.over or drive.by_hand or drive.agent is session.human:
                continue
            key = id(drive)
            if key in self._coming:
                coming[key] = self._coming[key]
                continue
            explain = number == session.shown and Layer.SALIENCY not in session.off
            coming[key] = drive, self._thread.submit(_step, drive, explain)
        self._coming = coming  # which also keeps the drives alive, so that no id is used twice

    def step(self, drive: Drive) -> Drive:
        """`advance(drive)`, perhaps computed already."""
        key = id(drive)
        if key not in self._coming:
            return advance(drive)
        _, future = self._coming.pop(key)
        return future.result()

    def wait(self) -> None:
        """Nothing is computed any more: before the roads are changed that it looks at."""
        for _, future in self._coming.values():
            future.exception()

    def close(self) -> None:
        """Stop."""
        self._thread.shutdown(cancel_futures=True)


def _step(drive: Drive, explain: bool) -> Drive:
    following = advance(drive)
    if explain:  # asked for here, so that it is there when the picture is drawn
        saliency_of(following)
    attention_of(following)
    hidden_states(following, 1)
    return following


def _one_thread() -> None:
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
