"""What happened while fitting, line by line: `log.jsonl`, and TensorBoard's files if asked for."""

import json
import os
from pathlib import Path
from typing import Any, Self


class RunLog:
    """Appends to `log.jsonl`. A line is written whole, and then safe from the end of our process."""

    def __init__(self, run: Path, keep: int, step: int, tensorboard: bool) -> None:
        """Continue the log of a run folder.

        Args:
            keep: how much of it still holds [bytes]; what was written after the state that we
                resume from will be written again, and a line may have been cut off.
            step: the step we resume from.
        """
        self._file = (run / "log.jsonl").open("ab")
        self._file.truncate(min(keep, os.fstat(self._file.fileno()).st_size))
        self._board = _tensorboard(run, step) if tensorboard else None

    def write(self, step: int, **values: Any) -> None:
        """One line; numbers go to TensorBoard, too."""
        self._file.write((json.dumps({"step": step, **values}) + "\n").encode())
        self._file.flush()
        if self._board is not None:
            for name, value in values.items():
                if isinstance(value, (int, float)):
                    self._board.add_scalar(name, value, step)

    @property
    def size(self) -> int:
        """How long the log is [bytes]."""
        return os.fstat(self._file.fileno()).st_size

    def close(self) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _tensorboard(run: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ModuleNotFoundError(
            "TensorBoard is not installed; `pip install 'redrive[tensorboard]'`, "
            "or fit without it: log.jsonl holds the same numbers"
        ) from error
    return SummaryWriter(run / "tensorboard", purge_step=step or None)
